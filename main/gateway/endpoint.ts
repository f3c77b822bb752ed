/**
 * The endpoint on 127.0.0.1 that other programs use: OpenAI's chat completions, completions and responses, Anthropic's
 * messages.
 *
 * For programs on this Mac, never for web pages that the user has not let in: Host and Origin checked, a key on
 * everything but /health. What is asked and answered is not logged. The engine is always asked for a stream, because
 * only that can be cancelled when the caller goes away.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { EndpointRequest } from '../../preload/contract.ts';
import { localDate } from '../local-date.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import type { Log } from '../log/log.ts';
import { closeServer, listenOnLoopback, LOOPBACK } from '../loopback.ts';
import { isLetIn, pageFault, sentKey, wrongKey } from './access.ts';
import type { Asked } from './answer-writer.ts';
import { type AnswerDeadlines, answer } from './answering.ts';
import { anthropicErrorBody, ApiFault, apiFaultOf, errorBody, loadFault } from './api-fault.ts';
import { parseChatRequest } from './chat-request.ts';
import { parseCompletionRequest } from './completion-request.ts';
import type { EventStreamTiming } from './event-stream.ts';
import { parseCountRequest, parseMessagesRequest } from './messages-request.ts';
import { admit, apiName, type OfferedModel } from './model-admission.ts';
import type { Caller } from './records.ts';
import { type OpenRequest, RequestList } from './request-list.ts';
import { parseResponsesRequest } from './responses-request.ts';

/** What the hosts ask for when the user names no port. */
export const DEFAULT_ENDPOINT_PORT = 8_080;

const LARGEST_BODY_BYTES = 8 * 1024 * 1024;
/** Of all requests that are being read at once. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;
/** Connections that ask nothing: the oldest goes when there are more. */
const MOST_IDLE_CONNECTIONS = 128;
const PORTS_TRIED = 20;
const CLOSE_GRACE_MS = 1_000;

export interface Endpoint {
  /** `http://127.0.0.1:<port>/v1` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly EndpointRequest[];
  /** Ends a request from the window; false when there is none. */
  endRequest(id: string): boolean;
  /** A key was revoked. */
  endRequestsOf(callerId: string): void;
  /** Refuses new requests, ends those under way, frees the port. Safe to call twice. */
  dispose(): Promise<void>;
}

export interface EndpointModels {
  current(): OfferedModel | null;
  available(): readonly OfferedModel[];
  isPinned(): boolean;
  /** Puts another in the current one's place. */
  choose(modelId: string): Promise<void>;
}

export interface EndpointOptions {
  readonly engine: Pick<Engine, 'generate' | 'count' | 'metrics' | 'state'>;
  readonly models: EndpointModels;
  /** The model makers' own values, where a request says nothing. */
  readonly sampling: () => { readonly temperature: number; readonly topP: number } | null;
  /** Turns the model on when it is off; throws AppFault when it may not. */
  readonly ensureRunning: () => void | Promise<void>;
  /** Who holds a key; null for nobody. */
  readonly callerOf: (key: string) => Caller | null;
  /** Web pages that the user has let in. */
  readonly origins: () => readonly string[];
  /** The list of requests is another. */
  readonly changed: () => void;
  readonly log: Log;
  /** The next free one is used when these are taken; 0 for any. */
  readonly ports: readonly number[];
  readonly nowMs?: () => number;
  readonly timing?: EndpointTiming;
}

interface EndpointTiming extends EventStreamTiming, AnswerDeadlines {
  /** For a client to send its headers, and its whole request. */
  readonly headersMs: number;
  readonly requestMs: number;
}

const usualTiming: EndpointTiming = {
  keepAliveMs: 5_000,
  stallMs: 60_000,
  headersMs: 10_000,
  requestMs: 60_000,
  queueMs: 600_000,
  answerMs: 3_600_000,
};

interface Route {
  readonly method: 'GET' | 'POST';
  readonly errors: (fault: ApiFault) => object;
  /** `path` with what was asked for in it, where the route ends with `/*`. */
  answer(call: Call): Promise<void> | void;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly caller: Caller;
}

