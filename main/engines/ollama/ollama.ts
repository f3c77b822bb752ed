/** Ollama, by its own API: https://docs.ollama.com/api. Its server belongs to the user and is only ever asked. */
import * as v from 'valibot';
import type { Clock } from '../../engine/clock.ts';
import { ContextFull, EngineError, type GenerationEvent, type GenerationRequest } from '../../engine/engine.ts';
import { gptOss20b } from '../../models/catalog.ts';
import { type LoadOptions, type OutsideEngine, type OutsideModel, outsideId } from '../outside-engine.ts';
import type { ProcessMemory } from '../process-memory.ts';
import { Refused, type Server, askJson, askLines, jsonOrNull, refuseUnable, talkFault } from '../talk.ts';
import { OllamaAnswer, ollamaChatBody } from './ollama-answer.ts';
import { type OllamaDetails, configOf, contextOf } from './ollama-details.ts';
import { PullReader } from './ollama-pull.ts';

export interface OllamaPorts {
  /** `http://127.0.0.1:11434`; null where OLLAMA_HOST names another machine. */
  readonly address: string | null;
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
const doneSchema = v.object({ done: v.boolean() });

export function createOllama(ports: OllamaPorts): OutsideEngine {
  const server: Server | null = ports.address === null ? null : { base: ports.address };
  /** What a model is does not change while its digest stays. */
  const shown = new Map<string, OllamaDetails>();

  const required = (): Server => {
    if (server !== null) return server;
    throw new EngineError('off', 'Ollama runs on another machine.', 'Set OLLAMA_HOST to this one.');
  };

  async function details(ref: string, digest: string, signal: AbortSignal): Promise<OllamaDetails> {
    const known = shown.get(`${ref} ${digest}`);
    if (known !== undefined) return known;
    const { capabilities, model_info: info } = await askJson(
      required(),
      '/api/show',
      { model: ref },
      showSchema,
      signal,
    );
    const found = { capabilities: capabilities ?? ['completion'], info: info ?? {} };
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
      if (server === null) return null;
      try {
        const { version } = await askJson(
          server,
          '/api/version',
          null,
          versionSchema,
          within(signal, ANSWER_WITHIN_MS),
        );
        return { version, at: server.base };
      } catch {
        return null;
      }
    },

    async models(signal) {
      if (server === null) return [];
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
          });
        }
        if (!found.some(({ ref }) => isSame(ref, OFFERED.ref))) found.push(offered());
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
  const { toolChoice, responseFormat } = request;
  refuseUnable(NAME, {
    'going on with an answer that broke off': request.continueFrom !== undefined,
    'a bound on thinking': request.thinkingBudgetTokens !== undefined,
    'log probabilities': request.topLogprobs !== undefined,
    logit_bias: request.logitBias !== undefined,
    'a forced tool call': toolChoice !== undefined && toolChoice !== 'auto' && toolChoice !== 'none',
    'a given form of the answer': responseFormat !== undefined && !isText(responseFormat),
  });
  const answer = new OllamaAnswer();
  const body = ollamaChatBody(model.ref, request, { contextTokens, keepAlive: KEEP_ALIVE });
  try {
    for await (const line of askLines(server, '/api/chat', body, signal)) yield* answer.read(line);
  } catch (error) {
    if (signal.aborted) return;
    throw chatFault(error);
  }
  if (!answer.done && !signal.aborted) {
    throw new EngineError('disconnected', 'The answer broke off, Ollama gave no reason.', 'Send it again.');
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
});

/** `gpt-oss` and `gpt-oss:latest` are one. */
const isSame = (a: string, b: string): boolean => withTag(a) === withTag(b);
const withTag = (name: string): string => (name.includes(':') ? name : `${name}:latest`);

const within = (signal: AbortSignal, ms: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ms)]);
