/** An answer in the form of OpenAI's streamed chat completions, as llama.cpp and LM Studio write it. Pure: folds lines. */
import * as v from 'valibot';
import type { GenerationEvent, GenerationRequest, GenerationUsage } from '../engine/engine.ts';
import { jsonOrNull, Refused } from './talk.ts';
import { repeatPenaltyField, samplingFields } from '../engine/sampling-fields.ts';

const text = v.optional(v.nullable(v.string()));
const number = v.optional(v.nullable(v.number()));
const chunkSchema = v.object({
  id: text,
  error: v.optional(v.unknown()),
  choices: v.optional(
    v.array(
      v.object({
        delta: v.optional(
          v.nullable(
            v.object({
              /** llama.cpp's name for it, and LM Studio's for models without harmony. */
              reasoning_content: text,
              /** LM Studio's for gpt-oss. */
              reasoning: text,
              content: text,
              tool_calls: v.optional(
                v.nullable(
                  v.array(
                    v.object({
                      index: v.optional(v.number(), 0),
                      id: text,
                      function: v.optional(v.object({ name: text, arguments: text })),
                    }),
                  ),
                ),
              ),
            }),
          ),
        ),
        finish_reason: text,
      }),
    ),
    [],
  ),
  prompt_progress: v.optional(v.nullable(v.object({ total: v.number(), processed: v.number() }))),
  usage: v.optional(
    v.nullable(
      v.object({
        prompt_tokens: v.number(),
        completion_tokens: v.number(),
        prompt_tokens_details: v.optional(v.nullable(v.object({ cached_tokens: number }))),
        completion_tokens_details: v.optional(v.nullable(v.object({ reasoning_tokens: number }))),
      }),
    ),
  ),
  timings: v.optional(v.nullable(v.object({ prompt_per_second: number, predicted_per_second: number }))),
  /** llama.cpp's, where `verbose` was asked for: there is no other place in which it names the stop text. */
  __verbose: v.optional(v.nullable(v.object({ stopping_word: text }))),
});

export class OpenAiAnswer {
  done = false;
  /** What the server calls it; null before its first word. */
  id: string | null = null;
  #finish: 'stop' | 'length' | 'tool_calls' | null = null;
  #usage: GenerationUsage | null = null;
  #stopSequence: string | null = null;
  #hasAnswered = false;
  /** The share of tokens that were thinking, counted by chunks where the engine does not say. */
  #reasoningChunks = 0;
  #progress = -1;

  /** One line of the stream. Throws Refused where the engine says that it failed. */
  read(line: string): GenerationEvent[] {
    if (this.done || !line.startsWith('data:')) {
      // LM Studio sends its errors as events of their own name, whose data line follows.
      return [];
    }
    const data = line.slice(5).trim();
    if (data === '[DONE]') {
      this.done = true;
      return [this.#end()];
    }
    const value = jsonOrNull(data);
    const chunk = v.parse(chunkSchema, value);
    if (chunk.error !== undefined && chunk.error !== null) throw new Refused(500, value);
    if (value !== null && typeof value === 'object' && 'message' in value && chunk.choices.length === 0) {
      throw new Refused(500, { error: { message: String(value.message) } });
    }
    this.#note(chunk);
    return this.#events(chunk);
  }

  #note({ id, choices, usage, timings, __verbose: more }: v.InferOutput<typeof chunkSchema>): void {
    this.id ??= id ?? null;
    const reason = choices[0]?.finish_reason;
    if (reason === 'length' || reason === 'tool_calls') this.#finish = reason;
    else if (reason !== undefined && reason !== null) this.#finish = 'stop';
    this.#stopSequence = more?.stopping_word || this.#stopSequence;
    if (usage === undefined || usage === null) return;
    this.#usage = {
      promptTokens: usage.prompt_tokens,
      completionTokens: usage.completion_tokens,
      cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      reasoningTokens:
        usage.completion_tokens_details?.reasoning_tokens ?? Math.min(this.#reasoningChunks, usage.completion_tokens),
      prefillTokensPerSecond: timings?.prompt_per_second ?? null,
      decodeTokensPerSecond: timings?.predicted_per_second ?? null,
    };
  }

  #events({ choices, prompt_progress: progress }: v.InferOutput<typeof chunkSchema>): GenerationEvent[] {
    const events: GenerationEvent[] = [];
    if (progress !== undefined && progress !== null && progress.processed > this.#progress) {
      this.#progress = progress.processed;
      events.push({
        kind: 'prefill',
        // What was kept of the prompt is counted in.
        doneTokens: Math.min(progress.total, progress.processed),
        totalTokens: progress.total,
      });
    }
    const delta = choices[0]?.delta;
    if (delta === undefined || delta === null) return events;
    const reasoning = delta.reasoning_content ?? delta.reasoning ?? '';
    if (reasoning !== '') {
      this.#reasoningChunks += 1;
      events.push({ kind: 'reasoning', text: reasoning });
    }
    const content = delta.content ?? '';
    if (content !== '') {
      this.#hasAnswered = true;
      events.push({ kind: 'content', text: content });
    }
    for (const call of delta.tool_calls ?? []) {
      this.#hasAnswered = true;
      events.push({
        kind: 'tool-call',
        index: call.index,
        ...(call.id == null ? {} : { id: call.id }),
        ...(call.function?.name == null ? {} : { name: call.function.name }),
        argumentsText: call.function?.arguments ?? '',
      });
    }
    return events;
  }

  #end(): GenerationEvent {
    const reason = this.#finish ?? 'stop';
    return {
      kind: 'finish',
      reason,
      ...(reason === 'length' ? { lengthIn: this.#hasAnswered ? ('answer' as const) : ('reasoning' as const) } : {}),
      ...(this.#stopSequence === null ? {} : { stopSequence: this.#stopSequence }),
      usage: this.#usage ?? NO_USAGE,
    };
  }
}

const NO_USAGE: GenerationUsage = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: null,
};

/** Messages as these servers take them: thinking of earlier turns goes by the name they read. */
export const openAiMessages = (messages: GenerationRequest['messages']): readonly object[] =>
  messages.map((message) => {
    if (message.role !== 'assistant') return message;
    const { reasoning, ...rest } = message;
    return reasoning === undefined ? rest : { ...rest, reasoning_content: reasoning };
  });

/** What both servers take under the same names. */
export const openAiFields = (request: GenerationRequest): Readonly<Record<string, unknown>> => ({
  messages: openAiMessages(request.messages),
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: request.maxTokens,
  ...samplingFields(request),
  ...repeatPenaltyField(request),
  ...(request.tools === undefined ? {} : { tools: request.tools }),
  ...(request.toolChoice === undefined ? {} : { tool_choice: request.toolChoice }),
  ...(request.responseFormat === undefined ? {} : { response_format: request.responseFormat }),
});
