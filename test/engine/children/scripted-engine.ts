/**
 * A child that speaks the engine's protocol and misbehaves on demand. Started by Node itself, so it imports nothing
 * of the product: what it says is what is written here.
 *
 * argv: --model <folder> --socket <path> --behaviour <name>
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';

export type Behaviour =
  | 'well'
  | 'exits-at-once'
  | 'exits-after-ready'
  | 'never-opens-socket'
  | 'stalls-in-load'
  | 'silent-in-prefill'
  | 'slow-in-prefill'
  | 'silent-in-decode'
  | 'claims-progress'
  | 'goes-unreachable'
  | 'floods'
  | 'floods-without-newline'
  | 'ignores-sigterm'
  | 'has-grandchild'
  | 'dies-in-answer'
  | 'ends-without-done'
  | 'talks-nonsense'
  | 'fails-but-lives'
  | 'slow-to-load';

const { values } = parseArgs({
  options: { model: { type: 'string' }, socket: { type: 'string' }, behaviour: { type: 'string' } },
});
const behaviour = (values.behaviour ?? 'well') as Behaviour;
const token = process.env['HEADROOM_ENGINE_TOKEN'] ?? '';

let phase: 'loading' | 'ready' | 'failed' = 'loading';
let loadedBytes = 0;
let request: object | null = null;
let decoded = 0;
let mute = false;
const streams = new Set<ServerResponse>();

const snapshot = (): object => ({
  phase: phase === 'ready' && request !== null ? 'busy' : phase,
  healthy: phase !== 'failed',
  error: phase === 'failed' ? { type: 'RuntimeError', message: '[malloc] Unable to allocate 99 bytes.' } : null,
  pid: process.pid,
  uptime_seconds: 1,
  model: null,
  load: { loaded_bytes: loadedBytes, total_bytes: 100, seconds: null },
  memory: { active_bytes: 1, peak_bytes: 2, cache_bytes: 3 },
  device: { name: 'scripted', memory_bytes: null, working_set_bytes: null },
  residency: 'all',
  request,
  rates: { prefill_tokens_per_second: null, decode_tokens_per_second: null },
  prompt_cache: { sequences: 0, bytes: 0, limit_bytes: 0 },
  versions: { mlx: '0.0.0', mlx_lm: '0.0.0' },
});

const publish = (): void => {
  if (mute) return;
  for (const stream of streams) stream.write(`event: metrics\ndata: ${JSON.stringify(snapshot())}\n\n`);
};

const generating = (at: 'prefill' | 'decode', prefillDone: number, generated: number, idleSeconds: number): void => {
  request = {
    id: 'r',
    phase: at,
    prompt_tokens: 1_000,
    prefill_done: prefillDone,
    prefill_total: 1_000,
    cached_tokens: 0,
    generated_tokens: generated,
    idle_seconds: idleSeconds,
  };
  publish();
};

async function chat(response: ServerResponse): Promise<void> {
  const send = (value: object): boolean => response.write(`data: ${JSON.stringify(value)}\n\n`);
  const delta = (piece: object, rest: object = {}): boolean =>
    send({ choices: [{ index: 0, delta: piece, finish_reason: null, ...rest }] });
  let gone = false;
  response.on('close', () => {
    gone = true;
    request = null;
    publish();
  });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (behaviour === 'talks-nonsense') {
    response.end('data: {"choices": "many"}\n\ndata: [DONE]\n\n');
    return;
  }
  response.write(': keepalive 0/1000\n\n');
  if (behaviour === 'silent-in-prefill') {
    const since = Date.now();
    const timer = setInterval(() => generating('prefill', 0, 0, (Date.now() - since) / 1_000), 100);
    response.on('close', () => clearInterval(timer));
    return;
  }
  if (behaviour === 'slow-in-prefill') {
    for (let done = 0; done < 10; done += 1) {
      generating('prefill', done * 100, 0, 0);
      response.write(`: keepalive ${done * 100}/1000\n\n`);
      await pause(300);
    }
  }
  response.write(': keepalive 1000/1000\n\n');
  delta({ role: 'assistant' });
  delta({ reasoning: 'The user says hi.' });
  if (behaviour === 'silent-in-decode' || behaviour === 'claims-progress') {
    // `claims-progress` says that it was never idle, while nothing moves.
    const since = Date.now();
    const idle = (): number => (behaviour === 'claims-progress' ? 0 : (Date.now() - since) / 1_000);
    const timer = setInterval(() => generating('decode', 1_000, 5, idle()), 100);
    response.on('close', () => clearInterval(timer));
    return;
  }
  if (behaviour === 'dies-in-answer') {
    delta({ content: 'Hel' });
    await pause(50);
    process.exit(70);
  }
  for (const piece of ['Hello', '! ', 'Grüße 🙂']) {
    if (gone) return;
    decoded += 1;
    generating('decode', 1_000, decoded, 0);
    delta({ content: piece });
    await pause(10);
  }
  delta({}, { finish_reason: 'stop' });
  if (behaviour === 'ends-without-done') {
    response.end();
    return;
  }
  send({
    choices: [],
    usage: {
      prompt_tokens: 1_000,
      completion_tokens: 9,
      total_tokens: 1_009,
      prompt_tokens_details: { cached_tokens: 7 },
      completion_tokens_details: { reasoning_tokens: 5 },
    },
    timings: { prefill_seconds: 1, decode_seconds: 1, prefill_tokens_per_second: 500, decode_tokens_per_second: 50 },
  });
  response.end('data: [DONE]\n\n');
}

function serve(incoming: IncomingMessage, response: ServerResponse): void {
  if (incoming.headers.authorization !== `Bearer ${token}`) {
    response.writeHead(401).end('{"error":{"code":"unauthorized","message":"no"}}');
    return;
  }
  switch (incoming.url) {
    case '/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.add(response);
      response.on('close', () => streams.delete(response));
      publish();
      return;
    case '/metrics':
      response.end(JSON.stringify(snapshot()));
      return;
    case '/health':
      response.end('{"status":"ok"}');
      return;
    case '/count':
      response.end('{"tokens":42}');
      return;
    case '/v1/chat/completions':
      if (phase !== 'ready') response.writeHead(503).end('{"error":{"code":"loading","message":"not yet"}}');
      else void chat(response);
      return;
    default:
      response.writeHead(404).end('{"error":{"code":"not_found","message":"no"}}');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Ignores hang-up and SIGTERM: only a kill of the whole group reaches it. It tells its pid on the terminal. */
