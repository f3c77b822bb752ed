/**
 * The OpenAI-compatible endpoint on 127.0.0.1: `POST /v1/chat/completions`, `GET /v1/models`, `GET /health`.
 *
 * For programs on this Mac, never for web pages: no CORS, Host and Origin checked, a key on everything but /health.
 * What is asked and answered is not logged. The engine is always asked for a stream, because only that can be cancelled
 * when the client goes away.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { localDate } from '../local-date.ts';
import type { Engine, GenerationEvent } from '../engine/engine.ts';
import type { Log } from '../log/log.ts';
import { closeServer, listenOnLoopback, LOOPBACK } from '../loopback.ts';
import { keyFault, pageFault } from './access.ts';
import { ApiFault, apiFaultOf, errorBody } from './api-fault.ts';
import {
  type AnswerHead,
  chunkOf,
  completionOf,
  type Delta,
  deltaOf,
  usageChunkOf,
  type Voice,
} from './chat-answer.ts';
import { type ChatRequest, type OfferedModel, parseChatRequest, type RequestSurroundings } from './chat-request.ts';
import { EventStream, type EventStreamTiming } from './event-stream.ts';

/** What the hosts ask for when the user names no port. */
export const DEFAULT_ENDPOINT_PORT = 8_080;

const LARGEST_BODY_BYTES = 8 * 1024 * 1024;
/** One runs, the others wait; each waiting one may hold 8 MiB. */
const MOST_CHATS_AT_ONCE = 16;
const PORTS_TRIED = 20;
const CLOSE_GRACE_MS = 1_000;

export interface Endpoint {
  /** `http://127.0.0.1:<port>/v1` */
  readonly url: string;
  /** Refuses new requests, ends those under way, frees the port. Safe to call twice. */
  dispose(): Promise<void>;
}

export interface EndpointOptions {
  readonly engine: Pick<Engine, 'generate'>;
  readonly model: () => OfferedModel | null;
  readonly sampling: () => RequestSurroundings['sampling'];
  /** Turns the model on when it is off; throws AppFault when it may not. */
  readonly ensureRunning: () => void | Promise<void>;
  readonly key: string;
  readonly log: Log;
  /** The next free one is used when this is taken; 0 for any. */
  readonly port: number;
  readonly nowMs?: () => number;
  readonly timing?: EndpointTiming;
}

interface EndpointTiming extends EventStreamTiming {
  /** For a client to send its headers, and its whole request. */
  readonly headersMs: number;
  readonly requestMs: number;
}

const usualTiming: EndpointTiming = { keepAliveMs: 5_000, stallMs: 60_000, headersMs: 10_000, requestMs: 60_000 };

