import { beforeEach, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { keepIdleUnload } from './idle-unload.ts';

let nowMs: number;
let timers: { atMs: number; run: () => void }[];
let state: EngineState;
let listeners: ((state: EngineState) => void)[];
let minutes: number;
let isPinned: boolean;
let openAnswers: number;
let unloads: number;
beforeEach(() => {
  [nowMs, timers, listeners, minutes, isPinned, openAnswers, unloads] = [0, [], [], 5, false, 0, 0];
  state = { kind: 'off' };
});

const keep = () =>
  keepIdleUnload({
    engine: {
      get state() {
        return state;
      },
      subscribe: (listener) => {
        listeners.push(listener);
        return () => {};
      },
      openAnswers: () => openAnswers,
    },
    afterMinutes: () => minutes,
    isPinned: () => isPinned,
    unload: () => (unloads += 1),
    changed: () => {},
    clock: {
      nowMs: () => nowMs,
      after: (delayMs, run) => {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => (timers = timers.filter((other) => other !== timer));
      },
    },
  });
const becomes = (next: EngineState): void => {
  state = next;
  for (const listener of listeners) listener(next);
};
const wait = (toMs: number): void => {
  nowMs = toMs;
  const due = timers.filter(({ atMs }) => atMs <= toMs);
  timers = timers.filter((timer) => !due.includes(timer));
  for (const { run } of due) run();
};

it('unloads after the time, counted from the last answer', () => {
  const idle = keep();
  expect(idle.atMs).toBeNull();
  becomes({ kind: 'ready', sinceMs: 0 });
  expect(idle.atMs).toBe(300_000);
  becomes({ kind: 'busy', sinceMs: 200_000 });
  expect(idle.atMs).toBeNull();
  wait(400_000);
  becomes({ kind: 'ready', sinceMs: 400_000 });
  wait(699_999);
  expect(unloads).toBe(0);
  wait(700_000);
  expect(unloads).toBe(1);
});

it('begins anew when somebody writes, and knows that it is away until it is started', () => {
  const idle = keep();
  becomes({ kind: 'ready', sinceMs: 0 });
  wait(299_000);
  idle.used();
  expect(idle.atMs).toBe(599_000);
  wait(300_000);
  expect([unloads, idle.isAway]).toEqual([0, false]);
  wait(599_000);
  expect([unloads, idle.isAway]).toEqual([1, true]);
  becomes({ kind: 'stopping', sinceMs: 599_000, deadlineMs: 600_000 });
  becomes({ kind: 'off' });
  expect(idle.isAway).toBe(true);
  becomes({ kind: 'preparing', sinceMs: 600_000 });
  expect(idle.isAway).toBe(false);
  becomes({ kind: 'off' });
  expect(idle.isAway).toBe(false);
});

it('does not while it is pinned, never is chosen, or an answer waits', () => {
  const idle = keep();
  becomes({ kind: 'ready', sinceMs: 0 });
  isPinned = true;
  idle.review();
  expect(idle.atMs).toBeNull();
  isPinned = false;
  minutes = 0;
  idle.review();
  expect(idle.atMs).toBeNull();
  minutes = 1;
  idle.review();
  expect(idle.atMs).toBe(60_000);
  openAnswers = 1;
  wait(60_000);
  expect(unloads).toBe(0);
});

it('leaves no timer', () => {
  const idle = keep();
  becomes({ kind: 'ready', sinceMs: 0 });
  idle.dispose();
  expect(timers).toEqual([]);
});
