/**
 * The engine's protocol: HTTP over its Unix socket, with a token. Everything that comes in is parsed with a schema.
 *
 * Node's own http, because fetch cannot reach a Unix socket. Cancelling is closing the connection: the engine notices
 * and stops. An answer without its closing `[DONE]` has failed, whatever its status was.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { type EventSourceParser, type ParserCallbacks, createParser } from 'eventsource-parser';
import * as v from 'valibot';
import type {
  EngineCalibration,
  EngineMetrics,
  GenerationEvent,
  GenerationRequest,
  GenerationUsage,
  PromptRequest,
  ReadAhead,
  SavedCache,
} from './engine.ts';
import type { EngineReport } from './failure.ts';
import { samplingFields } from './sampling-fields.ts';

export interface EngineSnapshot {
  readonly metrics: EngineMetrics;
  /** Why the engine failed, in its own words. */
  readonly error: EngineReport | null;
}

/** The connection could not be made, broke, or said something that is not the protocol. */
export class ConnectionLost extends Error {}

/** The engine understood and refused. `code` is its own: bad_request, busy, loading, stopping, failed … */
export class EngineRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface ChatOptions {
  readonly signal: AbortSignal;
  /** Progress, and what the engine was doing. */
  readonly onBytes?: (awaiting: 'prefill' | 'decode') => void;
  /** The engine is done with the request, for better or worse; its reader may not be. */
  readonly onEnd?: () => void;
}

export interface EngineClient {
  /**
   * One streamed answer. Read eagerly, so that a slow reader never looks like a slow engine. Throws ConnectionLost or
   * EngineRefusal; ends silently when the signal aborts.
   */
  chat(request: GenerationRequest, options: ChatOptions): AsyncIterable<GenerationEvent>;
  /** Prompt tokens. */
  count(request: PromptRequest, signal: AbortSignal): Promise<number>;
  snapshot(signal: AbortSignal): Promise<EngineSnapshot>;
  /** Begins to drop prompt cache and buffers; the snapshots tell when it is done. */
  dropCaches(signal: AbortSignal): Promise<void>;
  calibrate(stepTokens: number, signal: AbortSignal): Promise<EngineCalibration>;
  readAhead(request: PromptRequest & { readonly cacheKey?: string }, signal: AbortSignal): Promise<ReadAhead>;
  saveCache(cache: { file: string; key: string }, signal: AbortSignal): Promise<SavedCache>;
  loadCache(cache: { file: string; key: string; sha256: string }, signal: AbortSignal): Promise<void>;
  forgetCache(key: string, signal: AbortSignal): Promise<void>;
  /** Snapshots as they come, until the connection ends (resolves) or the signal aborts. Throws like `chat`. */
  watch(
    handlers: { onSnapshot(snapshot: EngineSnapshot): void; onComment(): void },
    signal: AbortSignal,
  ): Promise<void>;
}

export function createEngineClient(address: { socketPath: string; token: string }): EngineClient {
  return {
    chat: (request, options) => chat(address, request, options),
    async count(request, signal) {
      const body = await readJson(address, 'POST', '/count', promptOf(request), signal);
      return parsed(countSchema, body).tokens;
    },
    async snapshot(signal) {
      return toSnapshot(parsed(snapshotSchema, await readJson(address, 'GET', '/metrics', null, signal)));
    },
    async dropCaches(signal) {
      await readJson(address, 'POST', '/drop-cache', {}, signal);
    },
    async calibrate(stepTokens, signal) {
      const body = await readJson(address, 'POST', '/calibrate', { prefill_step: stepTokens }, signal);
      const found = parsed(calibrationSchema, body);
      return {
        stepTokens: found.step,
        halfChunkBytes: found.half_chunk_bytes,
        firstChunkBytes: found.first_chunk_bytes,
        secondChunkBytes: found.second_chunk_bytes,
        decode: found.decode,
        tokensPerSecond: found.tokens_per_second,
      };
    },
    async readAhead({ cacheKey, ...prompt }, signal) {
      const body = { ...promptOf(prompt), ...(cacheKey === undefined ? {} : { cache_key: cacheKey }) };
      const read = parsed(readAheadSchema, await readJson(address, 'POST', '/prefill', body, signal));
      return {
        promptTokens: read.tokens,
        cachedTokens: read.cached_tokens,
        readTokens: read.read_tokens,
        isComplete: read.complete,
      };
    },
    async saveCache(cache, signal) {
      return parsed(savedSchema, await readJson(address, 'POST', '/cache/save', cache, signal));
    },
    async loadCache(cache, signal) {
      await readJson(address, 'POST', '/cache/load', cache, signal);
    },
    async forgetCache(key, signal) {
      await readJson(address, 'POST', '/cache/forget', { key }, signal);
    },
    async watch({ onSnapshot, onComment }, signal) {
      const response = await open(address, 'GET', '/events', null, signal);
      const parser = eventParser({
        onEvent: ({ event, data }) => {
          if (event === 'metrics') onSnapshot(toSnapshot(parsedJson(snapshotSchema, data)));
        },
        onComment,
      });
      await consume(response, (text) => parser.feed(text), signal);
    },
  };
}

