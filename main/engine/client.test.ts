import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EngineClient, type EngineSnapshot, ConnectionLost, EngineRefusal, createEngineClient } from './client.ts';
import type { GenerationEvent, GenerationRequest } from './engine.ts';

const token = 'a'.repeat(64);
const request: GenerationRequest = {
  messages: [{ role: 'user', content: 'hi' }],
  effort: 'low',
  date: '2026-01-02',
  maxTokens: 10,
};
const usage = {
  choices: [],
  usage: {
    prompt_tokens: 11,
    completion_tokens: 7,
    total_tokens: 18,
    prompt_tokens_details: { cached_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
  timings: { prefill_seconds: 1, decode_seconds: 1, prefill_tokens_per_second: 11, decode_tokens_per_second: 7 },
};
const counts = {
  promptTokens: 11,
  cachedTokens: 3,
  completionTokens: 7,
  reasoningTokens: 2,
  prefillTokensPerSecond: 11,
  decodeTokensPerSecond: 7,
};

let folder = '';
let server: Server;
let client: EngineClient;
let answer: (incoming: IncomingMessage, response: ServerResponse, body: string) => void;
let seen: { path: string | undefined; authorization: string | undefined; body: string }[] = [];
let closed = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hr-test-'));
  const socketPath = join(folder, 'engine');
  seen = [];
  closed = 0;
  server = createServer((incoming, response) => {
    let body = '';
    response.on('close', () => (closed += 1));
    incoming.on('data', (piece) => (body += String(piece)));
    incoming.on('end', () => {
      seen.push({ path: incoming.url, authorization: incoming.headers.authorization, body });
      answer(incoming, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  client = createEngineClient({ socketPath, token });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (piece: object, rest: object = {}): string =>
  data({ choices: [{ index: 0, delta: piece, finish_reason: null, ...rest }] });
const say = (text: string | Buffer) => (_: IncomingMessage, response: ServerResponse) => void response.end(text);

async function collect(signal = new AbortController().signal): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of client.chat(request, { signal })) events.push(event);
  return events;
}

describe('what an answer may be asked beside its prompt', () => {
  it('goes out under the engine’s names, and the chances come back with their text', async () => {
    const content = [{ token: 'So', logprob: -0.1, bytes: [83, 111], top_logprobs: [] }];
    answer = (_, response) =>
      void response.end(
        [
          delta({ content: 'So' }, { logprobs: { content } }),
          delta({ content: '' }, { logprobs: { content } }),
          delta({ content: '.' }, { finish_reason: 'stop', stop_sequence: 'END' }),
          data(usage),
          'data: [DONE]\n\n',
        ].join(''),
      );
    const asked = {
      ...request,
      cacheKey: 'a',
      topLogprobs: 2,
      responseFormat: { type: 'json_object' },
      toolChoice: 'required',
      continueFrom: { reasoning: 'Hm', content: '' },
      stop: ['END'],
      frequencyPenalty: 1,
      presencePenalty: -1,
      repetitionPenalty: 1.2,
      logitBias: { '5': 3 },
    } as const;
    const events: GenerationEvent[] = [];
    for await (const event of client.chat(asked, { signal: new AbortController().signal })) events.push(event);
    expect(events.slice(0, 3)).toEqual([
      { kind: 'content', text: 'So', logprobs: content },
      { kind: 'content', text: '', logprobs: content },
      { kind: 'content', text: '.' },
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'finish', reason: 'stop', stopSequence: 'END' });
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({
      cache_key: 'a',
      logprobs: true,
      top_logprobs: 2,
      response_format: { type: 'json_object' },
      tool_choice: 'required',
      continue: { reasoning: 'Hm', content: '' },
      stop: ['END'],
      frequency_penalty: 1,
      presence_penalty: -1,
      repetition_penalty: 1.2,
      logit_bias: { '5': 3 },
    });
  });
});

describe('the prompt cache', () => {
  it('is read ahead, saved, loaded and forgotten in the engine’s words', async () => {
    const replies: Record<string, object> = {
      '/prefill': { tokens: 9, cached_tokens: 4, read_tokens: 5, complete: true },
      '/cache/save': { tokens: 9, bytes: 100, sha256: 'a'.repeat(64) },
      '/cache/load': { tokens: 9, bytes: 100 },
      '/cache/forget': {},
    };
    answer = (incoming, response) => void response.end(JSON.stringify(replies[incoming.url ?? '']));
    const { signal } = new AbortController();
    const { messages, effort, date } = request;
    expect(await client.readAhead({ messages, effort, date, cacheKey: 'k' }, signal)).toEqual({
      promptTokens: 9,
      cachedTokens: 4,
      readTokens: 5,
      isComplete: true,
    });
    const saved = await client.saveCache({ file: 'f', key: 'k' }, signal);
    expect(saved).toEqual({ tokens: 9, bytes: 100, sha256: 'a'.repeat(64) });
    await client.loadCache({ file: 'f', key: 'k', sha256: saved.sha256 }, signal);
    await client.forgetCache('k', signal);
    expect(seen.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
      ['/prefill', { messages, reasoning_effort: effort, date, cache_key: 'k' }],
      ['/cache/save', { file: 'f', key: 'k' }],
      ['/cache/load', { file: 'f', key: 'k', sha256: saved.sha256 }],
      ['/cache/forget', { key: 'k' }],
    ]);
  });
});

describe('answer now', () => {
  it('is passed on once, with the name the engine gave', async () => {
    const wish = new AbortController();
    answer = (incoming, response) => {
      if (incoming.url === '/answer-now') {
        response.end('{"status":"ok"}');
        return;
      }
      response.write(
        data({ id: 'chatcmpl-7', choices: [{ index: 0, delta: { reasoning: 'Hm' }, finish_reason: null }] }),
      );
      wish.abort();
      setTimeout(
        () => response.end(`${delta({ content: 'So.' }, { finish_reason: 'stop' })}${data(usage)}data: [DONE]\n\n`),
        50,
      );
    };
    const asked = { ...request, answerNow: wish.signal, thinkingBudgetTokens: 5, cache: 'none' } as const;
    const events: GenerationEvent[] = [];
    const { signal } = new AbortController();
    for await (const event of client.chat(asked, { signal })) events.push(event);
    expect(events.map((event) => event.kind)).toEqual(['reasoning', 'content', 'finish']);
    expect(seen.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/answer-now']);
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ thinking_budget: 5, cache: 'none' });
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ id: 'chatcmpl-7' });
  });
});

describe('chat', () => {
  const whole = [
    ': keepalive 0/11\n\n',
    ': keepalive 11/11\n\n',
    ': idle\n\n',
    delta({ role: 'assistant' }),
    delta({ reasoning: 'Think.' }),
    delta({ commentary: 'Looking it up.' }),
    delta({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
    delta({ content: 'Grüße 🙂' }),
    delta({}, { finish_reason: 'stop' }),
    data(usage),
    'data: [DONE]\n\n',
  ].join('');
  const wholeEvents: GenerationEvent[] = [
    { kind: 'prefill', doneTokens: 0, totalTokens: 11 },
    { kind: 'prefill', doneTokens: 11, totalTokens: 11 },
    { kind: 'reasoning', text: 'Think.' },
    { kind: 'commentary', text: 'Looking it up.' },
    { kind: 'tool-call', index: 0, id: 'c1', name: 'weather', argumentsText: '' },
    { kind: 'tool-call', index: 0, argumentsText: '{"a":1}' },
    { kind: 'content', text: 'Grüße 🙂' },
    { kind: 'finish', reason: 'stop', usage: counts },
  ];

  it('reads a whole answer and asks for it as the protocol wants', async () => {
    answer = say(whole);
    expect(await collect()).toEqual(wholeEvents);
    expect(seen[0]).toMatchObject({ path: '/v1/chat/completions', authorization: `Bearer ${token}` });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      messages: [{ role: 'user', content: 'hi' }],
      reasoning_effort: 'low',
      date: '2026-01-02',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 10,
    });
  });

  it('reads the same when it comes byte by byte', async () => {
    answer = (_, response) => {
      const all = Buffer.from(whole);
      let at = 0;
      const next = (): void => {
        if (at === all.length) return void response.end();
        response.write(all.subarray(at, at + 1));
        at += 1;
        setImmediate(next);
      };
      next();
    };
    expect(await collect()).toEqual(wholeEvents);
  });

  it('tells where the length was reached', async () => {
    const ending = (rest: object): string =>
      delta({ reasoning: 'T' }) + delta({}, { finish_reason: 'length', ...rest }) + data(usage) + 'data: [DONE]\n\n';
    answer = say(ending({ length_in: 'reasoning' }));
    expect((await collect()).at(-1)).toEqual({
      kind: 'finish',
      reason: 'length',
      lengthIn: 'reasoning',
      usage: counts,
    });
    answer = say(ending({}));
    expect((await collect()).at(-1)).toMatchObject({ lengthIn: 'answer' });
  });

  it.each([
    ['no [DONE]', delta({ content: 'x' }) + delta({}, { finish_reason: 'stop' }) + data(usage)],
    ['nothing', ''],
    ['no counts', delta({}, { finish_reason: 'stop' }) + 'data: [DONE]\n\n'],
    ['no finish reason', data(usage) + 'data: [DONE]\n\n'],
    ['no JSON', 'data: {\n\ndata: [DONE]\n\n'],
    ['another protocol', `${data({ choices: 'many' })}data: [DONE]\n\n`],
    ['one endless event', `data: ${'x'.repeat(3_000_000)}`],
  ])('takes an answer with %s for a failure', async (_, text) => {
    answer = say(text);
    await expect(collect()).rejects.toBeInstanceOf(ConnectionLost);
  });

  it('passes on an error told within the stream', async () => {
    answer = say(delta({ content: 'x' }) + data({ error: { code: 'failed', message: 'it broke' } }));
    await expect(collect()).rejects.toThrow('it broke');
  });

  it('passes on a refusal', async () => {
    answer = (_, response) =>
      void response.writeHead(400).end('{"error":{"code":"bad_request","message":"max_tokens must be at least 1"}}');
    const refusal = await collect().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(EngineRefusal);
    expect(refusal).toMatchObject({ status: 400, code: 'bad_request', message: 'max_tokens must be at least 1' });
  });

  it('fails when nobody listens', async () => {
    const nobody = createEngineClient({ socketPath: join(folder, 'nobody'), token });
    await expect(nobody.count(request, new AbortController().signal)).rejects.toBeInstanceOf(ConnectionLost);
  });

  it.each(['before the answer', 'in the answer'])('closes the connection when cancelled %s', async (when) => {
    answer = (_, response) => {
      if (when === 'in the answer') response.write(delta({ content: 'x' }));
    };
    const aborter = new AbortController();
    const collecting = collect(aborter.signal);
    await until(() => seen.length === 1);
    setTimeout(() => aborter.abort(), 20);
    const events = await collecting;
    expect(events.length).toBeLessThanOrEqual(1);
    await until(() => closed === 1);
  });

  it('closes the connection when the reader walks away', async () => {
    answer = (_, response) => void response.write(delta({ content: 'x' }));
    for await (const event of client.chat(request, { signal: new AbortController().signal })) {
      expect(event.kind).toBe('content');
      break;
    }
    await until(() => closed === 1);
  });

  it('keeps reading for a reader who does not', async () => {
    let drained = false;
    answer = (_, response) => {
      response.write(delta({ content: 'x'.repeat(500_000) }).repeat(4));
      response.on('finish', () => (drained = true));
      response.end(delta({}, { finish_reason: 'stop' }) + data(usage) + 'data: [DONE]\n\n');
    };
    let ended = false;
    const options = { signal: new AbortController().signal, onEnd: () => (ended = true) };
    const reading = client.chat(request, options)[Symbol.asyncIterator]();
    await reading.next();
    await until(() => drained && ended);
    let last: GenerationEvent | undefined;
    for (let next = await reading.next(); !next.done; next = await reading.next()) last = next.value;
    expect(last?.kind).toBe('finish');
  });

  it('tells progress apart from signs of life', async () => {
    answer = say(
      `: idle\n\n: keepalive 5/11\n\n: keepalive 5/11\n\n${delta({ content: 'x' })}: idle\n\n${delta({}, { finish_reason: 'stop' })}${data(usage)}data: [DONE]\n\n`,
    );
    const progress: string[] = [];
    const options = { signal: new AbortController().signal, onBytes: (awaiting: string) => progress.push(awaiting) };
    for await (const event of client.chat(request, options)) expect(event).toBeDefined();
    expect(progress).toEqual(['prefill', 'decode', 'decode', 'decode', 'decode']);
  });
});

describe('the rest', () => {
  const snapshot = {
    phase: 'busy',
    healthy: true,
    error: null,
    load: { loaded_bytes: 1, total_bytes: 2, seconds: 0.5 },
    memory: { active_bytes: 3, peak_bytes: 4, cache_bytes: 5 },
    device: { name: 'cpu', memory_bytes: null, working_set_bytes: 6 },
    request: {
      id: 'r',
      phase: 'decode',
      prompt_tokens: 7,
      prefill_done: 7,
      prefill_total: 7,
      cached_tokens: 0,
      generated_tokens: 8,
      idle_seconds: 0.2,
    },
    prompt_cache: { sequences: 1, bytes: 9, limit_bytes: 10 },
    unknown: 'ignored',
  };
  const metrics = {
    phase: 'busy',
    healthy: true,
    load: { loadedBytes: 1, totalBytes: 2, seconds: 0.5 },
    memory: { activeBytes: 3, peakBytes: 4, cacheBytes: 5 },
    device: { name: 'cpu', memoryBytes: null, workingSetBytes: 6 },
    request: {
      phase: 'decode',
      promptTokens: 7,
      prefillDone: 7,
      prefillTotal: 7,
      generatedTokens: 8,
      idleSeconds: 0.2,
    },
    promptCache: { sequences: 1, bytes: 9, limitBytes: 10 },
  };
  const signal = new AbortController().signal;

  it('reads a snapshot', async () => {
    answer = say(JSON.stringify(snapshot));
    expect(await client.snapshot(signal)).toEqual({ metrics, error: null });
  });

  it('follows snapshots and comments until the stream ends', async () => {
    answer = say(`: idle\n\nevent: metrics\ndata: ${JSON.stringify(snapshot)}\n\nevent: other\ndata: x\n\n: idle\n\n`);
    const snapshots: EngineSnapshot[] = [];
    let comments = 0;
    await client.watch({ onSnapshot: (next) => snapshots.push(next), onComment: () => (comments += 1) }, signal);
    expect(snapshots.map((next) => next.metrics)).toEqual([metrics]);
    expect(comments).toBe(2);
  });

  it('counts', async () => {
    answer = say('{"tokens":42}');
    expect(await client.count(request, signal)).toBe(42);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      messages: request.messages,
      reasoning_effort: 'low',
      date: '2026-01-02',
    });
  });

  it.each(['[]', '{"tokens":-1}', 'tokens', ''])('does not believe the count %j', async (text) => {
    answer = say(text);
    await expect(client.count(request, signal)).rejects.toBeInstanceOf(ConnectionLost);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('it never came');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
