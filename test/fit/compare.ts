/** Predictions beside what the engine counted: rows for a table, from the lines that measure.py prints. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { NO_CORRECTION, predictAnswerPeak } from '../../main/models/fit.ts';
import { type ModelShape, readModelShape } from '../../main/models/model-shape.ts';
import { loadedBytes, readTensorsOfFile } from '../../main/models/safetensors-header.ts';

const count = v.pipe(v.number(), v.minValue(0));
const measured = v.object({
  name: v.string(),
  folder: v.string(),
  config: v.unknown(),
  activeBytes: count,
  /** By the script that wrote the files: for where they are gone. */
  loadedBytes: count,
  stepTokens: v.optional(count),
  calibration: v.optional(
    v.object({
      step: count,
      half_chunk_bytes: count,
      first_chunk_bytes: count,
      second_chunk_bytes: count,
      decode: v.array(v.object({ tokens: count, bytes: count })),
    }),
  ),
  runs: v.optional(
    v.array(
      v.object({
        promptTokens: count,
        cachedTokens: count,
        generatedTokens: count,
        snapshotBytesBefore: count,
        snapshotBytesAfter: count,
        peakBytes: count,
      }),
    ),
    [],
  ),
});
type Measured = v.InferOutput<typeof measured>;

export interface Row {
  readonly model: string;
  readonly what: string;
  readonly predictedBytes: number;
  readonly measuredBytes: number;
  /** Signed share of what was measured. */
  readonly off: number;
  /**
   * MLX takes a buffer on one thread and frees the one before on another: whether one layer's buffers are still there
   * beside the next one's is chance. Keys and values, queries and the outcome. Measured: the same prompt of 1,100
   * tokens to gpt-oss-20b's layers, in steps of 512, took 75.7 MB once and 78.3 MB the next time.
   */
  readonly oneLayerBytes: number;
}

/** Uncalibrated: with the cautious guess that stands before a model's first load. */
export function compare(lines: string, { isCalibrated = true } = {}): readonly Row[] {
  return lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => rowsOf(v.parse(measured, JSON.parse(line)), isCalibrated));
}

function rowsOf(found: Measured, isCalibrated: boolean): readonly Row[] {
  const shape = readModelShape(found.config);
  if (shape === null) throw new Error(`the config of ${found.name} is not understood`);
  const weightsBytes = existsSync(found.folder) ? weightsIn(found.folder, shape) : found.loadedBytes;
  const { calibration } = found;
  if (calibration === undefined || found.stepTokens === undefined) {
    return [row(found.name, 'weights', weightsBytes, found.activeBytes, 0)];
  }
  const basis = {
    shape,
    weightsBytes,
    stepTokens: found.stepTokens,
    calibration: isCalibrated
      ? {
          stepTokens: calibration.step,
          halfChunkBytes: calibration.half_chunk_bytes,
          firstChunkBytes: calibration.first_chunk_bytes,
          secondChunkBytes: calibration.second_chunk_bytes,
          decode: calibration.decode,
        }
      : null,
    correction: NO_CORRECTION,
  };
  const { stepTokens } = found;
  return found.runs.map((run) =>
    row(
      found.name,
      `${run.promptTokens} tokens`,
      predictAnswerPeak(basis, run),
      run.peakBytes,
      oneLayerBytes(shape, run.promptTokens, stepTokens),
    ),
  );
}

function oneLayerBytes(shape: ModelShape, promptTokens: number, stepTokens: number): number {
  const { kvHeads, queryHeads, headSize, elementBytes } = shape;
  const chunkTokens = Math.min(promptTokens, stepTokens);
  return 2 * headSize * elementBytes * (kvHeads * promptTokens + queryHeads * chunkTokens);
}

const row = (model: string, what: string, predictedBytes: number, measuredBytes: number, layerBytes: number): Row => ({
  model,
  what,
  predictedBytes,
  measuredBytes,
  off: predictedBytes / measuredBytes - 1,
  oneLayerBytes: layerBytes,
});

const weightsIn = (folder: string, shape: ModelShape): number =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .reduce((sum, name) => sum + loadedBytes(readTensorsOfFile(join(folder, name)), shape.unloadedPrefixes), 0);

export function table(rows: readonly Row[]): string {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`.padStart(12);
  const lines = rows.map(
    ({ model, what, predictedBytes, measuredBytes, off }) =>
      `${model.padEnd(34)}${what.padEnd(14)}${megabytes(predictedBytes)}${megabytes(measuredBytes)}${percent(off).padStart(9)}`,
  );
  const worst = Math.max(...rows.map(({ off }) => Math.abs(off)));
  const within = rows.filter(({ off }) => Math.abs(off) <= 0.03).length;
  return [
    `${'model'.padEnd(34)}${''.padEnd(14)}${'predicted'.padStart(12)}${'measured'.padStart(12)}${'off'.padStart(9)}`,
    ...lines,
    `${within} of ${rows.length} within 3 %, the worst ${percent(worst)}`,
  ].join('\n');
}

const percent = (share: number): string => `${share >= 0 ? '+' : ''}${(share * 100).toFixed(2)} %`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of process.argv.slice(2)) process.stdout.write(`${table(compare(readFileSync(file, 'utf8')))}\n`);
}