/** Rejects with Node's listen error when no port can be had. */
export async function createEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { engine, models, log, nowMs = Date.now, timing = usualTiming } = options;
  const list = new RequestList(options.changed);
  const idle = new Set<Socket>();
  let bodyBytes = 0;
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
  // Whoever asks is heard, however many connections others hold open without asking.
  server.on('connection', (socket) => {
    rest(socket);
    socket.on('close', () => idle.delete(socket));
  });
  const rest = (socket: Socket): void => {
    if (socket.destroyed) return;
    idle.add(socket);
    if (idle.size <= MOST_IDLE_CONNECTIONS) return;
    const [oldest] = idle;
    if (oldest !== undefined) {
      idle.delete(oldest);
      oldest.destroy();
    }
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = nowMs();
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const found = routeOf(path);
    idle.delete(request.socket);
    // Where OpenAI's and Anthropic's clients look for what to name in a report; the log has it too.
    const requestId = `req_${randomUUID().replaceAll('-', '')}`;
    response.setHeader('x-request-id', requestId);
    response.setHeader('request-id', requestId);
    request.on('error', () => {});
    response.on('error', () => {});
    response.on('close', () => {
      rest(request.socket);
      // The path only if it is one of ours: others may hold anything.
      const what = found === null ? 'unknown path' : `${request.method} ${found.name}`;
      const how = response.writableFinished ? String(response.statusCode) : 'client gone';
      log('info', `endpoint: ${what} ${how} ${nowMs() - startedMs} ms ${requestId}`);
    });
    const errors =
      found?.route.errors ?? (request.headers['anthropic-version'] === undefined ? errorBody : anthropicErrorBody);
    try {
      await answerRoute(request, response, path, found?.route ?? null);
    } catch (thrown) {
      sendFault(response, faultOf(thrown), errors);
    }
  }

  async function answerRoute(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    route: Route | null,
  ): Promise<void> {
    const origins = options.origins();
    const strange = pageFault(request.headers, port, origins);
    if (strange !== null) throw strange;
    if (isLetIn(request.headers, origins)) {
      response.setHeader('access-control-allow-origin', request.headers.origin ?? '');
      response.setHeader('vary', 'origin');
      if (request.method === 'OPTIONS') {
        sendPreflight(response);
        return;
      }
    }
    if (route === null) throw new ApiFault(404, 'unknown_url', 'This endpoint has no such path.');
    if (route.method !== request.method) {
      response.setHeader('allow', route.method);
      throw new ApiFault(405, 'method_not_allowed', `Use ${route.method} here.`);
    }
    if (path === '/health') {
      sendJson(response, 200, { status: 'ok', model: engine.state.kind });
      return;
    }
    const caller = options.callerOf(sentKey(request.headers));
    if (caller === null) throw wrongKey();
    await route.answer({ request, response, path, caller });
  }

  const routes: Readonly<Record<string, Route>> = {
    '/health': { method: 'GET', errors: errorBody, answer: () => {} },
    '/v1/models': { method: 'GET', errors: errorBody, answer: ({ response }) => sendModels(response) },
    '/v1/models/*': {
      method: 'GET',
      errors: errorBody,
      answer: ({ response, path }) => {
        const name = decoded(path.slice('/v1/models/'.length));
        const model = offered().find((one) => one.name === name || one.id === name);
        if (model === undefined) throw new ApiFault(404, 'model_not_found', 'There is no model of this name here.');
        sendJson(response, 200, modelBody(model));
      },
    },
    '/v1/chat/completions': { method: 'POST', errors: errorBody, answer: generation(parseChatRequest) },
    '/v1/completions': { method: 'POST', errors: errorBody, answer: generation(parseCompletionRequest) },
    '/v1/responses': { method: 'POST', errors: errorBody, answer: generation(parseResponsesRequest) },
    '/v1/messages': { method: 'POST', errors: anthropicErrorBody, answer: generation(parseMessagesRequest) },
    '/v1/messages/count_tokens': { method: 'POST', errors: anthropicErrorBody, answer: count },
  };

  function routeOf(path: string): { readonly name: string; readonly route: Route } | null {
    const name = path.startsWith('/v1/models/') ? '/v1/models/*' : path;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    return route === undefined ? null : { name, route };
  }

  /** The chosen one first: programs that take the first of the list take the one that runs. */
  function offered(): readonly OfferedModel[] {
    const current = models.current();
    const others = models.available().filter(({ id }) => id !== current?.id);
    return current === null ? others : [current, ...others];
  }

  function sendModels(response: ServerResponse): void {
    const data = offered().map(modelBody);
    // Both protocols' lists in one: their programs read what they know.
    sendJson(response, 200, {
      object: 'list',
      data,
      has_more: false,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
    });
  }

  /** Throws ApiFault. The model that will answer. */
  async function admitted(name: string): Promise<OfferedModel> {
    const { kind } = engine.state;
    const admission = admit({
      asked: name,
      current: models.current(),
      available: () => models.available(),
      isPinned: models.isPinned(),
      // This request is on the list itself.
      isBusy: list.size > 1 || (kind !== 'off' && kind !== 'failed' && kind !== 'ready'),
    });
    if (admission.kind === 'switch') await models.choose(admission.modelId);
    await options.ensureRunning();
    const model = models.current();
    if (model === null)
      throw new ApiFault(503, 'no_model', 'No model has been chosen yet. Open Headroom and choose one.');
    return model;
  }

  function generation(parse: (value: unknown, date: string) => Asked): Route['answer'] {
    return async (call) => {
      const { response } = call;
      // Half a request holds no place in the queue.
      const asked = parse(await readJsonBody(call.request), localDate(nowMs()));
      const leftOut = (asked.leftOut ?? []).join(', ');
      if (leftOut !== '') {
        response.setHeader('x-headroom-left-out', leftOut);
        log('info', `endpoint: answered without ${leftOut}`);
      }
      await onTheList(call, async (open) => {
        const model = await admitted(asked.model);
        const usual = options.sampling();
        const whole = await answer(
          { ...asked, modelName: apiName(model), generation: { ...usual, ...asked.generation } },
          open,
          response,
          { engine, nowMs: () => performance.now(), timing, faultOf },
        );
        if (whole !== null) sendJson(response, 200, whole);
      });
    };
  }

  async function count(call: Call): Promise<void> {
    const { model, prompt } = parseCountRequest(await readJsonBody(call.request), localDate(nowMs()));
    await onTheList(call, async (open) => {
      await admitted(model);
      sendJson(call.response, 200, { input_tokens: await engine.count(prompt, open.signal) });
    });
  }

  async function onTheList(
    { request, response, path, caller }: Call,
    work: (open: OpenRequest) => Promise<void>,
  ): Promise<void> {
    if (isClosing) throw closing();
    const open = list.enter(caller, path, nowMs());
    response.on('close', () => open.end(null));
    try {
      if (request.socket.destroyed) open.end(null);
      await work(open);
    } catch (thrown) {
      throw open.ended ?? thrown;
    } finally {
      open.leave();
    }
  }

  function faultOf(thrown: unknown): ApiFault {
    const { state } = engine;
    if (thrown instanceof EngineError && thrown.code === 'failed' && state.kind === 'failed') {
      const fault = loadFault(state.cause);
      if (fault !== null) return fault;
    }
    return apiFaultOf(thrown, log);
  }

  async function readJsonBody(request: IncomingMessage): Promise<unknown> {
    let held = 0;
    const hold = (bytes: number): boolean => {
      held += bytes;
      bodyBytes += bytes;
      return bodyBytes <= MOST_BODY_BYTES;
    };
    try {
      return parseJson(await readBody(request, hold));
    } finally {
      bodyBytes -= held;
    }
  }

  const port = await listenOnFreePort(server, options.ports, log);
  let disposing: Promise<void> | null = null;
  return {
    url: `http://${LOOPBACK}:${port}/v1`,
    port,
    get requests() {
      return list.shown;
    },
    endRequest: (id) =>
      list.end(id, new ApiFault(503, 'cancelled', 'The request was ended in Headroom’s window.', null)),
    endRequestsOf: (callerId) => list.endAll(wrongKey(), callerId),
    dispose: () => {
      isClosing = true;
      disposing ??= closeServer(server, CLOSE_GRACE_MS);
      list.endAll(closing());
      return disposing;
    },
  };
}

