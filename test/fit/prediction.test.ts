/**
 * Predictions beside what the real engine counts, on models with random weights. A few here; `npm run test:fit` (or
 * HEADROOM_FIT=full) takes every model and length, which is minutes on a CPU.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonExecutable } from '../engine/fixtures.ts';
import { type Row, compare, table } from './compare.ts';

const isFull = process.env['HEADROOM_FIT'] === 'full';
const root = join(import.meta.dirname, '..', '..');
/** The aim for each line. */
const CLOSE_ENOUGH = 0.03;

let folder = '';
const lines: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-fit-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(root, 'test-results'), { recursive: true });
  writeFileSync(join(root, 'test-results', 'fit.jsonl'), lines.join(''));
});

function measure(...args: readonly string[]): Promise<readonly Row[]> {
  const script = join(root, 'test', 'fit', 'measure.py');
  const into = mkdtempSync(join(folder, 'models-'));
  return new Promise((resolve, reject) => {
    execFile(pythonExecutable, [script, ...args, '--folder', into], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(stderr.slice(-4_000), { cause: error }));
      lines.push(stdout);
      const rows = compare(stdout);
      console.log(table(rows));
      rmSync(into, { recursive: true, force: true });
      resolve(rows);
    });
  });
}

const allClose = (rows: readonly Row[]): void => {
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(({ off }) => Math.abs(off) > CLOSE_ENOUGH)).toEqual([]);
};

describe('weights, by the headers of the files', () => {
  it('sharded and not, quantised and not, with and without parts that stay out', { timeout: 120_000 }, async () => {
    const few = ['gpt-oss, MXFP4-Q8', 'qwen3_moe, 4-bit', 'llama, f16', 'gemma3 with a vision part, 8-bit'];
    const rows = await measure('weights', '--scale', '1', '--models', few.join(';'));
    expect(rows).toHaveLength(few.length);
    allClose(rows);
  });

  it.runIf(isFull)('nine layouts of five architectures, 200 to 400 MB each', { timeout: 600_000 }, async () => {
    const rows = await measure('weights', '--scale', '4');
    expect(rows).toHaveLength(9);
    allClose(rows);
  });
});

describe('the peak of an answer, calibrated', () => {
  it('gpt-oss-20b’s layers, and Llama’s', { timeout: 300_000 }, async () => {
    allClose(
      await measure('cache', '--step', '128', '--lengths', '127,129,257', '--models', 'gpt-oss-20b;Llama 3.1 8B'),
    );
  });

  it.runIf(isFull).each([256, 512])('every model and length, in steps of %d', { timeout: 3_600_000 }, async (step) => {
    allClose(await measure('cache', '--step', `${step}`));
  });
});