// ── Schemas ───────────────────────────────────────────────────────────────────────────────────────

const bytes = v.pipe(v.number(), v.minValue(0));
const countSchema = v.object({ tokens: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

const snapshotSchema = v.object({
  phase: v.picklist(['starting', 'loading', 'ready', 'busy', 'stopping', 'failed']),
  healthy: v.boolean(),
  error: v.nullable(v.object({ type: v.string(), message: v.string() })),
  load: v.object({ loaded_bytes: bytes, total_bytes: bytes, seconds: v.nullable(v.number()) }),
  memory: v.object({ active_bytes: bytes, peak_bytes: bytes, cache_bytes: bytes }),
  device: v.object({
    name: v.string(),
    memory_bytes: v.nullable(v.number()),
    working_set_bytes: v.nullable(v.number()),
  }),
  request: v.nullable(
    v.object({
      phase: v.picklist(['prefill', 'decode']),
      prompt_tokens: v.number(),
      prefill_done: v.number(),
      prefill_total: v.number(),
      generated_tokens: v.number(),
      idle_seconds: v.number(),
    }),
  ),
  prompt_cache: v.object({ sequences: v.number(), bytes, limit_bytes: bytes }),
  versions: v.optional(v.object({ mlx: v.string(), mlx_lm: v.string() })),
});

const calibrationSchema = v.object({
  step: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  half_chunk_bytes: bytes,
  first_chunk_bytes: bytes,
  second_chunk_bytes: bytes,
  decode: v.array(v.object({ tokens: v.pipe(v.number(), v.safeInteger(), v.minValue(1)), bytes })),
  tokens_per_second: bytes,
});

function toSnapshot(raw: v.InferOutput<typeof snapshotSchema>): EngineSnapshot {
  const { load, memory, device, request, prompt_cache: promptCache } = raw;
  return {
    error: raw.error,
    metrics: {
      phase: raw.phase,
      healthy: raw.healthy,
      load: { loadedBytes: load.loaded_bytes, totalBytes: load.total_bytes, seconds: load.seconds },
      memory: {
        activeBytes: memory.active_bytes,
        peakBytes: memory.peak_bytes,
        cacheBytes: memory.cache_bytes,
      },
      device: {
        name: device.name,
        memoryBytes: device.memory_bytes,
        workingSetBytes: device.working_set_bytes,
      },
      request:
        request === null
          ? null
          : {
              phase: request.phase,
              promptTokens: request.prompt_tokens,
              prefillDone: request.prefill_done,
              prefillTotal: request.prefill_total,
              generatedTokens: request.generated_tokens,
              idleSeconds: request.idle_seconds,
            },
      ...(raw.versions === undefined ? {} : { versions: `mlx ${raw.versions.mlx}, mlx-lm ${raw.versions.mlx_lm}` }),
      promptCache: {
        sequences: promptCache.sequences,
        bytes: promptCache.bytes,
        limitBytes: promptCache.limit_bytes,
      },
    },
  };
}

const tokens = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const readAheadSchema = v.object({
  tokens,
  cached_tokens: tokens,
  read_tokens: tokens,
  complete: v.boolean(),
});
const savedSchema = v.object({ tokens, bytes: tokens, sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });
const likelyToken = v.object({ token: v.string(), logprob: v.number(), bytes: v.array(v.number()) });
const logprobs = v.object({
  content: v.array(v.object({ ...likelyToken.entries, top_logprobs: v.array(likelyToken) })),
});

const deltaText = v.optional(v.nullable(v.string()));
const rate = v.optional(v.nullable(v.number()), null);
const lengthIn = v.optional(v.nullable(v.picklist(['reasoning', 'answer'])));
const chunkSchema = v.object({
  id: v.optional(v.string()),
  error: v.optional(v.object({ code: v.optional(v.string(), 'failed'), message: v.string() })),
  choices: v.optional(
    v.array(
      v.object({
        delta: v.optional(
          v.object({
            reasoning: deltaText,
            commentary: deltaText,
            content: deltaText,
            tool_calls: v.optional(
              v.array(
                v.object({
                  index: v.number(),
                  id: v.optional(v.string()),
                  function: v.optional(
                    v.object({ name: v.optional(v.string()), arguments: v.optional(v.string(), '') }),
                  ),
                }),
              ),
            ),
          }),
        ),
        logprobs: v.optional(v.nullable(logprobs)),
        finish_reason: v.optional(v.nullable(v.picklist(['stop', 'length', 'tool_calls']))),
        length_in: lengthIn,
        stop_sequence: v.optional(v.nullable(v.string())),
      }),
    ),
    [],
  ),
  usage: v.optional(
    v.nullable(
      v.object({
        prompt_tokens: v.number(),
        completion_tokens: v.number(),
        prompt_tokens_details: v.optional(v.nullable(v.object({ cached_tokens: v.optional(v.number(), 0) }))),
        completion_tokens_details: v.optional(v.nullable(v.object({ reasoning_tokens: v.optional(v.number(), 0) }))),
      }),
    ),
  ),
  memory: v.optional(
    v.object({
      peak_bytes: bytes,
      kept_before_bytes: bytes,
      kept_while_writing_bytes: bytes,
      prefill_step: v.number(),
    }),
  ),
  timings: v.optional(v.nullable(v.object({ prefill_tokens_per_second: rate, decode_tokens_per_second: rate }))),
});
type Chunk = v.InferOutput<typeof chunkSchema>;

const errorSchema = v.object({ error: v.object({ code: v.optional(v.string(), ''), message: v.string() }) });

function parsed<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new ConnectionLost(`not the engine's protocol: ${v.summarize(result.issues)}`);
  return result.output;
}

function parsedJson<S extends v.GenericSchema>(schema: S, json: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new ConnectionLost("not the engine's protocol: no JSON");
  }
  return parsed(schema, value);
}