const closing = () =>
  new ApiFault(503, 'closing', 'Headroom is closing, or its address changes. Repeat the request then.');

const tooMuchAtOnce = () =>
  new ApiFault(429, 'too_many_requests', 'Large requests are being read already. Try again later.', null, {
    retryAfterSeconds: 5,
  });

const modelBody = (model: OfferedModel) => ({
  id: apiName(model),
  object: 'model',
  created: 0,
  owned_by: 'headroom',
  // As Anthropic's list has it.
  type: 'model',
  display_name: model.name,
  created_at: '1970-01-01T00:00:00Z',
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function listenOnFreePort(
  server: ReturnType<typeof createServer>,
  ports: readonly number[],
  log: Log,
): Promise<number> {
  const first = ports[0] ?? 0;
  const last = ports.at(-1) ?? 0;
  const further = last === 0 ? [] : Array.from({ length: PORTS_TRIED }, (_, index) => last + 1 + index);
  for (const port of [...ports, ...further]) {
    if (port > 65_535) break;
    try {
      const taken = await listenOnLoopback(server, port);
      if (taken !== first && first !== 0) log('warn', `port ${first} is taken: the endpoint uses ${taken}`);
      return taken;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    }
  }
  const any = await listenOnLoopback(server, 0);
  log('warn', `port ${first} and those after it are taken: the endpoint uses ${any}`);
  return any;
}

/** Rejects with ApiFault 413 as soon as it is clear that the body is too large; Node reads and drops the rest. */
function readBody(request: IncomingMessage, hold: (bytes: number) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let pieces: Buffer[] = [];
    let size = 0;
    const refuse = (fault: ApiFault): void => {
      pieces = [];
      reject(fault);
      // A stream nobody listens to stands still, and its sender with it.
      request.resume();
    };
    const tooLarge = () =>
      refuse(
        new ApiFault(413, 'request_too_large', `A request may have ${LARGEST_BODY_BYTES / 1024 / 1024} MiB at most.`),
      );
    if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') {
      refuse(new ApiFault(415, 'unsupported_encoding', 'Send the body without compression.'));
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) {
      tooLarge();
      return;
    }
    let isRefused = false;
    request.on('data', (piece: Buffer) => {
      if (isRefused) return;
      size += piece.length;
      isRefused = true;
      if (size > LARGEST_BODY_BYTES) tooLarge();
      else if (!hold(piece.length)) refuse(tooMuchAtOnce());
      else {
        isRefused = false;
        pieces.push(piece);
      }
    });
    request.on('end', () => {
      const whole = Buffer.concat(pieces);
      pieces = [];
      resolve(whole);
    });
    const endedEarly = (): void => {
      pieces = [];
      reject(new ApiFault(400, 'incomplete', 'The request ended early.'));
    };
    request.on('error', endedEarly);
    request.on('close', endedEarly);
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new ApiFault(400, 'invalid_json', 'The body is not valid JSON.');
  }
}

function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': PREFLIGHT_HEADERS,
    'access-control-allow-private-network': 'true',
    'access-control-max-age': '600',
  });
  response.end();
}

/** What the official JavaScript clients send from a page. */
const PREFLIGHT_HEADERS = [
  'authorization',
  'content-type',
  'x-api-key',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'openai-organization',
  'openai-project',
  ...[
    'arch',
    'lang',
    'os',
    'package-version',
    'retry-count',
    'runtime',
    'runtime-version',
    'timeout',
    'helper-method',
    'poll-helper',
    'custom-poll-interval',
  ].map((name) => `x-stainless-${name}`),
].join(', ');

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

function sendFault(response: ServerResponse, fault: ApiFault, body: (fault: ApiFault) => object): void {
  if (!response.headersSent) {
    if (fault.status === 401) response.setHeader('www-authenticate', 'Bearer');
    if (fault.retryAfterSeconds !== null) response.setHeader('retry-after', String(fault.retryAfterSeconds));
  }
  sendJson(response, fault.status, body(fault));
}
