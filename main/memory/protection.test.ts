import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineState, PressureLevel } from '../../preload/contract.ts';
import {
  PROTECTION_POLICY,
  type ProtectionAction,
  type ProtectionSample,
  type ProtectionStage,
  protect,
  undone,
} from './protection.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const STEP_MS = 2_000;
const USUAL = 40;

interface Moment {
  readonly level?: PressureLevel;
  readonly swapMiB?: number | null;
  readonly rate?: number | null;
  readonly engine?: EngineState['kind'];
  /** Since the moment before. */
  readonly afterMs?: number;
  readonly isOn?: boolean;
  readonly undo?: boolean;
}

const calmSample: ProtectionSample = {
  atMs: 0,
  level: 'normal',
  needle: 0.3,
  totalBytes: 16 * GIB,
  availableBytes: 2 * GIB,
  wiredBytes: 13 * GIB,
  compressedBytes: GIB,
  swapUsedBytes: 0,
  swapOutBytesPerSecond: 0,
  engineActiveBytes: 11 * GIB,
  source: 'macos',
  decodeTokensPerSecond: null,
  isLoading: false,
};

interface Told {
  readonly atMs: number;
  readonly stage: ProtectionStage;
  readonly actions: readonly ProtectionAction[];
}

/** What happens, sample after sample. */
function play(moments: readonly Moment[]): Told[] {
  let stage: ProtectionStage = { kind: 'calm' };
  let samples: ProtectionSample[] = [];
  let atMs = 1_000_000;
  return moments.map((moment) => {
    atMs += moment.afterMs ?? STEP_MS;
    if (moment.undo === true) stage = undone(PROTECTION_POLICY, atMs);
    const engine = moment.engine ?? 'busy';
    samples = [
      ...samples.slice(-45),
      {
        ...calmSample,
        atMs,
        level: moment.level ?? 'normal',
        swapOutBytesPerSecond: moment.swapMiB === null ? null : (moment.swapMiB ?? 0) * MIB,
        decodeTokensPerSecond: moment.rate ?? null,
        isLoading: engine === 'loading' || engine === 'starting',
      },
    ];
    const verdict = protect(stage, {
      policy: PROTECTION_POLICY,
      isOn: moment.isOn ?? true,
      samples,
      usualDecodeTokensPerSecond: USUAL,
      engine,
      nowMs: atMs,
    });
    stage = verdict.stage;
    return { atMs, ...verdict };
  });
}

const many = (count: number, moment: Moment): Moment[] => Array.from({ length: count }, () => moment);
const lastOf = (told: readonly Told[]): Told => {
  const last = told.at(-1);
  if (last === undefined) throw new Error('nothing was played');
  return last;
};
const actionsOf = (told: readonly Told[]): ProtectionAction[] => told.flatMap(({ actions }) => actions);
const kindsOf = (told: readonly Told[]): string[] =>
  told.map(({ stage }) => stage.kind).filter((kind, index, all) => kind !== all[index - 1]);

const green: Moment = {};
const yellow: Moment = { level: 'warning' };
const red: Moment = { level: 'critical' };

