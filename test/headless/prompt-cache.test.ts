/** A conversation's prompt cache in the whole app: what a turn reads, over an unload, over the app's own end, and gone. */
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isFinal } from '../../preload/answer-status.ts';
import type { AnswerUsage, AssistantMessage } from '../../preload/contract.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { type HeadlessProcess, startHeadless } from './headless-process.ts';
import { type NodeWindow, openNodeWindow } from './node-window.ts';

let home: string;
let host: HeadlessProcess | null = null;
let window: NodeWindow | null = null;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-cache-'));
});
afterEach(end);
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));

async function begin(): Promise<NodeWindow> {
  host = startHeadless(home, ['--model', modelFolder]);
  window = openNodeWindow((await host.ready()).url);
  await window.call('app.state', null);
  return window;
}
async function end(): Promise<void> {
  window?.close();
  window = null;
  if (host !== null) expect(await host.end()).toBe(0);
  host = null;
}

const caches = async (): Promise<string[]> =>
  (await readdir(join(home, 'prompt-caches'))).filter((name) => name.endsWith('.safetensors'));

/** Sends and waits for the end of the answer. */
async function say(open: NodeWindow, conversationId: string | null, text: string) {
  let last: AssistantMessage | null = null;
  const off = open.bridge.on('chat.message', (message) => {
    if (message.role === 'assistant' && isFinal(message.status)) last = message;
  });
  const turn = await open.call('chat.send', { conversationId, text, effort: 'low' });
  await expect.poll(() => last?.id, { timeout: 60_000, interval: 20 }).toBe(turn.assistant.id);
  off();
  const { usage, status } = last as unknown as AssistantMessage;
  expect(status).toEqual({ kind: 'complete' });
  return { id: turn.conversation.id, usage: usage as AnswerUsage };
}
const fresh = ({ promptTokens, cachedTokens }: AnswerUsage): number => promptTokens - cachedTokens;

/** The app's log tells when the history was read. */
async function readAhead(times: number): Promise<void> {
  const logs = join(home, 'logs');
  const told = async (): Promise<number> => {
    const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
    return texts.join('').match(/read ahead \d+/g)?.length ?? 0;
  };
  await expect.poll(told, { timeout: 20_000, interval: 50 }).toBeGreaterThanOrEqual(times);
}

const long = 'Tell me about ships and the sea. '.repeat(40);
let conversationId: string;

it('reads the new message and nothing else, also after the model was unloaded', async () => {
  const open = await begin();
  const first = await say(open, null, long);
  conversationId = first.id;
  expect(first.usage.cachedTokens).toBe(0);
  await readAhead(1);
  expect(fresh((await say(open, conversationId, 'Why?')).usage)).toBeLessThan(10);
  await readAhead(2);
  expect((await open.call('engine.stop', null)).kind).toBe('stopping');
  await expect.poll(caches, { timeout: 10_000 }).toHaveLength(1);
  const [file = '', ...others] = await caches();
  expect(others).toEqual([]);
  expect((await stat(join(home, 'prompt-caches', file))).mode & 0o777).toBe(0o600);
  expect(fresh((await say(open, conversationId, 'And then?')).usage)).toBeLessThan(10);
});

it('has it again after the app was quit', async () => {
  expect(await caches()).toHaveLength(1);
  const open = await begin();
  const { usage } = await say(open, conversationId, 'Why is that?');
  // What was quit before the history was read is read now: the last answer, at most.
  expect(usage.cachedTokens).toBeGreaterThan(300);
});

it('is deleted with the conversation', async () => {
  const open = await begin();
  await open.call('chat.delete', { conversationId });
  await expect.poll(caches).toEqual([]);
  await end();
  expect(await caches()).toEqual([]);
});
