/** When the app cannot start it says why, in words, and ends with a code that says so too. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../main/data-folder-lock.ts';
import { launchApp, prepareSurroundings } from './app-under-test.ts';

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
      ...(args.includes('--home') ? [] : ['--home', home]),
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

  it('the data folder cannot be made: 69, in words', async () => {
    writeFileSync(join(home, 'file'), '');
    const { code, said } = await start('--home', join(home, 'file', 'folder'));
    expect(code).toBe(69);
    expect(said).toContain('cannot use its data folder');
    expect(said).not.toMatch(/\bat .*\.cjs:\d+/);
  });

  it('the data folder is the user’s alone', async () => {
    if (surroundings.kind === 'missing') return;
    const folder = join(home, 'new', 'headroom');
    const app = await launchApp(surroundings, { home: folder });
    await app.page();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await app.dispose();
  });

  it('the model folder is none: 69, and what is wrong with it', async () => {
    const { code, said } = await start('--model', join(home, 'nothing'));
    expect(code).toBe(69);
    expect(said).toContain(join(home, 'nothing'));
    expect(said).not.toMatch(/\bat .*\.cjs:\d+/);
  });
});
