/**
 * llama.cpp: a `llama-server` found on this machine is started with one GGUF file, or one that already runs is used at
 * its address. What was started here ends with the app; what others started is never ended.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import * as v from 'valibot';
import type { DownloadState, EngineAbility } from '../../../preload/contract.ts';
import type { Clock } from '../../engine/clock.ts';
import {
  ContextFull,
  EngineError,
  type GenerationEvent,
  type GenerationRequest,
  type PromptRequest,
} from '../../engine/engine.ts';
import { createLogRing, type LogRing } from '../../engine/log-ring.ts';
import type { Child, Spawner } from '../../engine/spawner.ts';
import { gptOss20b } from '../../models/catalog.ts';
import type { GgufModel } from '../gguf-fit.ts';
import { OpenAiAnswer, openAiFields, openAiMessages } from '../openai-answer.ts';
import {
  ALL_ABILITIES,
  type LoadOptions,
  type Loss,
  type OutsideEngine,
  type OutsideModel,
  outsideId,
} from '../outside-engine.ts';
import type { ProcessMemory } from '../process-memory.ts';
import {
  type EngineServer,
  Refused,
  type Server,
  type Trouble,
  askJson,
  askLines,
  notFound,
  refuseUnable,
  talkFault,
} from '../talk.ts';
import type { GgufFile } from './gguf-files.ts';
import { besideWeightsBytes, buildIn, cpuExpertLayers, flagsIn, llamaArguments } from './llama-flags.ts';

export interface LlamaCppPorts {
  /** A program to start, or a server that runs already; null when neither was found, `unusable` may say why. */
  readonly found: () => { readonly program: string } | { readonly server: EngineServer } | null;
  readonly unusable: () => Trouble | null;
  readonly files: () => Promise<readonly GgufFile[]>;
  /** Fetches a GGUF file into a place where `files` finds it. */
  readonly fetch: (
    what: { readonly repository: string; readonly file: string },
    onState: (state: DownloadState) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly spawner: Spawner;
  /** The output of a short command of the program's own; null when it failed. */
  readonly ask: (program: string, argument: '--help' | '--version') => Promise<string | null>;
  readonly processMemory: ProcessMemory;
  /** For the child, by allow-list. */
  readonly environment: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
}

const NAME = 'llama.cpp';
/** The recipe's file for llama.cpp. */
const OFFERED = {
  repository: 'ggml-org/gpt-oss-20b-GGUF',
  file: 'gpt-oss-20b-mxfp4.gguf',
  sizeBytes: 12_109_566_560,
} as const;
const READY_POLL_MS = 100;
/** Twelve gigabytes from a slow disk. */
const LOAD_WITHIN_MS = 10 * 60_000;
const STOP_GRACE_MS = 15_000;
const KILLED_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 3_000;
/** Known to end a thinking when it is told to, to keep a bound on it, and to go on with an answer that has begun. */
const ABLE_BUILD = 11_434;

const listSchema = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      meta: v.optional(
        v.nullable(
          v.object({
            n_ctx_train: v.optional(v.number()),
            n_vocab: v.optional(v.number()),
            size: v.optional(v.number()),
          }),
        ),
      ),
    }),
  ),
});
const propsSchema = v.object({ build_info: v.optional(v.string()) });
const controlledSchema = v.object({ success: v.boolean() });
const healthSchema = v.object({ status: v.string() });
const promptSchema = v.object({ prompt: v.string() });
const tokensSchema = v.object({ tokens: v.array(v.unknown()) });
const tooLongSchema = v.object({
  error: v.object({ type: v.literal('exceed_context_size_error'), n_prompt_tokens: v.number(), n_ctx: v.number() }),
});

interface Run {
  readonly server: Server;
  readonly child: Child;
  readonly ring: LogRing;
  readonly gone: Promise<void>;
  isGone: boolean;
}