// ── Chat ──────────────────────────────────────────────────────────────────────────────────────────

const promptOf = (request: PromptRequest): object => ({
  messages: request.messages,
  reasoning_effort: request.effort,
  date: request.date,
  ...(request.tools === undefined ? {} : { tools: request.tools }),
});

const bodyOf = (request: GenerationRequest): object => ({
  ...promptOf(request),
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: request.maxTokens,
  ...samplingFields(request),
  ...(request.repetitionPenalty === undefined ? {} : { repetition_penalty: request.repetitionPenalty }),
  ...(request.thinkingBudgetTokens === undefined ? {} : { thinking_budget: request.thinkingBudgetTokens }),
  ...(request.continueFrom === undefined ? {} : { continue: request.continueFrom }),
  ...(request.cache === undefined ? {} : { cache: request.cache }),
  ...(request.cacheKey === undefined ? {} : { cache_key: request.cacheKey }),
  ...(request.responseFormat === undefined ? {} : { response_format: request.responseFormat }),
  ...(request.toolChoice === undefined ? {} : { tool_choice: request.toolChoice }),
  ...(request.topLogprobs === undefined ? {} : { logprobs: true, top_logprobs: request.topLogprobs }),
  ...(request.prefillStepTokens === undefined ? {} : { prefill_step: request.prefillStepTokens }),
});

/** Longest single event, UTF-16 units: one token's text, or a snapshot. */
const MAX_EVENT_LENGTH = 1_000_000;
/** Longest answer held for a reader that does not read, UTF-16 units. Far beyond any context's worth of text. */
const MAX_UNREAD_LENGTH = 64_000_000;

function eventParser(callbacks: Pick<ParserCallbacks, 'onEvent' | 'onComment'>): EventSourceParser {
  return createParser({
    ...callbacks,
    onError: (error) => {
      // Unknown fields are allowed by the format; an event without end is not allowed by us.
      if (error.type === 'max-buffer-size-exceeded') throw new ConnectionLost('an event without end');
    },
    maxBufferSize: MAX_EVENT_LENGTH,
  });
}

