/**
 * What a model takes in memory at a context length. Pure arithmetic over its shape, the size of its weights, and what
 * was measured on this machine.
 *
 *   peak = (weights + one KV cache + copies of it + what prefill needs) × what earlier loads taught + runtime
 *
 * The KV part follows mlx_lm's caches (0.32.2): full layers grow in steps of 256 tokens, sliding ones hold a window,
 * and up to a chunk more while the prompt is read. What prefill needs is a property of the machine's backend more than
 * of the model (tenfold apart between Metal, CUDA and CPU), so it is calibrated, and a cautious guess before that.
 */
import type { FitPrediction } from '../../preload/contract.ts';
import type { EngineCalibration } from '../engine/engine.ts';
import type { ModelShape } from './model-shape.ts';

/**
 * What the engine keeps of earlier prompts while it answers (settings.py, prompt_cache.py): so many conversations beside
 * the one it answers, whose cache is the answer's own; of each the full layers once and the sliding ones at several
 * points.
 */
const PROMPT_CACHE = { conversations: 1, checkpoints: 6, limitBytes: 600_000_000 } as const;
/** The engine's step unless a request says otherwise (settings.py). */
export const DEFAULT_STEP_TOKENS = 512;

const MIB = 1_048_576;
/** mlx_lm's KVCache grows by this many tokens. */
const GROWTH_TOKENS = 256;
/** The engine's Python process beside what MLX counts; measured (python-runtime/tests/test_memory_beside_mlx.py). */
const ENGINE_BESIDE_MLX_BYTES = 90 * MIB;
/** Metal's own: command buffers, heaps, compiled kernels. Assumed, not measured. */
const METAL_BESIDE_MLX_BYTES = 120 * MIB;
export const RUNTIME_BYTES = ENGINE_BESIDE_MLX_BYTES + METAL_BESIDE_MLX_BYTES;

export type Calibration = Omit<EngineCalibration, 'tokensPerSecond'>;

/** How far predictions were off on this machine with this model. */
export interface Correction {
  readonly ratio: number;
  readonly loads: number;
}
export const NO_CORRECTION: Correction = { ratio: 1, loads: 0 };

export interface FitInput {
  readonly shape: ModelShape;
  /** Of the tensors that are loaded. */
  readonly weightsBytes: number;
  readonly contextTokens: number;
  readonly stepTokens: number;
  readonly calibration: Calibration | null;
  readonly correction: Correction;
}

export function predict(input: FitInput): FitPrediction {
  const { shape, weightsBytes, contextTokens, stepTokens, calibration, correction } = input;
  const kvBytes = restingKvBytes(shape, contextTokens);
  const kept = kvBytes + (PROMPT_CACHE.checkpoints - 1) * windowBytes(shape);
  const snapshotBytes = Math.min(PROMPT_CACHE.conversations * kept, PROMPT_CACHE.limitBytes);
  const { heldBytes, workBytes } = heaviest(input, {
    promptTokens: contextTokens,
    cachedTokens: 0,
    generatedTokens: 0,
    snapshotBytesBefore: snapshotBytes,
    snapshotBytesAfter: snapshotBytes,
    // Whatever the prompt's length: an answer up to the ceiling makes the cache grow on its way.
    grows: true,
  });
  return {
    contextTokens,
    weightsBytes,
    kvBytes,
    kvCopiesBytes: heldBytes - kvBytes,
    prefillBytes: workBytes,
    prefillStepTokens: stepTokens,
    prefillFrom: calibration === null ? 'default' : 'calibrated',
    runtimeBytes: RUNTIME_BYTES,
    peakBytes: Math.ceil((weightsBytes + heldBytes + workBytes) * correction.ratio) + RUNTIME_BYTES,
    measuredLoads: correction.loads,
  };
}

/** What MLX itself will count at the peak, and the GPU must hold: all but the runtime beside it. */
export const mlxPeakBytes = ({ peakBytes, runtimeBytes }: FitPrediction): number => peakBytes - runtimeBytes;

/** One answer as it went, to compare with the peak that the engine counted for it. */
export interface AnswerRun {
  readonly promptTokens: number;
  /** The beginning of the prompt that was not read again. */
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  /** What the prompt cache held while the prompt was read, and while the answer was written. */
  readonly snapshotBytesBefore: number;
  readonly snapshotBytesAfter: number;
}

type Basis = Pick<FitInput, 'shape' | 'weightsBytes' | 'stepTokens' | 'calibration' | 'correction'>;

/** The peak MLX should have counted. */
export function predictAnswerPeak(basis: Basis, run: AnswerRun): number {
  const { heldBytes, workBytes } = heaviest(basis, run);
  return Math.ceil((basis.weightsBytes + heldBytes + workBytes) * basis.correction.ratio);
}

interface Moment {
  /** KV caches: the one in use, and what the prompt cache keeps. */
  readonly heldBytes: number;
  readonly workBytes: number;
}

