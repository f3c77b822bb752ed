/** The endpoint with the real engine behind it: loads on demand, streams, cancels, and nothing is left over. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type HeadlessProcess, type Ready, startHeadless } from './headless-process.ts';

let home: string;
let host: HeadlessProcess;
let ready: Ready;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-home-'));
  host = startHeadless(home, ['--model', modelFolder]);
  ready = await host.ready();
});
afterAll(async () => {
  host.child.kill('SIGKILL');
  await host.exited;
  await rm(home, { recursive: true, force: true });
});

const hello = { messages: [{ role: 'user', content: 'Hello' }] };
const chat = (body: object, signal?: AbortSignal) =>
  fetch(`${ready.api}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ready.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string; readonly reasoning?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number; readonly prompt_tokens: number } | null;
}

it('turns the model on by itself and streams an answer with its figures', async () => {
  const response = await chat({ ...hello, stream: true, max_tokens: 40, stream_options: { include_usage: true } });
  expect(response.status, response.ok ? '' : await response.text()).toBe(200);
  const events = (await response.text()).split('\n\n').filter((block) => block.startsWith('data: '));
  expect(events.at(-1)).toBe('data: [DONE]');
  const chunks = events.slice(0, -1).map((block) => JSON.parse(block.slice(6)) as Chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  expect(choices.map(({ delta }) => (delta.content ?? '') + (delta.reasoning ?? '')).join('')).not.toBe('');
  expect(['stop', 'length']).toContain(choices.at(-1)?.finish_reason);
  const usage = chunks.at(-1)?.usage;
  expect(usage?.prompt_tokens).toBeGreaterThan(0);
  expect(usage?.completion_tokens).toBeGreaterThan(0);
  expect(usage?.completion_tokens).toBeLessThanOrEqual(40);
});

it('says the same as a whole, the same seed giving the same words', async () => {
  const body = { ...hello, max_tokens: 40, seed: 7 };
  const [first, second] = [await (await chat(body)).json(), await (await chat(body)).json()] as {
    choices: { message: { content: string; reasoning?: string } }[];
  }[];
  const { content = '', reasoning = '' } = first?.choices[0]?.message ?? {};
  expect(content + reasoning).not.toBe('');
  expect(second?.choices[0]?.message).toEqual(first?.choices[0]?.message);
  expect(content + reasoning).not.toContain('<|');
});

/**
 * Keeps any model busy for seconds, whatever it would say: text without words, which no tokenizer shortens much, takes
 * long to read. Bounded by one token a letter.
 */
function longPrompt(mark: string): string {
  let state = 1;
  let text = mark;
  while (text.length < 40_000) {
    state = (state * 48_271) % 2_147_483_647;
    text += 'bcdfghjklmnpqrstvwxz'[state % 20];
  }
  return text;
}

it.each([true, false])('frees the only slot when the client goes away (streamed: %s)', async (stream) => {
  const leave = new AbortController();
  let isOver = false;
  const messages = [{ role: 'user', content: longPrompt(String(stream)) }];
  const long = chat({ messages, stream, max_tokens: 2_000 }, leave.signal)
    .then((response) => response.text())
    .finally(() => (isOver = true));
  long.catch(() => {});
  await sleep(700);
  expect(isOver).toBe(false);
  leave.abort();
  await expect(long).rejects.toThrow();
  const startedMs = Date.now();
  expect((await chat({ ...hello, max_tokens: 5 })).status).toBe(200);
  expect(Date.now() - startedMs).toBeLessThan(8_000);
});

it('ends orderly under work, writes nothing of the conversation to its log, leaves no Python behind', async () => {
  const secret = 'zebra-crossing-words';
  const messages = [{ role: 'user', content: longPrompt(secret) }];
  const [running, queued] = [true, false].map((stream) => chat({ messages, stream, max_tokens: 2_000 }));
  await sleep(700);
  expect(await host.end()).toBe(0);
  for (const response of [await running, await queued]) expect(await response?.text()).toContain('"closing"');
  const logs = readdirSync(join(home, 'logs')).map((name) => readFileSync(join(home, 'logs', name), 'utf8'));
  expect(logs.join('')).toContain('POST /v1/chat/completions');
  expect(logs.join('') + host.stderr()).not.toContain(secret);
  expect(enginesOf(modelFolder)).toEqual([]);
});

/** Engine processes that belong to this host: their parent was it, so now they would be nobody's. Linux only. */
function enginesOf(model: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
        const isOrphan = parent === '1' || parent === String(host.child.pid);
        return isOrphan && command.includes('headroom_engine') && command.includes(model) ? [command] : [];
      } catch {
        return [];
      }
    });
}
