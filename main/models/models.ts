/** Which models there are to run, and which one is chosen. */
import type { ModelInfo } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import { DEMO_MODEL_ID, type ModelFolder, readModelFolder } from './model-folder.ts';

export interface Models {
  /** Null until the user has chosen one. */
  readonly current: ModelFolder | null;
  available(): readonly ModelInfo[];
  /** Throws AppFault (not-found). */
  choose(modelId: string): ModelFolder;
}

export interface ModelChoice {
  readonly demoFolder: string;
  /** From the command line: comes before anything chosen earlier. */
  readonly givenFolder: string | null;
  /** From the settings. */
  readonly chosenId: string | null;
  readonly demoIsDefault: boolean;
}

/** Throws AppFault when `givenFolder` is not a model: the user has just named it and should hear. */
export function createModels(choice: ModelChoice): Models {
  const given = choice.givenFolder === null ? null : readModelFolder(choice.givenFolder);
  const demo = readOrNull(choice.demoFolder);
  const known = [given, demo].filter((model) => model !== null);
  let current =
    given ??
    known.find((model) => model.info.id === choice.chosenId) ??
    // A folder chosen earlier may have gone since: then nothing is chosen, which the window shows.
    (choice.chosenId === null || choice.chosenId === DEMO_MODEL_ID ? null : readOrNull(choice.chosenId)) ??
    (choice.demoIsDefault ? demo : null);
  return {
    get current() {
      return current;
    },
    available: () => known.map((model) => model.info),
    choose(modelId) {
      const model = known.find((each) => each.info.id === modelId);
      if (model === undefined) {
        throw new AppFault('not-found', 'This model is no longer there.', 'Choose another one.');
      }
      current = model;
      return model;
    },
  };
}

function readOrNull(folder: string): ModelFolder | null {
  try {
    return readModelFolder(folder);
  } catch (error) {
    if (error instanceof AppFault) return null;
    throw error;
  }
}