/** The moment that takes most: one of the prompt's chunks, the answer's first token, or its last ones. */
function heaviest(
  { shape, stepTokens, calibration }: Pick<Basis, 'shape' | 'stepTokens' | 'calibration'>,
  run: AnswerRun & { readonly grows?: boolean },
): Moment {
  const { promptTokens, cachedTokens, generatedTokens } = run;
  // The last token of a prompt is read as the first step of writing.
  const chunks = cacheAfterChunks(shape, cachedTokens, promptTokens - 1, stepTokens);
  const moments = chunks.map(({ chunkTokens, endTokens, bytes }) => ({
    heldBytes: bytes + run.snapshotBytesBefore,
    workBytes:
      calibration === null
        ? defaultChunkBytes(shape, chunkTokens, endTokens)
        : chunkBytes(calibration, chunkTokens, endTokens),
  }));
  const last = chunks.at(-1);
  if (last !== undefined) {
    // mlx_lm's RotatingKVCache keeps the last chunk before its window until the first token is written, and then cuts
    // one layer after the other to a new buffer (`_update_in_place`). What the prompt cache keeps is there by then.
    const cutBytes = last.slidingTokens > shape.windowTokens ? tokenBytes(shape) * shape.windowTokens : 0;
    moments.push({ heldBytes: last.bytes + run.snapshotBytesAfter, workBytes: cutBytes });
  }
  const tokens = promptTokens + generatedTokens;
  const growth = calibration === null ? defaultGrowthBytes(shape, tokens) : decodeBytes(calibration, shape, tokens);
  const grows = run.grows ?? inSteps(tokens) > inSteps(promptTokens - 1);
  const writing = {
    heldBytes: writingKvBytes(shape, promptTokens, generatedTokens) + run.snapshotBytesAfter,
    workBytes: grows ? growth : 0,
  };
  return moments.reduce(
    (most, each) => (each.heldBytes + each.workBytes > most.heldBytes + most.workBytes ? each : most),
    writing,
  );
}

// ── KV ────────────────────────────────────────────────────────────────────────────────────────────

/** Of one token in one layer. */
const tokenBytes = ({ kvHeads, headSize, elementBytes }: ModelShape): number => 2 * kvHeads * headSize * elementBytes;

const inSteps = (tokens: number): number => Math.ceil(tokens / GROWTH_TOKENS) * GROWTH_TOKENS;

/** The same with the answer behind a prompt: a sliding layer goes on in steps from where the prompt ended. */
function writingKvBytes(shape: ModelShape, promptTokens: number, generatedTokens: number): number {
  const { fullLayers, slidingLayers, windowTokens } = shape;
  const sliding = Math.min(windowTokens, promptTokens - 1 + inSteps(generatedTokens + 1));
  return tokenBytes(shape) * (fullLayers * inSteps(promptTokens + generatedTokens) + slidingLayers * sliding);
}

/** One KV cache of `tokens`. A sliding layer's buffer grows up to its window and stays. */
export function restingKvBytes(shape: ModelShape, tokens: number): number {
  const { fullLayers, slidingLayers, windowTokens } = shape;
  return tokenBytes(shape) * (fullLayers * inSteps(tokens) + slidingLayers * Math.min(windowTokens, inSteps(tokens)));
}

/** The sliding layers' part. */
const windowBytes = (shape: ModelShape): number => tokenBytes(shape) * shape.slidingLayers * shape.windowTokens;

interface ChunkEnd {
  readonly chunkTokens: number;
  readonly endTokens: number;
  /** In each sliding layer. */
  readonly slidingTokens: number;
  readonly bytes: number;
}

/** The KV cache after each chunk of a prompt. A sliding layer then holds its window − 1 and the whole chunk. */
function cacheAfterChunks(shape: ModelShape, from: number, to: number, stepTokens: number): readonly ChunkEnd[] {
  const { fullLayers, slidingLayers, windowTokens } = shape;
  const chunks: ChunkEnd[] = [];
  let allocated = inSteps(from);
  for (let done = from; done < to; ) {
    const chunkTokens = Math.min(stepTokens, to - done);
    if (done + chunkTokens > allocated) allocated = done + inSteps(chunkTokens);
    const slidingTokens = Math.min(done, windowTokens - 1) + chunkTokens;
    done += chunkTokens;
    chunks.push({
      chunkTokens,
      endTokens: done,
      slidingTokens,
      bytes: tokenBytes(shape) * (fullLayers * allocated + slidingLayers * slidingTokens),
    });
  }
  return chunks;
}

// ── Work ──────────────────────────────────────────────────────────────────────────────────────────

