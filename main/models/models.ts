/**
 * Which model is chosen, which is in use, and whether it can run. One model is loaded at a time: a conversation with a
 * model of its own, or a program that names another, puts that in the place of the chosen one for as long as it is used.
 */
import type { ModelInfo } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import type { Library } from './library.ts';
import type { ModelFolder } from './model-folder.ts';

export interface Models {
  /** The model in use where it can run; null before the user has chosen one, and while its files are away. */
  readonly current: ModelFolder | null;
  /** Also of a model whose files are away. */
  readonly inUseId: string | null;
  /** What comes back where nothing else is asked for. */
  readonly chosenId: string | null;
  /** The model in use. Throws AppFault: no-model, or not-found that says where it went. */
  required(): ModelFolder;
  available(): readonly ModelInfo[];
  /** For good, and in use. Throws AppFault (not-found). */
  choose(modelId: string): ModelFolder;
  /** In use until another is; the choice stays. Throws AppFault (not-found). */
  chooseForNow(modelId: string): ModelFolder;
  /** Neither chosen nor in use any longer; where it was only in use, the chosen one is again. */
  forget(modelId: string): void;
}

export interface ModelChoice {
  readonly library: Pick<Library, 'locate' | 'models'>;
  /** From the command line: comes before anything chosen earlier. */
  readonly givenId: string | null;
  /** From the settings. */
  readonly chosenId: string | null;
  /** Chosen where nothing else is; null on a Mac, where nothing is loaded that the user has not chosen. */
  readonly defaultId: string | null;
}

export function createModels({ library, ...choice }: ModelChoice): Models {
  let chosenId = choice.givenId ?? choice.chosenId;
  let inUseId: string | null;
  let current: ModelFolder | null = null;

  const locateOrNull = (id: string): ModelFolder | null => {
    try {
      return library.locate(id);
    } catch (error) {
      if (error instanceof AppFault) return null;
      throw error;
    }
  };

  if (chosenId !== null) current = locateOrNull(chosenId);
  if (current === null && choice.defaultId !== null) {
    current = locateOrNull(choice.defaultId);
    chosenId = current?.info.id ?? chosenId;
  }
  inUseId = chosenId;

  const chooseForNow = (modelId: string): ModelFolder => {
    const model = library.locate(modelId);
    inUseId = modelId;
    current = model;
    return model;
  };

  return {
    get current() {
      return current;
    },
    get inUseId() {
      return inUseId;
    },
    get chosenId() {
      return chosenId;
    },
    required() {
      if (inUseId === null) throw new AppFault('no-model', 'No model has been chosen yet.', 'Choose a model first.');
      // A disk may have been connected or taken away since.
      current = null;
      current = library.locate(inUseId);
      return current;
    },
    available: () =>
      library
        .models()
        .flatMap(({ id, presence }) => (presence.kind === 'here' ? [locateOrNull(id)] : []))
        .flatMap((model) => (model === null ? [] : [model.info])),
    choose(modelId) {
      const model = chooseForNow(modelId);
      chosenId = modelId;
      return model;
    },
    chooseForNow,
    forget(modelId) {
      if (chosenId === modelId) chosenId = null;
      if (inUseId !== modelId) return;
      inUseId = chosenId;
      current = chosenId === null ? null : locateOrNull(chosenId);
    },
  };
}
