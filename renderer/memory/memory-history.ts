import type { MemorySample } from '../../preload/contract.ts';

/** As far back as main remembers. */
export const HISTORY_MS = 600_000;

/** The newest at the end, what is older than ten minutes let go. A clock set back begins a new history. */
export function withSample(samples: readonly MemorySample[], sample: MemorySample): readonly MemorySample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs === last.atMs) return samples;
  if (last !== undefined && sample.atMs < last.atMs) return [sample];
  return [...samples.filter(({ atMs }) => atMs >= sample.atMs - HISTORY_MS), sample];
}
