/**
 * The whole app with the real servers of other engines: the same chat, the same thinking, the same stop, the same
 * endpoint. By `npm run test:engines`, which builds them where they lack.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/clock.ts';
import type { GenerationRequest } from '../../main/engine/engine.ts';
import { createLlamaCpp } from '../../main/engines/llama-cpp/llama-cpp.ts';
import { createOllama } from '../../main/engines/ollama/ollama.ts';
import { createOutsideModels } from '../../main/engines/outside-models.ts';
import type { EngineServer } from '../../main/engines/talk.ts';
import { isFinal } from '../../preload/answer-status.ts';
import type { AssistantMessage, EngineState, ModelEntry } from '../../preload/contract.ts';
import { type HeadlessProcess, type Ready, startHeadless } from '../headless/headless-process.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import {
  HARMONY,
  type OllamaServer,
  llamaServer,
  ollama,
  pullingFrom,
  startLlamaServer,
  startOllama,
  whyNotReal,
  writeDemoGguf,
} from './servers.ts';
import { startTinyRegistry } from './tiny-registry.ts';

const run = promisify(execFile);

// Slow on a busy machine, and not everybody has them: by `npm run test:engines`.
const isAsked = process.env['HEADROOM_ENGINES'] === 'real';
const whyLess = whyNotReal(isAsked);
if (whyLess !== null) console.log(`skipped: other engines: ${whyLess}`);

let home: string;
let host: HeadlessProcess;
let ready: Ready;
let window: NodeWindow;
let server: OllamaServer | null = null;
const answers = new Map<string, AssistantMessage>();

beforeAll(async () => {
  if (!isAsked) return;
  home = await mkdtemp(join(tmpdir(), 'headroom-engines-'));
  const gguf = await writeDemoGguf(join(home, 'gguf'));
  if (ollama !== null) server = await startOllama(ollama, join(home, 'ollama'), gguf);
  // The child takes its environment from here.
  Object.assign(process.env, {
    LLAMA_SERVER: llamaServer ?? '/nowhere/llama-server',
    LLAMA_MODELS: join(home, 'gguf'),
    OLLAMA_HOST: server?.address ?? '127.0.0.1:1',
    LM_STUDIO_HOST: '127.0.0.1:1',
  });
  host = startHeadless(join(home, 'data'));
  ready = await host.ready();
  window = openNodeWindow(ready.url);
  window.bridge.on('chat.message', (message) => {
    if (message.role === 'assistant') answers.set(message.id, message);
  });
  await window.call('app.state', null);
});

afterAll(async () => {
  if (!isAsked) return;
  window.close();
  expect(await host.end()).toBe(0);
  await server?.end();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const until = async (isWanted: (state: EngineState) => boolean): Promise<EngineState> => {
  let last: EngineState | null = null;
  await expect
    .poll(
      async () => {
        last = (await window.call('app.state', null)).engine;
        return isWanted(last);
      },
      { timeout: 90_000, interval: 100 },
    )
    .toBe(true);
  if (last === null) throw new Error('no state');
  return last;
};

async function ended(messageId: string): Promise<AssistantMessage> {
  const end = (): AssistantMessage | null => {
    const message = answers.get(messageId);
    return message !== undefined && isFinal(message.status) ? message : null;
  };
  await expect.poll(end, { timeout: 90_000, interval: 50 }).not.toBeNull();
  const message = end();
  if (message === null) throw new Error('it has ended and has not');
  return message;
}

async function choose(engineName: string): Promise<ModelEntry> {
  const { models } = await window.call('models.list', null);
  const entry = models.find((each) => each.engineName === engineName && each.presence.kind === 'here');
  if (entry === undefined) throw new Error(`${engineName} has no model: ${models.map(({ id }) => id).join(', ')}`);
  await window.call('model.choose', { modelId: entry.id });
  return entry;
}

const ask = async (text: string): Promise<AssistantMessage> => {
  const turn = await window.call('chat.send', { conversationId: null, text, effort: 'low' });
  return ended(turn.assistant.id);
};

async function throughTheEndpoint(): Promise<{ content: string; reasoning: string; tokens: number }> {
  const response = await fetch(`${ready.api}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ready.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'headroom-demo',
      messages: [{ role: 'user', content: 'What is a wired limit?' }],
      max_tokens: 60,
    }),
  });
  const body = (await response.json()) as {
    choices?: { message: { content: string | null; reasoning_content?: string } }[];
    usage?: { completion_tokens: number };
    error?: { message: string };
  };
  expect(body.error, JSON.stringify(body.error)).toBeUndefined();
  const message = body.choices?.[0]?.message;
  return {
    content: message?.content ?? '',
    reasoning: message?.reasoning_content ?? '',
    tokens: body.usage?.completion_tokens ?? 0,
  };
}

const cases = [
  { engineName: 'llama.cpp', isHere: llamaServer !== null },
  { engineName: 'Ollama', isHere: ollama !== null },
];

describe.runIf(isAsked).each(cases.filter(({ isHere }) => isHere))('$engineName', ({ engineName }) => {
  it('is listed with its model and fit', async () => {
    const entry = await choose(engineName);
    expect(entry.sizeBytes).toBeGreaterThan(5_000_000);
    expect(entry.prediction?.weightsBytes).toBeGreaterThan(5_000_000);
    expect(entry.verdict.kind).toBe('fits');
  });

  it('answers with its thinking apart, and counts', async () => {
    await window.call('engine.start', null);
    await until(({ kind }) => kind === 'ready');
    const answer = await ask('What is memory pressure?');
    expect(answer.status, JSON.stringify(answer)).toEqual({ kind: 'complete' });
    expect(answer.text.length).toBeGreaterThan(10);
    expect(answer.reasoning.length).toBeGreaterThan(0);
    expect(`${answer.text}${answer.reasoning}`).not.toContain('<|');
    expect(answer.usage?.promptTokens).toBeGreaterThan(10);
    expect(answer.usage?.completionTokens).toBeGreaterThan(5);
    expect(answer.usage?.decodeTokensPerSecond).toBeGreaterThan(0);
  });

  it('shows what its process takes', async () => {
    await expect
      .poll(async () => (await window.call('memory.history', null)).samples.at(-1)?.engineActiveBytes ?? 0, {
        timeout: 20_000,
        interval: 500,
      })
      .toBeGreaterThan(5_000_000);
  });

  it('stops at once, and keeps what it has said', async () => {
    const turn = await window.call('chat.send', {
      conversationId: null,
      text: 'Write a long story about a lighthouse.',
      effort: 'high',
    });
    await new Promise<void>((resolve) => {
      const off = window.bridge.on('chat.delta', ({ messageId }) => {
        if (messageId !== turn.assistant.id) return;
        off();
        resolve();
      });
    });
    await window.call('chat.stop', { messageId: turn.assistant.id });
    const answer = await ended(turn.assistant.id);
    expect(['stopped', 'complete']).toContain(answer.status.kind);
    await until(({ kind }) => kind === 'ready');
    expect((await ask('Who are you?')).status.kind).toBe('complete');
  });

  it('keeps a bound on thinking, and goes on with an answer that its length cut', async () => {
    const turn = await window.call('chat.send', {
      conversationId: null,
      text: 'What is memory pressure?',
      effort: 'high',
      settings: { thinkingTokens: 3, maxAnswerTokens: 16, temperature: 0 },
    });
    const cut = await ended(turn.assistant.id);
    expect(cut.status).toEqual({ kind: 'length', where: 'answer' });
    expect(cut.usage?.reasoningTokens).toBeLessThanOrEqual(4);
    expect(cut.text.length).toBeGreaterThan(0);
    answers.delete(cut.id);
    await window.call('chat.continue', { messageId: cut.id });
    const whole = await ended(cut.id);
    expect(whole.text.startsWith(cut.text), JSON.stringify([cut.text, whole.text])).toBe(true);
    expect(whole.text.length).toBeGreaterThan(cut.text.length);
    expect(whole.reasoning).toBe(cut.reasoning);
    expect((await window.call('app.state', null)).model?.lacks).toBeUndefined();
  });

  it('is reached through the endpoint', async () => {
    const { content, reasoning, tokens } = await throughTheEndpoint();
    expect(`${content}${reasoning}`.length).toBeGreaterThan(5);
    expect(tokens).toBeGreaterThan(3);
  });

  it('keeps the user’s ceiling, with numbers, and follows when it is raised', async () => {
    const words = 'Memory is short. '.repeat(150);
    await window.call('context.set', { tokens: 1_024 });
    await window.call('engine.stop', null);
    await until(({ kind }) => kind === 'off');
    await window.call('engine.start', null);
    await until(({ kind }) => kind === 'ready');
    const chat = (content: string): Promise<Response> =>
      fetch(`${ready.api}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ready.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'headroom-demo', messages: [{ role: 'user', content }], max_tokens: 8 }),
      });
    // One token a letter at worst, four letters a token at best: too much for the one, and little for the other.
    const refused = await chat(words.repeat(2));
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('1024');
    await window.call('context.set', { tokens: 8_192 });
    expect((await chat(words)).status).toBe(200);
  });

  it('gives its memory back when the model is turned off, and comes back', async () => {
    await window.call('engine.stop', null);
    await until(({ kind }) => kind === 'off');
    if (server !== null && engineName === 'Ollama') {
      const loaded = (await (await fetch(`http://${server.address}/api/ps`)).json()) as { models: unknown[] };
      expect(loaded.models).toEqual([]);
      // Somebody else's server is never ended.
      expect(server.child.exitCode).toBeNull();
    }
    await window.call('engine.start', null);
    await until(({ kind }) => kind === 'ready');
  });
});

describe.runIf(isAsked && llamaServer !== null)('a llama-server that dies', () => {
  it('in the middle of an answer is told as what it is, and comes back by itself', async () => {
    await choose('llama.cpp');
    await window.call('engine.start', null);
    await until(({ kind }) => kind === 'ready');
    const turn = await window.call('chat.send', {
      conversationId: null,
      text: 'Write a long story about a lighthouse.',
      effort: 'high',
    });
    await new Promise<void>((resolve) => {
      const off = window.bridge.on('chat.delta', ({ messageId }) => {
        if (messageId !== turn.assistant.id) return;
        off();
        resolve();
      });
    });
    const states: EngineState[] = [];
    window.bridge.on('engine.state', (state) => states.push(state));
    // Only the one that was started here: by its parent and its name.
    await run('pkill', ['-KILL', '-P', String(host.child.pid), '-x', 'llama-server']);
    const answer = await ended(turn.assistant.id);
    expect(['failed', 'interrupted', 'complete']).toContain(answer.status.kind);
    expect(states.find(({ kind }) => kind === 'waiting')).toMatchObject({
      cause: { message: expect.stringContaining('llama.cpp ended by itself') as string },
    });
    await until(({ kind }) => kind === 'ready');
    expect((await ask('Who are you?')).status).toEqual({ kind: 'complete' });
  });
});

describe.runIf(isAsked && llamaServer !== null)('a llama-server of somebody else', () => {
  it('answers at once when it is told to, and is never ended', async () => {
    const theirs = await startLlamaServer(llamaServer ?? '', join(home, 'gguf', 'headroom-demo.gguf'));
    const server: EngineServer = { base: theirs.base, host: '127.0.0.1', reach: 'this-computer' };
    const engine = createLlamaCpp({
      found: () => ({ server }),
      unusable: () => null,
      files: () => Promise.resolve([]),
      fetch: () => Promise.reject(new Error('nothing is fetched')),
      spawner: {
        spawn: () => {
          throw new Error('nothing is started');
        },
      },
      ask: () => Promise.resolve(null),
      processMemory: { ofPid: () => Promise.resolve(null), ofNamed: () => Promise.resolve(null) },
      environment: () => ({}),
      clock: systemClock,
    });
    const never = new AbortController().signal;
    expect(await engine.detect(never)).toMatchObject({ kind: 'found', reach: 'this-computer' });
    const [model] = await engine.models(never);
    if (model === undefined) throw new Error('it has no model');
    expect(model.lacks).toEqual([]);
    const options = { contextTokens: 2_048, gpuLimitBytes: null };
    await engine.load(model, options, never, () => {});
    const thought = async (answerNow: AbortSignal | undefined): Promise<readonly [number, string]> => {
      const asked: GenerationRequest = {
        messages: [{ role: 'user', content: 'Explain swap, wired memory and context in depth.' }],
        effort: 'high',
        date: '2026-11-24',
        maxTokens: 300,
        temperature: 1.6,
        seed: 1,
        ...(answerNow === undefined ? {} : { answerNow }),
      };
      let [reasoning, text] = [0, ''];
      for await (const event of engine.chat(model, asked, options, never)) {
        if (event.kind === 'reasoning') reasoning += 1;
        if (event.kind === 'content') text += event.text;
      }
      return [reasoning, text];
    };
    const [long] = await thought(undefined);
    const [short, text] = await thought(AbortSignal.abort());
    expect(long).toBeGreaterThan(40);
    expect(short).toBeLessThan(long);
    expect(text.length).toBeGreaterThan(0);
    await engine.unload(model);
    expect(theirs.child.exitCode).toBeNull();
    await theirs.end();
  });
});

describe.runIf(isAsked && ollama !== null)('a download of Ollama’s', () => {
  it('shows its progress, goes on where it was paused, and says why it failed', async () => {
    const gguf = await readFile(join(home, 'gguf', 'headroom-demo.gguf'));
    // Not the file that is there already.
    const other = Buffer.concat([gguf, Buffer.alloc(4_096)]);
    const registry = await startTinyRegistry(other, HARMONY, { bytesPerSecond: 4_000_000 });
    // It asks for the recipe's model, and gets the tiny one from the tiny registry.
    const proxy = await pullingFrom(`http://${server?.address ?? ''}`, () => registry.model);
    const at: EngineServer = { base: proxy.base, host: '127.0.0.1', reach: 'this-computer' };
    const engine = createOllama({
      server: () => at,
      unusable: () => null,
      isInstalled: () => true,
      processMemory: { ofPid: () => Promise.resolve(null), ofNamed: () => Promise.resolve(null) },
      clock: systemClock,
    });
    const models = createOutsideModels([engine], () => {});
    await models.refresh();
    const id = 'ollama:gpt-oss:20b';
    const download = () => {
      const presence = models.models().find((model) => model.id === id)?.presence;
      return presence?.kind === 'getting' ? presence.download : null;
    };
    const done = (): number => {
      const now = download();
      return now?.kind === 'downloading' ? now.doneBytes : 0;
    };
    models.download(id);
    await expect.poll(done, { timeout: 20_000, interval: 20 }).toBeGreaterThan(500_000);
    await models.pause(id);
    expect(download()).toMatchObject({ kind: 'paused' });
    registry.refuse(500);
    models.download(id);
    await expect.poll(() => download()?.kind, { timeout: 60_000 }).toBe('failed');
    expect(download()).toMatchObject({ cause: { message: expect.stringMatching(/^Ollama failed: pull/) as string } });
    registry.refuse(null);
    models.download(id);
    await expect.poll(download, { timeout: 60_000 }).toBeNull();
    const pulled = (await engine.models(new AbortController().signal)).find(({ ref }) => ref.includes('tiny'));
    expect(pulled).toMatchObject({ presence: 'here', config: { model_type: 'gpt_oss' } });
    // Not all over again.
    expect(registry.sentBytes()).toBeLessThan(other.length * 1.7);
    await models.dispose();
    await proxy.end();
    await registry.end();
  });
});

describe.runIf(isAsked)('from one engine to another', () => {
  it('ends the one before the other begins', async () => {
    const { models } = await window.call('models.list', null);
    const demo = models.find(({ origin }) => origin === 'demo');
    await window.call('model.choose', { modelId: demo?.id ?? '' });
    const answer = await ask('What is memory pressure?');
    expect(answer.status).toEqual({ kind: 'complete' });
  });
});
