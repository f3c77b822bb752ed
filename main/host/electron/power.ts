/** Sleep, shutdown and fast user switching; and keeping the machine awake while an answer is being written. */
import type { PowerMonitor, PowerSaveBlocker } from 'electron';
import type { EngineState } from '../../../preload/contract.ts';
import type { Engine } from '../../engine/engine.ts';

/** Only while generating: an app that keeps a laptop awake all night is thrown out. */
function keepsAwake(state: EngineState): boolean {
  return state.kind === 'busy';
}

/** Keeps the machine from sleeping while the engine is busy. Returns what lets it sleep again for good. */
export function keepAwakeWhileBusy(
  blocker: Pick<PowerSaveBlocker, 'start' | 'stop'>,
  engine: Pick<Engine, 'state' | 'subscribe'>,
): () => void {
  let blockId: number | null = null;
  const follow = (state: EngineState): void => {
    if (keepsAwake(state) && blockId === null) blockId = blocker.start('prevent-app-suspension');
    if (!keepsAwake(state)) release();
  };
  const release = (): void => {
    if (blockId !== null) blocker.stop(blockId);
    blockId = null;
  };
  const unsubscribe = engine.subscribe(follow);
  follow(engine.state);
  return () => {
    unsubscribe();
    release();
  };
}

/** The engine lets go of the memory before the machine sleeps or another user takes it over; downloads sleep too. */
export function followPower(
  monitor: Pick<PowerMonitor, 'on'>,
  platform: NodeJS.Platform,
  ports: { suspend(): Promise<void>; sleep(): Promise<void>; resume(): void; quit(): void },
): void {
  monitor.on('suspend', () => void ports.sleep());
  monitor.on('resume', () => ports.resume());
  monitor.on('shutdown', () => ports.quit());
  // Fast user switching: the other user wants the memory. A locked screen alone does not. Downloads go on.
  if (platform === 'darwin') monitor.on('user-did-resign-active', () => void ports.suspend());
}
