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
import type { ModelShape } from './model-shape.ts';

/** What the engine keeps of earlier prompts; the arguments of `headroom_engine` (settings.py). */
export const PROMPT_CACHE = { snapshots: 2, limitBytes: 600_000_000 } as const;
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

/** Two short prompts of different length, read on this machine with this model and step. */
export interface Calibration {
  readonly stepTokens: number;
  readonly points: readonly [CalibrationPoint, CalibrationPoint];
}

export interface CalibrationPoint {
  readonly promptTokens: number;
  /** Peak while the prompt was read, above weights and its KV cache. */
  readonly prefillBytes: number;
  /** Peak of the first tokens after it, above weights, KV cache and the copy kept as a snapshot. */
  readonly decodeBytes: number;
}

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
  /** What the prompt cache holds; the most it may when left out. */
  readonly snapshotBytes?: number;
}

export function predict(input: FitInput): FitPrediction {
  const { shape, weightsBytes, contextTokens, stepTokens, calibration, correction } = input;
  const kvBytes = kvCacheBytes(shape, contextTokens, stepTokens);
  const snapshots = input.snapshotBytes ?? Math.min(PROMPT_CACHE.snapshots * kvBytes, PROMPT_CACHE.limitBytes);
  const measured = calibration === null ? null : calibratedBytes(calibration, contextTokens, stepTokens);
  const kvCopiesBytes = snapshots + (measured === null ? growthBytes(shape, contextTokens) : 0);
  const prefillBytes = measured ?? defaultPrefillBytes(shape, contextTokens, stepTokens);
  return {
    contextTokens,
    weightsBytes,
    kvBytes,
    kvCopiesBytes,
    prefillBytes,
    prefillStepTokens: stepTokens,
    prefillFrom: measured === null ? 'default' : 'calibrated',
    runtimeBytes: RUNTIME_BYTES,
    peakBytes: Math.ceil((weightsBytes + kvBytes + kvCopiesBytes + prefillBytes) * correction.ratio + RUNTIME_BYTES),
    measuredLoads: correction.loads,
  };
}

/** What MLX itself will count at the peak, and the GPU must hold: all but the runtime beside it. */
export const mlxPeakBytes = ({ peakBytes, runtimeBytes }: FitPrediction): number => peakBytes - runtimeBytes;

// ── KV ────────────────────────────────────────────────────────────────────────────────────────────

/** Of one token in one layer. */
const tokenBytes = ({ kvHeads, headSize, elementBytes }: ModelShape): number => 2 * kvHeads * headSize * elementBytes;

/** One KV cache that holds `tokens`, as it is allocated at the end of reading a prompt in steps. */
export function kvCacheBytes(shape: ModelShape, tokens: number, stepTokens: number): number {
  const full = Math.ceil(tokens / GROWTH_TOKENS) * GROWTH_TOKENS;
  return tokenBytes(shape) * (shape.fullLayers * full + shape.slidingLayers * slidingTokens(shape, tokens, stepTokens));
}

/** What a sliding layer holds right after its last chunk: window − 1 and the chunk. */
function slidingTokens({ windowTokens }: ModelShape, tokens: number, stepTokens: number): number {
  const chunk = Math.min(tokens, stepTokens);
  return tokens <= stepTokens ? Math.max(tokens, Math.min(windowTokens, GROWTH_TOKENS)) : windowTokens - 1 + chunk;
}

/** Before it was measured: half the full layers hold the old buffer beside the new one while they grow. */
const growthBytes = (shape: ModelShape, tokens: number): number =>
  Math.ceil((tokenBytes(shape) * shape.fullLayers * tokens) / 2);

// ── Prefill ───────────────────────────────────────────────────────────────────────────────────────

/** Width of the numbers a layer has in work for one token, in hidden sizes and in feed-forward sizes. */
const HIDDEN_WIDTHS = 4;
const FEED_FORWARD_WIDTHS = 3;
/** So many layers' worth at once. With it gpt-oss-20b comes to the one published reading on Metal (840 MiB at 2,048). */
const LAYERS_IN_WORK = 4;
/** Heads up to this size are computed without a matrix of scores on Metal; larger ones write it out. */
const LARGEST_FUSED_HEAD = 128;

/** A cautious guess for Metal, to be replaced by a calibration. */
function defaultPrefillBytes(shape: ModelShape, tokens: number, stepTokens: number): number {
  const chunk = Math.min(tokens, stepTokens);
  const width = HIDDEN_WIDTHS * shape.hiddenSize + FEED_FORWARD_WIDTHS * shape.feedForwardSize;
  const activations = chunk * width * 2 * LAYERS_IN_WORK;
  const mask = chunk * tokens;
  const scores = shape.headSize > LARGEST_FUSED_HEAD ? chunk * tokens * shape.queryHeads * 4 : 0;
  return activations + mask + scores;
}

/** Two points make a line in the prompt's length; the higher of the two kinds of work counts. */
function calibratedBytes({ stepTokens: measuredAt, points }: Calibration, tokens: number, stepTokens: number): number {
  const prefill = onLine(points, ({ prefillBytes }) => prefillBytes, tokens);
  const decode = onLine(points, ({ decodeBytes }) => decodeBytes, tokens);
  // A chunk's work grows with its length. A smaller one is not counted on to need less than in proportion.
  return Math.ceil(Math.max((prefill * stepTokens) / measuredAt, decode));
}

function onLine([a, b]: Calibration['points'], bytesOf: (point: CalibrationPoint) => number, tokens: number): number {
  const [least, most] = a.promptTokens <= b.promptTokens ? [a, b] : [b, a];
  const span = most.promptTokens - least.promptTokens;
  const slope = span === 0 ? 0 : (bytesOf(most) - bytesOf(least)) / span;
  // A longer prompt never needs less; a dip between two readings is chance.
  return Math.max(bytesOf(least), bytesOf(most) + Math.max(0, slope) * (tokens - most.promptTokens));
}

// ── Step ──────────────────────────────────────────────────────────────────────────────────────────

/** Rising. Smaller steps read slower and need less. */
export const STEP_CHOICES = [128, 256, 512, 1_024] as const;

/**
 * The largest step whose peak leaves no room short; the smallest when none does. Before a calibration not above the
 * default: a guess is no reason to take more.
 */
export function chooseStep(input: Omit<FitInput, 'stepTokens'>, roomBytes: number): number {
  const most = input.calibration === null ? DEFAULT_STEP_TOKENS : Number.POSITIVE_INFINITY;
  const fitting = STEP_CHOICES.filter(
    (stepTokens) => stepTokens <= most && predict({ ...input, stepTokens }).peakBytes <= roomBytes,
  );
  return fitting.at(-1) ?? STEP_CHOICES[0];
}
