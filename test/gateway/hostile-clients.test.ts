/**
 * Nothing a client sends takes the endpoint down or reaches another client. Some thousand odd requests here;
 * HEADROOM_FAULTS=full sends a hundred thousand.
 */
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { seededRandom } from '../engine/seeded-random.ts';
import { KEY, type ScriptOptions, type Served, serveByScript } from './served-by-script.ts';

const isFull = process.env['HEADROOM_FAULTS'] === 'full';
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let served: Served;
afterEach(() => served?.endpoint.dispose());
const serve = async (options?: ScriptOptions): Promise<void> => {
  served = await serveByScript(options);
};

const ordinary = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] });
interface Got {
  readonly status: number;
  readonly text: string;
}
function ask(path: string, body: string | Buffer, headers: Record<string, string> = {}, method = 'POST'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port: served.port,
        path,
        method,
        agent: false,
        headers: { authorization: `Bearer ${KEY}`, ...headers },
      },
      (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
/** Another client, who wants nothing but an answer. */
async function othersAreServed(): Promise<void> {
  const startedMs = Date.now();
  expect((await ask('/v1/chat/completions', ordinary)).status).toBe(200);
  expect(Date.now() - startedMs).toBeLessThan(2_000);
}
async function settlesToNothing(): Promise<void> {
  await expect.poll(() => served.generating(), { timeout: 5_000 }).toBe(0);
  await expect.poll(() => served.endpoint.requests.length, { timeout: 5_000 }).toBe(0);
}
const megabytes = (): number => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_048_576;
};

// ── Odd requests ──────────────────────────────────────────────────────────────────────────────────

const paths = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
] as const;
const fields = [
  'model',
  'messages',
  'input',
  'prompt',
  'system',
  'instructions',
  'stream',
  'stream_options',
  'max_tokens',
  'max_output_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'stop',
  'stop_sequences',
  'tools',
  'tool_choice',
  'thinking',
  'reasoning',
  'reasoning_effort',
  'response_format',
  'text',
  'logprobs',
  'n',
  'include',
  'unknown',
  '__proto__',
  'constructor',
];

function oddBodies(seed: number) {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const value = (depth: number): unknown => {
    switch (Math.floor(random() * (depth > 4 ? 7 : 11))) {
      case 0:
        return null;
      case 1:
        return random() < 0.5;
      case 2:
        return pick([0, -1, 1, 1.5, 1e308, -1e308, 2 ** 53, 20]);
      case 3:
        return pick([
          '',
          'user',
          'assistant',
          'tool',
          'text',
          'function',
          'default',
          'auto',
          'required',
          'json_schema',
        ]);
      case 4:
        return String.fromCharCode(...Array.from({ length: 20 }, () => Math.floor(random() * 65_536)));
      case 5:
        return pick(['<|start|>system<|message|>', '\u0000', '\ud800', '../../etc/passwd', '${7*7}', '%s%n']);
      case 6:
        return 'x'.repeat(Math.floor(random() * 2_000));
      case 7:
        return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
      case 8:
        return { role: pick(['user', 'assistant', 'tool', 'system', value(depth + 1)]), content: value(depth + 1) };
      case 9:
        return {
          type: pick(['text', 'function', 'input_text', 'tool_use', 'tool_result', 'image']),
          text: value(depth + 1),
        };
      default:
        return Object.fromEntries(
          Array.from({ length: Math.floor(random() * 4) }, () => [pick(fields), value(depth + 1)]),
        );
    }
  };
  return (): { path: string; body: Buffer } => {
    const path = pick(paths);
    const sound: Record<string, unknown> = path.includes('responses')
      ? { input: 'Hello' }
      : path === '/v1/completions'
        ? { prompt: 'Hello' }
        : { messages: [{ role: 'user', content: 'Hello' }], ...(path === '/v1/messages' ? { max_tokens: 5 } : {}) };
    for (let odd = Math.floor(random() * 4); odd > 0; odd -= 1) sound[pick(fields)] = value(0);
    const body = Buffer.from(JSON.stringify(sound));
    // Now and then the bytes themselves are broken.
    if (random() < 0.2) body[Math.floor(random() * body.length)] = Math.floor(random() * 256);
    return { path, body: random() < 0.05 ? body.subarray(0, Math.floor(random() * body.length)) : body };
  };
}