/** Width of the numbers a layer has in work for one token, in hidden sizes and in feed-forward sizes. */
const HIDDEN_WIDTHS = 4;
const FEED_FORWARD_WIDTHS = 3;
/** So many layers' worth at once. With it gpt-oss-20b comes to the one published reading on Metal (840 MiB at 2,048). */
const LAYERS_IN_WORK = 4;
/** Heads up to this size are computed without a matrix of scores on Metal; larger ones write it out. */
const LARGEST_FUSED_HEAD = 128;

/** A cautious guess for Metal, to be replaced by a calibration. */
function defaultChunkBytes(shape: ModelShape, chunkTokens: number, endTokens: number): number {
  const width = HIDDEN_WIDTHS * shape.hiddenSize + FEED_FORWARD_WIDTHS * shape.feedForwardSize;
  const activations = chunkTokens * width * shape.elementBytes * LAYERS_IN_WORK;
  const mask = chunkTokens * endTokens;
  const scores = shape.headSize > LARGEST_FUSED_HEAD ? mask * shape.queryHeads * 4 : 0;
  return activations + mask + scores + defaultGrowthBytes(shape, endTokens);
}

/** Half the full layers hold their old buffer beside the new one. Measured: one layer on a CPU, seven of twelve on CUDA. */
const defaultGrowthBytes = (shape: ModelShape, tokens: number): number =>
  Math.ceil((tokenBytes(shape) * shape.fullLayers * tokens) / 2);

/**
 * A chunk's work grows with its size and with all that lies before it. Whole chunks lie on a line through the two that
 * were measured; a smaller one takes a share, which the half chunk tells.
 */
function chunkBytes(calibration: Calibration, chunkTokens: number, endTokens: number): number {
  const { stepTokens, halfChunkBytes, firstChunkBytes: first, secondChunkBytes: second } = calibration;
  // A longer prompt never needs less: a dip between two readings is chance.
  const slope = Math.max(0, second - first) / stepTokens;
  const whole = endTokens < stepTokens ? (first * endTokens) / stepTokens : first + slope * (endTokens - stepTokens);
  const size = chunkTokens / stepTokens;
  const half = first === 0 ? 0.5 : Math.min(2, halfChunkBytes / (first / 2));
  const share = size >= 1 ? size : size > 0.5 ? half + (1 - half) * (2 * size - 1) : 2 * size * half;
  return Math.ceil(whole * share);
}

/**
 * The last growth on the way to so many tokens: one layer's buffer as it was, and the part that is put behind it
 * (mlx_lm's `KVCache.update_and_fetch`), together as many tokens as the new one has. On a CPU that is all, and no less,
 * though a calibration may have seen the keys gone before the values came; a GPU frees late, and has several layers' at
 * once. Up to the window the sliding layers are copied too, beside what the prompt cache holds: that is left to the
 * calibration.
 */
function decodeBytes({ decode }: Calibration, shape: ModelShape, tokens: number): number {
  const least = decode[0];
  const most = decode.at(-1);
  if (least === undefined || most === undefined) return 0;
  const grown = inSteps(tokens);
  const onlyFullGrow = shape.fullLayers > 0 && grown - GROWTH_TOKENS > shape.windowTokens;
  const oneLayer = onlyFullGrow ? tokenBytes(shape) * grown : 0;
  if (least === most) return Math.ceil(Math.max(oneLayer, (most.bytes * grown) / (most.tokens + GROWTH_TOKENS)));
  const slope = Math.max(0, most.bytes - least.bytes) / (most.tokens - least.tokens);
  return Math.ceil(Math.max(oneLayer, least.bytes, most.bytes + slope * (grown - GROWTH_TOKENS - most.tokens)));
}

// ── Step ──────────────────────────────────────────────────────────────────────────────────────────

/** Rising. Smaller steps read slower and need less. */
export const STEP_CHOICES = [128, 256, 512, 1_024] as const;

/** Bytes a peak should stay below. */
export interface StepRoom {
  /** Below the GPU's limit as it is: nothing has to be raised. */
  readonly asIsBytes: number;
  /** With the limit raised as far as this app goes, and the Mac left what it needs. */
  readonly mostBytes: number;
}

/**
 * The largest step that fits without raising anything, if one does; else one that fits at all, the default at most. The
 * smallest when none fits. Before a calibration never above the default: a guess is no reason to take more.
 */
export function chooseStep(input: Omit<FitInput, 'stepTokens'>, room: StepRoom): number {
  const largest = (mostBytes: number, mostTokens: number): number | undefined =>
    STEP_CHOICES.findLast(
      (stepTokens) => stepTokens <= mostTokens && predict({ ...input, stepTokens }).peakBytes <= mostBytes,
    );
  const mostTokens = input.calibration === null ? DEFAULT_STEP_TOKENS : STEP_CHOICES[STEP_CHOICES.length - 1];
  return (
    largest(Math.min(room.asIsBytes, room.mostBytes), mostTokens ?? DEFAULT_STEP_TOKENS) ??
    largest(room.mostBytes, DEFAULT_STEP_TOKENS) ??
    STEP_CHOICES[0]
  );
}
