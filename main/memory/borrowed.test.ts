import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineState, PressureLevel } from '../../preload/contract.ts';
import { LENDING_POLICY, type LendingInput, comesBack, lends } from './borrowed.ts';
import type { ProtectionSample } from './protection.ts';

const MIB = 1024 * 1024;
const NOW_MS = 10_000_000;
const sample = (level: PressureLevel, swapMiB = 0, atMs = NOW_MS): ProtectionSample => ({
  atMs,
  level,
  needle: 0.5,
  totalBytes: 16_384 * MIB,
  availableBytes: null,
  wiredBytes: null,
  compressedBytes: null,
  swapUsedBytes: 0,
  swapOutBytesPerSecond: swapMiB * MIB,
  engineActiveBytes: null,
  source: 'macos',
  decodeTokensPerSecond: null,
  isLoading: false,
});
const idleFor = (seconds: number, rest: Partial<LendingInput> = {}): boolean =>
  lends({
    policy: LENDING_POLICY,
    idleUnloadMinutes: 5,
    engine: 'ready',
    openAnswers: 0,
    lastUsedAtMs: NOW_MS - seconds * 1_000,
    samples: [sample('warning')],
    nowMs: NOW_MS,
    ...rest,
  });

describe('lending', () => {
  const rows: [what: string, seconds: number, rest: Partial<LendingInput>, expected: boolean][] = [
    ['idle long enough at yellow', 300, {}, true],
    ['not yet', 299, {}, false],
    ['without pressure', 9_999, { samples: [sample('normal')] }, false],
    ['while answering', 9_999, { engine: 'busy' }, false],
    ['with an answer that waits', 9_999, { openAnswers: 1 }, false],
    ['while loading', 9_999, { engine: 'loading' }, false],
    ['never, when the user says so', 9_999, { idleUnloadMinutes: 0 }, false],
    ['the shortest setting', 60, { idleUnloadMinutes: 1 }, true],
    ['soon, when others are swapped out', 20, { samples: [sample('warning', 20)] }, true],
    ['not at once even then', 19, { samples: [sample('warning', 20)] }, false],
    ['sooner, when it is critical', 5, { samples: [sample('critical')] }, true],
    ['just used', 4, { samples: [sample('critical')] }, false],
    ['nothing is known', 9_999, { samples: [] }, false],
    ['old news', 9_999, { samples: [sample('warning', 0, NOW_MS - 60_000)] }, false],
  ];
  it.each(rows)('%s', (_, seconds, rest, expected) => expect(idleFor(seconds, rest)).toBe(expected));

  it('never takes the model from an answer, nor without pressure', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_440 }),
        fc.constantFrom<EngineState['kind']>('busy', 'ready', 'loading', 'starting', 'off', 'stopping'),
        fc.nat({ max: 3 }),
        fc.integer({ min: -1_000, max: 100_000 }),
        fc.constantFrom<PressureLevel>('normal', 'warning', 'critical'),
        fc.double({ min: 0, max: 500, noNaN: true }),
        (idleUnloadMinutes, engine, openAnswers, seconds, level, swapMiB) => {
          const samples = [sample(level, swapMiB)];
          if (!idleFor(seconds, { idleUnloadMinutes, engine, openAnswers, samples })) return;
          expect([engine, openAnswers]).toEqual(['ready', 0]);
          expect(level).not.toBe('normal');
          expect(idleUnloadMinutes).toBeGreaterThan(0);
          expect(seconds).toBeGreaterThanOrEqual(5);
        },
      ),
    );
  });
});

describe('coming back', () => {
  it.each([
    [true, 'off', 'warning', true],
    [true, 'off', 'normal', true],
    [true, 'stopping', 'normal', true],
    [true, 'off', 'critical', false],
    [false, 'off', 'normal', false],
    [true, 'ready', 'normal', false],
  ] as const)('lent %s, engine %s, level %s: %s', (isLent, engine, level, expected) =>
    expect(comesBack({ isLent, engine, latest: sample(level) })).toBe(expected),
  );
  it('also before the first sample', () => expect(comesBack({ isLent: true, engine: 'off', latest: null })).toBe(true));
});
