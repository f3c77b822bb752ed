import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_RESTARTS, RESTART_WINDOW_MS, nextRestart } from './backoff.ts';

const MINUTE = 60_000;

it('waits longer with each restart and gives up after the third within ten minutes', () => {
  let restarts: readonly number[] = [];
  const delays: number[] = [];
  for (const now of [0, 1_000, 2_000]) {
    const verdict = nextRestart(restarts, now);
    if (verdict.kind !== 'restart') throw new Error('gave up early');
    delays.push(verdict.delayMs);
    restarts = verdict.restartsMs;
  }
  expect(delays).toEqual([500, 2_000, 8_000]);
  expect(nextRestart(restarts, 3_000)).toEqual({ kind: 'give-up' });
});

it('forgets restarts that are ten minutes old', () => {
  expect(nextRestart([0, 1, 2], 10 * MINUTE)).toMatchObject({
    kind: 'restart',
    number: 3,
    restartsMs: [1, 2, 10 * MINUTE],
  });
  expect(nextRestart([0, 1, 2], 60 * MINUTE)).toMatchObject({ kind: 'restart', number: 1 });
});

it('is not held up by a clock that was set back', () => {
  expect(nextRestart([9e12, 9e12, 9e12], 1_000)).toMatchObject({ kind: 'restart', number: 1 });
});

it('never allows more than three restarts in any ten minutes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5 * MINUTE }), { maxLength: 60 }), (gaps) => {
      let now = 0;
      let restarts: readonly number[] = [];
      const made: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const verdict = nextRestart(restarts, now);
        if (verdict.kind === 'give-up') continue;
        restarts = verdict.restartsMs;
        made.push(now);
        expect(made.filter((at) => now - at < RESTART_WINDOW_MS).length).toBeLessThanOrEqual(MAX_RESTARTS);
      }
    }),
  );
});
