/**
 * `POST /v1/completions`, the API before chats. The models here are trained on conversations, so the prompt is asked as a
 * message, as other local servers do; what continues a text word by word (`suffix`, `echo`) is refused by name.
 */
import * as v from 'valibot';
import {
  type AnswerHead,
  type AnswerWriter,
  type Asked,
  type Finish,
  type Frame,
  Gathered,
  type Piece,
  timingsOf,
} from './answer-writer.ts';
import { type ApiFault, errorBody } from './api-fault.ts';
import { usageOf } from './chat-answer.ts';
import {
  DEFAULT_MAX_TOKENS,
  effortField,
  effortOf,
  handlingFields,
  LARGEST_MAX_TOKENS,
  modelName,
  only,
  parsedBody,
  samplingFields,
  samplingOf,
  tokenBound,
} from './request-fields.ts';

const promptText = v.pipe(v.string(), v.minLength(1, 'must have some text'));
const body = v.strictObject({
  model: modelName,
  prompt: v.union(
    [promptText, v.pipe(v.array(promptText), v.length(1))],
    'must be one text: lists and token numbers are not offered',
  ),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(
    v.strictObject({ include_usage: v.nullish(v.boolean(), false), include_obfuscation: v.nullish(v.boolean()) }),
  ),
  max_tokens: tokenBound,
  ...samplingFields,
  reasoning_effort: effortField,
  n: only([1], 'must be 1: one answer at a time'),
  best_of: only([1], 'must be 1: one answer at a time'),
  echo: only([false], 'is not offered'),
  suffix: only([''], 'is not offered: the model cannot fill in the middle'),
  logprobs: v.nullish(v.never('is offered by /v1/chat/completions only')),
  ...handlingFields,
});

/** Throws ApiFault. `date` as YYYY-MM-DD. */
export function parseCompletionRequest(value: unknown, date: string): Asked {
  const asked = parsedBody(body, value);
  const prompt = typeof asked.prompt === 'string' ? asked.prompt : asked.prompt.join('');
  const includeUsage = asked.stream_options?.include_usage ?? false;
  return {
    model: asked.model,
    stream: asked.stream,
    generation: {
      messages: [{ role: 'user', content: prompt }],
      effort: effortOf(asked.reasoning_effort),
      date,
      maxTokens: Math.min(asked.max_tokens ?? DEFAULT_MAX_TOKENS, LARGEST_MAX_TOKENS),
      ...samplingOf(asked),
    },
    writer: (head) => new CompletionAnswer(head, includeUsage),
  };
}

/** Text alone: this API has no place for reasoning. */
class CompletionAnswer implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #includeUsage: boolean;
  readonly #gathered = new Gathered();

  constructor(head: AnswerHead, includeUsage: boolean) {
    this.#head = head;
    this.#includeUsage = includeUsage;
  }

  opening(): readonly Frame[] {
    return [];
  }

  piece(piece: Piece): readonly Frame[] {
    this.#gathered.add(piece);
    return piece.kind === 'text' ? [{ data: this.#body(piece.text, null) }] : [];
  }

  ending(finish: Finish): readonly Frame[] {
    const figures = { usage: usageOf(finish.usage), timings: timingsOf(finish) };
    const last = this.#body('', reasonOf(finish));
    return this.#includeUsage
      ? [{ data: last }, { data: { ...last, choices: [], ...figures } }, { data: '[DONE]' }]
      : [{ data: { ...last, ...figures } }, { data: '[DONE]' }];
  }

  broken(fault: ApiFault): readonly Frame[] {
    return [{ data: errorBody(fault) }];
  }

  whole(finish: Finish): object {
    return {
      ...this.#body(this.#gathered.text, reasonOf(finish)),
      usage: usageOf(finish.usage),
      timings: timingsOf(finish),
    };
  }

  #body(text: string, finishReason: 'stop' | 'length' | null): object {
    return {
      id: `cmpl-${this.#head.id}`,
      object: 'text_completion',
      created: this.#head.createdSeconds,
      model: this.#head.model,
      choices: [{ index: 0, text, logprobs: null, finish_reason: finishReason }],
    };
  }
}

const reasonOf = ({ reason }: Finish): 'stop' | 'length' => (reason === 'length' ? 'length' : 'stop');
