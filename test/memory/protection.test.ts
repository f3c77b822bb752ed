/**
 * Protection, lent memory and what stays wired: the whole app, the real engine, on a Mac that is simulated. Side by side,
 * because most of the time they wait.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Change, GIB, type Mac, MIB, wiredBytes } from '../macos/model.ts';
import { type Scenario, scenarios } from '../macos/scenarios.ts';
import { until } from '../engine/harness.ts';
import { gptOss20bHeader } from '../engines/gpt-oss-header.ts';
import { recorded, startRecordedServer } from '../engines/recorded-server.ts';
import { type AppShortOfMemory, appShortOfMemory } from './app-short-of-memory.ts';

const LONG = 'Write a long story.';

async function loaded({ onTestFinished }: TestContext, scenario: Scenario): Promise<AppShortOfMemory> {
  const short = await appShortOfMemory(scenario);
  onTestFinished(() => short.finish());
  // What was wired before the load: this model is loaded in half a second, a reading can take longer.
  while ((await short.window.call('memory.history', null)).samples.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await short.window.call('engine.start', null);
  await short.engineBecomes('ready');
  await until(() => (short.mac.mac().engine?.gpuBytes ?? 0) > 8 * GIB, 30_000);
  return short;
}

const grow = (gib: number, overSeconds = 1): Change => ({
  kind: 'grow',
  command: 'Google Chrome',
  bytes: gib * GIB,
  overSeconds,
});
/** A little more, again and again: what a browser does. */
async function growUntil(short: AppShortOfMemory, is: (mac: Mac) => boolean): Promise<void> {
  for (let i = 0; !is(short.mac.mac()); i += 1) {
    if (i > 300) throw new Error(`never: ${String(is)}`);
    short.mac.change(grow(1 / 32, 0.1));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
const enginePid = (app: AppShortOfMemory): number => {
  const { pid } = app.app.child;
  // The stand-in commands are children too, and come and go; the engine is the one that runs Python.
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const engine = pids.find((each) => readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('headroom_engine'));
  if (engine === undefined) throw new Error('no engine runs');
  return engine;
};

describe.concurrent('a Mac short of memory', () => {
  it('ends the answer with its text and the reason, then the model, then takes it back when asked', async (context) => {
    const short = await loaded(context, scenarios.fits);
    short.mac.change(grow(12));
    await short.step('easing');
    expect(short.mac.mac().level).toBe(4);

    const { final } = await short.ask(LONG);
    const answer = await final;
    expect(answer.status).toMatchObject({
      kind: 'interrupted',
      because: expect.stringMatching(/^Ended to keep the computer usable\. What had arrived was kept\./) as string,
    });
    expect(answer.text.length).toBeGreaterThan(0);
    const cancelled = await short.step('cancelled');
    expect(cancelled).toMatchObject({ trigger: 'critical', because: { level: 'critical' } });
    // The engine lives and is asked for nothing more.
    await short.engineBecomes('ready');
    await expect(short.ask('Hi')).rejects.toThrow(/no memory for an answer/);

    const unloaded = await short.step('unloaded');
    expect(unloaded.sinceMs - cancelled.sinceMs).toBeGreaterThanOrEqual(8_000);
    await short.engineBecomes('off');
    // A graceful stop: nothing was killed, nothing stays.
    expect(short.log()).not.toMatch(/SIGKILL|broke|failed/);
    await until(() => wiredBytes(short.mac.mac()) < 3 * GIB);
    expect(short.steps.map(({ kind }) => kind)).toEqual(
      ['watching', 'easing', 'cancelled', 'unloaded'].slice(-short.steps.length),
    );
    expect(short.log()).toMatch(/protection: unloaded \(still-critical\) because \{"level":"critical"/);

    // A program does not bring it back; the user does, by overruling.
    const asked = await fetch(`${short.ready.api}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${short.ready.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
    });
    expect(asked.status).toBe(503);
    expect(await asked.json()).toMatchObject({
      error: { message: expect.stringMatching(/unloaded because memory ran short/) as string },
    });
    const undone = await short.window.call('protection.undo', null);
    expect(undone.kind).toBe('undone');
    await short.engineBecomes('ready');
    const { final: again } = await short.ask('Hi');
    expect((await again).status.kind).toBe('complete');
  });

  it('is left alone while yellow but calm', async (context) => {
    const short = await loaded(context, scenarios.fits);
    short.mac.change(grow(1.9));
    await growUntil(short, ({ level }) => level === 2);
    await short.step('watching');
    const began = Date.now();
    while (Date.now() - began < 8_000) {
      const { final } = await short.ask(LONG);
      expect((await final).status.kind).toBe('complete');
    }
    expect(short.mac.mac().level).toBe(2);
    expect(short.steps.map(({ kind }) => kind)).toEqual(['watching']);
  });

  it('eases when others are swapped out: caches go, long prompts wait, short ones do not', async (context) => {
    const short = await loaded(context, scenarios.fits);
    await (await short.ask(LONG)).final;
    // Yellow, something in swap already, and much of it wanted again and again.
    short.mac.change(grow(1.9));
    await growUntil(short, ({ swappedBytes }) => swappedBytes > 100 * MIB);
    short.mac.change({ kind: 'churn', bytesPerSecond: 200 * MIB });
    const easing = await short.step('easing');
    expect(easing).toMatchObject({ trigger: 'swap-outs', because: { level: 'warning' } });
    await expect(short.ask('word '.repeat(2_000))).rejects.toThrow(/about 2,500 tokens/);
    // The endpoint is told the same.
    const long = await fetch(`${short.ready.api}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${short.ready.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'word '.repeat(2_000) }] }),
    });
    expect(long.status).toBe(503);
    expect(await long.json()).toMatchObject({ error: { code: 'memory_short' } });
    await until(() => short.log().includes('caches are dropped'));
    const { final } = await short.ask(LONG);
    const answer = await final;
    expect(answer.status.kind).toBe('complete');
    // Asked once already: without the dropped caches its beginning would have been known.
    expect(answer.usage?.cachedTokens).toBe(0);
    // Switched off, all of that ends.
    await short.window.call('settings.update', { protection: 'off' });
    expect((await short.window.call('protection.state', null)).kind).toBe('off');
    const { final: taken } = await short.ask('word '.repeat(2_000));
    expect((await taken).status.kind).not.toBe('interrupted');
  });
});

