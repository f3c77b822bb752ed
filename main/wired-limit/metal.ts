/** Asks Metal what the GPU may keep in place, by way of MLX: the only honest source, but a process of its own. */
import { execFile } from 'node:child_process';
import * as v from 'valibot';
import { parsedJson } from '../plain-data.ts';

/** MLX imports in a fraction of a second; a cold disk takes longer. */
const TIMEOUT_MS = 15_000;

const QUESTION = 'import json, mlx.core as mx; print(json.dumps(mx.device_info()))';

const answer = v.object({ max_recommended_working_set_size: v.pipe(v.number(), v.minValue(1)) });

/** MiB under the present setting; null where there is no Metal, or no answer. Never rejects. */
export function askMetal(pythonExecutable: string): Promise<number | null> {
  return new Promise((resolve) => {
    execFile(
      pythonExecutable,
      ['-I', '-c', QUESTION],
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', env: { PATH: '/usr/bin:/bin' } },
      (_error, stdout) => resolve(workingSetMiB(stdout)),
    );
  });
}

export function workingSetMiB(text: string): number | null {
  const bytes = parsedJson(answer, text)?.max_recommended_working_set_size;
  return bytes === undefined ? null : bytes / 1_048_576;
}
