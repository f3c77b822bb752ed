/** What the engine yields → what a program that speaks OpenAI's protocol reads, in pieces or as a whole. Pure. */
import type { GenerationEvent, GenerationUsage } from '../engine/engine.ts';

export interface AnswerHead {
  /** `chatcmpl-…` */
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
}

interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
}

export interface Delta {
  readonly role?: 'assistant';
  readonly content?: string;
  /** The same text under both names that clients look for. */
  readonly reasoning?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly ToolCallDelta[];
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** Which of the two kinds of text for the user came last: between them goes an empty line. */
export type Voice = 'silent' | 'commentary' | 'content';

/**
 * Commentary is what the model says to the user before it calls a tool. OpenAI's protocol has no place of its own for
 * it; it is meant to be shown, so it becomes content.
 */
export function deltaOf(event: GenerationEvent, voice: Voice): { readonly delta: Delta | null; readonly voice: Voice } {
  switch (event.kind) {
    case 'reasoning':
      return { delta: { reasoning: event.text, reasoning_content: event.text }, voice };
    case 'commentary':
    case 'content': {
      const gap = voice !== 'silent' && voice !== event.kind ? '\n\n' : '';
      return { delta: { content: gap + event.text }, voice: event.kind };
    }
    case 'tool-call': {
      const begins = event.id !== undefined;
      const call: ToolCallDelta = {
        index: event.index,
        ...(begins ? { id: event.id, type: 'function' } : {}),
        function: { ...(event.name === undefined ? {} : { name: event.name }), arguments: event.argumentsText },
      };
      return { delta: { tool_calls: [call] }, voice };
    }
    case 'waiting':
    case 'prefill':
    case 'finish':
      return { delta: null, voice };
  }
}

export function chunkOf(head: AnswerHead, delta: Delta, finishReason: FinishReason | null, withUsage: boolean): object {
  return {
    ...envelope(head, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    // With stream_options.include_usage every chunk has the field and the last one the figures.
    ...(withUsage ? { usage: null } : {}),
  };
}

export const usageChunkOf = (head: AnswerHead, usage: GenerationUsage): object => ({
  ...envelope(head, 'chat.completion.chunk'),
  choices: [],
  usage: usageOf(usage),
});

export function completionOf(
  head: AnswerHead,
  deltas: readonly Delta[],
  finish: Extract<GenerationEvent, { kind: 'finish' }>,
): object {
  const text = (field: 'content' | 'reasoning') => deltas.map((delta) => delta[field] ?? '').join('');
  const calls = joinToolCalls(deltas.flatMap((delta) => delta.tool_calls ?? []));
  const content = text('content');
  const reasoning = text('reasoning');
  return {
    ...envelope(head, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content === '' && calls.length > 0 ? null : content,
          ...(reasoning === '' ? {} : { reasoning, reasoning_content: reasoning }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finish.reason,
      },
    ],
    usage: usageOf(finish.usage),
  };
}

function joinToolCalls(pieces: readonly ToolCallDelta[]) {
  const calls = new Map<number, { id: string; type: 'function'; function: { name: string; arguments: string } }>();
  for (const piece of pieces) {
    const call = calls.get(piece.index) ?? { id: '', type: 'function', function: { name: '', arguments: '' } };
    calls.set(piece.index, call);
    call.id = piece.id ?? call.id;
    call.function.name += piece.function.name ?? '';
    call.function.arguments += piece.function.arguments;
  }
  return [...calls.entries()].sort(([left], [right]) => left - right).map(([, call]) => call);
}

const envelope = (head: AnswerHead, object: string) => ({
  id: head.id,
  object,
  created: head.createdSeconds,
  model: head.model,
});

const usageOf = (usage: GenerationUsage) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
});
