/** When the app cannot start it says why, in words, and ends with a code that says so too. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../main/data-folder-lock.ts';
import { prepareSurroundings } from './app-under-test.ts';

const surroundings = await prepareSurroundings();

describe.skipIf(surroundings.kind === 'missing')('starting', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'headroom-starting-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 20 }));
  afterAll(async () => {
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  /** What the app itself says; Chromium complains at length about the missing desktop. */
  async function start(...args: string[]): Promise<{ code: number | null; said: string }> {
    if (surroundings.kind === 'missing') throw new Error(surroundings.reason);
    const app = spawn(surroundings.electron.executable, [
      surroundings.appFolder,
      '--no-sandbox',
      '--home',
      home,
      ...args,
    ]);
    let output = '';
    app.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => app.once('close', resolve));
    const said = output.split('\n').filter((line) => line.startsWith('headroom:'));
    return { code, said: said.join('\n') };
  }

  it('another Headroom uses the data folder: 75, and which process that is', async () => {
    const lock = await lockDataFolder(home);
    if (lock.kind !== 'held') throw new Error('the folder is new');
    const { code, said } = await start();
    await lock.release();
    expect(code).toBe(75);
    expect(said).toContain(`running already (process ${process.pid})`);
    expect(said).toContain(home);
  });

  it('the model folder is none: 69, and what is wrong with it', async () => {
    const { code, said } = await start('--model', join(home, 'nothing'));
    expect(code).toBe(69);
    expect(said).toContain(join(home, 'nothing'));
    expect(said).not.toMatch(/\bat .*\.cjs:\d+/);
  });
});