async function* chat(
  address: Address,
  request: GenerationRequest,
  { signal, onBytes, onEnd }: ChatOptions,
): AsyncGenerator<GenerationEvent> {
  const unread: GenerationEvent[] = [];
  let unreadLength = 0;
  let doneTokens = -1;
  let wake: (() => void) | null = null;
  const outcome: { value: { kind: 'reading' } | { kind: 'complete' } | { kind: 'broken'; error: unknown } } = {
    value: { kind: 'reading' },
  };
  const settle = (value: (typeof outcome)['value']): void => {
    outcome.value = value;
    onEnd?.();
    wake?.();
  };
  const aborter = new AbortController();
  // Asked for every token: where `signal` is put together of others, it asks all of them each time.
  const ended = aborter.signal;
  const stop = (): void => aborter.abort();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();

  const answer = new AnswerReader();
  const shortcut = answerNow(address, request.answerNow, ended);
  const parser = eventParser({
    onEvent: ({ data }) => {
      for (const event of answer.read(data)) {
        unread.push(event);
        unreadLength += event.kind === 'content' || event.kind === 'reasoning' ? event.text.length : 100;
      }
      shortcut.runs(answer.id);
      onBytes?.('decode');
    },
    onComment: (comment) => {
      const progress = prefillOf(comment);
      // Other comments, and the same counts again, only keep the connection open: a hanging engine sends them too.
      if (progress === null || progress.doneTokens === doneTokens) return;
      doneTokens = progress.doneTokens;
      unread.push(progress);
      onBytes?.('prefill');
    },
  });

  const reading = (async () => {
    const response = await open(address, 'POST', '/v1/chat/completions', bodyOf(request), ended);
    await consume(
      response,
      (piece) => {
        parser.feed(piece);
        if (unreadLength > MAX_UNREAD_LENGTH) throw new ConnectionLost('more text than any answer can have');
        wake?.();
        return answer.done;
      },
      ended,
    );
    if (!answer.done) throw new ConnectionLost('the answer broke off');
  })();
  reading.then(
    () => settle({ kind: 'complete' }),
    (error: unknown) => settle({ kind: 'broken', error }),
  );

  try {
    for (;;) {
      while (unread.length > 0) {
        unreadLength = 0;
        for (const event of unread.splice(0)) {
          if (ended.aborted) return;
          yield event;
        }
      }
      if (ended.aborted) return;
      if (outcome.value.kind === 'complete') return;
      if (outcome.value.kind === 'broken') throw outcome.value.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = null;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    shortcut.dispose();
    aborter.abort();
    await reading.catch(() => undefined);
  }
}

/** Passes the wish for an answer on, as soon as the engine has given the request a name. */
function answerNow(address: Address, wish: AbortSignal | undefined, signal: AbortSignal) {
  let id: string | null = null;
  let asked = false;
  const ask = (): void => {
    if (asked || id === null || wish?.aborted !== true || signal.aborted) return;
    asked = true;
    // Refused when the answer has ended meanwhile, and then there is nothing to hurry.
    readJson(address, 'POST', '/answer-now', { id }, signal).catch(() => undefined);
  };
  wish?.addEventListener('abort', ask);
  return {
    runs(named: string | null): void {
      id = named;
      ask();
    },
    dispose: () => wish?.removeEventListener('abort', ask),
  };
}

function prefillOf(comment: string): Extract<GenerationEvent, { kind: 'prefill' }> | null {
  const match = /keepalive (\d+)\/(\d+)/.exec(comment);
  return match === null ? null : { kind: 'prefill', doneTokens: Number(match[1]), totalTokens: Number(match[2]) };
}

/** Folds the chunks of one answer: deltas at once, the finish only with `[DONE]`, when its counts are known. */
class AnswerReader {
  done = false;
  /** The engine's name for the request. */
  id: string | null = null;
  #reason: 'stop' | 'length' | 'tool_calls' | null = null;
  #lengthIn: 'reasoning' | 'answer' | null = null;
  #stopSequence: string | null = null;
  #usage: GenerationUsage | null = null;

  read(data: string): GenerationEvent[] {
    if (this.done) return [];
    if (data === '[DONE]') {
      this.done = true;
      return [this.#finish()];
    }
    const chunk = parsedJson(chunkSchema, data);
    if (chunk.error !== undefined) throw new EngineRefusal(500, chunk.error.code, chunk.error.message);
    this.#note(chunk);
    return (chunk.choices[0]?.delta ?? null) === null ? [] : deltaEvents(chunk);
  }

  #note(chunk: Chunk): void {
    this.id ??= chunk.id ?? null;
    const choice = chunk.choices[0];
    this.#reason = choice?.finish_reason ?? this.#reason;
    this.#lengthIn = choice?.length_in ?? this.#lengthIn;
    this.#stopSequence = choice?.stop_sequence ?? this.#stopSequence;
    const { usage, timings, memory } = chunk;
    if (usage !== undefined && usage !== null) {
      this.#usage = {
        promptTokens: usage.prompt_tokens,
        cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
        completionTokens: usage.completion_tokens,
        reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
        prefillTokensPerSecond: timings?.prefill_tokens_per_second ?? null,
        decodeTokensPerSecond: timings?.decode_tokens_per_second ?? null,
        ...(memory === undefined
          ? {}
          : {
              memory: {
                peakBytes: memory.peak_bytes,
                keptBeforeBytes: memory.kept_before_bytes,
                keptWhileWritingBytes: memory.kept_while_writing_bytes,
                prefillStepTokens: memory.prefill_step,
              },
            }),
      };
    }
  }

  #finish(): GenerationEvent {
    if (this.#reason === null || this.#usage === null) {
      throw new ConnectionLost("not the engine's protocol: an answer without its end or its counts");
    }
    return {
      kind: 'finish',
      reason: this.#reason,
      ...(this.#reason === 'length' ? { lengthIn: this.#lengthIn ?? 'answer' } : {}),
      ...(this.#stopSequence === null ? {} : { stopSequence: this.#stopSequence }),
      usage: this.#usage,
    };
  }
}

function deltaEvents(chunk: Chunk): GenerationEvent[] {
  const delta = chunk.choices[0]?.delta ?? {};
  const told = chunk.choices[0]?.logprobs?.content;
  const events: GenerationEvent[] = [];
  for (const kind of ['reasoning', 'commentary', 'content'] as const) {
    const piece = delta[kind] ?? '';
    if (kind === 'content' && told !== undefined) events.push({ kind, text: piece, logprobs: told });
    else if (piece !== '') events.push({ kind, text: piece });
  }
  for (const call of delta.tool_calls ?? []) {
    events.push({
      kind: 'tool-call',
      index: call.index,
      ...(call.id === undefined ? {} : { id: call.id }),
      ...(call.function?.name === undefined ? {} : { name: call.function.name }),
      argumentsText: call.function?.arguments ?? '',
    });
  }
  return events;
}

// ── HTTP over the socket ──────────────────────────────────────────────────────────────────────────

interface Address {
  readonly socketPath: string;
  readonly token: string;
}

/** Resolves with a 200 response; throws EngineRefusal for any other, ConnectionLost when there is none. */
async function open(
  { socketPath, token }: Address,
  method: 'GET' | 'POST',
  path: string,
  body: object | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const payload = body === null ? null : Buffer.from(JSON.stringify(body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    if (signal.aborted) return reject(new ConnectionLost('cancelled'));
    const outgoing: ClientRequest = httpRequest({
      socketPath,
      path,
      method,
      // A connection of its own: the engine closes each after its answer, and ours closing means cancel.
      agent: false,
      headers: {
        host: 'engine',
        authorization: `Bearer ${token}`,
        accept: path === '/events' ? 'text/event-stream' : '*/*',
        ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
      },
    });
    const cancel = (): void => {
      outgoing.destroy();
      reject(new ConnectionLost('cancelled'));
    };
    signal.addEventListener('abort', cancel, { once: true });
    outgoing.on('close', () => signal.removeEventListener('abort', cancel));
    outgoing.on('error', (error) => reject(new ConnectionLost(error.message, { cause: error })));
    outgoing.on('response', resolve);
    outgoing.end(payload);
  });
  if (response.statusCode === 200) return response;
  const text = await readText(response, signal);
  const problem = v.safeParse(errorSchema, jsonOrNull(text));
  const { code, message } = problem.success
    ? problem.output.error
    : { code: '', message: `the engine answered with status ${response.statusCode}` };
  throw new EngineRefusal(response.statusCode ?? 0, code, message);
}

/** Feeds text as it comes until the end, or until `take` says that it has all it needs. */
function consume(
  response: IncomingMessage,
  take: (text: string) => boolean | void,
  signal: AbortSignal,
): Promise<void> {
  response.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(error);
      response.destroy();
    };
    const cancel = (): void => fail(new ConnectionLost('cancelled'));
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    response.on('data', (text: string) => {
      try {
        if (take(text) === true) {
          resolve();
          response.destroy();
        }
      } catch (error) {
        fail(error);
      }
    });
    response.on('error', (error) => reject(new ConnectionLost(error.message, { cause: error })));
    response.on('close', () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
  });
}

/** Longest JSON answer, UTF-16 units. */
const MAX_JSON_LENGTH = 1_000_000;

async function readText(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  let all = '';
  await consume(
    response,
    (piece) => {
      all += piece;
      if (all.length > MAX_JSON_LENGTH) throw new ConnectionLost('an answer without end');
    },
    signal,
  );
  return all;
}

async function readJson(
  address: Address,
  method: 'GET' | 'POST',
  path: string,
  body: object | null,
  signal: AbortSignal,
): Promise<unknown> {
  const text = await readText(await open(address, method, path, body, signal), signal);
  const value = jsonOrNull(text);
  if (value === null) throw new ConnectionLost("not the engine's protocol: no JSON");
  return value;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
