/**
 * What was measured on this machine: calibrations, how far predictions were off, how fast prompts are read. One small
 * file; losing it costs a calibration.
 */
import * as v from 'valibot';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { Log } from '../log/log.ts';
import { type Calibration, type Correction, NO_CORRECTION } from './fit.ts';
import type { Learned } from './model-list.ts';
import { parsedJson } from '../plain-data.ts';

/** One stay of a model in memory: the prediction and MLX's own count, at the moment that took most. */
export interface MeasuredLoad {
  readonly atMs: number;
  /** As it was told, with the correction of that time. */
  readonly predictedBytes: number;
  readonly uncorrectedBytes: number;
  readonly measuredBytes: number;
  readonly prefillFrom: 'calibrated' | 'default';
}

/** What a calibration holds for: with another MLX or other weights it is measured anew. */
interface Conditions {
  /** `mlx 0.32.4, mlx-lm 0.32.2` */
  readonly versions: string;
  readonly weightsBytes: number;
}

interface Measurements {
  readonly loads: readonly MeasuredLoad[];
  readonly calibrations: readonly (Conditions & { readonly calibration: Calibration })[];
  /** Tokens a second of whole prompts, oldest first. */
  readonly prefillRates: readonly number[];
}

export interface MeasuredLoads {
  /** Everything a prediction rests on. */
  learned(modelId: string): Learned;
  isCalibrated(modelId: string, conditions: Conditions, stepTokens: number): boolean;
  calibrated(modelId: string, conditions: Conditions, calibration: Calibration): void;
  /** A model was loaded: its own entry, to be raised by what is asked of it. */
  loaded(modelId: string, load: MeasuredLoad): void;
  answered(modelId: string, load: MeasuredLoad): void;
  prefilled(modelId: string, tokens: number, tokensPerSecond: number | null): void;
  forget(modelId: string): void;
}

// ── Learning ──────────────────────────────────────────────────────────────────────────────────────

const MOST_LOADS = 20;
const MOST_RATES = 20;
const MOST_CALIBRATIONS = 4;
/** A prediction further off than this is a fault to be found, not a correction to be learned. */
const LEAST_RATIO = 0.8;
const MOST_RATIO = 1.3;
/** The rate of a short prompt is mostly what surrounds it. */
const FEWEST_TOKENS_FOR_A_RATE = 128;

/** The median, of predictions made the same way: what a guess was off by says nothing about a calibration. */
export function correctionOf(loads: readonly MeasuredLoad[], prefillFrom: MeasuredLoad['prefillFrom']): Correction {
  const ratios = loads
    .filter((load) => load.prefillFrom === prefillFrom && load.uncorrectedBytes > 0)
    .map((load) => load.measuredBytes / load.uncorrectedBytes);
  const ratio = median(ratios);
  if (ratio === null) return NO_CORRECTION;
  return { ratio: Math.min(MOST_RATIO, Math.max(LEAST_RATIO, ratio)), loads: ratios.length };
}

/** "predicted 12.3 GB, measured 12.2 GB, 8 loads": of the latest load, and how many there were. */
export function measuredOf(
  loads: readonly MeasuredLoad[],
): { readonly predictedBytes: number; readonly measuredBytes: number; readonly loads: number } | null {
  const last = loads.at(-1);
  if (last === undefined) return null;
  return { predictedBytes: last.predictedBytes, measuredBytes: last.measuredBytes, loads: loads.length };
}

/** The load in hand keeps the moment that took most. */
export function raised(loads: readonly MeasuredLoad[], load: MeasuredLoad): readonly MeasuredLoad[] {
  const last = loads.at(-1);
  if (last === undefined) return [load];
  return load.measuredBytes > last.measuredBytes ? [...loads.slice(0, -1), { ...load, atMs: last.atMs }] : loads;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

// ── The file ──────────────────────────────────────────────────────────────────────────────────────

const bytes = v.pipe(v.number(), v.finite(), v.minValue(0));
const tokens = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const load = v.object({
  atMs: bytes,
  predictedBytes: bytes,
  uncorrectedBytes: bytes,
  measuredBytes: bytes,
  prefillFrom: v.picklist(['calibrated', 'default']),
});
const calibration = v.object({
  stepTokens: tokens,
  halfChunkBytes: bytes,
  firstChunkBytes: bytes,
  secondChunkBytes: bytes,
  decode: v.array(v.object({ tokens, bytes })),
});
const measurements = v.object({
  loads: v.fallback(v.array(load), []),
  calibrations: v.fallback(v.array(v.object({ versions: v.string(), weightsBytes: bytes, calibration })), []),
  prefillRates: v.fallback(v.array(bytes), []),
});
/** `machine`: what was measured on another Mac and came here in a backup does not count. */
const stored = v.object({ machine: v.string(), models: v.record(v.string(), measurements) });

const NOTHING: Measurements = { loads: [], calibrations: [], prefillRates: [] };

function parseMeasuredLoads(text: string, machine: string): ReadonlyMap<string, Measurements> {
  const parsed = parsedJson(stored, text);
  return new Map(parsed?.machine === machine ? Object.entries(parsed.models) : []);
}

/** `machine` names this computer well enough to tell it from another: chip and memory. */
export function openMeasuredLoads(file: string, machine: string, log: Log): MeasuredLoads {
  const models = new Map(parseMeasuredLoads(readIfThere(file) ?? '', machine));
  const of = (modelId: string): Measurements => models.get(modelId) ?? NOTHING;
  const save = (modelId: string, change: Partial<Measurements>): void => {
    models.set(modelId, { ...of(modelId), ...change });
    write();
  };
  const write = (): void => {
    try {
      writeDurably(file, `${JSON.stringify({ machine, models: Object.fromEntries(models) })}\n`);
    } catch (error) {
      log('warn', `what was measured could not be saved: ${String(error)}`);
    }
  };
  return {
    learned(modelId) {
      const { loads, calibrations, prefillRates } = of(modelId);
      const latest = calibrations.at(-1)?.calibration ?? null;
      return {
        calibration: latest,
        correction: correctionOf(loads, latest === null ? 'default' : 'calibrated'),
        measured: measuredOf(loads),
        prefillRate: median(prefillRates),
      };
    },
    isCalibrated: (modelId, { versions, weightsBytes }, stepTokens) =>
      of(modelId).calibrations.some(
        (each) =>
          each.versions === versions &&
          each.weightsBytes === weightsBytes &&
          each.calibration.stepTokens === stepTokens,
      ),
    calibrated(modelId, conditions, made) {
      const others = of(modelId).calibrations.filter(
        // One with another MLX is of no more use.
        (each) => each.versions === conditions.versions && each.calibration.stepTokens !== made.stepTokens,
      );
      save(modelId, {
        calibrations: [...others, { ...conditions, calibration: made }].slice(-MOST_CALIBRATIONS),
      });
    },
    loaded: (modelId, made) => save(modelId, { loads: [...of(modelId).loads, made].slice(-MOST_LOADS) }),
    answered(modelId, made) {
      const before = of(modelId).loads;
      const after = raised(before, made);
      if (after !== before) save(modelId, { loads: after });
    },
    prefilled(modelId, count, rate) {
      if (rate === null || !Number.isFinite(rate) || rate <= 0 || count < FEWEST_TOKENS_FOR_A_RATE) return;
      save(modelId, { prefillRates: [...of(modelId).prefillRates, rate].slice(-MOST_RATES) });
    },
    forget(modelId) {
      if (models.delete(modelId)) write();
    },
  };
}
