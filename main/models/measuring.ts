/**
 * Learns from what happens: every load and every answer is a prediction and a measurement, and after a model's first
 * load two short prompts tell what reading takes on this machine. Nobody waits for that: anything that is asked breaks
 * it off, and it is tried again when the model rests.
 */
import type { EngineState } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import { type Engine, EngineError, type GenerationUsage } from '../engine/engine.ts';
import type { Log } from '../log/log.ts';
import { NO_CORRECTION, predictAnswerPeak } from './fit.ts';
import type { MeasuredLoads } from './measured-loads.ts';
import type { ModelShape } from './model-shape.ts';

/** The model the engine runs. */
interface MeasuredModel {
  readonly id: string;
  readonly shape: ModelShape;
  readonly weightsBytes: number;
}

interface MeasuringPorts {
  readonly engine: Pick<Engine, 'state' | 'metrics' | 'subscribe' | 'calibrate'>;
  readonly measured: MeasuredLoads;
  /** Null where its config is not understood. */
  readonly model: () => MeasuredModel | null;
  /** The step prompts are read with. */
  readonly stepTokens: () => number;
  /** No moment to take more memory than somebody has asked for. */
  readonly isShort: () => boolean;
  /** Predictions are no longer what they were. */
  readonly learned: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Measuring {
  /** Somebody is about to ask: what is being measured ends before they have to wait for it. */
  userWrites(): void;
  answered(usage: GenerationUsage): void;
  dispose(): void;
}

/** How long a model rests before it is measured: who has just loaded it is likely to ask something. */
export const REST_BEFORE_CALIBRATION_MS = 4_000;
/** After the last sign of somebody writing a message. */
export const REST_AFTER_WRITING_MS = 15_000;

export function createMeasuring(ports: MeasuringPorts): Measuring {
  const { engine, measured, clock, log } = ports;
  let work: AbortController | null = null;
  let isDisposed = false;
  let before: EngineState['kind'] = engine.state.kind;
  let cancelRest: (() => void) | null = null;
  /** A model that cannot be calibrated is not asked again until it is loaded again. */
  let isRefused = false;

  const unsubscribe = engine.subscribe(({ kind }) => {
    const wasLoading = before === 'loading' || before === 'starting';
    before = kind;
    cancelRest?.();
    cancelRest = null;
    if (kind !== 'ready') return;
    if (wasLoading) {
      isRefused = false;
      noteLoad();
    }
    rest();
  });

  function rest(restMs = REST_BEFORE_CALIBRATION_MS): void {
    cancelRest?.();
    cancelRest = clock.after(restMs, () => {
      cancelRest = null;
      void calibrate();
    });
  }

  function noteLoad(): void {
    const model = ports.model();
    const metrics = engine.metrics;
    if (model === null || metrics === null) return;
    const { calibration, correction } = measured.learned(model.id);
    measured.loaded(model.id, {
      atMs: clock.nowMs(),
      predictedBytes: Math.ceil(model.weightsBytes * correction.ratio),
      uncorrectedBytes: model.weightsBytes,
      measuredBytes: metrics.memory.activeBytes,
      prefillFrom: calibration === null ? 'default' : 'calibrated',
    });
    ports.learned();
  }

  async function calibrate(): Promise<void> {
    const model = ports.model();
    const metrics = engine.metrics;
    const stepTokens = ports.stepTokens();
    if (model === null || metrics?.versions === undefined || isRefused || engine.state.kind !== 'ready') return;
    const conditions = { versions: metrics.versions, weightsBytes: model.weightsBytes };
    if (measured.isCalibrated(model.id, conditions, stepTokens)) return;
    if (ports.isShort()) return rest();
    const mine = new AbortController();
    work = mine;
    try {
      const found = await engine.calibrate(stepTokens, mine.signal);
      if (isDisposed) return;
      if (found === null) {
        if (engine.state.kind === 'ready' && cancelRest === null) rest();
        return;
      }
      const { tokensPerSecond, ...calibration } = found;
      measured.calibrated(model.id, conditions, calibration);
      measured.prefilled(model.id, stepTokens, tokensPerSecond);
      log('info', `calibrated: ${model.id}, steps of ${found.stepTokens}: ${JSON.stringify(found)}`);
      ports.learned();
    } catch (error) {
      isRefused = true;
      log('warn', `not calibrated: ${error instanceof EngineError ? error.message : String(error)}`);
    } finally {
      work = null;
    }
  }

  return {
    userWrites() {
      if (work === null && cancelRest === null) return;
      work?.abort();
      rest(REST_AFTER_WRITING_MS);
    },
    answered(usage) {
      const model = ports.model();
      if (model === null) return;
      measured.prefilled(model.id, usage.promptTokens - usage.cachedTokens, usage.prefillTokensPerSecond);
      const { memory } = usage;
      if (memory === undefined) return;
      const { calibration, correction } = measured.learned(model.id);
      const basis = {
        shape: model.shape,
        weightsBytes: model.weightsBytes,
        stepTokens: memory.prefillStepTokens,
        calibration,
      };
      const run = {
        promptTokens: usage.promptTokens,
        cachedTokens: usage.cachedTokens,
        generatedTokens: usage.completionTokens,
        snapshotBytesBefore: memory.keptBeforeBytes,
        snapshotBytesAfter: memory.keptWhileWritingBytes,
      };
      measured.answered(model.id, {
        atMs: clock.nowMs(),
        predictedBytes: predictAnswerPeak({ ...basis, correction }, run),
        uncorrectedBytes: predictAnswerPeak({ ...basis, correction: NO_CORRECTION }, run),
        measuredBytes: memory.peakBytes,
        prefillFrom: calibration === null ? 'default' : 'calibrated',
      });
      ports.learned();
    },
    dispose() {
      isDisposed = true;
      work?.abort();
      cancelRest?.();
      unsubscribe();
    },
  };
}