export function createLlamaCpp(ports: LlamaCppPorts): OutsideEngine {
  let run: Run | null = null;
  let ring = createLogRing();

  const models = new Map<string, GgufModel>();
  /** Asking starts a process, and the list is looked at often. */
  let versioned: { readonly program: string; readonly version: string | null } | null = null;
  /** By program or address: whether the server that ran there last could be told to end its thinking. */
  const able = new Map<string, boolean>();

  const lacksAt = (place: string): readonly EngineAbility[] => {
    const build = versioned?.program === place ? Number(versioned.version ?? 0) : 0;
    return (able.get(place) ?? build >= ABLE_BUILD) ? [] : ALL_ABILITIES;
  };

  /** These abilities came together, and this route is the one that can be asked for. */
  async function learnAbilities(place: string, server: Server, signal: AbortSignal): Promise<void> {
    const body = { id: 'nothing', action: 'reasoning_end' };
    able.set(
      place,
      await askJson(server, CONTROL_PATH, body, controlledSchema, signal).then(
        () => true,
        () => false,
      ),
    );
  }

  async function start(
    program: string,
    model: OutsideModel,
    { contextTokens, gpuLimitBytes }: LoadOptions,
    signal: AbortSignal,
    onLoss: (loss: Loss) => void,
  ): Promise<void> {
    await end();
    const knows = flagsIn((await ports.ask(program, '--help')) ?? '');
    const about = models.get(model.ref) ?? null;
    const beside = besideWeightsBytes(about?.config ?? null, contextTokens);
    const port = await freePort();
    const key = randomBytes(24).toString('hex');
    const args = llamaArguments(
      {
        file: model.ref,
        port,
        contextTokens,
        cpuExpertLayers: about === null ? 0 : cpuExpertLayers(about, beside, gpuLimitBytes),
      },
      knows,
    );
    signal.throwIfAborted();
    const lines = createLogRing();
    ring = lines;
    let settle: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      settle = resolve;
    });
    let isReady = false;
    const child = ports.spawner.spawn(
      // The key by the environment: arguments can be read by everybody on this machine.
      { file: program, args, env: { ...ports.environment(), LLAMA_API_KEY: key }, folder: '/' },
      {
        onOutput: (piece) => void lines.write(piece),
        onExit: ({ exitCode, signal: by }) => {
          lines.end();
          started.isGone = true;
          settle();
          if (run !== started) return;
          run = null;
          if (isReady) {
            onLoss({
              message: `llama.cpp ended by itself (${by === 0 ? `exit ${exitCode}` : `signal ${by}`}).`,
              nextStep: 'Turn the model on again. Its last lines are in the log.',
              mayRestart: true,
            });
          }
        },
      },
    );
    const server = { base: `http://127.0.0.1:${port}`, headers: { authorization: `Bearer ${key}` } };
    const started: Run = { server, child, ring: lines, gone, isGone: false };
    run = started;
    try {
      await waitUntilReady(started, signal);
      isReady = true;
      await learnAbilities(program, server, signal);
    } catch (error) {
      await end();
      throw error;
    }
  }

  async function waitUntilReady(started: Run, signal: AbortSignal): Promise<void> {
    const giveUpMs = ports.clock.nowMs() + LOAD_WITHIN_MS;
    for (;;) {
      signal.throwIfAborted();
      if (started.isGone) throw notLoaded(started.ring.tail());
      if (ports.clock.nowMs() > giveUpMs) {
        throw new EngineError('failed', 'llama.cpp did not finish loading the model.', 'Try a smaller context.');
      }
      try {
        const { status } = await askJson(started.server, '/health', null, healthSchema, signal);
        if (status === 'ok') return;
      } catch (error) {
        // 503 while it loads; no connection before it listens.
        if (signal.aborted) throw error;
      }
      await pause(READY_POLL_MS);
    }
  }

  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      ports.clock.after(delayMs, resolve);
    });

  /** Orderly: a process that dies hard can leave wired memory behind. */
  async function end(): Promise<void> {
    const ended = run;
    run = null;
    if (ended === null) return;
    ended.child.signalGroup('SIGTERM');
    await Promise.race([ended.gone, pause(STOP_GRACE_MS)]);
    if (ended.isGone) return;
    ended.child.signalGroup('SIGKILL');
    await Promise.race([ended.gone, pause(KILLED_WITHIN_MS)]);
  }

  function serverOf(): Server {
    const found = ports.found();
    if (run !== null) return run.server;
    if (found !== null && 'server' in found) return found.server;
    throw new EngineError('off', 'The model is off.', 'Turn the model on.');
  }

  const placeOf = (): string => {
    const found = ports.found();
    return found === null ? '' : 'program' in found ? found.program : found.server.base;
  };

  return {
    kind: 'llama.cpp',
    name: NAME,

    async detect(signal) {
      const found = ports.found();
      if (found === null) return { kind: 'not-found', ...(ports.unusable() ?? NOT_INSTALLED) };
      if ('program' in found) {
        if (versioned?.program !== found.program) {
          const version = buildIn((await ports.ask(found.program, '--version')) ?? '');
          versioned = { program: found.program, version };
        }
        return { kind: 'found', version: versioned.version, at: found.program, reach: 'this-computer' };
      }
      const { server } = found;
      try {
        const soon = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
        // 503 while it loads its model: it is there.
        await askJson(server, '/health', null, healthSchema, soon).catch((error: unknown) => {
          if (!(error instanceof Refused) || error.status !== 503) throw error;
        });
        const { build_info: build } = await askJson(server, '/props', null, propsSchema, soon);
        return { kind: 'found', version: buildIn(build ?? ''), at: server.base, reach: server.reach };
      } catch (error) {
        return { kind: 'not-found', ...notFound(error, NAME, server, 'Start llama-server there.') };
      }
    },

    async models(signal) {
      const found = ports.found();
      if (found === null) return [];
      if ('program' in found) {
        const files = await ports.files();
        for (const { file, model } of files) models.set(file, model);
        const isHere = files.some(({ file }) => basename(file) === OFFERED.file);
        const lacks = lacksAt(found.program);
        return [...files.map((each) => ({ ...ofFile(each), lacks })), ...(isHere ? [] : [offered])];
      }
      const { base, host, reach } = found.server;
      try {
        const { data } = await askJson(found.server, '/v1/models', null, listSchema, signal);
        if (!able.has(base)) await learnAbilities(base, found.server, signal);
        return data.map(({ id, meta }) => ({
          id: outsideId('llama.cpp', id),
          engine: 'llama.cpp',
          ref: id,
          name: basename(id, '.gguf'),
          sizeBytes: meta?.size ?? null,
          weightsBytes: meta?.size ?? null,
          config: null,
          maxContextTokens: meta?.n_ctx_train ?? null,
          presence: 'here',
          lacks: lacksAt(base),
          ...(reach === 'this-computer' ? {} : { host }),
        }));
      } catch {
        return [];
      }
    },

    async load(model, options, signal, onLoss) {
      try {
        const found = ports.found();
        if (found === null) {
          const { message, nextStep } = ports.unusable() ?? NOT_INSTALLED;
          throw new EngineError('failed', message, nextStep);
        }
        if ('program' in found) return await start(found.program, model, options, signal, onLoss);
        await askJson(found.server, '/health', null, healthSchema, signal);
      } catch (error) {
        throw talkFault(error, NAME);
      }
    },

    // One at an address has no way to be asked: it keeps its model, as whoever started it wished.
    unload: () => end(),

    chat: (_model, request, _options, signal) => chat(serverOf(), request, lacksAt(placeOf()), signal),

    async count(_model, request, signal) {
      const server = serverOf();
      try {
        const { prompt } = await askJson(server, '/apply-template', promptBody(request), promptSchema, signal);
        const body = { content: prompt, add_special: false, parse_special: true };
        const { tokens } = await askJson(server, '/tokenize', body, tokensSchema, signal);
        return tokens.length;
      } catch (error) {
        throw talkFault(error, NAME);
      }
    },

    footprintBytes: ({ host }) =>
      host !== undefined
        ? Promise.resolve(0)
        : run === null
          ? ports.processMemory.ofNamed(['llama-server'])
          : ports.processMemory.ofPid(run.child.pid),

    logTail: () => ring.tail(),

    pull: (_model, onProgress, signal) => ports.fetch(OFFERED, onProgress, signal),
  };
}

