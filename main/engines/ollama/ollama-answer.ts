/** Ollama's own chat: a request in its form, and its answer, one JSON object a line, as events. Pure. */
import * as v from 'valibot';
import type { GenerationEvent, GenerationRequest } from '../../engine/engine.ts';
import { Refused, jsonOrNull } from '../talk.ts';
import { repeatPenaltyField, samplingFields } from '../../engine/sampling-fields.ts';

const lineSchema = v.object({
  error: v.optional(v.string()),
  message: v.optional(
    v.object({
      content: v.optional(v.nullable(v.string())),
      thinking: v.optional(v.nullable(v.string())),
      tool_calls: v.optional(
        v.nullable(
          v.array(
            v.object({
              id: v.optional(v.string()),
              function: v.object({
                index: v.optional(v.number()),
                name: v.string(),
                arguments: v.record(v.string(), v.unknown()),
              }),
            }),
          ),
        ),
      ),
    }),
  ),
  done: v.optional(v.boolean(), false),
  done_reason: v.optional(v.string()),
  prompt_eval_count: v.optional(v.number(), 0),
  prompt_eval_duration: v.optional(v.number(), 0),
  eval_count: v.optional(v.number(), 0),
  eval_duration: v.optional(v.number(), 0),
});

export class OllamaAnswer {
  done = false;
  /** What was thought so far. */
  reasoning = '';
  /** Tokens of thinking before this answer was asked for: it was cut there. */
  readonly #thoughtBefore: number;
  #reasoningPieces = 0;
  #answerPieces = 0;
  #calls = 0;

  constructor(thoughtBefore = 0) {
    this.#thoughtBefore = thoughtBefore;
  }

  /** As many as there were tokens: Ollama sends each as it comes. */
  get pieces(): number {
    return this.#reasoningPieces + this.#answerPieces;
  }

  get hasAnswered(): boolean {
    return this.#answerPieces > 0 || this.#calls > 0;
  }

  /** One line. Throws Refused where Ollama says that it failed. */
  read(line: string): GenerationEvent[] {
    if (this.done) return [];
    const parsed = v.parse(lineSchema, jsonOrNull(line));
    if (parsed.error !== undefined) throw new Refused(500, { error: parsed.error });
    const events: GenerationEvent[] = [];
    const { thinking, content, tool_calls: calls } = parsed.message ?? {};
    if (thinking !== undefined && thinking !== null && thinking !== '') {
      this.#reasoningPieces += 1;
      this.reasoning += thinking;
      events.push({ kind: 'reasoning', text: thinking });
    }
    if (content !== undefined && content !== null && content !== '') {
      this.#answerPieces += 1;
      events.push({ kind: 'content', text: content });
    }
    for (const { id, function: called } of calls ?? []) {
      const index = this.#calls;
      this.#calls += 1;
      // Ollama tells a call only when it is whole, and its own ids are often missing.
      events.push({
        kind: 'tool-call',
        index,
        id: id ?? `call_${index}`,
        name: called.name,
        argumentsText: JSON.stringify(called.arguments),
      });
    }
    if (!parsed.done) return events;
    this.done = true;
    const length = parsed.done_reason === 'length';
    events.push({
      kind: 'finish',
      reason: length ? 'length' : this.#calls > 0 ? 'tool_calls' : 'stop',
      ...(length ? { lengthIn: this.hasAnswered ? ('answer' as const) : ('reasoning' as const) } : {}),
      usage: {
        promptTokens: parsed.prompt_eval_count,
        // Ollama counts the whole prompt and does not say what it had kept of it.
        cachedTokens: 0,
        completionTokens: this.#thoughtBefore + parsed.eval_count,
        reasoningTokens: this.#thoughtBefore + Math.min(this.#reasoningPieces, parsed.eval_count),
        prefillTokensPerSecond: rate(parsed.prompt_eval_count, parsed.prompt_eval_duration),
        decodeTokensPerSecond: rate(parsed.eval_count, parsed.eval_duration),
      },
    });
    return events;
  }
}

const rate = (tokens: number, nanoseconds: number): number | null =>
  tokens > 0 && nanoseconds > 0 ? (tokens * 1e9) / nanoseconds : null;

interface ChatOptions {
  readonly contextTokens: number;
  readonly keepAlive: string;
  readonly maxTokens: number;
  /** The answer as far as it has come (`ollamaPrefill`). */
  readonly begun: object | null;
}

/** The last message of a request whose answer has begun: templates that can leave it open go on with it. */
export const ollamaPrefill = ({ reasoning, content }: { readonly reasoning: string; readonly content: string }) => ({
  role: 'assistant',
  content,
  ...(reasoning === '' ? {} : { thinking: reasoning }),
});

/** `POST /api/chat`. Its own cutting of long prompts is switched off: what is too long is refused, never shortened. */
export function ollamaChatBody(ref: string, request: GenerationRequest, options: ChatOptions): object {
  return {
    model: ref,
    stream: true,
    think: request.effort,
    truncate: false,
    shift: false,
    keep_alive: options.keepAlive,
    messages: [...ollamaMessages(request.messages), ...(options.begun === null ? [] : [options.begun])],
    ...(request.tools === undefined || request.toolChoice === 'none' ? {} : { tools: request.tools }),
    options: {
      num_ctx: options.contextTokens,
      num_predict: options.maxTokens,
      ...samplingFields(request),
      ...repeatPenaltyField(request),
    },
  };
}

function ollamaMessages(messages: GenerationRequest['messages']): readonly object[] {
  const names = new Map<string, string>();
  return messages.map((message) => {
    switch (message.role) {
      case 'developer':
      case 'system':
        return { role: 'system', content: message.content };
      case 'user':
        return message;
      case 'assistant': {
        for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name);
        return {
          role: 'assistant',
          content: message.content ?? '',
          ...(message.reasoning === undefined ? {} : { thinking: message.reasoning }),
          ...(message.tool_calls === undefined
            ? {}
            : {
                tool_calls: message.tool_calls.map(({ id, function: called }) => ({
                  id,
                  function: { name: called.name, arguments: argumentsOf(called.arguments) },
                })),
              }),
        };
      }
      case 'tool': {
        const name = message.tool_call_id === undefined ? undefined : names.get(message.tool_call_id);
        return {
          role: 'tool',
          content: message.content,
          ...(name === undefined ? {} : { tool_name: name }),
          ...(message.tool_call_id === undefined ? {} : { tool_call_id: message.tool_call_id }),
        };
      }
    }
  });
}

/** Ollama wants an object; a model may have written anything. */
function argumentsOf(text: string): unknown {
  const value = jsonOrNull(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { value: text };
}
