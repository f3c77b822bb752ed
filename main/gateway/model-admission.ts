/** Whether the model that a program names is the one that runs, may take its place, or neither. Pure. */
import { DEMO_MODEL_ID } from '../models/model-folder.ts';
import { ApiFault } from './api-fault.ts';

export interface OfferedModel {
  readonly id: string;
  readonly name: string;
}

export interface AdmissionInput {
  readonly asked: string;
  readonly current: OfferedModel | null;
  /** Every model whose files are here. Looked at only when another one is asked for: that reads their folders. */
  readonly available: () => readonly OfferedModel[];
  /** The user keeps the current one loaded. */
  readonly isPinned: boolean;
  /** Somebody else waits for the current one or is answered by it. */
  readonly isBusy: boolean;
}

export type Admission = { readonly kind: 'serve' } | { readonly kind: 'switch'; readonly modelId: string };

/** What programs call it: the repository's name; what a folder, or the demo that comes with the app, is called. */
export const apiName = ({ id, name }: OfferedModel): string => (id.startsWith('/') || id === DEMO_MODEL_ID ? name : id);

const isNamed = (asked: string, { id, name }: OfferedModel): boolean => asked === id || asked === name;

/** Throws ApiFault. */
export function admit({ asked, current, available, isPinned, isBusy }: AdmissionInput): Admission {
  if (current !== null && (asked === 'default' || isNamed(asked, current))) return { kind: 'serve' };
  const other = available().find((model) => isNamed(asked, model));
  if (other === undefined) {
    if (current === null)
      throw new ApiFault(503, 'no_model', 'No model has been chosen yet. Open Headroom and choose one.');
    throw new ApiFault(
      404,
      'model_not_found',
      `Headroom runs "${apiName(current)}" now. Ask for that, or for "default".`,
      'model',
    );
  }
  if (current === null) return { kind: 'switch', modelId: other.id };
  if (isPinned)
    throw new ApiFault(
      403,
      'model_pinned',
      `"${current.name}" is kept loaded, so "${other.name}" cannot take its place. Ask for "default".`,
      'model',
    );
  if (isBusy)
    throw new ApiFault(503, 'model_busy', `"${current.name}" is in use. Try again when it is free.`, 'model', {
      retryAfterSeconds: 10,
    });
  return { kind: 'switch', modelId: other.id };
}
