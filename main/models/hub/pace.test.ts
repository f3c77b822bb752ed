import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Pace, bytesPerSecond, remainingSeconds, startPace, stepPace } from './pace.ts';

const MB = 1e6;

/** Bytes for each quarter of a second. */
function run(gains: readonly number[], totalBytes: number): readonly Pace[] {
  let pace = startPace(1_000, 0);
  let done = 0;
  return gains.map((gain, index) => {
    done += gain;
    pace = stepPace(pace, 1_000 + (index + 1) * 250, done, totalBytes);
    return pace;
  });
}
const steady = (rate: number, seconds: number): number[] => Array.from({ length: seconds * 4 }, () => rate / 4);

describe('speed and remaining time', () => {
  it('say nothing before two seconds, then the truth', () => {
    const paces = run(steady(20 * MB, 30), 1_200 * MB);
    expect(bytesPerSecond(paces[6] ?? startPace(0, 0))).toBeNull();
    expect(remainingSeconds(paces[6] ?? startPace(0, 0))).toBeNull();
    for (const pace of paces.slice(8)) expect(bytesPerSecond(pace)).toBeCloseTo(20 * MB, -3);
    expect(remainingSeconds(paces.at(-1) ?? startPace(0, 0))).toBe(30);
  });

  it('at a steady pace the remaining time runs down like a clock', () => {
    const seconds = run(steady(10 * MB, 60), 600 * MB).map(remainingSeconds);
    const known = seconds.filter((each) => each !== null);
    for (const [index, each] of known.entries()) {
      const before = known[index - 1];
      if (before !== undefined) expect(before - each === 0 || before - each === 1).toBe(true);
    }
    expect(known.at(-1)).toBe(0);
  });

  it('a pause of three seconds does not double the estimate', () => {
    const before = run(steady(20 * MB, 30), 12_000 * MB).at(-1);
    const after = run([...steady(20 * MB, 30), ...steady(0, 3)], 12_000 * MB).at(-1);
    const [old, now] = [
      remainingSeconds(before ?? startPace(0, 0)) ?? 0,
      remainingSeconds(after ?? startPace(0, 0)) ?? 0,
    ];
    expect(now).toBeLessThan(old * 1.2);
  });

  it('a line that becomes ten times faster is believed within half a minute', () => {
    const paces = run([...steady(2 * MB, 30), ...steady(20 * MB, 30)], 5_000 * MB);
    const real = (5_000 * MB - 30 * 22 * MB) / (20 * MB);
    const said = remainingSeconds(paces.at(-1) ?? startPace(0, 0)) ?? 0;
    expect(Math.abs(said - real) / real).toBeLessThan(0.15);
  });

  it('bytes thrown away and a clock set back give no nonsense', () => {
    let pace = startPace(10_000, 50 * MB);
    for (let step = 1; step < 40; step += 1)
      pace = stepPace(pace, 10_000 + step * 250, 50 * MB + step * MB, 1_000 * MB);
    pace = stepPace(pace, 5_000, 10 * MB, 1_000 * MB);
    expect(bytesPerSecond(pace)).toBeGreaterThan(0);
    expect(remainingSeconds(pace)).toBeGreaterThan(0);
  });

  it('whatever comes: finite, never negative, and no step bends the estimate by more than its weight', () => {
    const gains = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 50 * MB }), fc.integer({ min: -20 * MB, max: 0 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(gains, (each) => {
        const total = 10_000 * MB;
        let before: Pace | null = null;
        for (const pace of run(each, total)) {
          const speed = bytesPerSecond(pace);
          expect(speed === null || (Number.isFinite(speed) && speed >= 0)).toBe(true);
          const said = pace.remainingMs;
          expect(said === null || (Number.isFinite(said) && said >= 0)).toBe(true);
          if (before !== null && before.remainingMs !== null && said !== null) {
            const perMs = pace.weighedBytes / pace.weighedMs;
            const fresh = (total - pace.doneBytes) / perMs;
            const expected = Math.max(before.remainingMs - 250, 0);
            expect(Math.abs(said - expected)).toBeLessThanOrEqual(Math.abs(fresh - expected) * 0.05 + 1);
          }
          before = pace;
        }
      }),
    );
  });
});
