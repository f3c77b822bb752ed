/** Which model is chosen, and whether it can run. */
import type { ModelInfo } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import type { Library } from './library.ts';
import type { ModelFolder } from './model-folder.ts';

export interface Models {
  /** The chosen model where it can run; null before the user has chosen one, and while its files are away. */
  readonly current: ModelFolder | null;
  /** Also of a model whose files are away. */
  readonly chosenId: string | null;
  /** The chosen model. Throws AppFault: no-model, or not-found that says where it went. */
  required(): ModelFolder;
  available(): readonly ModelInfo[];
  /** Throws AppFault (not-found). */
  choose(modelId: string): ModelFolder;
  /** Nothing is chosen any longer. */
  forget(): void;
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

  return {
    get current() {
      return current;
    },
    get chosenId() {
      return chosenId;
    },
    required() {
      if (chosenId === null) throw new AppFault('no-model', 'No model has been chosen yet.', 'Choose a model first.');
      // A disk may have been connected or taken away since.
      current = null;
      current = library.locate(chosenId);
      return current;
    },
    available: () =>
      library
        .models()
        .flatMap(({ id, presence }) => (presence.kind === 'here' ? [locateOrNull(id)] : []))
        .flatMap((model) => (model === null ? [] : [model.info])),
    choose(modelId) {
      const model = library.locate(modelId);
      chosenId = modelId;
      current = model;
      return model;
    },
    forget() {
      chosenId = null;
      current = null;
    },
  };
}
