import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOG } from './catalog.ts';
import {
  type Calibration,
  NO_CORRECTION,
  STEP_CHOICES,
  chooseStep,
  mlxPeakBytes,
  predict,
  predictAnswerPeak,
  restingKvBytes,
} from './fit.ts';
import { type ModelShape, readModelShape } from './model-shape.ts';

function shapeOf(config: object): ModelShape {
  const shape = readModelShape(config);
  if (shape === null) throw new Error('not understood');
  return shape;
}

const gptOss = shapeOf({ model_type: 'gpt_oss', num_hidden_layers: 24, max_position_embeddings: 131_072 });
const Q8_BYTES = 12_076_119_168;
const MIB = 1_048_576;

describe('KV of gpt-oss-20b', () => {
  it.each([
    [1_024, 28],
    [4_096, 104],
    [8_192, 204],
    [16_384, 406],
    [32_768, 808],
    [131_072, 3_224],
  ])('%d tokens: %d MB', (tokens, megabytes) => {
    expect(restingKvBytes(gptOss, tokens) / 1e6).toBeCloseTo(megabytes, -0.5);
  });

  it('grows in steps of 256 tokens, its windows up to 128', () => {
    const perToken = 12 * 2 * 8 * 64 * 2;
    expect(restingKvBytes(gptOss, 1)).toBe(perToken * (256 + 128));
    expect(restingKvBytes(gptOss, 256)).toBe(perToken * (256 + 128));
    expect(restingKvBytes(gptOss, 257)).toBe(perToken * (512 + 128));
  });
});

/**
 * Peaks that MLX 0.32.4 counted on a CPU for single prompts in a model with gpt-oss-20b's layers, KV heads
 * and head size, hidden size 64.
 */
const narrow = shapeOf({
  model_type: 'gpt_oss',
  num_hidden_layers: 24,
  num_attention_heads: 8,
  hidden_size: 64,
  intermediate_size: 64,
  num_experts_per_tok: 2,
});
const NARROW_BYTES = 4_166_576;
const onCpu: Calibration = {
  stepTokens: 512,
  halfChunkBytes: 5_806_198,
  firstChunkBytes: 18_030_634,
  secondChunkBytes: 33_179_234,
  decode: [
    { tokens: 256, bytes: 1_075_224 },
    { tokens: 1_024, bytes: 2_682_728 },
  ],
};

/** The same with a step of 256: the cache grows behind one of its prompts only. */
const onCpuInSmallSteps: Calibration = {
  stepTokens: 256,
  halfChunkBytes: 1_828_398,
  firstChunkBytes: 5_835_814,
  secondChunkBytes: 9_971_554,
  decode: [{ tokens: 512, bytes: 1_609_576 }],
};

describe('one answer, calibrated', () => {
  it.each([
    [120, onCpu, 2_924_544, 16_569_550],
    [130, onCpu, 3_145_728, 17_179_102],
    [200, onCpu, 3_145_728, 19_190_103],
    [258, onCpu, 3_145_728, 28_385_867],
    [300, onCpu, 3_145_728, 31_072_671],
    [600, onCpu, 3_145_728, 47_367_298],
    [1_100, onCpu, 3_145_728, 78_346_940],
    // The cache grows with the first token.
    [257, onCpuInSmallSteps, 3_145_728, 24_115_060],
    // The first token finds the last chunk in the windows.
    [300, onCpuInSmallSteps, 3_145_728, 24_356_782],
  ])('of %d tokens is predicted within 2 %%', (promptTokens, calibration, snapshotBytesAfter, measuredBytes) => {
    const { stepTokens } = calibration;
    const predicted = predictAnswerPeak(
      { shape: narrow, weightsBytes: NARROW_BYTES, stepTokens, calibration, correction: NO_CORRECTION },
      { promptTokens, cachedTokens: 0, generatedTokens: 4, snapshotBytesBefore: 0, snapshotBytesAfter },
    );
    expect(Math.abs(predicted / measuredBytes - 1)).toBeLessThan(0.02);
  });
});

