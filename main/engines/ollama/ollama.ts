/** Ollama, by its own API: https://docs.ollama.com/api. Its server belongs to the user and is only ever asked. */
import * as v from 'valibot';
import type { Clock } from '../../engine/clock.ts';
import { ContextFull, EngineError, type GenerationEvent, type GenerationRequest } from '../../engine/engine.ts';
import { gptOss20b } from '../../models/catalog.ts';
import {
  ALL_ABILITIES,
  type LoadOptions,
  type OutsideEngine,
  type OutsideModel,
  outsideId,
} from '../outside-engine.ts';
import type { ProcessMemory } from '../process-memory.ts';
import {
  Refused,
  type EngineServer,
  type Server,
  type Trouble,
  askJson,
  askLines,
  jsonOrNull,
  notFound,
  refuseUnable,
  talkFault,
} from '../talk.ts';
import { OllamaAnswer, ollamaChatBody, ollamaPrefill } from './ollama-answer.ts';
import { type OllamaDetails, canPrefill, configOf, contextOf } from './ollama-details.ts';
import { PullReader } from './ollama-pull.ts';

export interface OllamaPorts {
  /** Null where what was named cannot be used; `unusable` says why. */
  readonly server: () => EngineServer | null;
  readonly unusable: () => Trouble | null;
  /** On this computer, although its server may not run. */
  readonly isInstalled: () => boolean;
  readonly processMemory: ProcessMemory;
  readonly clock: Clock;
}

const NAME = 'Ollama';
/** The recipe's model, offered where it is not here yet. */
const OFFERED = { ref: 'gpt-oss:20b', sizeBytes: 13_780_173_839, maxContextTokens: 131_072 } as const;
/** Longer than any idle time of ours, and yet it ends when this app is gone without having unloaded. */
const KEEP_ALIVE = '65m';
const ANSWER_WITHIN_MS = 3_000;
const UNLOADED_WITHIN_MS = 15_000;
const UNLOAD_POLL_MS = 100;

const versionSchema = v.object({ version: v.string() });
const tagsSchema = v.object({
  models: v.array(v.object({ name: v.string(), size: v.number(), digest: v.optional(v.string(), '') })),
});
const showSchema = v.object({
  capabilities: v.optional(v.nullable(v.array(v.string()))),
  model_info: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
  template: v.optional(v.nullable(v.string())),
});
const psSchema = v.object({
  models: v.array(
    v.object({
      name: v.string(),
      size: v.number(),
      size_vram: v.optional(v.number(), 0),
      context_length: v.optional(v.number()),
    }),
  ),
});
const NOWHERE: Trouble = { message: 'Ollama has no address.', nextStep: 'Write its address in the models’ list.' };
const doneSchema = v.object({ done: v.boolean() });

