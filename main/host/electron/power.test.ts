import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../../preload/contract.ts';
import { followPower, keepAwakeWhileBusy } from './power.ts';

function fakeEngine(first: EngineState) {
  const listeners = new Set<(state: EngineState) => void>();
  return {
    state: first,
    subscribe(listener: (state: EngineState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    become(state: EngineState) {
      this.state = state;
      for (const listener of listeners) listener(state);
    },
    listeners,
  };
}

function fakeBlocker() {
  const held = new Set<number>();
  const kinds: string[] = [];
  let next = 1;
  return {
    held,
    kinds,
    start(kind: 'prevent-app-suspension' | 'prevent-display-sleep') {
      kinds.push(kind);
      held.add(next);
      return next++;
    },
    stop(id: number) {
      return held.delete(id);
    },
  };
}

describe('keepAwakeWhileBusy', () => {
  it('holds one block while busy, and none otherwise', () => {
    const engine = fakeEngine({ kind: 'off' });
    const blocker = fakeBlocker();
    const stop = keepAwakeWhileBusy(blocker, engine);
    const other: EngineState[] = [
      { kind: 'preparing', sinceMs: 0 },
      { kind: 'starting', sinceMs: 0, attempt: 1 },
      { kind: 'loading', sinceMs: 0, loadedBytes: 0, totalBytes: 1 },
      { kind: 'ready', sinceMs: 0 },
    ];
    for (const state of other) {
      engine.become(state);
      expect(blocker.held.size).toBe(0);
    }
    engine.become({ kind: 'busy', sinceMs: 0 });
    engine.become({ kind: 'busy', sinceMs: 1 });
    expect(blocker.held.size).toBe(1);
    engine.become({ kind: 'ready', sinceMs: 2 });
    expect(blocker.held.size).toBe(0);
    engine.become({ kind: 'busy', sinceMs: 3 });
    stop();
    expect(blocker.held.size).toBe(0);
    expect(engine.listeners.size).toBe(0);
    expect(new Set(blocker.kinds)).toEqual(new Set(['prevent-app-suspension']));
  });

  it('notices an engine that is busy already', () => {
    const blocker = fakeBlocker();
    keepAwakeWhileBusy(blocker, fakeEngine({ kind: 'busy', sinceMs: 0 }));
    expect(blocker.held.size).toBe(1);
  });
});

describe('followPower', () => {
  it.each([
    ['darwin', 'suspend', 'sleep'],
    ['darwin', 'resume', 'resume'],
    ['darwin', 'user-did-resign-active', 'suspend'],
    ['darwin', 'shutdown', 'quit'],
    ['linux', 'suspend', 'sleep'],
    ['linux', 'shutdown', 'quit'],
    ['linux', 'lock-screen', null],
    ['darwin', 'lock-screen', null],
  ] as const)('%s: %s → %s', (platform, event, expected) => {
    const monitor = new EventEmitter();
    const done: string[] = [];
    followPower(monitor as unknown as Parameters<typeof followPower>[0], platform, {
      suspend: async () => void done.push('suspend'),
      sleep: async () => void done.push('sleep'),
      resume: () => void done.push('resume'),
      quit: () => void done.push('quit'),
    });
    monitor.emit(event);
    expect(done).toEqual(expected === null ? [] : [expected]);
  });
});