describe.concurrent('other engines on a Mac short of memory', () => {
  /** The others are not there. */
  const nowhere = { LLAMA_SERVER: '/nowhere', OLLAMA_HOST: '127.0.0.1:1', LM_STUDIO_HOST: '127.0.0.1:1' };

  async function chosen(short: AppShortOfMemory, engineName: string): Promise<void> {
    const { models } = await short.window.call('models.list', null);
    const entry = models.find((each) => each.engineName === engineName && each.presence.kind === 'here');
    await short.window.call('model.choose', { modelId: entry?.id ?? '' });
    await short.window.call('engine.start', { anyway: true });
  }
  async function endedAndUnloaded(short: AppShortOfMemory): Promise<void> {
    const { final } = await short.ask(LONG);
    short.mac.change(grow(12));
    const answer = await final;
    expect(answer.status).toMatchObject({ kind: 'interrupted', because: expect.stringContaining('kept') as string });
    expect(answer.text.length).toBeGreaterThan(0);
    await short.step('unloaded');
    await short.engineBecomes('off');
    expect(short.log()).not.toMatch(/SIGKILL/);
  }

  it('Ollama’s answer is ended with its text, and its model is asked to go; its server is not touched', async (context) => {
    const server = await startRecordedServer(
      ['version', 'tags', 'show', 'load'].map((name) => recorded('ollama', name)),
    );
    context.onTestFinished(() => server.end());
    const { text } = recorded('ollama', 'chat');
    server.answer('/api/chat', { text: text.slice(0, text.lastIndexOf('{"model"')), hangs: true });
    server.answer('/api/ps', { text: '{"models":[]}' });
    const short = await appShortOfMemory(scenarios.fits, { ...nowhere, OLLAMA_HOST: server.base });
    context.onTestFinished(() => short.finish());
    await chosen(short, 'Ollama');
    await short.engineBecomes('ready');
    await endedAndUnloaded(short);
    expect(server.asked.find(({ path }) => path === '/api/chat')?.wasCut).toBe(true);
    expect(server.asked.some(({ body }) => body['keep_alive'] === 0)).toBe(true);
    expect((await fetch(`${server.base}/api/version`)).status).toBe(200);
  });

  it('llama.cpp’s own server ends with the model, and the raised limit goes back', async (context) => {
    const home = mkdtempSync(join(tmpdir(), 'headroom-llama-short-'));
    context.onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const file = join(home, 'gpt-oss-20b-mxfp4.gguf');
    writeFileSync(file, gptOss20bHeader());
    const short = await appShortOfMemory(scenarios['fits-after-a-raise'], {
      ...nowhere,
      LLAMA_SERVER: join(import.meta.dirname, '../engines/stand-in-llama-server.mjs'),
      LLAMA_MODELS: home,
    });
    context.onTestFinished(() => short.finish());
    const { window, mac } = short;
    await chosen(short, 'llama.cpp');
    const limit = async () => (await window.call('wiredLimit.plan', null)).state;
    await context.expect.poll(async () => (await limit()).kind, { timeout: 30_000 }).toBe('asking');
    const asking = await limit();
    const limitMiB = asking.kind === 'asking' && asking.plan.verdict.kind === 'raise' ? asking.plan.verdict.toMiB : 0;
    await window.call('wiredLimit.raise', { limitMiB, by: 'prompt' });
    await short.engineBecomes('ready');
    expect(mac.mac().wiredLimitMiB).toBe(limitMiB);
    await endedAndUnloaded(short);
    const pid = readFileSync(`${file}.pid`, 'utf8');
    await until(() => !existsSync(`/proc/${pid}`));
    await window.call('wiredLimit.restore', { by: 'prompt' });
    await until(() => mac.mac().wiredLimitMiB === 0, 30_000);
  });
});

