/** The last ten minutes, for the window's picture, and rates from counters. Pure. */
import type { MemorySample } from '../../preload/contract.ts';

export const HISTORY_MS = 10 * 60_000;
/** Ten minutes at one sample in two seconds, and some for readings asked for in between. */
const MOST_SAMPLES = 330;

/**
 * With this sample at the end. What lies after it was stamped before the clock was set back and is dropped, as is
 * what is too old.
 */
export function withSample(history: readonly MemorySample[], sample: MemorySample): readonly MemorySample[] {
  const kept = history.filter(({ atMs }) => atMs < sample.atMs && atMs >= sample.atMs - HISTORY_MS);
  return [...kept.slice(1 - MOST_SAMPLES), sample];
}

/** A counter at a time. */
export interface CounterReading {
  readonly atMs: number;
  readonly bytes: bigint;
}

/** A difference over less than this is mostly chance; over more it spans a sleep. */
const SHORTEST_SPAN_MS = 500;
const LONGEST_SPAN_MS = 30_000;

/** Bytes a second; null where the two readings do not belong together (restart, sleep, clock set). */
export function ratePerSecond(before: CounterReading | null, now: CounterReading | null): number | null {
  if (before === null || now === null || now.bytes < before.bytes) return null;
  const spanMs = now.atMs - before.atMs;
  if (spanMs < SHORTEST_SPAN_MS || spanMs > LONGEST_SPAN_MS) return null;
  return Math.min(Number.MAX_SAFE_INTEGER, (Number(now.bytes - before.bytes) * 1_000) / spanMs);
}
