import fc from 'fast-check';
import { expect, it } from 'vitest';
import { retryDelayMs } from './retry.ts';

it.each([
  [1, 0, 500],
  [1, 0.999, 1_000],
  [2, 0.5, 1_500],
  [4, 0.5, 6_000],
  [7, 0, 30_000],
  [50, 0.5, 45_000],
])('attempt %i, chance %d: about %i ms', (attempt, random, ms) =>
  expect(Math.abs(retryDelayMs(attempt, random, null) - ms)).toBeLessThanOrEqual(1),
);

it('never sooner than the hub asked, never longer than a minute without that', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(900_000),
      (attempt, random, after) => {
        const free = retryDelayMs(attempt, random, null);
        expect(free).toBeGreaterThanOrEqual(500);
        expect(free).toBeLessThanOrEqual(60_000);
        expect(retryDelayMs(attempt, random, after)).toBeGreaterThanOrEqual(after);
        expect(retryDelayMs(attempt, random, after)).toBeLessThanOrEqual(after + 1_000);
      },
    ),
  );
});
