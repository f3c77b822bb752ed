import { expect, test } from 'vitest';
import type { MemorySample } from '../../preload/contract.ts';
import { HISTORY_MS, withSample } from './memory-history.ts';

const at = (atMs: number): MemorySample => ({
  atMs,
  level: 'normal',
  needle: 0.2,
  totalBytes: 16,
  availableBytes: 4,
  wiredBytes: 2,
  compressedBytes: 1,
  swapUsedBytes: 0,
  swapOutBytesPerSecond: null,
  engineActiveBytes: null,
  source: 'macos',
});
const times = (samples: readonly MemorySample[]) => samples.map(({ atMs }) => atMs);

test('keeps ten minutes', () => {
  const samples = [at(0), at(1_000), at(HISTORY_MS)];
  expect(times(withSample(samples, at(HISTORY_MS + 500)))).toEqual([1_000, HISTORY_MS, HISTORY_MS + 500]);
});

test('a sample that came with the history already is not told twice', () => {
  expect(times(withSample([at(5)], at(5)))).toEqual([5]);
});

test('a clock set back does not draw the line backwards', () => {
  expect(times(withSample([at(5_000), at(7_000)], at(1_000)))).toEqual([1_000]);
});