describe('the steps', () => {
  const rows: [what: string, moments: Moment[], kinds: string[], actions: ProtectionAction[]][] = [
    ['green', many(30, green), ['calm'], []],
    ['yellow is only said', [green, ...many(30, yellow)], ['calm', 'watching'], []],
    ['yellow goes after ten seconds of green', [...many(3, yellow), ...many(6, green)], ['watching', 'calm'], []],
    ['one yellow after the other is one', [yellow, green, yellow, green, yellow], ['watching'], []],
    [
      'one moment of swap-outs',
      [...many(3, yellow), { level: 'warning', swapMiB: 500 }, ...many(3, yellow)],
      ['watching'],
      [],
    ],
    [
      'swap-outs',
      [yellow, ...many(2, { level: 'warning', swapMiB: 9 } as const)],
      ['watching', 'easing'],
      ['drop-caches'],
    ],
    ['few swap-outs', many(60, { level: 'warning', swapMiB: 7 }), ['watching'], []],
    ['swap-outs at green are no trouble', many(10, { swapMiB: 50 }), ['calm'], []],
    ['slow at green is no matter of memory', many(10, { rate: 5 }), ['calm'], []],
    ['slow at yellow', many(3, { level: 'warning', rate: 23 }), ['watching', 'easing'], ['drop-caches']],
    ['not quite slow at yellow', many(30, { level: 'warning', rate: 25 }), ['watching'], []],
    [
      'others swapped out by the load itself',
      many(10, { level: 'warning', swapMiB: 400, engine: 'loading' }),
      ['watching'],
      [],
    ],
    [
      'others swapped out as the load begins, and as it ends',
      [
        { level: 'warning', swapMiB: 400, engine: 'off' },
        { level: 'warning', swapMiB: 400, engine: 'loading' },
        { level: 'warning', swapMiB: 400, engine: 'ready' },
        { level: 'warning', engine: 'ready' },
      ],
      ['watching'],
      [],
    ],
    ['nothing to protect from', many(20, { level: 'critical', engine: 'off' }), ['watching'], []],
    ['critical for a moment', [yellow, red, ...many(3, yellow)], ['watching', 'easing'], ['drop-caches']],
    [
      'critical ends the answer, and the model when that did not help',
      [green, ...many(3, red), ...many(5, { level: 'critical', engine: 'ready' } as const)],
      ['calm', 'easing', 'cancelled', 'unloaded'],
      ['drop-caches', 'cancel', 'cancel', 'unload'],
    ],
    [
      'critical helped by ending the answer',
      [red, red, ...many(20, { level: 'warning', engine: 'ready' } as const)],
      ['easing', 'cancelled', 'watching'],
      ['drop-caches', 'cancel'],
    ],
    [
      'critical with an idle model',
      many(6, { level: 'critical', engine: 'ready' }),
      ['easing', 'unloaded'],
      ['drop-caches', 'unload'],
    ],
    [
      'critical while loading',
      many(6, { level: 'critical', engine: 'loading' }),
      ['easing', 'unloaded'],
      ['drop-caches', 'unload'],
    ],
    ['switched off', many(20, { ...red, isOn: false }), ['off'], []],
    [
      'switched on in the middle',
      [{ ...red, isOn: false }, red, red],
      ['off', 'easing', 'cancelled'],
      ['drop-caches', 'cancel'],
    ],
    [
      'a night between two red samples is not a red night',
      [red, { ...red, afterMs: 8 * 3_600_000 }, yellow],
      ['easing'],
      ['drop-caches'],
    ],
    ['unknown swap rate is not quiet trouble', many(5, { level: 'warning', swapMiB: null }), ['watching'], []],
  ];
  it.each(rows)('%s', (_, moments, kinds, actions) => {
    const told = play(moments);
    expect(kindsOf(told)).toEqual(kinds);
    expect(actionsOf(told)).toEqual(actions);
  });

  it('goes back after thirty quiet seconds, not before', () => {
    const eased = [yellow, ...many(2, { level: 'warning', swapMiB: 20 } as const)];
    expect(lastOf(play([...eased, ...many(15, yellow)])).stage.kind).toBe('easing');
    expect(lastOf(play([...eased, ...many(17, yellow)])).stage.kind).toBe('watching');
    expect(lastOf(play([...eased, ...many(17, green)])).stage.kind).toBe('calm');
    // A little swapping in between begins the thirty seconds anew.
    const broken = [...eased, ...many(10, yellow), { level: 'warning', swapMiB: 2 } as const, ...many(10, yellow)];
    expect(lastOf(play(broken)).stage.kind).toBe('easing');
  });

  it('keeps the model unloaded for five minutes, however quiet it is', () => {
    const unloaded = [...many(2, red), ...many(5, { level: 'critical', engine: 'ready' } as const)];
    const off: Moment = { engine: 'off' };
    expect(lastOf(play([...unloaded, ...many(148, off)])).stage.kind).toBe('unloaded');
    expect(lastOf(play([...unloaded, ...many(151, off)])).stage.kind).toBe('calm');
  });

  it('carries the numbers that caused it', () => {
    const told = play([yellow, ...many(2, { level: 'warning', swapMiB: 20, rate: 31 } as const)]);
    expect(lastOf(told).stage).toMatchObject({
      kind: 'easing',
      trigger: 'swap-outs',
      sinceMs: lastOf(told).atMs,
      because: {
        level: 'warning',
        swapOutBytesPerSecond: 20 * MIB,
        decodeTokensPerSecond: 31,
        usualDecodeTokensPerSecond: USUAL,
      },
    });
  });

  it('does nothing on old news', () => {
    const sample: ProtectionSample = { ...calmSample, level: 'critical', atMs: 0 };
    const input = { policy: PROTECTION_POLICY, isOn: true, usualDecodeTokensPerSecond: null, engine: 'busy' } as const;
    expect(protect({ kind: 'calm' }, { ...input, samples: [sample], nowMs: 60_000 })).toEqual({
      stage: { kind: 'calm' },
      actions: [],
    });
    expect(protect({ kind: 'calm' }, { ...input, samples: [], nowMs: 0 }).actions).toEqual([]);
  });

  it('ends a second answer that was begun when it had become better for a moment', () => {
    const told = play([red, red, { level: 'warning', engine: 'ready' }, yellow, red, red, red]);
    expect(kindsOf(told)).toEqual(['easing', 'cancelled']);
    expect(actionsOf(told)).toEqual(['drop-caches', 'cancel', 'cancel', 'cancel']);
  });
});

