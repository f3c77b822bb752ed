/** What a running download says about itself: several lanes, one state, not too often. */
import type { DownloadState, FailureCause } from '../../../preload/contract.ts';
import type { Clock } from '../../engine/clock.ts';
import { type Manifest, type ManifestFile, checksumOf, totalBytes } from './manifest.ts';
import { type Pace, bytesPerSecond, remainingSeconds, startPace, stepPace } from './pace.ts';

/** One of the things that go on at once. */
export interface Lane {
  checking(): void;
  moving(): void;
  waiting(retryAtMs: number, cause: FailureCause): void;
  leave(): void;
}

export interface DownloadBoard {
  lane(): Lane;
  /** How much of a file is known to be here. */
  set(file: ManifestFile, bytes: number): void;
  of(file: ManifestFile): number;
  leftBytes(): number;
  paused(): void;
  failed(cause: FailureCause): void;
  /** After this nothing is said any more. */
  dispose(): void;
}

export type LaneStatus =
  | { readonly kind: 'checking' }
  | { readonly kind: 'moving' }
  | { readonly kind: 'waiting'; readonly retryAtMs: number; readonly cause: FailureCause };

/** What all lanes together are doing: one that moves is enough, and waiting is what all that are left do. */
export function together(lanes: readonly LaneStatus[]): LaneStatus | null {
  const moving = lanes.find((lane) => lane.kind === 'moving') ?? lanes.find((lane) => lane.kind === 'checking');
  if (moving) return moving;
  const waiting = lanes.filter((lane) => lane.kind === 'waiting');
  return waiting.toSorted((a, b) => a.retryAtMs - b.retryAtMs)[0] ?? null;
}

/** Four times a second at most. */
const TICK_MS = 250;

export function createBoard(manifest: Manifest, clock: Clock, onState: (state: DownloadState) => void): DownloadBoard {
  const whole = totalBytes(manifest);
  const done = new Map<string, number>();
  const lanes = new Map<symbol, LaneStatus>();
  let doneBytes = 0;
  let pace: Pace | null = null;
  let last: LaneStatus | null = null;
  let cancelTick: (() => void) | null = null;

  const bytes = (): { doneBytes: number; totalBytes: number } => ({ doneBytes, totalBytes: whole });

  const say = (): void => {
    const now = together([...lanes.values()]);
    if (now === null) return;
    last = now;
    if (now.kind !== 'moving') pace = null;
    if (now.kind === 'checking') onState({ kind: 'checking', ...bytes() });
    else if (now.kind === 'waiting') {
      onState({ kind: 'waiting', ...bytes(), retryAtMs: now.retryAtMs, cause: now.cause });
    } else {
      const nowMs = clock.nowMs();
      pace = pace === null ? startPace(nowMs, doneBytes) : stepPace(pace, nowMs, doneBytes, whole);
      onState({
        kind: 'downloading',
        ...bytes(),
        bytesPerSecond: bytesPerSecond(pace),
        remainingSeconds: remainingSeconds(pace),
      });
    }
  };
  const tick = (): void => {
    cancelTick = clock.after(TICK_MS, tick);
    // A wait says its end once; there is nothing to add until then.
    if (last?.kind !== 'waiting') say();
  };
  const update = (lane: symbol, status: LaneStatus | null): void => {
    if (status === null) lanes.delete(lane);
    else lanes.set(lane, status);
    cancelTick ??= clock.after(TICK_MS, tick);
    const now = together([...lanes.values()]);
    // Going from file to file is no news.
    if (now !== null && (now.kind !== last?.kind || now.kind === 'waiting')) say();
  };

  return {
    lane() {
      const id = Symbol('lane');
      return {
        checking: () => update(id, { kind: 'checking' }),
        moving: () => update(id, { kind: 'moving' }),
        waiting: (retryAtMs, cause) => update(id, { kind: 'waiting', retryAtMs, cause }),
        leave: () => update(id, null),
      };
    },
    set(file, count) {
      doneBytes += count - (done.get(checksumOf(file)) ?? 0);
      done.set(checksumOf(file), count);
    },
    of: (file) => done.get(checksumOf(file)) ?? 0,
    leftBytes: () => whole - doneBytes,
    paused: () => onState({ kind: 'paused', ...bytes() }),
    failed: (cause) => onState({ kind: 'failed', ...bytes(), cause }),
    dispose() {
      cancelTick?.();
      cancelTick = null;
      lanes.clear();
    },
  };
}
