/** The endpoint over real sockets, with an engine that follows a script. */
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { EngineError, type GenerationEvent, type GenerationRequest, type GenerationUsage } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { createEndpoint, type Endpoint } from './endpoint.ts';

const key = `hr-${'k'.repeat(43)}`;
const usage: GenerationUsage = {
  promptTokens: 10,
  cachedTokens: 4,
  completionTokens: 6,
  reasoningTokens: 3,
  prefillTokensPerSecond: 100,
  decodeTokensPerSecond: 20,
};
const finish: GenerationEvent = { kind: 'finish', reason: 'stop', usage };
const answer: readonly GenerationEvent[] = [
  { kind: 'waiting', for: 'slot', ahead: 1 },
  { kind: 'prefill', doneTokens: 5, totalTokens: 10 },
  { kind: 'reasoning', text: 'Hm.' },
  { kind: 'content', text: 'Hel' },
  { kind: 'content', text: 'lo' },
  finish,
];

type Script = (request: GenerationRequest, signal: AbortSignal) => AsyncGenerator<GenerationEvent>;
async function* say(events: readonly GenerationEvent[]): AsyncGenerator<GenerationEvent> {
  for (const event of events) {
    await sleep(0);
    yield event;
  }
}
/** As the engine does: ends with `aborted` when the signal says so. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    const end = () => reject(new EngineError('aborted', 'Cancelled.', ''));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });

let endpoint: Endpoint;
let script: Script;
let asked: GenerationRequest[];
let aborted: number;
let lines: string[];
let ensureRunning: () => void | Promise<void>;
let state: EngineState;
let isPinned: boolean;
let origins: readonly string[];
let chosen: { id: string; name: string };
const tiny = { id: '/models/tiny', name: 'tiny' };
const small = { id: 'org/small', name: 'small' };
const timing = { keepAliveMs: 40, stallMs: 300, headersMs: 500, requestMs: 800, queueMs: 5_000, answerMs: 5_000 };

beforeEach(async () => {
  asked = [];
  aborted = 0;
  lines = [];
  script = () => say(answer);
  ensureRunning = () => {};
  state = { kind: 'ready', sinceMs: 0 };
  isPinned = false;
  origins = [];
  chosen = tiny;
  endpoint = await start(0);
});
afterEach(() => endpoint.dispose());

function start(port: number, times: Partial<typeof timing> = {}): Promise<Endpoint> {
  return createEndpoint({
    engine: {
      get state() {
        return state;
      },
      metrics: null,
      count: ({ messages }) => Promise.resolve(messages.length * 7),
      generate: (request, { signal, priority }) => {
        expect(priority).toBe('api');
        asked.push(request);
        signal.addEventListener('abort', () => (aborted += 1));
        return script(request, signal);
      },
    },
    models: {
      current: () => chosen,
      available: () => [tiny, small],
      isPinned: () => isPinned,
      choose: (id) => {
        chosen = id === small.id ? small : tiny;
        return Promise.resolve();
      },
    },
    sampling: () => ({ temperature: 1, topP: 0.9 }),
    ensureRunning: () => ensureRunning(),
    callerOf: (sent) => callers[sent] ?? null,
    origins: () => origins,
    changed: () => {},
    log: (_level, message) => lines.push(message),
    ports: [port],
    timing: { ...timing, ...times },
  });
}

const portOf = (of: Endpoint) => Number(new URL(of.url).port);
const otherKey = 'hr-other';
const callers: Readonly<Record<string, { id: string; name: string }>> = {
  [key]: { id: 'default', name: 'Default key' },
  [otherKey]: { id: 'b', name: 'Zed' },
};
const auth = { authorization: `Bearer ${key}` };
const hello = { messages: [{ role: 'user', content: 'Hello, private words' }] };

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}
/** node:http and not fetch: these tests set Host and Origin. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const { method = 'GET', headers = auth, body } = options;
    const outgoing = httpRequest(
      { host: '127.0.0.1', port: portOf(endpoint), path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
const chat = (body: object, headers: Record<string, string> = auth) =>
  ask('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify(body) });
const errorOf = (got: Answer) =>
  (JSON.parse(got.text) as { error: { type: string; code: string; message: string } }).error;
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => block.slice(6));

describe('access', () => {
  it.each<[string, string, string]>([
    ['/v1/models', 'GET', '401'],
    ['/v1/chat/completions', 'POST', '401'],
    ['/health', 'GET', '200'],
  ])('%s without a key: %s %s', async (path, method, status) => {
    const got = await ask(path, { method, headers: {} });
    expect(String(got.status)).toBe(status);
    expect(asked).toEqual([]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a wrong key', { authorization: 'Bearer hr-wrong' }, 401],
    ['a page', { ...auth, origin: 'https://evil.example' }, 403],
    ['a page with the null origin', { ...auth, origin: 'null' }, 403],
    ['a re-bound host', { ...auth, host: 'evil.example' }, 421],
  ])('refuses %s on every path', async (_name, headers, status) => {
    for (const [path, method] of [
      ['/v1/models', 'GET'],
      ['/v1/chat/completions', 'POST'],
    ] as const) {
      const got = await ask(path, { method, headers });
      expect(got.status).toBe(status);
      expect(got.headers['access-control-allow-origin']).toBeUndefined();
    }
    if (status !== 401) expect((await ask('/health', { headers })).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('answers a preflight with a refusal and no CORS headers', async () => {
    const got = await ask('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(got.status).toBe(403);
    expect(Object.keys(got.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('knows its paths and methods', async () => {
    expect(errorOf(await ask('/v1/embeddings', { method: 'POST' }))).toMatchObject({ code: 'unknown_url' });
    expect((await ask('/__proto__')).status).toBe(404);
    const wrong = await ask('/v1/chat/completions');
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'POST']);
  });
});

describe('models', () => {
  it('lists the model that runs first, then the others', async () => {
    expect(JSON.parse((await ask('/v1/models')).text)).toEqual({
      object: 'list',
      data: [
        expect.objectContaining({ id: 'tiny', object: 'model', type: 'model', display_name: 'tiny' }),
        expect.objectContaining({ id: 'org/small', display_name: 'small' }),
      ],
      has_more: false,
      first_id: 'tiny',
      last_id: 'org/small',
    });
    expect(JSON.parse((await ask('/v1/models/small')).text)).toMatchObject({ id: 'org/small' });
    expect(JSON.parse((await ask('/v1/models/org%2Fsmall')).text)).toMatchObject({ id: 'org/small' });
    expect((await ask('/v1/models/gpt-4o')).status).toBe(404);
  });
});

describe('whole answers', () => {
  it('answers as OpenAI does', async () => {
    const got = await chat(hello);
    expect(got.status).toBe(200);
    expect(JSON.parse(got.text)).toMatchObject({
      object: 'chat.completion',
      model: 'tiny',
      choices: [{ message: { role: 'assistant', content: 'Hello', reasoning: 'Hm.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 6, total_tokens: 16 },
    });
    expect(asked[0]).toMatchObject({ messages: hello.messages, effort: 'medium', temperature: 1, topP: 0.9 });
  });

  it.each<[string, () => Error, number, string]>([
    ['off', () => new EngineError('off', 'Off.', 'Turn it on.'), 503, 'model_off'],
    ['failed', () => new EngineError('failed', 'Broke.', 'Try again.'), 500, 'model_failed'],
    ['stopped', () => new EngineError('stopped', 'Stopped.', ''), 503, 'model_stopped'],
    ['bad request', () => new EngineError('bad-request', 'Too long.', ''), 400, 'bad_request'],
    ['unknown', () => new Error('secret /home/x'), 500, 'internal_error'],
  ])('maps an engine that is %s', async (_name, error, status, code) => {
    script = async function* () {
      yield { kind: 'content', text: 'half' };
      throw error();
    };
    const got = await chat(hello);
    expect(got.status).toBe(status);
    expect(errorOf(got).code).toBe(code);
    expect(got.text).not.toContain('secret');
  });

  it('fails when the engine ends without finishing', async () => {
    script = () => say([{ kind: 'content', text: 'half' }]);
    expect(errorOf(await chat(hello))).toMatchObject({ type: 'server_error', code: 'model_failed' });
  });

  it('turns the model on first, or says why not', async () => {
    const order: string[] = [];
    ensureRunning = async () => {
      await sleep(10);
      order.push('on');
    };
    script = () => {
      order.push('asked');
      return say(answer);
    };
    expect((await chat(hello)).status).toBe(200);
    expect(order).toEqual(['on', 'asked']);
    ensureRunning = () => {
      throw new AppFault('refused', 'There is too little memory.', 'Close Chrome.');
    };
    const got = await chat(hello);
    expect(got.status).toBe(503);
    expect(errorOf(got)).toMatchObject({ code: 'refused', message: 'There is too little memory. Close Chrome.' });
  });

  it('cancels the generation when the client goes away', async () => {
    script = async function* (_request, signal) {
      yield { kind: 'content', text: 'a' };
      await untilAborted(signal);
    };
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: portOf(endpoint),
      path: '/v1/chat/completions',
      method: 'POST',
      headers: auth,
    });
    outgoing.on('error', () => {});
    outgoing.end(JSON.stringify(hello));
    while (asked.length === 0) await sleep(5);
    outgoing.destroy();
    await expect.poll(() => aborted).toBe(1);
  });
});

describe('streams', () => {
  it('streams pieces, the end, the figures and [DONE]', async () => {
    const got = await chat({ ...hello, stream: true, stream_options: { include_usage: true } });
    expect(got.headers['content-type']).toContain('text/event-stream');
    const events = eventsOf(got.text);
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map(
      (text) =>
        JSON.parse(text) as { id: string; choices: { delta: object; finish_reason: string | null }[]; usage: unknown },
    );
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta))).toEqual([
      { role: 'assistant', content: '' },
      { reasoning: 'Hm.', reasoning_content: 'Hm.' },
      { content: 'Hel' },
      { content: 'lo' },
      {},
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { total_tokens: 16, prompt_tokens_details: { cached_tokens: 4 } },
    });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it('has the figures in its last piece where no piece of their own was asked for', async () => {
    const events = eventsOf((await chat({ ...hello, stream: true })).text);
    expect(events.slice(0, -2).join('')).not.toContain('usage');
    const last = JSON.parse(events.at(-2) ?? '') as { choices: unknown[]; usage: object; timings: object };
    expect(last.choices).toHaveLength(1);
    expect(last.usage).toMatchObject({ total_tokens: 16 });
    expect(last.timings).toMatchObject({ decode_tokens_per_second: 20 });
  });

  it('keeps the connection alive with comments while nothing comes', async () => {
    script = async function* () {
      yield { kind: 'waiting', for: 'engine', ahead: 0 };
      await sleep(100);
      yield { kind: 'prefill', doneTokens: 512, totalTokens: 2_048 };
      await sleep(100);
      yield* say(answer.slice(2));
    };
    const { text } = await chat({ ...hello, stream: true });
    expect(text).toContain(': loading the model\n\n');
    expect(text).toContain(': reading 512/2048\n\n');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('answers an error before the first piece with its status', async () => {
    script = async function* () {
      yield { kind: 'waiting', for: 'slot', ahead: 0 };
      throw new EngineError('bad-request', 'Too long.', '');
    };
    const got = await chat({ ...hello, stream: true });
    expect(got.status).toBe(400);
    expect(got.headers['content-type']).toContain('application/json');
  });

  it('sends an error in mid-stream as an event and no [DONE]', async () => {
    script = async function* () {
      yield { kind: 'content', text: 'half' };
      throw new EngineError('disconnected', 'The model broke down.', 'Try again.');
    };
    const events = eventsOf((await chat({ ...hello, stream: true })).text);
    expect(JSON.parse(events.at(-1) ?? '')).toEqual({
      error: { message: 'The model broke down. Try again.', type: 'server_error', param: null, code: 'model_failed' },
    });
    expect(events).not.toContain('[DONE]');
  });

  it('cancels when the client goes away, and when it stops reading', async () => {
    script = async function* (_request, signal) {
      for (;;) {
        if (signal.aborted) throw new EngineError('aborted', 'Cancelled.', '');
        yield { kind: 'content', text: 'x'.repeat(10_000) };
        await sleep(0);
      }
    };
    for (const misbehave of ['leave', 'stall'] as const) {
      const before = aborted;
      const outgoing = httpRequest({
        host: '127.0.0.1',
        port: portOf(endpoint),
        path: '/v1/chat/completions',
        method: 'POST',
        headers: auth,
      });
      outgoing.on('error', () => {});
      outgoing.end(JSON.stringify({ ...hello, stream: true }));
      const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
      response.on('error', () => {});
      if (misbehave === 'leave') response.destroy();
      else response.pause();
      await expect.poll(() => aborted, { timeout: 3_000, message: misbehave }).toBe(before + 1);
      response.destroy();
    }
  });
});

describe('bounds', () => {
  it('takes 8 MiB and refuses more, announced or not', async () => {
    const bodyOf = (bytes: number) => {
      const frame = JSON.stringify({ messages: [{ role: 'user', content: '' }] });
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };
    const limit = 8 * 1024 * 1024;
    expect((await ask('/v1/chat/completions', { method: 'POST', body: bodyOf(limit) })).status).toBe(200);
    const announced = await ask('/v1/chat/completions', { method: 'POST', body: bodyOf(limit + 1) });
    expect([announced.status, errorOf(announced).code]).toEqual([413, 'request_too_large']);
    const chunked = await ask('/v1/chat/completions', {
      method: 'POST',
      headers: { ...auth, 'transfer-encoding': 'chunked' },
      body: bodyOf(limit + 1_000_000),
    });
    expect(chunked.status).toBe(413);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, string | Buffer, Record<string, string>, number]>([
    ['no JSON', '{', {}, 400],
    ['nothing', '', {}, 400],
    ['bad UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ['a deep array', '['.repeat(100_000), {}, 400],
    ['compression', '{}', { 'content-encoding': 'gzip' }, 415],
  ])('refuses %s', async (_name, body, headers, status) => {
    const got = await ask('/v1/chat/completions', { method: 'POST', headers: { ...auth, ...headers }, body });
    expect(got.status).toBe(status);
    expect(errorOf(got).type).toBe('invalid_request_error');
  });

  it('refuses headers that are too large', async () => {
    expect((await ask('/v1/models', { headers: { ...auth, 'x-large': 'x'.repeat(20_000) } })).status).toBe(431);
  });

  it('cuts clients that send their headers or their body too slowly', async () => {
    for (const sent of [
      'GET /v1/mod',
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${portOf(endpoint)}\r\nAuthorization: Bearer ${key}\r\nContent-Length: 100\r\n\r\n{`,
    ]) {
      const socket = connect(portOf(endpoint), '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      const closed = once(socket, 'close');
      await once(socket, 'connect');
      socket.write(sent);
      const verdict = await Promise.race([closed.then(() => 'cut'), sleep(4_000, 'still open', { ref: false })]);
      expect(verdict).toBe('cut');
    }
  });

  it('queues sixteen, twelve of one key, and refuses the next', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    script = async function* () {
      await held;
      yield* answer;
    };
    const other = { authorization: `Bearer ${otherKey}` };
    const waiting = Array.from({ length: 12 }, () => chat(hello));
    while (asked.length < 12) await sleep(5);
    const refused = await chat(hello);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '5']);
    waiting.push(...Array.from({ length: 4 }, () => chat(hello, other)));
    while (asked.length < 16) await sleep(5);
    expect((await chat(hello, other)).status).toBe(429);
    expect(endpoint.requests.map(({ client }) => client).slice(10, 14)).toEqual([
      'Default key',
      'Default key',
      'Zed',
      'Zed',
    ]);
    release();
    expect((await Promise.all(waiting)).map((got) => got.status)).toEqual(Array.from({ length: 16 }, () => 200));
    expect(endpoint.requests).toEqual([]);
  });
});

describe('which model', () => {
  it('refuses one that is not here', async () => {
    const got = await chat({ ...hello, model: 'gpt-4o' });
    expect([got.status, errorOf(got).code]).toEqual([404, 'model_not_found']);
    expect(asked).toEqual([]);
  });

  it('puts another one in the place of one that is free, and never of one that is pinned or in use', async () => {
    isPinned = true;
    const pinned = await chat({ ...hello, model: 'small' });
    expect([pinned.status, errorOf(pinned).code]).toEqual([403, 'model_pinned']);
    isPinned = false;
    state = { kind: 'busy', sinceMs: 0 };
    const busy = await chat({ ...hello, model: 'small' });
    expect([busy.status, errorOf(busy).code, busy.headers['retry-after']]).toEqual([503, 'model_busy', '10']);
    expect(chosen).toBe(tiny);
    state = { kind: 'ready', sinceMs: 0 };
    expect(JSON.parse((await chat({ ...hello, model: 'small' })).text)).toMatchObject({ model: 'org/small' });
    expect(chosen).toBe(small);
  });

  it('says that only a click can raise the limit', async () => {
    script = async function* () {
      state = {
        kind: 'failed',
        cause: { code: 'wired-limit-needed', message: 'The limit is too low.', nextStep: 'Raise it.' },
        logTail: [],
      };
      yield { kind: 'waiting', for: 'engine', ahead: 0 };
      throw new EngineError('failed', 'The limit is too low.', 'Raise it.');
    };
    const got = await chat(hello);
    expect([got.status, errorOf(got).code, got.headers['retry-after']]).toEqual([503, 'needs_permission', '60']);
    expect(errorOf(got).message).toContain('The limit is too low. Raise it.');
  });
});

describe('deadlines', () => {
  it('ends what waits or answers too long, and what the window ends', async () => {
    const impatient = await start(0, { queueMs: 60, answerMs: 60 });
    await endpoint.dispose();
    endpoint = impatient;
    script = async function* (_request, signal) {
      yield { kind: 'waiting', for: 'slot', ahead: 1 };
      await untilAborted(signal);
    };
    const waited = await chat(hello);
    expect([waited.status, errorOf(waited).code]).toEqual([503, 'queue_timeout']);
    script = async function* (_request, signal) {
      yield { kind: 'content', text: 'half' };
      await untilAborted(signal);
    };
    expect((await chat({ ...hello, stream: true })).text).toContain('"code":"answer_timeout"');
  });

  it('ends a request from the window', async () => {
    script = async function* (_request, signal) {
      yield { kind: 'content', text: 'half' };
      await untilAborted(signal);
    };
    const whole = chat(hello);
    await expect.poll(() => endpoint.requests[0]?.stage).toBe('answering');
    expect(endpoint.endRequest(endpoint.requests[0]?.id ?? '')).toBe(true);
    expect(errorOf(await whole).code).toBe('cancelled');
    expect(endpoint.endRequest('gone')).toBe(false);
  });
});

it('ends an answer that says the same again and again as one that is too long', async () => {
  let isEnded = false;
  script = async function* () {
    try {
      for (;;) {
        yield { kind: 'content', text: 'and then the cat sat on the mat again. ' };
        await sleep(0);
      }
    } finally {
      isEnded = true;
    }
  };
  const got = JSON.parse((await chat(hello)).text) as { choices: { finish_reason: string }[]; usage: object };
  expect(got.choices[0]?.finish_reason).toBe('length');
  expect(isEnded).toBe(true);
  expect(got.usage).toHaveProperty('completion_tokens');
});

describe('pages that were let in', () => {
  it('answers them, and their preflight, and nobody else', async () => {
    origins = ['https://app.example'];
    const pageHeaders = { ...auth, origin: 'https://app.example', 'sec-fetch-site': 'cross-site' };
    const got = await chat(hello, pageHeaders);
    expect([got.status, got.headers['access-control-allow-origin'], got.headers['vary']]).toEqual([
      200,
      'https://app.example',
      'origin',
    ]);
    const preflight = await ask('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toContain('x-api-key');
    expect((await chat(hello, { ...pageHeaders, origin: 'https://evil.example' })).status).toBe(403);
    expect((await ask('/v1/models', { headers: { origin: 'https://app.example' } })).status).toBe(401);
  });
});

it('logs what happened and nothing that was said', async () => {
  await chat(hello);
  await ask('/private/path?token=secret');
  await sleep(20);
  expect(lines.join('\n')).toMatch(/endpoint: POST \/v1\/chat\/completions 200 \d+ ms req_[0-9a-f]{32}/);
  for (const word of ['private', 'secret', 'Hello', 'Hel', key]) expect(lines.join('\n')).not.toContain(word);
});

it('takes the next free port and says so', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const second = await start(port);
  expect(portOf(second)).toBeGreaterThan(port);
  expect(lines.join()).toContain(`port ${port} is taken`);
  await second.dispose();
  other.close();
});

it('ends what is under way when it closes', async () => {
  script = async function* (_request, signal) {
    yield { kind: 'content', text: 'half' };
    await untilAborted(signal);
  };
  const streamed = chat({ ...hello, stream: true });
  const whole = chat(hello);
  while (asked.length < 2) await sleep(5);
  const startedMs = Date.now();
  await endpoint.dispose();
  expect(Date.now() - startedMs).toBeLessThan(3_000);
  expect((await streamed).text).toContain('"code":"closing"');
  expect(errorOf(await whole)).toMatchObject({ code: 'closing' });
  await expect(ask('/health')).rejects.toThrow();
});
