import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Calibration } from './fit.ts';
import { type MeasuredLoad, correctionOf, measuredOf, openMeasuredLoads, raised } from './measured-loads.ts';

const load = (measuredBytes: number, change: Partial<MeasuredLoad> = {}): MeasuredLoad => ({
  atMs: 1,
  predictedBytes: 1_000,
  uncorrectedBytes: 1_000,
  measuredBytes,
  prefillFrom: 'calibrated',
  ...change,
});

describe('the correction', () => {
  it.each([
    ['none before the first load', [], 1, 0],
    ['what one load was off by', [1_010], 1.01, 1],
    ['the median: one odd load does not move it', [1_010, 1_010, 9_000], 1.01, 3],
    ['between the two in the middle', [1_000, 1_020], 1.01, 2],
    ['bounded above', [5_000], 1.3, 1],
    ['bounded below', [10], 0.8, 1],
  ] as const)('%s', (_, measured, ratio, loads) => {
    const correction = correctionOf(
      measured.map((bytes) => load(bytes)),
      'calibrated',
    );
    expect(correction.ratio).toBeCloseTo(ratio);
    expect(correction.loads).toBe(loads);
  });

  it('is not learned from guesses once there is a calibration', () => {
    const loads = [load(1_200, { prefillFrom: 'default' }), load(1_010)];
    expect(correctionOf(loads, 'calibrated')).toEqual({ ratio: 1.01, loads: 1 });
    expect(correctionOf(loads, 'default')).toEqual({ ratio: 1.2, loads: 1 });
  });

  it('brings the median of what was measured back to what was predicted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 850, max: 1_250 }), { minLength: 1, maxLength: 20 }), (measured) => {
        const { ratio } = correctionOf(
          measured.map((bytes) => load(bytes)),
          'calibrated',
        );
        const under = measured.filter((bytes) => bytes < 1_000 * ratio - 1e-6).length;
        const over = measured.filter((bytes) => bytes > 1_000 * ratio + 1e-6).length;
        expect(Math.max(under, over)).toBeLessThanOrEqual(measured.length / 2);
      }),
    );
  });
});

it('a load keeps the moment that took most, and when it began', () => {
  const loads = raised([load(5), load(10, { atMs: 7 })], load(30, { atMs: 9 }));
  expect(loads).toEqual([load(5), load(30, { atMs: 7 })]);
  expect(raised(loads, load(20))).toBe(loads);
  expect(measuredOf(loads)).toEqual({ predictedBytes: 1_000, measuredBytes: 30, loads: 2 });
  expect(measuredOf([])).toBeNull();
});

describe('the file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headroom-measured-'));
    file = join(folder, 'measured.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = (machine = 'Apple M2, 16 GB') => openMeasuredLoads(file, machine, () => {});
  const calibration: Calibration = {
    stepTokens: 512,
    halfChunkBytes: 1,
    firstChunkBytes: 2,
    secondChunkBytes: 3,
    decode: [],
  };
  const conditions = { versions: 'mlx 1', weightsBytes: 7 };

  it('remembers over a restart', () => {
    const measured = open();
    measured.loaded('m', load(1_050));
    measured.answered('m', load(1_100));
    measured.calibrated('m', conditions, calibration);
    measured.prefilled('m', 500, 300);
    measured.prefilled('m', 100, 9_000);
    measured.prefilled('m', 500, null);
    const expected = {
      calibration,
      correction: { ratio: 1.1, loads: 1 },
      measured: { predictedBytes: 1_000, measuredBytes: 1_100, loads: 1 },
      prefillRate: 300,
    };
    expect(measured.learned('m')).toEqual(expected);
    expect(open().learned('m')).toEqual(expected);
    expect(open().learned('other').calibration).toBeNull();
  });

  it('calibrates anew with another MLX, other weights or another step', () => {
    const measured = open();
    measured.calibrated('m', conditions, calibration);
    expect(measured.isCalibrated('m', conditions, 512)).toBe(true);
    expect(measured.isCalibrated('m', conditions, 256)).toBe(false);
    expect(measured.isCalibrated('m', { ...conditions, versions: 'mlx 2' }, 512)).toBe(false);
    expect(measured.isCalibrated('m', { ...conditions, weightsBytes: 8 }, 512)).toBe(false);
    measured.calibrated('m', { ...conditions, versions: 'mlx 2' }, { ...calibration, stepTokens: 256 });
    expect(measured.isCalibrated('m', conditions, 512)).toBe(false);
    expect(measured.learned('m').calibration?.stepTokens).toBe(256);
  });

  it('begins anew on another machine, and where it is damaged', () => {
    open().loaded('m', load(1_050));
    expect(open('Apple M4, 24 GB').learned('m').measured).toBeNull();
    for (const text of ['', '{', '[]', '{"machine":"Apple M2, 16 GB","models":{"m":{"loads":[{"atMs":"x"}]}}}']) {
      writeFileSync(file, text);
      expect(open().learned('m').measured).toBeNull();
    }
  });

  it('forgets a model that was deleted', () => {
    open().loaded('m', load(1_050));
    open().forget('m');
    expect(open().learned('m').measured).toBeNull();
  });
});
