import type { Mirror } from '../mirror/mirror.ts';

/** Chooses a model, turns it on, and lets the user write meanwhile. What stands in the way comes as engine state. */
export async function startModel(mirror: Mirror, modelId: string): Promise<void> {
  if (!(await mirror.chooseModel(modelId))) return;
  mirror.requestFocus();
  await mirror.turnOn();
}