export function createOllama(ports: OllamaPorts): OutsideEngine {
  /** What a model is does not change while its digest stays. */
  const shown = new Map<string, OllamaDetails>();

  const required = (): EngineServer => {
    const server = ports.server();
    if (server !== null) return server;
    const { message, nextStep } = ports.unusable() ?? NOWHERE;
    throw new EngineError('off', message, nextStep);
  };

  async function details(ref: string, digest: string, signal: AbortSignal): Promise<OllamaDetails> {
    const known = shown.get(`${ref} ${digest}`);
    if (known !== undefined) return known;
    const {
      capabilities,
      model_info: info,
      template,
    } = await askJson(required(), '/api/show', { model: ref }, showSchema, signal);
    const found = {
      capabilities: capabilities ?? ['completion'],
      info: info ?? {},
      canPrefill: canPrefill(template ?? ''),
    };
    shown.set(`${ref} ${digest}`, found);
    return found;
  }

  async function loaded(
    ref: string,
    signal: AbortSignal,
  ): Promise<v.InferOutput<typeof psSchema>['models'][number] | null> {
    const { models } = await askJson(required(), '/api/ps', null, psSchema, signal);
    return models.find(({ name }) => isSame(name, ref)) ?? null;
  }

  return {
    kind: 'ollama',
    name: NAME,

    async detect(signal) {
      const server = ports.server();
      if (server === null) return { kind: 'not-found', ...(ports.unusable() ?? NOWHERE) };
      try {
        const soon = within(signal, ANSWER_WITHIN_MS);
        const { version } = await askJson(server, '/api/version', null, versionSchema, soon);
        return { kind: 'found', version, at: server.base, reach: server.reach };
      } catch (error) {
        const start = ports.isInstalled()
          ? 'Open Ollama.'
          : 'Install Ollama from ollama.com, or switch it off under “Other engines”.';
        return { kind: 'not-found', ...notFound(error, NAME, server, start) };
      }
    },

    async models(signal) {
      const server = ports.server();
      if (server === null) return [];
      const { host, reach } = server;
      const away = reach === 'this-computer' ? {} : { host };
      const soon = within(signal, ANSWER_WITHIN_MS);
      try {
        const { models } = await askJson(server, '/api/tags', null, tagsSchema, soon);
        const found: OutsideModel[] = [];
        for (const { name, size, digest } of models) {
          const about = await details(name, digest, soon).catch(() => null);
          // Embeddings cannot chat.
          if (about !== null && !about.capabilities.includes('completion')) continue;
          found.push({
            id: outsideId('ollama', name),
            engine: 'ollama',
            ref: name,
            name,
            sizeBytes: size,
            weightsBytes: size,
            config: about === null ? null : configOf(about.info),
            maxContextTokens: about === null ? null : contextOf(about.info),
            presence: 'here',
            lacks: about?.canPrefill === true ? [] : ALL_ABILITIES,
            ...away,
          });
        }
        if (!found.some(({ ref }) => isSame(ref, OFFERED.ref))) found.push({ ...offered(), ...away });
        return found;
      } catch {
        return [];
      }
    },

    async load(model, { contextTokens }, signal) {
      const body = { model: model.ref, keep_alive: KEEP_ALIVE, options: { num_ctx: contextTokens } };
      try {
        const { done } = await askJson(required(), '/api/generate', body, doneSchema, signal);
        if (!done) throw new EngineError('failed', 'Ollama did not load the model.', 'Look at Ollama, then try again.');
      } catch (error) {
        throw talkFault(error, NAME);
      }
    },

    async unload(model) {
      const signal = AbortSignal.timeout(UNLOADED_WITHIN_MS);
      try {
        await askJson(required(), '/api/generate', { model: model.ref, keep_alive: 0 }, doneSchema, signal);
        // It answers before the memory is back.
        while ((await loaded(model.ref, signal)) !== null) {
          await new Promise<void>((resolve) => void ports.clock.after(UNLOAD_POLL_MS, resolve));
        }
      } catch {
        // Gone, or it will not: nothing of ours is left there either way.
      }
    },

    chat: (model, request, options, signal) => chat(required(), model, request, options, signal),

    // It tokenizes, but lets nobody ask.
    count: () => Promise.resolve(null),

    async footprintBytes(model) {
      if (model.host !== undefined) return 0;
      const measured = await ports.processMemory.ofNamed(['ollama']);
      if (measured !== null) return measured;
      try {
        return (await loaded(model.ref, AbortSignal.timeout(ANSWER_WITHIN_MS)))?.size ?? null;
      } catch {
        return null;
      }
    },

    logTail: () => [],

    async pull(model, onProgress, signal) {
      const reader = new PullReader();
      try {
        for await (const line of askLines(required(), '/api/pull', { model: model.ref, stream: true }, signal)) {
          const progress = reader.read(jsonOrNull(line));
          if (progress !== null) onProgress(progress);
        }
        if (!reader.done) throw new EngineError('disconnected', 'Ollama stopped downloading.', 'Try again.');
      } catch (error) {
        throw talkFault(error, NAME);
      }
    },
  };
}