describe('a prediction', () => {
  const base = { shape: gptOss, weightsBytes: Q8_BYTES, calibration: null, correction: NO_CORRECTION };
  const at = (contextTokens: number, stepTokens = 512) => predict({ ...base, contextTokens, stepTokens });

  it('is the sum of its parts', () => {
    const made = at(4_096);
    const sum = made.weightsBytes + made.kvBytes + made.kvCopiesBytes + made.prefillBytes + made.runtimeBytes;
    expect(made.peakBytes).toBe(sum);
    expect(made.prefillFrom).toBe('default');
  });

  it('before a calibration is close to what Metal was seen to take for 2,048 tokens at once', () => {
    // 12,354 MiB in all on an M2 Max; here with what the prompt cache may hold beside it.
    const { peakBytes, kvCopiesBytes, runtimeBytes } = at(2_048, 2_048);
    expect((peakBytes - runtimeBytes - kvCopiesBytes) / MIB).toBeGreaterThan(12_200);
    expect((peakBytes - runtimeBytes) / MIB).toBeLessThan(12_600);
  });

  it('is corrected by what earlier loads taught, but for the runtime, which they do not see', () => {
    const plain = at(4_096);
    const corrected = predict({ ...base, contextTokens: 4_096, stepTokens: 512, correction: { ratio: 1.1, loads: 8 } });
    expect(mlxPeakBytes(corrected) / mlxPeakBytes(plain)).toBeCloseTo(1.1);
    expect(corrected.measuredLoads).toBe(8);
  });

  const shapes = fc.constantFrom(...CATALOG.map(({ config }) => shapeOf(config)), narrow);
  const calibrations = fc.option(fc.constant(onCpu), { nil: null });

  it('never falls as the context grows, calibrated or not', () => {
    fc.assert(
      fc.property(
        shapes,
        calibrations,
        fc.integer({ min: 1, max: 131_072 }),
        fc.integer({ min: 1, max: 8_192 }),
        (shape, calibration, tokens, more) => {
          const made = (contextTokens: number) =>
            predict({
              shape,
              weightsBytes: 1e9,
              calibration,
              correction: NO_CORRECTION,
              contextTokens,
              stepTokens: 512,
            }).peakBytes;
          // A last chunk that is nearly empty may need a little less than a full one before it.
          expect(made(tokens + more)).toBeGreaterThanOrEqual(made(tokens) * 0.999);
        },
      ),
    );
  });

  it('covers every answer within the context', () => {
    fc.assert(
      fc.property(
        shapes,
        calibrations,
        fc.integer({ min: 300, max: 60_000 }),
        fc.double({ min: 0.1, max: 0.99, noNaN: true }),
        (shape, calibration, contextTokens, share) => {
          const basis = { shape, weightsBytes: 1e9, calibration, correction: NO_CORRECTION, stepTokens: 512 };
          const promptTokens = Math.ceil(contextTokens * share);
          const most = mlxPeakBytes(predict({ ...basis, contextTokens }));
          const answer = predictAnswerPeak(basis, {
            promptTokens,
            cachedTokens: 0,
            generatedTokens: contextTokens - promptTokens,
            snapshotBytesBefore: 0,
            snapshotBytesAfter: 0,
          });
          expect(answer).toBeLessThanOrEqual(most * 1.001);
        },
      ),
    );
  });

  it('takes more with a larger step', () => {
    for (const shape of [gptOss, narrow]) {
      for (const calibration of [null, onCpu]) {
        const peaks = STEP_CHOICES.map(
          (stepTokens) => predict({ ...base, shape, calibration, contextTokens: 8_192, stepTokens }).peakBytes,
        );
        expect(peaks).toEqual(peaks.toSorted((a, b) => a - b));
      }
    }
  });
});

describe('the prefill step', () => {
  const input = {
    shape: gptOss,
    weightsBytes: Q8_BYTES,
    calibration: null,
    correction: NO_CORRECTION,
    contextTokens: 4_096,
  };
  const peak = (stepTokens: number, calibration: Calibration | null = null) =>
    predict({ ...input, calibration, stepTokens }).peakBytes;
  const room = (asIsBytes: number, mostBytes = Number.MAX_SAFE_INTEGER) => ({ asIsBytes, mostBytes });

  it.each([
    ['plenty of room, nothing measured: the default', room(1e12), null, 512],
    ['plenty of room, calibrated: the largest', room(1e12), onCpu, 1_024],
    ['smaller, where that saves a raise', room(peak(256)), null, 256],
    ['the default, where the limit has to be raised anyway', room(0), null, 512],
    ['not above the default for that, calibrated or not', room(0), onCpu, 512],
    ['smaller, where the Mac would run short', room(0, peak(128)), null, 128],
    ['the smallest, where nothing fits', room(0, 0), null, 128],
  ])('%s', (_, there, calibration, expected) => {
    expect(chooseStep({ ...input, calibration }, there)).toBe(expected);
  });
});
