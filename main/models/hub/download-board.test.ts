import { describe, expect, it } from 'vitest';
import type { DownloadState } from '../../../preload/contract.ts';
import type { Clock } from '../../engine/clock.ts';
import { type LaneStatus, createBoard, together } from './download-board.ts';
import type { ManifestFile } from './manifest.ts';

const cause = { code: 'offline', message: 'The hub cannot be reached.', nextStep: 'Wait.' };
const waiting = (retryAtMs: number): LaneStatus => ({ kind: 'waiting', retryAtMs, cause });

describe('together', () => {
  it.each<[readonly LaneStatus[], string | null]>([
    [[], null],
    [[{ kind: 'moving' }, waiting(5)], 'moving'],
    [[{ kind: 'checking' }, { kind: 'moving' }], 'moving'],
    [[{ kind: 'checking' }, waiting(5)], 'checking'],
    [[waiting(9), waiting(5)], 'waiting'],
  ])('%#', (lanes, kind) => expect(together(lanes)?.kind ?? null).toBe(kind));

  it('of two waits the sooner counts', () => expect(together([waiting(9), waiting(5)])).toEqual(waiting(5)));
});

const file = (name: string, bytes: number): ManifestFile => ({
  path: `${name}.safetensors`,
  bytes,
  sha256: name.repeat(64).slice(0, 64),
  gitSha1: null,
});

function scene() {
  let nowMs = 0;
  const timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    after(delayMs, callback) {
      const timer = { at: nowMs + delayMs, callback };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
  };
  const states: DownloadState[] = [];
  const files = [file('a', 600), file('b', 400)];
  const board = createBoard({ repository: 'o/m', commit: 'c', branch: null, files }, clock, (state) =>
    states.push(state),
  );
  const pass = (ms: number): void => {
    for (const end = nowMs + ms; ; ) {
      const next = timers.toSorted((x, y) => x.at - y.at)[0];
      if (next === undefined || next.at > end) {
        nowMs = end;
        return;
      }
      nowMs = next.at;
      timers.splice(timers.indexOf(next), 1);
      next.callback();
    }
  };
  return { board, states, pass, timers, files: files as [ManifestFile, ManifestFile] };
}

describe('the board', () => {
  it('speaks at once when something else happens, and four times a second while bytes come', () => {
    const { board, states, pass, files } = scene();
    const lane = board.lane();
    lane.checking();
    lane.moving();
    expect(states.map((state) => state.kind)).toEqual(['checking', 'downloading']);
    for (let step = 1; step <= 100; step += 1) {
      board.set(files[0], step);
      pass(10);
    }
    expect(states.length).toBeLessThanOrEqual(2 + 4);
    expect(states.at(-1)).toMatchObject({ kind: 'downloading', doneBytes: 100, totalBytes: 1_000 });
    expect(board.leftBytes()).toBe(900);
  });

  it('going from file to file is no news; a wait is said once', () => {
    const { board, states, pass } = scene();
    const lane = board.lane();
    lane.moving();
    lane.moving();
    expect(states).toHaveLength(1);
    lane.waiting(60_000, cause);
    pass(30_000);
    expect(states.filter((state) => state.kind === 'waiting')).toHaveLength(1);
    expect(states.at(-1)).toEqual({ kind: 'waiting', doneBytes: 0, totalBytes: 1_000, retryAtMs: 60_000, cause });
  });

  it('a file that has to begin anew takes its bytes back', () => {
    const { board, files } = scene();
    board.set(files[0], 600);
    board.set(files[1], 100);
    board.set(files[0], 0);
    expect(board.leftBytes()).toBe(900);
  });

  it('after its end nothing ticks', () => {
    const { board, states, pass, timers } = scene();
    board.lane().moving();
    board.failed(cause);
    board.dispose();
    const before = states.length;
    pass(5_000);
    expect(states).toHaveLength(before);
    expect(timers).toHaveLength(0);
  });
});
