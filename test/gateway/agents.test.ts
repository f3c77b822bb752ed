/**
 * What real agents and clients sent, their long texts shortened, to the real app with the demo model. The model answers
 * nonsense; what counts is that each request is taken, or refused as its program expects it, and that the answer comes in
 * the order that the program's parser was written for.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAMS } from '../../renderer/endpoint/programs.ts';
import { type RunningApp, runApp } from './running-app.ts';

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly stream?: boolean; readonly tools?: readonly object[]; readonly thinking?: object };
  readonly status: number;
}
interface Recording {
  readonly program: string;
  readonly requests: readonly Sent[];
}

interface StreamEvent {
  readonly event: string | null;
  readonly data: Record<string, unknown> | '[DONE]';
}

const folder = join(import.meta.dirname, 'agents');
const recordings = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording);

let running: RunningApp;
beforeAll(async () => {
  running = await runApp();
});
afterAll(() => running.end());

const eventsOf = (text: string): StreamEvent[] =>
  text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data') ?? '';
      return {
        event: field('event') ?? null,
        data: data === '[DONE]' ? data : (JSON.parse(data) as object),
      } as StreamEvent;
    });

/** The events' data without [DONE]. */
const dataOf = (events: readonly StreamEvent[]) => events.flatMap(({ data }) => (data === '[DONE]' ? [] : [data]));

interface Chunk {
  readonly id: string;
  readonly usage?: object | null;
  readonly choices: readonly { readonly delta: Record<string, unknown>; readonly finish_reason: string | null }[];
}

function expectChat(events: readonly StreamEvent[], wantsUsage: boolean): void {
  expect(events.at(-1)?.data).toBe('[DONE]');
  const chunks = dataOf(events) as unknown as Chunk[];
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant' });
  const reasons = chunks.flatMap(({ choices }) => choices.map(({ finish_reason }) => finish_reason));
  expect(reasons.filter((reason) => reason !== null)).toEqual([reasons.at(-1)]);
  expect(['stop', 'length', 'tool_calls']).toContain(reasons.at(-1));
  if (wantsUsage) expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
}

interface ResponseEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
}

function expectResponse(events: readonly StreamEvent[]): void {
  const told = dataOf(events) as unknown as ResponseEvent[];
  expect(events.map(({ event }) => event)).toEqual(told.map(({ type }) => type));
  expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index));
  const types = told.map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['response.created', 'response.in_progress']);
  expect(types.at(-1)).toMatch(/^response\.(completed|incomplete)$/);
  let open: number | null = null;
  let next = 0;
  for (const { type, output_index } of told.slice(2, -1)) {
    if (type === 'response.output_item.added') {
      expect(open).toBeNull();
      expect(output_index).toBe(next);
      open = next;
      next += 1;
    } else {
      expect(output_index).toBe(open);
      if (type === 'response.output_item.done') open = null;
    }
  }
  expect(open).toBeNull();
  expect(next).toBeGreaterThan(0);
}

interface MessageEvent {
  readonly type: string;
  readonly index?: number;
  readonly delta?: { readonly type?: string };
}

function expectMessage(events: readonly StreamEvent[], hidesThinking: boolean): void {
  const told = (dataOf(events) as unknown as MessageEvent[]).filter(({ type }) => type !== 'ping');
  const types = told.map(({ type }) => type);
  expect(types[0]).toBe('message_start');
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  let open: number | null = null;
  let next = 0;
  for (const { type, index } of told.slice(1, -2)) {
    if (type === 'content_block_start') {
      expect(open).toBeNull();
      expect(index).toBe(next);
      open = next;
      next += 1;
    } else {
      expect(index).toBe(open);
      if (type === 'content_block_stop') open = null;
    }
  }
  expect(open).toBeNull();
  expect(next).toBeGreaterThan(0);
  const deltas = told.map(({ delta }) => delta?.type);
  if (hidesThinking) expect(deltas).not.toContain('thinking_delta');
}

/** What the programs allow, the toy may fill: a shorter answer has the same form. */
function bounded({ path, body }: Sent): object {
  const field = path.startsWith('/v1/responses') ? 'max_output_tokens' : 'max_tokens';
  return { ...body, [field]: 200 };
}

describe.each(recordings)('$program', ({ requests }) => {
  it.each(requests.map((sent, index) => [index + 1, sent] as const))('request %i', async (_index, sent) => {
    const response = await fetch(new URL(sent.path, running.url), {
      method: 'POST',
      headers: { ...sent.headers, authorization: `Bearer ${running.key}` },
      body: JSON.stringify(bounded(sent)),
    });
    const text = await response.text();
    expect(response.status, text.slice(0, 500)).toBe(sent.status);
    const offersSearch = (sent.body.tools ?? []).some((tool) => 'type' in tool && tool.type === 'web_search');
    expect(response.headers.get('x-headroom-left-out')).toBe(offersSearch ? 'web_search' : null);
    if (sent.status !== 200 || sent.body.stream !== true) {
      const told = JSON.parse(text) as { error?: { message: string }; usage?: object };
      // A refusal names what it is about.
      if (sent.status === 200) expect(told.usage).toBeDefined();
      else expect(told.error?.message).toMatch(/web_search|not stored/);
      return;
    }
    const events = eventsOf(text);
    const { pathname } = new URL(sent.path, running.url);
    if (pathname === '/v1/chat/completions') expectChat(events, 'stream_options' in sent.body);
    else if (pathname === '/v1/responses') expectResponse(events);
    else expectMessage(events, JSON.stringify(sent.body.thinking ?? {}).includes('omitted'));
  });
});

it('curl, as the window copies it, gets an answer', async () => {
  const { url, key } = running;
  const text = PROGRAMS.find(({ name }) => name === 'curl')?.text({ url, key, model: 'default', contextTokens: 4_096 });
  const { stdout } = await promisify(execFile)('sh', ['-c', text ?? '']);
  expect(JSON.parse(stdout)).toMatchObject({ object: 'chat.completion', usage: { total_tokens: expect.any(Number) } });
});
