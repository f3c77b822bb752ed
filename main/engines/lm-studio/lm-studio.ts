/**
 * LM Studio, by its documented REST API (https://lmstudio.ai/docs/developer/rest): `/api/v1/models` with load and
 * unload since 0.4.0, `/v1/chat/completions` for answers. Its server belongs to the user and is only ever asked.
 */
import * as v from 'valibot';
import { EngineError, type GenerationEvent, type GenerationRequest } from '../../engine/engine.ts';
import { gptOss20b } from '../../models/catalog.ts';
import { OpenAiAnswer, openAiFields } from '../openai-answer.ts';
import { ALL_ABILITIES, type OutsideEngine, type OutsideModel, outsideId } from '../outside-engine.ts';
import type { ProcessMemory } from '../process-memory.ts';
import {
  type EngineServer,
  type Server,
  type Trouble,
  askJson,
  askLines,
  notFound,
  refuseUnable,
  talkFault,
} from '../talk.ts';

export interface LmStudioPorts {
  /** Null where what was named cannot be used; `unusable` says why. */
  readonly server: () => EngineServer | null;
  readonly unusable: () => Trouble | null;
  /** On this computer, although its server may not run. */
  readonly isInstalled: () => boolean;
  readonly processMemory: ProcessMemory;
}

const NAME = 'LM Studio';
const ANSWER_WITHIN_MS = 3_000;
const UNLOADED_WITHIN_MS = 15_000;
const NOWHERE: Trouble = { message: 'LM Studio has no address.', nextStep: 'Write its address in the models’ list.' };

const count = v.optional(v.nullable(v.number()));
const lmStudioModels = v.object({
  models: v.array(
    v.object({
      type: v.string(),
      key: v.string(),
      display_name: v.optional(v.nullable(v.string())),
      architecture: v.optional(v.nullable(v.string())),
      params_string: v.optional(v.nullable(v.string())),
      size_bytes: count,
      max_context_length: count,
      loaded_instances: v.optional(
        v.array(v.object({ id: v.string(), config: v.optional(v.object({ context_length: count })) })),
        [],
      ),
    }),
  ),
});
const loadedSchema = v.object({ instance_id: v.string() });

export function createLmStudio(ports: LmStudioPorts): OutsideEngine {
  /** What was loaded for us: only that is unloaded. */
  const instances = new Map<string, string>();

  const required = (): EngineServer => {
    const server = ports.server();
    if (server !== null) return server;
    const { message, nextStep } = ports.unusable() ?? NOWHERE;
    throw new EngineError('off', message, nextStep);
  };
  const list = (signal: AbortSignal) => askJson(required(), '/api/v1/models', null, lmStudioModels, signal);

  return {
    kind: 'lm-studio',
    name: NAME,

    async detect(signal) {
      const server = ports.server();
      if (server === null) return { kind: 'not-found', ...(ports.unusable() ?? NOWHERE) };
      try {
        await list(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]));
        return { kind: 'found', version: null, at: server.base, reach: server.reach };
      } catch (error) {
        const start = ports.isInstalled()
          ? 'Switch its server on: in LM Studio under Developer, or with lms server start.'
          : 'Install LM Studio from lmstudio.ai, or switch it off under “Other engines”.';
        return { kind: 'not-found', ...notFound(error, NAME, server, start) };
      }
    },

    async models(signal) {
      try {
        const { models } = await list(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]));
        const { host, reach } = required();
        const away = reach === 'this-computer' ? {} : { host };
        return models.filter(({ type }) => type === 'llm').map((found) => ({ ...toModel(found), ...away }));
      } catch {
        return [];
      }
    },

    async load(model, { contextTokens }, signal) {
      try {
        const { models } = await list(signal);
        const there = models.find(({ key }) => key === model.ref)?.loaded_instances ?? [];
        // One that is large enough already is shared; a second copy would not fit beside it.
        const enough = there.find(({ config }) => (config?.context_length ?? 0) >= contextTokens);
        if (enough !== undefined) {
          instances.set(model.ref, enough.id);
          return;
        }
        const body = { model: model.ref, context_length: contextTokens };
        const { instance_id: id } = await askJson(required(), '/api/v1/models/load', body, loadedSchema, signal);
        instances.set(model.ref, id);
      } catch (error) {
        throw talkFault(error, NAME);
      }
    },

    async unload(model) {
      const id = instances.get(model.ref);
      instances.delete(model.ref);
      if (id === undefined) return;
      const signal = AbortSignal.timeout(UNLOADED_WITHIN_MS);
      await askJson(required(), '/api/v1/models/unload', { instance_id: id }, loadedSchema, signal).catch(() => null);
    },

    chat: (model, request, _options, signal) =>
      chat(required(), instances.get(model.ref) ?? model.ref, request, signal),

    count: () => Promise.resolve(null),

    footprintBytes: ({ host }) =>
      host === undefined ? ports.processMemory.ofNamed(['LM Studio', 'lms', 'llmster']) : Promise.resolve(0),

    logTail: () => [],
  };
}

const toModel = (found: v.InferOutput<typeof lmStudioModels>['models'][number]): OutsideModel => ({
  id: outsideId('lm-studio', found.key),
  engine: 'lm-studio',
  ref: found.key,
  name: found.display_name ?? found.key,
  sizeBytes: found.size_bytes ?? null,
  weightsBytes: found.size_bytes ?? null,
  // It names an architecture, but none of its sizes; the recipe's model has those that everybody knows.
  config: /^gpt[-_]oss$/.test(found.architecture ?? '') && found.params_string === '20B' ? gptOss20b() : null,
  maxContextTokens: found.max_context_length ?? null,
  presence: 'here',
  // Its API goes on with nothing, and ends no thinking.
  lacks: ALL_ABILITIES,
});

const lmStudioChatBody = (ref: string, request: GenerationRequest): object => ({
  ...openAiFields(request),
  model: ref,
  reasoning_effort: request.effort,
});

async function* chat(
  server: Server,
  ref: string,
  request: GenerationRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const { toolChoice } = request;
  refuseUnable(NAME, {
    'going on with an answer that broke off': request.continueFrom !== undefined,
    'a bound on thinking': request.thinkingBudgetTokens !== undefined,
    'log probabilities': request.topLogprobs !== undefined,
    min_p: request.minP !== undefined,
    'a tool named in advance': typeof toolChoice === 'object' && toolChoice !== null,
  });
  const answer = new OpenAiAnswer();
  try {
    for await (const line of askLines(server, '/v1/chat/completions', lmStudioChatBody(ref, request), signal)) {
      yield* answer.read(line);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw talkFault(error, NAME);
  }
  if (!answer.done && !signal.aborted) {
    throw new EngineError('disconnected', 'The answer broke off, LM Studio gave no reason.', 'Send it again.');
  }
}
