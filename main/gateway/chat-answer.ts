/** The answer as programs read it that speak OpenAI's chat completions. */
import type { GenerationUsage } from '../engine/engine.ts';
import {
  type AnswerHead,
  type AnswerWriter,
  type Finish,
  type Frame,
  Gathered,
  type Logprobs,
  type Piece,
  timingsOf,
} from './answer-writer.ts';
import { type ApiFault, errorBody } from './api-fault.ts';

export class ChatAnswer implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #includeUsage: boolean;
  readonly #gathered = new Gathered();

  /** `includeUsage`: the caller wants the figures in a last chunk of their own. */
  constructor(head: AnswerHead, includeUsage: boolean) {
    this.#head = head;
    this.#includeUsage = includeUsage;
  }

  opening(): readonly Frame[] {
    return [this.#chunk({ role: 'assistant', content: '' })];
  }

  piece(piece: Piece): readonly Frame[] {
    this.#gathered.add(piece);
    switch (piece.kind) {
      case 'reasoning':
        // The same text under both names that programs look for.
        return [this.#chunk({ reasoning: piece.text, reasoning_content: piece.text })];
      case 'text':
        return [this.#chunk({ content: piece.text }, piece.logprobs ?? null)];
      case 'call': {
        const { begins } = piece;
        const call = {
          index: piece.index,
          ...(begins === undefined ? {} : { id: begins.id, type: 'function' }),
          function: { ...(begins === undefined ? {} : { name: begins.name }), arguments: piece.argumentsText },
        };
        return [this.#chunk({ tool_calls: [call] })];
      }
    }
  }

  ending(finish: Finish): readonly Frame[] {
    const figures = { usage: usageOf(finish.usage), timings: timingsOf(finish) };
    const last = {
      ...this.#envelope(),
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: finish.reason }],
    };
    // With stream_options.include_usage every chunk has the field and a last one, without choices, the figures.
    return this.#includeUsage
      ? [
          { data: { ...last, usage: null } },
          { data: { ...this.#envelope(), choices: [], ...figures } },
          { data: '[DONE]' },
        ]
      : [{ data: { ...last, ...figures } }, { data: '[DONE]' }];
  }

  /** No [DONE] after it: the answer is not complete. */
  broken(fault: ApiFault): readonly Frame[] {
    return [{ data: errorBody(fault) }];
  }

  whole(finish: Finish): object {
    const { text, reasoning, calls, logprobs } = this.#gathered;
    return {
      ...this.#envelope('chat.completion'),
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text === '' && calls.length > 0 ? null : text,
            refusal: null,
            ...(reasoning === '' ? {} : { reasoning, reasoning_content: reasoning }),
            ...(calls.length === 0
              ? {}
              : {
                  tool_calls: calls.map(({ id, name, argumentsText }) => ({
                    id,
                    type: 'function',
                    function: { name, arguments: argumentsText },
                  })),
                }),
          },
          logprobs: logprobs.length === 0 ? null : { content: logprobs, refusal: null },
          finish_reason: finish.reason,
        },
      ],
      usage: usageOf(finish.usage),
      timings: timingsOf(finish),
    };
  }

  #chunk(delta: object, logprobs: Logprobs | null = null): Frame {
    return {
      data: {
        ...this.#envelope(),
        choices: [
          {
            index: 0,
            delta,
            logprobs: logprobs === null ? null : { content: logprobs, refusal: null },
            finish_reason: null,
          },
        ],
        ...(this.#includeUsage ? { usage: null } : {}),
      },
    };
  }

  #envelope(object = 'chat.completion.chunk') {
    return {
      id: `chatcmpl-${this.#head.id}`,
      object,
      created: this.#head.createdSeconds,
      model: this.#head.model,
    };
  }
}

export const usageOf = (usage: GenerationUsage) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
});