const CONTROL_PATH = '/v1/chat/completions/control';

const NOT_INSTALLED: Trouble = {
  message: 'llama-server was not found.',
  nextStep:
    'Install llama.cpp (brew install llama.cpp), choose its program under “Other engines”, or switch it off there.',
};

const offered: OutsideModel = {
  id: outsideId('llama.cpp', `${OFFERED.repository}/${OFFERED.file}`),
  engine: 'llama.cpp',
  ref: OFFERED.file,
  name: basename(OFFERED.file, '.gguf'),
  sizeBytes: OFFERED.sizeBytes,
  weightsBytes: OFFERED.sizeBytes,
  config: gptOss20b(),
  maxContextTokens: 131_072,
  presence: 'fetchable',
  lacks: [],
};

function ofFile({ file, sizeBytes, model }: GgufFile): Omit<OutsideModel, 'lacks'> {
  return {
    id: outsideId('llama.cpp', file),
    engine: 'llama.cpp',
    ref: file,
    name: basename(file, '.gguf'),
    sizeBytes,
    weightsBytes: model.weightsBytes,
    cpuCapableBytes: model.expertBytes.reduce((sum, bytes) => sum + bytes, 0),
    config: model.config,
    maxContextTokens: model.maxContextTokens,
    presence: 'here',
  };
}

const promptBody = (request: PromptRequest): object => ({
  messages: openAiMessages(request.messages),
  chat_template_kwargs: { reasoning_effort: request.effort },
  ...(request.tools === undefined ? {} : { tools: request.tools }),
});

