/** Stories by chance: start, stop, ask, cancel and kill in any order; in the end nothing is left and all was told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EngineError } from '../../main/engine/engine.ts';
import { pythonCommand } from '../../main/engine/supervisor.ts';
import { modelFolder, pythonExecutable } from './fixtures.ts';
import { type EngineUnderTest, collect, engineUnderTest, isAlive, scripted } from './harness.ts';
import { seededRandom, storySeed } from './seeded-random.ts';

const full = process.env['HEADROOM_FAULTS'] === 'full';
const seed = storySeed();

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hr-models-'));
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'config.json'), '{}');
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How a request ended: what `generate` may end with, and nothing else. */
async function ending(under: EngineUnderTest, signal: AbortSignal): Promise<string> {
  try {
    const events = await collect(under, { signal });
    expect(events.at(-1)?.kind).toBe('finish');
    return 'finish';
  } catch (error) {
    if (error instanceof EngineError && error.message !== '' && error.nextStep !== '') return error.code;
    throw error;
  }
}

async function tell(
  under: EngineUnderTest,
  random: () => number,
  folders: readonly string[],
  steps: number,
): Promise<void> {
  const asked: Promise<string>[] = [];
  const started: Promise<unknown>[] = [];
  const aborters: AbortController[] = [];
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  for (let step = 0; step < steps; step += 1) {
    switch (pick(['start', 'start', 'stop', 'ask', 'ask', 'ask', 'cancel', 'kill', 'wait', 'wait', 'wait'])) {
      case 'start':
        started.push(
          under.engine.start({ folder: pick(folders) ?? '', name: 'model' }).catch((error: unknown) => {
            if (!(error instanceof EngineError)) throw error;
          }),
        );
        break;
      case 'stop':
        if (random() < 0.5) await under.engine.stop();
        else started.push(under.engine.stop());
        break;
      case 'ask': {
        const aborter = new AbortController();
        aborters.push(aborter);
        asked.push(ending(under, aborter.signal));
        break;
      }
      case 'cancel':
        pick(aborters)?.abort();
        break;
      case 'kill': {
        const pid = under.processes.at(-1)?.pid ?? 0;
        if (pid !== 0 && under.processes.at(-1)?.exit === null && isAlive(pid)) process.kill(pid, 'SIGKILL');
        break;
      }
      default:
        await pause(random() * 400);
    }
    // Never two processes at once: two models do not fit into one memory.
    expect(under.processes.filter((child) => child.exit === null && isAlive(child.pid)).length).toBeLessThanOrEqual(1);
  }
  await under.engine.stop();
  await Promise.all(started);
  const endings = await Promise.all(asked);
  for (const each of endings) expect(['finish', 'aborted', 'stopped', 'off', 'failed', 'disconnected']).toContain(each);
  expect(under.engine.state).toEqual({ kind: 'off' });
}

const stories = full ? 40 : 3;
it(`a scripted engine, ${stories} stories (seed ${seed})`, { timeout: stories * 20_000 }, async () => {
  const random = seededRandom(seed);
  for (let story = 0; story < stories; story += 1) {
    const behaviour = (['well', 'slow-to-load', 'dies-in-answer'] as const)[story % 3] ?? 'well';
    const under = engineUnderTest(scripted(behaviour), join(folder, 'a'), { speed: 5 });
    try {
      await tell(under, random, [join(folder, 'a'), join(folder, 'a'), join(folder, 'b')], 30);
    } finally {
      await under.finish();
    }
  }
});

const rounds = full ? 20 : 2;
it(`the real engine, ${rounds} stories (seed ${seed})`, { timeout: rounds * 60_000 }, async () => {
  const random = seededRandom(seed + 1);
  for (let round = 0; round < rounds; round += 1) {
    const under = engineUnderTest(pythonCommand(pythonExecutable), modelFolder, { speed: 5 });
    try {
      await tell(under, random, [modelFolder], 20);
      // After any story the engine can be turned on and answers.
      await under.engine.start(under.model);
      expect((await collect(under)).at(-1)?.kind).toBe('finish');
    } finally {
      await under.finish();
    }
  }
});
