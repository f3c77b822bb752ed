import type { Mirror } from '../mirror/mirror.ts';

/** Chooses a model, turns it on, and lets the user write meanwhile. What stands in the way comes as engine state. */
export async function startModel(mirror: Mirror, modelId: string): Promise<void> {
  if (!(await mirror.chooseModel(modelId))) return;
  mirror.requestFocus();
  await mirror.turnOn();
}

/** Chooses a model; where one was on, the new one is. What was off stays off. */
export async function switchModel(mirror: Mirror, modelId: string): Promise<void> {
  const kind = mirror.store.getState().app?.engine.kind;
  const isOn = kind !== 'off' && kind !== 'failed' && kind !== 'stopping';
  if ((await mirror.chooseModel(modelId)) && isOn) await mirror.turnOn();
}
