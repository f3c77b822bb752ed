import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MemorySample } from '../../preload/contract.ts';
import { HISTORY_MS, ratePerSecond, withSample } from './history.ts';

const at = (atMs: number): MemorySample => ({
  atMs,
  level: 'normal',
  needle: 0,
  totalBytes: 1,
  availableBytes: null,
  wiredBytes: null,
  compressedBytes: null,
  swapUsedBytes: 0,
  swapOutBytesPerSecond: null,
  engineActiveBytes: null,
  source: 'macos',
});

test('a day of samples is kept as ten minutes', () => {
  let history: readonly MemorySample[] = [];
  for (let atMs = 0; atMs <= 86_400_000; atMs += 60_000) history = withSample(history, at(atMs));
  expect(history).toHaveLength(11);
  expect(history[0]?.atMs).toBe(86_400_000 - HISTORY_MS);
});

test('a clock set back an hour leaves no sample in the future', () => {
  const history = withSample([at(5_000_000), at(5_002_000)], at(1_400_000));
  expect(history.map(({ atMs }) => atMs)).toEqual([1_400_000]);
});

test('whatever the clock does, it stays bounded, in order, and ends with the newest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 600 }), (times) => {
      let history: readonly MemorySample[] = [];
      for (const time of times) {
        history = withSample(history, at(time));
        expect(history.at(-1)?.atMs).toBe(time);
      }
      expect(history.length).toBeLessThanOrEqual(330);
      expect(history.every(({ atMs }, i) => i === 0 || atMs > (history[i - 1]?.atMs ?? 0))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['two seconds', { atMs: 0, bytes: 0n }, { atMs: 2_000, bytes: 10_000n }, 5_000],
  ['nothing before', null, { atMs: 2_000, bytes: 10_000n }, null],
  ['unreadable now', { atMs: 0, bytes: 0n }, null, null],
  ['the counter began again', { atMs: 0, bytes: 10_000n }, { atMs: 2_000, bytes: 5n }, null],
  ['a sleep between', { atMs: 0, bytes: 0n }, { atMs: 3_600_000, bytes: 10_000n }, null],
  ['the clock was set back', { atMs: 5_000, bytes: 0n }, { atMs: 1_000, bytes: 10_000n }, null],
  ['too close', { atMs: 0, bytes: 0n }, { atMs: 100, bytes: 10_000n }, null],
])('swap rate: %s', (_, before, now, rate) => {
  expect(ratePerSecond(before, now)).toBe(rate);
});

test('counters past 2^53 still differ by what was written', () => {
  const huge = 2n ** 60n;
  expect(ratePerSecond({ atMs: 0, bytes: huge }, { atMs: 1_000, bytes: huge + 4_096n })).toBe(4_096);
});