describe.concurrent('an idle model', () => {
  it('lends its memory to who needs it, and is there again when somebody looks', async (context) => {
    const short = await loaded(context, scenarios.fits);
    await (await short.ask('Hi')).final;
    short.mac.change({ kind: 'grow', command: 'Final Cut Pro', bytes: 11 * GIB, overSeconds: 8 });
    const lent = await short.step('lent');
    expect(lent).toMatchObject({ trigger: 'idle' });
    await short.engineBecomes('off');
    await until(() => wiredBytes(short.mac.mac()) < 3 * GIB);
    // Critical for a little while still; looking brings it back once it is not.
    await until(() => short.mac.mac().level !== 4, 30_000);
    await context.expect
      .poll(async () => (await short.window.call('engine.warm', null)).kind, { timeout: 20_000, interval: 500 })
      .not.toBe('off');
    await short.engineBecomes('ready');
    expect((await short.window.call('protection.state', null)).kind).not.toBe('lent');
  });
});

describe.concurrent('wired memory that stays', () => {
  it('is said after the model was turned off, and the model is not started on top of it', async (context) => {
    const short = await loaded(context, scenarios['leaked-wired-memory']);
    await short.window.call('engine.stop', null);
    const left = await short.step('wired-left');
    expect(left.leftBytes / GIB).toBeCloseTo(6, 1);
    expect(left.message).toMatch(/6\.0 GB/);
    await expect(short.window.call('engine.start', null)).rejects.toThrow(/6\.0 GB/);
    expect((await short.window.call('app.state', null)).engine.kind).toBe('off');
  });

  it('stops the restarts of an engine that was killed', async (context) => {
    const short = await loaded(context, scenarios['leaked-wired-memory']);
    process.kill(enginePid(short), 'SIGKILL');
    const failed = await short.engineBecomes('failed', 40_000);
    expect(failed).toMatchObject({ cause: { code: 'wired-left' } });
    expect((await short.step('wired-left')).kind).toBe('wired-left');
  });

  it('does not hold up a restart where it came back', async (context) => {
    const short = await loaded(context, scenarios.fits);
    process.kill(enginePid(short), 'SIGKILL');
    await short.engineBecomes('waiting');
    await short.engineBecomes('ready', 10_000);
    expect(short.steps.map(({ kind }) => kind)).not.toContain('wired-left');
  });
});
