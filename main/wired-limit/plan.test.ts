import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ModelNeed, type WiredLimitReading, leastLimitMiB, mostLimitMiB, plan, refuseLimit } from './plan.ts';

const GPT_OSS: ModelNeed = { weightsMiB: 11_516, calibratedPeakMiB: null };
const DEMO: ModelNeed = { weightsMiB: 3, calibratedPeakMiB: null };

const reading = (change: Partial<WiredLimitReading> = {}): WiredLimitReading => ({
  memoryMiB: 16_384,
  macosMajor: 15,
  settingMiB: 0,
  workingSetMiB: null,
  ourValuesMiB: [],
  wiredBeforeLoadMiB: 2_488,
  ownProcessesMiB: 0,
  ...change,
});

/** Memory in GB, macOS, macOS's own limit as recorded (MiB), and what gpt-oss-20b needs there. */
const table: [number, number, number, string][] = [
  [8, 14, 5_461, 'ram-too-small'],
  [8, 15, 5_461, 'ram-too-small'],
  [8, 26, 5_461, 'ram-too-small'],
  [16, 14, 10_922, 'raise to 12800'],
  [16, 15, 10_922, 'raise to 12800'],
  [16, 26, 12_124, 'raise to 12800'],
  [18, 14, 12_288, 'raise to 12800'],
  [18, 15, 12_288, 'raise to 12800'],
  [18, 26, 13_639, 'none-needed'],
  [24, 14, 16_384, 'none-needed'],
  [24, 15, 16_384, 'none-needed'],
  [24, 26, 18_186, 'none-needed'],
  [32, 14, 21_845, 'none-needed'],
  [32, 15, 21_845, 'none-needed'],
  [32, 26, 25_559, 'none-needed'],
  [64, 14, 49_152, 'none-needed'],
  [64, 15, 49_152, 'none-needed'],
  [64, 26, 53_084, 'none-needed'],
];

describe('gpt-oss-20b before its first measurement', () => {
  test.each(table)('%d GB, macOS %d: limit %d MiB, %s', (memoryGB, macosMajor, limitMiB, expected) => {
    const result = plan(reading({ memoryMiB: memoryGB * 1_024, macosMajor }), GPT_OSS);
    expect(result.limitMiB).toBe(limitMiB);
    expect(result.limitFrom).toBe('recorded');
    const { verdict } = result;
    expect('toMiB' in verdict ? `${verdict.kind} to ${verdict.toMiB}` : verdict.kind).toBe(expected);
  });

  test.each([8, 16, 18, 24, 32, 64])('the demo model needs nothing on %d GB', (memoryGB) => {
    expect(plan(reading({ memoryMiB: memoryGB * 1_024 }), DEMO).verdict.kind).toBe('none-needed');
  });

  test.each([12, 13])('macOS %d cannot run MLX: its older knob is named, in bytes', (macosMajor) => {
    expect(plan(reading({ macosMajor }), GPT_OSS).verdict).toEqual({
      kind: 'macos-too-old',
      knob: 'debug.iogpu.wired_limit',
      knobUnit: 'bytes',
    });
  });

  test('macOS 14 keeps nothing resident, which is said', () => {
    expect(plan(reading({ macosMajor: 14 }), GPT_OSS).keepsResident).toBe(false);
    expect(plan(reading({ macosMajor: 15 }), GPT_OSS).keepsResident).toBe(true);
  });
});

test('16 GB: the minimum comes first, the recipe is a named choice, and what each leaves is honest', () => {
  const { verdict } = plan(reading(), GPT_OSS);
  expect(verdict).toEqual({
    kind: 'raise',
    toMiB: 12_800,
    choices: [
      {
        name: 'minimum',
        limitMiB: 12_800,
        command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=12800',
        leavesMiB: 1_736,
        leavesFullyUsedMiB: 1_096,
      },
      // 0.6 GiB, not the 3 that 16,384 − 13,312 suggests: the system itself has 2.43 GiB wired.
      {
        name: 'recipe',
        limitMiB: 13_312,
        command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=13312',
        leavesMiB: 1_736,
        leavesFullyUsedMiB: 584,
      },
    ],
  });
});

test('our own processes are taken from what is left', () => {
  expect(plan(reading({ ownProcessesMiB: 300 }), GPT_OSS).leavesMiB).toBe(1_436);
});

test("Metal's own word counts for more than what other Macs reported", () => {
  const result = plan(reading({ workingSetMiB: 12_999.9 }), GPT_OSS);
  expect(result).toMatchObject({ limitMiB: 12_999, limitFrom: 'metal', verdict: { kind: 'none-needed', by: 'macos' } });
});