function haveGrandchild(): void {
  const script = `
    for (const signal of ['SIGHUP', 'SIGTERM']) process.on(signal, () => {});
    process.stderr.write('grandchild ' + process.pid + '\\n');
    setInterval(() => {}, 1000);`;
  spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
}

async function main(): Promise<void> {
  process.on('SIGTERM', () => {
    if (behaviour === 'ignores-sigterm') return;
    process.stderr.write('scripted engine: released\n');
    process.exit(0);
  });
  process.on('SIGHUP', () => {
    if (behaviour !== 'ignores-sigterm') process.exit(0);
  });
  if (behaviour === 'exits-at-once') {
    process.stderr.write('\u001b[31mcannot go on\u001b[0m\r\n');
    process.exit(3);
  }
  if (behaviour === 'never-opens-socket') {
    setInterval(() => {}, 1_000);
    return;
  }
  const server = createServer(serve);
  server.listen(values.socket);
  if (behaviour === 'stalls-in-load') return;
  if (behaviour === 'fails-but-lives') {
    phase = 'failed';
    return;
  }
  if (behaviour === 'slow-to-load') {
    for (loadedBytes = 0; loadedBytes < 100; loadedBytes += 20) {
      publish();
      await pause(200);
    }
  }
  if (behaviour === 'has-grandchild') haveGrandchild();
  loadedBytes = 100;
  phase = 'ready';
  publish();
  if (behaviour === 'exits-after-ready') setTimeout(() => process.exit(1), 100);
  if (behaviour === 'goes-unreachable') {
    setTimeout(() => {
      mute = true;
    }, 300);
  }
  setInterval(() => {
    if (!mute) for (const stream of streams) stream.write(': idle\n\n');
  }, 200);
  if (behaviour === 'floods' || behaviour === 'floods-without-newline') {
    const piece = (behaviour === 'floods' ? 'flood \u001b[32mof\u001b[0m output\n' : 'flood ').repeat(2_000);
    const pour = (): void => {
      process.stderr.write(piece, () => setImmediate(pour));
    };
    pour();
  }
}

void main();