async function* chat(
  server: Server,
  model: OutsideModel,
  request: GenerationRequest,
  { contextTokens }: LoadOptions,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const { toolChoice, responseFormat, continueFrom } = request;
  refuseUnable(NAME, {
    'going on with an answer that broke off': continueFrom !== undefined && model.lacks.includes('continue'),
    'a bound on thinking': request.thinkingBudgetTokens !== undefined && model.lacks.includes('thinking-limit'),
    'log probabilities': request.topLogprobs !== undefined,
    logit_bias: request.logitBias !== undefined,
    'a forced tool call': toolChoice !== undefined && toolChoice !== 'auto' && toolChoice !== 'none',
    'a given form of the answer': responseFormat !== undefined && !isText(responseFormat),
  });
  const wish = model.lacks.includes('answer-now') ? undefined : request.answerNow;
  const budget = request.thinkingBudgetTokens ?? Infinity;
  const isThinking = continueFrom === undefined || continueFrom.content === '';
  const first = new OllamaAnswer();
  try {
    if (!isThinking || budget > 0) {
      const begun = continueFrom === undefined ? null : ollamaPrefill(continueFrom);
      const isCut = yield* read(first, begun, request.maxTokens, isThinking);
      if (!isCut) return;
    }
    // Ollama cannot be told to stop thinking: it is asked again, with what was thought, for the answer alone.
    const reasoning = (continueFrom?.reasoning ?? '') + first.reasoning;
    const left = Math.max(1, request.maxTokens - first.pieces);
    const begun = ollamaPrefill({ reasoning, content: ANSWER_BEGINS });
    yield* read(new OllamaAnswer(first.pieces), begun, left, false);
  } catch (error) {
    if (signal.aborted) return;
    throw chatFault(error);
  }

  /** True when the thinking is to end here and the answer to begin. */
  async function* read(
    answer: OllamaAnswer,
    begun: object | null,
    maxTokens: number,
    mayBeCut: boolean,
  ): AsyncGenerator<GenerationEvent, boolean> {
    const cut = new AbortController();
    const isCut = (): boolean =>
      mayBeCut && !answer.done && !answer.hasAnswered && (wish?.aborted === true || answer.pieces >= budget);
    const cutNow = (): void => {
      if (isCut()) cut.abort();
    };
    wish?.addEventListener('abort', cutNow);
    const options = { contextTokens, keepAlive: KEEP_ALIVE, maxTokens, begun };
    const body = ollamaChatBody(model.ref, request, options);
    try {
      cutNow();
      for await (const line of askLines(server, '/api/chat', body, AbortSignal.any([signal, cut.signal]))) {
        yield* answer.read(line);
        if (isCut()) return true;
      }
    } catch (error) {
      if (cut.signal.aborted && !signal.aborted) return true;
      throw error;
    } finally {
      wish?.removeEventListener('abort', cutNow);
    }
    if (!answer.done && !signal.aborted) {
      throw new EngineError('disconnected', 'The answer broke off, Ollama gave no reason.', 'Send it again.');
    }
    return false;
  }

  function chatFault(error: unknown): EngineError {
    if (!(error instanceof Refused)) return talkFault(error, NAME);
    // It refuses without numbers: all that is known is that it is more than the context.
    if (/exceeds the context length/.test(error.message)) {
      return new ContextFull({
        promptTokens: contextTokens + 1,
        ceilingTokens: contextTokens,
        mostTokens: model.maxContextTokens,
      });
    }
    if (error.status === 404) {
      return new EngineError('failed', `Ollama no longer has ${model.name}.`, 'Choose another model.');
    }
    return talkFault(error, NAME);
  }
}

/** Something must stand in the answer for the template to open it; a line end is seen by nobody. */
const ANSWER_BEGINS = '\n';

const isText = (format: unknown): boolean =>
  typeof format === 'object' && format !== null && 'type' in format && format.type === 'text';

const offered = (): OutsideModel => ({
  id: outsideId('ollama', OFFERED.ref),
  engine: 'ollama',
  ref: OFFERED.ref,
  name: OFFERED.ref,
  sizeBytes: OFFERED.sizeBytes,
  weightsBytes: OFFERED.sizeBytes,
  config: gptOss20b(),
  maxContextTokens: OFFERED.maxContextTokens,
  presence: 'fetchable',
  lacks: [],
});

/** `gpt-oss` and `gpt-oss:latest` are one. */
const isSame = (a: string, b: string): boolean => withTag(a) === withTag(b);
const withTag = (name: string): string => (name.includes(':') ? name : `${name}:latest`);

const within = (signal: AbortSignal, ms: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ms)]);
