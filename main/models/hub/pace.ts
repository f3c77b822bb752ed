/** Speed and remaining time of a transfer, smoothed so that neither jumps. Pure. */

export interface Pace {
  readonly atMs: number;
  readonly doneBytes: number;
  /** Weighted sums over the past, in which a moment `SPEED_MS` ago counts 1/e of now. */
  readonly weighedBytes: number;
  readonly weighedMs: number;
  /** How long it has been watched: nothing is said before `QUIET_MS`. */
  readonly watchedMs: number;
  readonly remainingMs: number | null;
}

const SPEED_MS = 10_000;
const REMAINING_MS = 5_000;
const QUIET_MS = 2_000;

export const startPace = (nowMs: number, doneBytes: number): Pace => ({
  atMs: nowMs,
  doneBytes,
  weighedBytes: 0,
  weighedMs: 0,
  watchedMs: 0,
  remainingMs: null,
});

/** What is known at `nowMs`. A clock set back, or bytes that had to be thrown away, count as no time and no bytes. */
export function stepPace(pace: Pace, nowMs: number, doneBytes: number, totalBytes: number): Pace {
  const passedMs = Math.max(nowMs - pace.atMs, 0);
  const gainedBytes = Math.max(doneBytes - pace.doneBytes, 0);
  const keep = Math.exp(-passedMs / SPEED_MS);
  const next = {
    atMs: nowMs,
    doneBytes,
    weighedBytes: pace.weighedBytes * keep + gainedBytes,
    weighedMs: pace.weighedMs * keep + passedMs,
    watchedMs: pace.watchedMs + passedMs,
  };
  const perMs = next.weighedMs > 0 ? next.weighedBytes / next.weighedMs : 0;
  if (perMs <= 0 || next.watchedMs < QUIET_MS) return { ...next, remainingMs: null };
  const freshMs = Math.max(totalBytes - doneBytes, 0) / perMs;
  if (pace.remainingMs === null || freshMs === 0) return { ...next, remainingMs: freshMs };
  // The time that was said before runs down by itself; a new estimate only bends it.
  const expectedMs = Math.max(pace.remainingMs - passedMs, 0);
  return { ...next, remainingMs: expectedMs + (freshMs - expectedMs) * (1 - Math.exp(-passedMs / REMAINING_MS)) };
}

export const bytesPerSecond = (pace: Pace): number | null =>
  pace.watchedMs < QUIET_MS || pace.weighedMs === 0 ? null : Math.round((pace.weighedBytes / pace.weighedMs) * 1_000);

export const remainingSeconds = (pace: Pace): number | null =>
  pace.remainingMs === null ? null : Math.ceil(pace.remainingMs / 1_000);
