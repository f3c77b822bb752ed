import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextSampleDelayMs, sampleIntervalMs } from './sampling.ts';

const hidden = { isWindowVisible: false, isEngineOn: false };
const shown = { isWindowVisible: true, isEngineOn: false };

test.each([
  [false, false, 10_000],
  [true, false, 2_000],
  [false, true, 2_000],
  [true, true, 2_000],
])('window %s, engine %s: every %i ms', (isWindowVisible, isEngineOn, intervalMs) => {
  expect(sampleIntervalMs({ isWindowVisible, isEngineOn })).toBe(intervalMs);
});

test.each([
  ['the first comes at once', hidden, null, 50_000, 0],
  ['then after the interval', hidden, 50_000, 50_100, 9_900],
  ['the window opens: what is older than its interval is read again', shown, 50_000, 53_000, 0],
  ['the window opens just after a reading', shown, 50_000, 50_500, 1_500],
  ['the Mac slept', hidden, 50_000, 9_000_000, 0],
  ['the clock was set back', hidden, 50_000, 10, 10_000],
] as const)('%s', (_, attention, lastStartedAtMs, nowMs, delayMs) => {
  expect(nextSampleDelayMs(attention, lastStartedAtMs, nowMs)).toBe(delayMs);
});

test('whatever the clock does, the pause is between nothing and one interval', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), fc.maxSafeInteger(), fc.maxSafeInteger(), (visible, on, last, now) => {
      const attention = { isWindowVisible: visible, isEngineOn: on };
      const delayMs = nextSampleDelayMs(attention, last, now);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(sampleIntervalMs(attention));
    }),
  );
});
