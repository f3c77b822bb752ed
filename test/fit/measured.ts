/** Runs measure.py and returns what it printed, one JSON object a line. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonExecutable } from '../engine/fixtures.ts';

/** `read` gets the lines while the models' files are still there. */
export function measured<T>(args: readonly string[], read: (lines: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-fit-'));
  return new Promise<T>((resolve, reject) => {
    execFile(
      pythonExecutable,
      [join(import.meta.dirname, 'measure.py'), ...args, '--folder', folder],
      { maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error === null) resolve(read(stdout));
        else reject(new Error(stderr.slice(-4_000), { cause: error }));
      },
    );
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
}