test('a measured peak replaces the estimate', () => {
  expect(plan(reading(), { weightsMiB: 11_516, calibratedPeakMiB: 12_350 })).toMatchObject({
    peakFrom: 'measured',
    needMiB: 13_000,
    verdict: { kind: 'raise', toMiB: 13_000 },
  });
});

test('a peak that 85 % holds, but not with room to spare, is capped', () => {
  expect(plan(reading(), { weightsMiB: 11_516, calibratedPeakMiB: 13_500 }).verdict).toEqual({
    kind: 'capped',
    toMiB: 13_926,
    wouldLikeMiB: 14_211,
    choices: [
      {
        name: 'minimum',
        limitMiB: 13_926,
        command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=13926',
        leavesMiB: 396,
        leavesFullyUsedMiB: -30,
      },
    ],
  });
});

test('a peak above 85 % is refused, however far another tool has gone', () => {
  const need = { weightsMiB: 13_000, calibratedPeakMiB: 14_000 };
  expect(plan(reading(), need).verdict).toEqual({ kind: 'ram-too-small', mostMiB: 13_926 });
  expect(plan(reading({ settingMiB: 13_950 }), need).verdict.kind).toBe('ram-too-small');
});

describe('a setting that is there already', () => {
  test('of another tool and enough: respected, also above what we would set', () => {
    expect(plan(reading({ settingMiB: 13_312 }), GPT_OSS).verdict).toEqual({
      kind: 'respected-other-tool',
      aboveMost: false,
    });
    expect(plan(reading({ settingMiB: 14_336 }), GPT_OSS).verdict).toEqual({
      kind: 'respected-other-tool',
      aboveMost: true,
    });
  });
  test('of our own: nothing to do, no second prompt this boot', () => {
    expect(plan(reading({ settingMiB: 12_800, ourValuesMiB: [12_800] }), GPT_OSS).verdict).toEqual({
      kind: 'none-needed',
      by: 'headroom',
    });
  });
  test('of another tool and too little: raised above it, never below', () => {
    expect(plan(reading({ settingMiB: 12_000 }), GPT_OSS).verdict).toMatchObject({ kind: 'raise', toMiB: 12_800 });
  });
  test('of another tool, smaller than what the demo needs: no less than half of the memory', () => {
    expect(plan(reading({ settingMiB: 200 }), DEMO).verdict).toMatchObject({ kind: 'raise', toMiB: 8_192 });
  });
});

test('starting without a raise is offered only where the weights fit', () => {
  expect(plan(reading({ macosMajor: 26 }), GPT_OSS).canStartAnyway).toBe(true);
  expect(plan(reading({ macosMajor: 15 }), GPT_OSS).canStartAnyway).toBe(false);
});

test('whatever is read, a raise is an integer above what holds, from half to 85 % of the memory', () => {
  const MiB = (max: number) => fc.integer({ min: 0, max });
  fc.assert(
    fc.property(
      fc.record({
        memoryMiB: fc.integer({ min: 4_096, max: 524_288 }),
        macosMajor: fc.integer({ min: 12, max: 30 }),
        settingMiB: fc.oneof(fc.constant(0), MiB(524_288)),
        workingSetMiB: fc.option(MiB(524_288)),
        ourValuesMiB: fc.array(MiB(524_288), { maxLength: 3 }),
        wiredBeforeLoadMiB: MiB(8_192),
        ownProcessesMiB: MiB(2_048),
      }),
      fc.record({ weightsMiB: MiB(300_000), calibratedPeakMiB: fc.option(MiB(300_000)) }),
      (from, need) => {
        const result = plan(from, need);
        const { verdict } = result;
        if (!('toMiB' in verdict)) return;
        for (const { limitMiB } of verdict.choices) {
          expect(refuseLimit(limitMiB, from.memoryMiB, from.settingMiB)).toBeNull();
          expect(limitMiB).toBeGreaterThan(result.limitMiB);
        }
        expect(verdict.choices[0]?.limitMiB).toBe(verdict.toMiB);
      },
    ),
  );
});

test.each([
  [12_800, 0, null],
  [13_926, 0, null],
  [13_927, 0, 'above-85-percent'],
  [8_192, 0, null],
  [8_191, 0, 'below-half'],
  [0, 0, 'below-half'],
  [-1, 0, 'below-half'],
  [12_800.5, 0, 'not-an-integer'],
  [Number.NaN, 0, 'not-an-integer'],
  [Number.POSITIVE_INFINITY, 0, 'not-an-integer'],
  [12_800, 13_000, 'would-lower'],
] as const)('a limit of %d MiB asked for on 16 GB with %d set: %s', (limitMiB, settingMiB, refusal) => {
  expect(refuseLimit(limitMiB, 16_384, settingMiB)).toBe(refusal);
});

test('bounds of 16 GB', () => {
  expect([leastLimitMiB(16_384), mostLimitMiB(16_384)]).toEqual([8_192, 13_926]);
});
