/** The demo model stands for gpt-oss-20b: its weights count for that model's, what it holds beyond them for a little. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MIB } from './model.ts';

/** The catalog's first choice on 16 GB: at a local hub the demo model lies under this name. */
export const LARGE_MODEL = 'mlx-community/gpt-oss-20b-MXFP4-Q8';
/** As MLX reports it. */
const LARGE_WEIGHTS_BYTES = 11_516 * MIB;
/** Its peak over the weights, measured at 2,048 tokens: 12,354 − 11,516 MiB. */
const MOST_BEYOND_BYTES = 838 * MIB;
/** The demo model on the CPU holds up to 36 MB while it reads 4,000 tokens. */
const BEYOND_FACTOR = 3;

export function countedBytes(modelFolder: string): (bytes: number) => number {
  const weightsBytes = readdirSync(modelFolder)
    .filter((name) => name.endsWith('.safetensors'))
    .reduce((sum, name) => sum + statSync(join(modelFolder, name)).size, 0);
  return (bytes) => {
    const beyond = Math.max(0, bytes - weightsBytes);
    const weights = Math.min(1, bytes / weightsBytes) * LARGE_WEIGHTS_BYTES;
    return Math.round(weights + Math.min(MOST_BEYOND_BYTES, beyond * BEYOND_FACTOR));
  };
}