describe('over any story', () => {
  const engineKind = fc.constantFrom<EngineState['kind']>(
    'busy',
    'ready',
    'loading',
    'starting',
    'off',
    'stopping',
    'failed',
  );
  const moment: fc.Arbitrary<Moment> = fc.record({
    level: fc.constantFrom<PressureLevel>('normal', 'warning', 'critical'),
    swapMiB: fc.option(fc.double({ min: 0, max: 400, noNaN: true }), { nil: null }),
    rate: fc.option(fc.double({ min: 0, max: 80, noNaN: true }), { nil: null }),
    engine: engineKind,
    afterMs: fc.integer({ min: 500, max: 5_000 }),
  });
  const story = fc.array(moment, { maxLength: 120 });
  const rank = { off: 0, undone: 0, calm: 0, watching: 1, easing: 2, cancelled: 3, unloaded: 4 } as const;

  it('yellow for an hour without swap-outs does nothing to the user', () => {
    const quiet = fc.record({
      level: fc.constantFrom<PressureLevel>('normal', 'warning', 'warning', 'warning'),
      swapMiB: fc.double({ min: 0, max: 8, noNaN: true }),
      rate: fc.option(fc.double({ min: 0.6 * USUAL, max: 80, noNaN: true }), { nil: null }),
      engine: engineKind,
    });
    fc.assert(
      fc.property(fc.array(quiet, { minLength: 1_800, maxLength: 1_800 }), (moments) => {
        const told = play(moments);
        expect(actionsOf(told)).toEqual([]);
        expect(told.every(({ stage }) => rank[stage.kind] <= 1)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('never takes a step without its cause, nor one that skips another without one', () => {
    fc.assert(
      fc.property(story, (moments) => {
        let before: ProtectionStage = { kind: 'calm' };
        for (const [index, { stage, actions }] of play(moments).entries()) {
          const now = moments[index];
          const previous = moments[index - 1];
          if (stage.kind !== before.kind && rank[stage.kind] > rank[before.kind]) {
            switch (stage.kind) {
              case 'easing': {
                const confirmed = now?.level === 'warning' && previous !== undefined;
                expect(now?.level === 'critical' || confirmed).toBe(true);
                expect(actions).toEqual(['drop-caches']);
                break;
              }
              case 'cancelled':
                expect([before.kind, now?.level, previous?.level, now?.engine]).toEqual([
                  'easing',
                  'critical',
                  'critical',
                  'busy',
                ]);
                break;
              case 'unloaded':
                expect(now?.level).toBe('critical');
                expect(before.kind === 'cancelled' || (before.kind === 'easing' && now?.engine !== 'busy')).toBe(true);
                break;
              default:
                expect(stage.kind).toBe('watching');
            }
          }
          if (actions.includes('cancel')) expect(now?.engine).toBe('busy');
          before = stage;
        }
      }),
    );
  });

  it('does not flap: thirty seconds lie between two beginnings of easing', () => {
    fc.assert(
      fc.property(story, (moments) => {
        let before = 'calm';
        let lastAtMs = -Infinity;
        for (const { stage, atMs } of play(moments)) {
          if (stage.kind === 'easing' && before !== 'easing') {
            expect(atMs - lastAtMs).toBeGreaterThanOrEqual(PROTECTION_POLICY.quietBeforeCalmMs);
            lastAtMs = atMs;
          }
          before = stage.kind;
        }
      }),
    );
  });

  it('respects an undo for ten minutes, whatever happens, and no longer', () => {
    fc.assert(
      fc.property(story, story, (earlier, later) => {
        const told = play([...earlier, { undo: true }, ...later]).slice(earlier.length);
        const undoneAtMs = told[0]?.atMs ?? 0;
        for (const { atMs, stage, actions } of told) {
          if (atMs - undoneAtMs >= PROTECTION_POLICY.undoMs) break;
          expect(stage.kind).toBe('undone');
          expect(actions).toEqual([]);
        }
      }),
    );
    const after = play([{ undo: true }, ...many(300, red), red, red]);
    expect(lastOf(after).stage.kind).not.toBe('undone');
    expect(actionsOf(after)).toContain('cancel');
  });

  it('is not held up by a clock that was set back', () => {
    const told = play([{ undo: true }, { ...red, afterMs: -3_600_000 }, red, red]);
    expect(actionsOf(told)).toContain('cancel');
  });
});