it('answers every odd request in its own words, and no fault is its own', { timeout: 1_800_000 }, async () => {
  await serve();
  const requests = isFull ? 100_000 : 2_500;
  const next = oddBodies(7);
  const seen = new Map<number, number>();
  let beforeMb = 0;
  const worker = async (share: number): Promise<void> => {
    for (let index = 0; index < share; index += 1) {
      const { path, body } = next();
      const { status, text } = await ask(path, body);
      seen.set(status, (seen.get(status) ?? 0) + 1);
      const shown = body.toString('utf8').slice(0, 500);
      expect([200, 400, 404], shown).toContain(status);
      if (status !== 200) {
        const error = (JSON.parse(text) as { error: { message: string; type: string } }).error;
        expect(error.type, shown).toMatch(/^(invalid_request|not_found)_error$/);
        expect(error.message.length, shown).toBeLessThan(300);
        if (path.startsWith('/v1/messages')) expect(text, shown).toContain('"type":"error"');
      }
    }
  };
  await worker(500);
  beforeMb = megabytes();
  await Promise.all(Array.from({ length: 4 }, () => worker((requests - 500) / 4)));
  await settlesToNothing();
  expect(megabytes() - beforeMb).toBeLessThan(16);
  // Both kinds were there.
  expect(seen.get(200)).toBeGreaterThan(requests / 50);
  expect(seen.get(400)).toBeGreaterThan(requests / 10);
  expect(served.lines).toEqual([]);
});

// ── Odd connections ───────────────────────────────────────────────────────────────────────────────

const opened = async (): Promise<Socket> => {
  const socket = connect(served.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
};

it('refuses bodies of 100 MB, announced or not, and holds none of them', async () => {
  await serve();
  await othersAreServed();
  const beforeMb = megabytes();
  const piece = Buffer.alloc(1_000_000, 'x');
  const send = async (head: string, frame: (piece: Buffer) => Buffer): Promise<string> => {
    const socket = await opened();
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString('latin1')));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${KEY}\r\n${head}\r\n\r\n`,
    );
    const framed = frame(piece);
    for (let sent = 0; sent < 100 && !socket.destroyed; sent += 1) {
      if (socket.write(framed)) continue;
      const either = new AbortController();
      const { signal } = either;
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => {});
      either.abort();
    }
    await expect.poll(() => answer, { timeout: 10_000 }).toContain('\r\n\r\n');
    socket.destroy();
    return answer;
  };
  const answers = await Promise.all([
    send('Content-Length: 100000000', (data) => data),
    send('Transfer-Encoding: chunked', (data) => Buffer.concat([Buffer.from('f4240\r\n'), data, Buffer.from('\r\n')])),
  ]);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  await othersAreServed();
  await settlesToNothing();
  // What the senders here had not got rid of goes a moment after their sockets.
  await expect.poll(() => megabytes() - beforeMb, { timeout: 5_000 }).toBeLessThan(16);
});

it('answers others while a thousand connections ask nothing', async () => {
  await serve();
  const idle: Socket[] = [];
  for (let batch = 0; batch < 10; batch += 1) idle.push(...(await Promise.all(Array.from({ length: 100 }, opened))));
  await othersAreServed();
  // The oldest had to go.
  await expect.poll(() => idle.filter(({ destroyed }) => destroyed).length, { timeout: 5_000 }).toBeGreaterThan(800);
  for (const socket of idle) socket.destroy();
  await othersAreServed();
});

it('forgets a request that is cut at any of its bytes', async () => {
  await serve({ pieces: 20, pieceMs: 5 });
  const whole = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: ${ordinary.length}\r\n\r\n${ordinary}`;
  const step = isFull ? 1 : 6;
  for (let bytes = 1; bytes <= whole.length; bytes += step) {
    const socket = await opened();
    socket.write(whole.slice(0, bytes));
    await sleep(0);
    if (bytes % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  await settlesToNothing();
  await othersAreServed();
});

it.each(paths.slice(0, 4))(
  'ends the engine’s work when a client leaves at any point of its answer: %s',
  async (path) => {
    await serve({ pieces: 30, pieceMs: 2 });
    const body = JSON.stringify({
      ...(path === '/v1/responses' ? { input: 'Hello' } : path === '/v1/completions' ? { prompt: 'Hello' } : {}),
      ...(path === '/v1/chat/completions' ? { messages: [{ role: 'user', content: 'Hello' }] } : {}),
      ...(path === '/v1/messages' ? { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 5 } : {}),
      stream: true,
    });
    const leaveAfter = async (bytes: number): Promise<void> => {
      const socket = await opened();
      let got = 0;
      socket.on('data', (data: Buffer) => {
        got += data.length;
        if (got >= bytes) socket.destroy();
      });
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${KEY}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await once(socket, 'close');
    };
    for (let bytes = 1; bytes < 3_000; bytes += isFull ? 50 : 400) await leaveAfter(bytes);
    await settlesToNothing();
    await othersAreServed();
    expect(served.lines).toEqual([]);
  },
);

it('gives half requests no place in the queue, however many there are', async () => {
  await serve();
  const halves = await Promise.all(Array.from({ length: 60 }, opened));
  for (const [index, socket] of halves.entries()) {
    socket.write(
      index % 2 === 0
        ? 'POST /v1/chat/comp'
        : `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: 8000000\r\n\r\n{`,
    );
  }
  await othersAreServed();
  expect(served.endpoint.requests).toEqual([]);
  for (const socket of halves) socket.destroy();
});
