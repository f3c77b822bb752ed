/** Unloads a model that nobody has used for the time that the user chose. It comes back when somebody asks or writes. */
import type { Clock } from '../engine/clock.ts';
import type { EngineState } from '../../preload/contract.ts';
import type { Engine } from '../engine/engine.ts';

export interface IdleUnload {
  /** When it happens if nobody asks before; null when nothing is to be unloaded. */
  readonly atMs: number | null;
  /** It has happened, and nobody has started the model since. */
  readonly isAway: boolean;
  /** Somebody is about to ask: the time begins anew. */
  used(): void;
  /** The time or the pin have changed. */
  review(): void;
  dispose(): void;
}

export function keepIdleUnload(ports: {
  readonly engine: Pick<Engine, 'state' | 'subscribe'> & { openAnswers(): number };
  /** 0 for never. */
  readonly afterMinutes: () => number;
  readonly isPinned: () => boolean;
  readonly unload: () => void;
  readonly changed: () => void;
  readonly clock: Clock;
}): IdleUnload {
  const { engine, clock } = ports;
  let cancel: (() => void) | null = null;
  let atMs: number | null = null;
  let usedAtMs = 0;
  let isAway = false;

  const set = (next: number | null): void => {
    if (next === atMs) return;
    cancel?.();
    cancel = next === null ? null : clock.after(Math.max(0, next - clock.nowMs()), fire);
    atMs = next;
    ports.changed();
  };
  const look = (state: EngineState): void => {
    const minutes = ports.afterMinutes();
    if (state.kind !== 'off' && state.kind !== 'stopping') isAway = false;
    // `ready` begins anew after every answer.
    const isCounting = state.kind === 'ready' && minutes > 0 && !ports.isPinned();
    set(isCounting ? Math.max(state.sinceMs, usedAtMs) + minutes * 60_000 : null);
  };
  function fire(): void {
    if (engine.state.kind !== 'ready' || engine.openAnswers() > 0) return;
    isAway = true;
    ports.unload();
  }

  const release = engine.subscribe(look);
  look(engine.state);
  return {
    get atMs() {
      return atMs;
    },
    get isAway() {
      return isAway;
    },
    used() {
      usedAtMs = clock.nowMs();
      look(engine.state);
    },
    review: () => look(engine.state),
    dispose() {
      release();
      cancel?.();
    },
  };
}
