/** However hard the app dies, the engine does not outlive it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { modelFolder, pythonExecutable } from './fixtures.ts';
import { isAlive, until } from './harness.ts';
import { seededRandom, storySeed } from './seeded-random.ts';

let sockets = '';
beforeAll(() => {
  sockets = mkdtempSync(join(tmpdir(), 'hr-'));
});
afterAll(() => rmSync(sockets, { recursive: true, force: true }));

let app: ChildProcess | null = null;
let enginePid = 0;
afterEach(() => {
  app?.kill('SIGKILL');
  if (enginePid !== 0 && isAlive(enginePid)) process.kill(enginePid, 'SIGKILL');
});

/** Starts the app and waits for a word of its output. */
async function startApp(word: string, ...rest: string[]): Promise<ChildProcess> {
  enginePid = 0;
  const script = fileURLToPath(new URL('./children/app-to-be-killed.ts', import.meta.url));
  const child = spawn(process.execPath, [script, pythonExecutable, modelFolder, sockets, ...rest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  app = child;
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error('the app ended by itself')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const pid = /^pid (\d+)$/.exec(line);
      if (pid !== null) enginePid = Number(pid[1]);
      if (line === word || (word === 'pid' && pid !== null)) resolve();
    });
  });
  return child;
}

async function expectNothingLeft(): Promise<void> {
  expect(enginePid).not.toBe(0);
  await until(() => !isAlive(enginePid), 5_000);
}

describe('SIGKILL of the app', () => {
  it.each<[string, ...string[]]>([['pid'], ['loading'], ['ready'], ['prefill', 'generate']])(
    'at “%s” leaves no Python after five seconds',
    async (word, ...rest) => {
      const child = await startApp(word, ...rest);
      child.kill('SIGKILL');
      await expectNothingLeft();
    },
  );

  const seed = storySeed();
  const rounds = process.env['HEADROOM_FAULTS'] === 'full' ? 40 : 3;
  it(`at ${rounds} moments by chance leaves no Python (seed ${seed})`, { timeout: rounds * 10_000 }, async () => {
    const random = seededRandom(seed);
    for (let round = 0; round < rounds; round += 1) {
      const child = await startApp('pid', 'generate');
      await new Promise((resolve) => setTimeout(resolve, random() * 1_500));
      child.kill('SIGKILL');
      await expectNothingLeft();
    }
  });

  it('leaves a socket folder at most until the next start', async () => {
    const child = await startApp('ready');
    const exited = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    await expectNothingLeft();
    makeSocketFolder(sockets).remove();
    expect(readdirSync(sockets)).toEqual([]);
  });
});
