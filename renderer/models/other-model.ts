/** Which model answers in a conversation, where it is not the one in use: pure. */
import type { AppState, ModelEntry } from '../../preload/contract.ts';

export interface OtherModel {
  readonly id: string;
  readonly name: string;
  /** The conversation's own, and not merely the one chosen for all. */
  readonly isOwn: boolean;
  /** Its files are on this computer. */
  readonly isHere: boolean;
}

/** Null: the model in use answers here, or there is none at all. */
export function otherModel(
  { model, chosenModelId, availableModels }: Pick<AppState, 'model' | 'chosenModelId' | 'availableModels'>,
  ownId: string | null,
  entries: readonly ModelEntry[] | null,
): OtherModel | null {
  const id = ownId ?? chosenModelId;
  if (model === null || id === null || id === model.id) return null;
  const entry = entries?.find((each) => each.id === id);
  const known = entry ?? availableModels.find((each) => each.id === id);
  // Before the list is here, what it holds is not known to be missing.
  const isHere = entries === null || entry?.presence.kind === 'here';
  return { id, name: known?.name ?? id, isOwn: ownId !== null, isHere };
}