function llamaChatBody(request: GenerationRequest): object {
  const { continueFrom: begun, thinkingBudgetTokens } = request;
  const fields = openAiFields(request);
  return {
    ...fields,
    chat_template_kwargs: { reasoning_effort: request.effort },
    return_progress: true,
    cache_prompt: true,
    ...(request.stop === undefined ? {} : { verbose: true }),
    ...(request.answerNow === undefined ? {} : { reasoning_control: true }),
    ...(thinkingBudgetTokens === undefined ? {} : { reasoning_budget_tokens: thinkingBudgetTokens }),
    ...(begun === undefined
      ? {}
      : {
          messages: [
            ...openAiMessages(request.messages),
            { role: 'assistant', reasoning_content: begun.reasoning, content: begun.content },
          ],
          add_generation_prompt: false,
          continue_final_message: begun.content === '' ? 'reasoning_content' : 'content',
        }),
  };
}

/** It passes over numbers that no token has. */
async function refuseUnknownTokens(
  server: Server,
  bias: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<void> {
  const models = await askJson(server, '/v1/models', null, listSchema, signal).catch(() => ({ data: [] }));
  const tokens = models.data[0]?.meta?.n_vocab ?? Number.POSITIVE_INFINITY;
  const unknown = Object.keys(bias).find((token) => Number(token) >= tokens);
  if (unknown !== undefined)
    throw new EngineError('bad-request', `logit_bias: there is no token ${unknown}.`, 'Leave it out.');
}

async function* chat(
  server: Server,
  request: GenerationRequest,
  lacks: readonly EngineAbility[],
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  refuseUnable(NAME, {
    'going on with an answer that broke off': request.continueFrom !== undefined && lacks.includes('continue'),
    'a bound on thinking': request.thinkingBudgetTokens !== undefined && lacks.includes('thinking-limit'),
    'log probabilities': request.topLogprobs !== undefined,
  });
  if (request.logitBias !== undefined) await refuseUnknownTokens(server, request.logitBias, signal);
  const answer = new OpenAiAnswer();
  let isThinking = false;
  const endThinking = (): void => {
    // Before the first thought there is nothing that the server would end.
    if (answer.id === null || !isThinking) return;
    const body = { id: answer.id, action: 'reasoning_end' };
    // One that has just begun to answer does not need it any more.
    askJson(server, CONTROL_PATH, body, controlledSchema, signal).catch(() => undefined);
  };
  const wish = lacks.includes('answer-now') ? undefined : request.answerNow;
  wish?.addEventListener('abort', endThinking, { once: true });
  try {
    for await (const line of askLines(server, '/v1/chat/completions', llamaChatBody(request), signal)) {
      const events = answer.read(line);
      if (!isThinking && events.some(({ kind }) => kind === 'reasoning')) {
        isThinking = true;
        if (wish?.aborted === true) endThinking();
      }
      yield* events;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw tooLong(error) ?? talkFault(error, NAME);
  } finally {
    wish?.removeEventListener('abort', endThinking);
  }
  if (!answer.done && !signal.aborted) {
    throw new EngineError('disconnected', 'The answer broke off, llama.cpp gave no reason.', 'Send it again.');
  }
}

function tooLong(error: unknown): ContextFull | null {
  if (!(error instanceof Refused)) return null;
  const parsed = v.safeParse(tooLongSchema, error.body);
  if (!parsed.success) return null;
  const { n_prompt_tokens: promptTokens, n_ctx: ceilingTokens } = parsed.output.error;
  return new ContextFull({ promptTokens, ceilingTokens, mostTokens: null });
}

/** The reason is in what it printed last. */
export function notLoaded(tail: readonly string[]): EngineError {
  const text = tail.join('\n');
  if (/unable to allocate|failed to allocate|out of memory|Insufficient Memory/i.test(text)) {
    return new EngineError(
      'failed',
      'There is not enough memory for this model in llama.cpp.',
      'Quit other apps, or set a smaller context.',
    );
  }
  if (/unknown model architecture/i.test(text)) {
    return new EngineError('failed', 'This llama.cpp does not know this kind of model.', 'Update llama.cpp.');
  }
  if (/failed to load model|error loading model/i.test(text)) {
    return new EngineError('failed', 'llama.cpp cannot read this file.', 'Download the file again.');
  }
  return new EngineError('failed', 'llama.cpp ended while it was loading the model.', 'Its last lines are in the log.');
}

/** Free at this moment; llama-server says so when somebody else was faster. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}