/** Rejects with Node's listen error when no port can be had. */
export async function createEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { engine, model, sampling, ensureRunning, key, log, nowMs = Date.now, timing = usualTiming } = options;
  const underWay = new Set<AbortController>();
  let isClosing = false;

  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: timing.headersMs,
      requestTimeout: timing.requestMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: Math.min(timing.headersMs, 5_000),
    },
    (request, response) => void serve(request, response),
  );
  server.maxConnections = 128;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = nowMs();
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    response.on('close', () => {
      // The path only if it is one of ours: others may hold anything.
      const what = Object.hasOwn(routes, path) ? `${request.method} ${path}` : 'unknown path';
      const how = response.writableFinished ? String(response.statusCode) : 'client gone';
      log('info', `endpoint: ${what} ${how} ${nowMs() - startedMs} ms`);
    });
    try {
      await answer(request, response, path);
    } catch (thrown) {
      sendFault(response, apiFaultOf(thrown, log));
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const strange = pageFault(request.headers, port);
    if (strange !== null) throw strange;
    const route = Object.hasOwn(routes, path) ? routes[path as keyof typeof routes] : undefined;
    if (route === undefined) throw new ApiFault(404, 'unknown_url', 'This endpoint has no such path.');
    if (route.method !== request.method) {
      response.setHeader('allow', route.method);
      throw new ApiFault(405, 'method_not_allowed', `Use ${route.method} here.`);
    }
    if (route.needsKey) {
      const keyless = keyFault(request.headers, key);
      if (keyless !== null) throw keyless;
    }
    await route.answer(request, response);
  }

  const routes = {
    '/health': {
      method: 'GET',
      needsKey: false,
      answer: (_request: IncomingMessage, response: ServerResponse) => sendJson(response, 200, { status: 'ok' }),
    },
    '/v1/models': {
      method: 'GET',
      needsKey: true,
      answer: (_request: IncomingMessage, response: ServerResponse) => {
        const offered = model();
        const data = offered === null ? [] : [{ id: offered.name, object: 'model', created: 0, owned_by: 'headroom' }];
        sendJson(response, 200, { object: 'list', data });
      },
    },
    '/v1/chat/completions': { method: 'POST', needsKey: true, answer: chat },
  } as const;

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isClosing) throw closing();
    if (underWay.size >= MOST_CHATS_AT_ONCE)
      throw new ApiFault(
        429,
        'too_many_requests',
        `${MOST_CHATS_AT_ONCE} requests are waiting already. Try again later.`,
      );
    const controller = new AbortController();
    underWay.add(controller);
    response.on('close', () => controller.abort());
    try {
      const body = parseJson(await readBody(request));
      const asked = parseChatRequest(body, { model: model(), sampling: sampling(), date: localDate(nowMs()) });
      await ensureRunning();
      const head = { id: `chatcmpl-${randomUUID()}`, createdSeconds: Math.floor(nowMs() / 1_000), model: asked.model };
      const events = engine.generate(asked.generation, { signal: controller.signal, priority: 'api' });
      if (asked.stream) await stream(events, asked, head, response);
      else await whole(events, head, response);
    } catch (thrown) {
      throw isClosing ? closing() : thrown;
    } finally {
      underWay.delete(controller);
    }
  }

  async function whole(
    events: AsyncIterable<GenerationEvent>,
    head: AnswerHead,
    response: ServerResponse,
  ): Promise<void> {
    const deltas: Delta[] = [];
    let voice: Voice = 'silent';
    for await (const event of events) {
      if (event.kind === 'finish') {
        sendJson(response, 200, completionOf(head, deltas, event));
        return;
      }
      const step = deltaOf(event, voice);
      voice = step.voice;
      if (step.delta !== null) deltas.push(step.delta);
    }
    throw unfinished();
  }

  async function stream(
    events: AsyncIterable<GenerationEvent>,
    { includeUsage }: ChatRequest,
    head: AnswerHead,
    response: ServerResponse,
  ): Promise<void> {
    const out = new EventStream(response, timing);
    let voice: Voice = 'silent';
    let hasBegun = false;
    const begin = async () => {
      if (hasBegun) return;
      hasBegun = true;
      await out.send(chunkOf(head, { role: 'assistant', content: '' }, null, includeUsage));
    };
    try {
      for await (const event of events) {
        if (event.kind === 'waiting')
          out.note(event.for === 'slot' ? `waiting, ${event.ahead} ahead` : 'loading the model');
        else if (event.kind === 'prefill') out.note(`reading ${event.doneTokens}/${event.totalTokens}`);
        else await begin();
        const step = deltaOf(event, voice);
        voice = step.voice;
        if (step.delta !== null) await out.send(chunkOf(head, step.delta, null, includeUsage));
        if (event.kind === 'finish') {
          await out.send(chunkOf(head, {}, event.reason, includeUsage));
          if (includeUsage) await out.send(usageChunkOf(head, event.usage));
          await out.send('[DONE]');
          out.close();
          return;
        }
      }
      throw unfinished();
    } catch (thrown) {
      out.abandon();
      if (!out.isOpen) throw thrown;
      // The status is gone; what is left is an error in place of the next piece, and no [DONE].
      const fault = isClosing ? closing() : apiFaultOf(thrown, log);
      await out.send(errorBody(fault));
      out.close();
    }
  }

  const port = await listenOnFreePort(server, options.port, log);
  return {
    url: `http://${LOOPBACK}:${port}/v1`,
    dispose: async () => {
      isClosing = true;
      const closed = closeServer(server, CLOSE_GRACE_MS);
      for (const controller of underWay) controller.abort();
      await closed;
    },
  };
}

const closing = () => new ApiFault(503, 'closing', 'Headroom is closing. Open it again and repeat the request.');
const unfinished = () => new ApiFault(500, 'model_failed', 'The answer ended before it was finished. Try again.');

async function listenOnFreePort(server: ReturnType<typeof createServer>, wanted: number, log: Log): Promise<number> {
  const last = wanted === 0 ? 0 : Math.min(wanted + PORTS_TRIED, 65_535);
  for (let port = wanted; port <= last; port += 1) {
    try {
      const taken = await listenOnLoopback(server, port);
      if (taken !== wanted && wanted !== 0) log('warn', `port ${wanted} is taken: the endpoint uses ${taken}`);
      return taken;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    }
  }
  const any = await listenOnLoopback(server, 0);
  log('warn', `ports ${wanted} to ${last} are taken: the endpoint uses ${any}`);
  return any;
}

/** Rejects with ApiFault 413 as soon as it is clear that the body is too large; Node reads and drops the rest. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () =>
      reject(
        new ApiFault(413, 'request_too_large', `A request may have ${LARGEST_BODY_BYTES / 1024 / 1024} MiB at most.`),
      );
    if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') {
      reject(new ApiFault(415, 'unsupported_encoding', 'Send the body without compression.'));
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) {
      tooLarge();
      return;
    }
    const pieces: Buffer[] = [];
    let size = 0;
    request.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= LARGEST_BODY_BYTES) pieces.push(piece);
      else tooLarge();
    });
    request.on('end', () => resolve(Buffer.concat(pieces)));
    request.on('error', reject);
    request.on('close', () => reject(new ApiFault(400, 'incomplete', 'The request ended early.')));
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new ApiFault(400, 'invalid_json', 'The body is not valid JSON.');
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

function sendFault(response: ServerResponse, fault: ApiFault): void {
  if (fault.status === 401 && !response.headersSent) response.setHeader('www-authenticate', 'Bearer');
  if (fault.status === 429 && !response.headersSent) response.setHeader('retry-after', '5');
  sendJson(response, fault.status, errorBody(fault));
}
