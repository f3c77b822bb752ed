/** What one API makes of an answer: pieces for a stream, or the whole. Each API has its own, all read the same events. */
import type { GenerationEvent, GenerationRequest, GenerationUsage } from '../engine/engine.ts';
import type { ApiFault } from './api-fault.ts';

/** One server-sent event. */
export interface Frame {
  readonly event?: string;
  readonly data: object | '[DONE]';
}

/** Where the time went, milliseconds; null for what did not happen. */
export interface AnswerTimings {
  /** Behind other requests. */
  readonly queueMs: number;
  /** While the model was loaded. */
  readonly loadMs: number;
  readonly prefillMs: number | null;
  /** From the request to its first token. */
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
}

export interface Finish {
  readonly reason: 'stop' | 'length' | 'tool_calls';
  /** The stop text that ended it; null for none, and where the engine does not tell. */
  readonly stopSequence: string | null;
  readonly usage: GenerationUsage;
  readonly timings: AnswerTimings;
}

export interface AnswerHead {
  /** Unique, without a prefix. */
  readonly id: string;
  readonly createdSeconds: number;
  /** The name of the model that answers. */
  readonly model: string;
}

/** Stateful: one answer, in this order. */
export interface AnswerWriter {
  /** Before the first piece. `readTokens`: of the prompt, as far as the engine has told by then; none were cached. */
  opening(readTokens: number): readonly Frame[];
  piece(piece: Piece): readonly Frame[];
  ending(finish: Finish): readonly Frame[];
  /** In the place of what is missing, once the stream is open. */
  broken(fault: ApiFault): readonly Frame[];
  /** Instead of a stream, after all pieces. */
  whole(finish: Finish): object;
}

/** A request as every API comes to it. */
export interface Asked {
  /** The model's name as the caller wrote it. */
  readonly model: string;
  readonly stream: boolean;
  readonly generation: GenerationRequest;
  /** Tools that were offered and cannot be had here, as the caller calls them. */
  readonly leftOut?: readonly string[];
  writer(head: AnswerHead): AnswerWriter;
}

type ContentEvent = Extract<GenerationEvent, { kind: 'content' }>;
export type Logprobs = NonNullable<ContentEvent['logprobs']>;

export type Piece =
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string; readonly logprobs?: Logprobs }
  | {
      readonly kind: 'call';
      readonly index: number;
      /** Set on the first piece of a call. */
      readonly begins?: { readonly id: string; readonly name: string };
      readonly argumentsText: string;
    };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
}

/**
 * The engine's events as pieces. Commentary is what the model says to the user before it calls a tool. The protocols have
 * no place of their own for it; it is meant to be shown, so it becomes text, an empty line apart from the answer.
 */
export class Pieces {
  #voice: 'silent' | 'commentary' | 'content' = 'silent';

  /** Null for what is no part of the answer. */
  of(event: GenerationEvent): Piece | null {
    switch (event.kind) {
      case 'reasoning':
        return { kind: 'reasoning', text: event.text };
      case 'commentary':
      case 'content': {
        const gap = this.#voice !== 'silent' && this.#voice !== event.kind ? '\n\n' : '';
        this.#voice = event.kind;
        const logprobs = event.kind === 'content' ? event.logprobs : undefined;
        return { kind: 'text', text: gap + event.text, ...(logprobs === undefined ? {} : { logprobs }) };
      }
      case 'tool-call':
        return {
          kind: 'call',
          index: event.index,
          ...(event.id === undefined ? {} : { begins: { id: event.id, name: event.name ?? '' } }),
          argumentsText: event.argumentsText,
        };
      case 'waiting':
      case 'prefill':
      case 'finish':
        return null;
    }
  }
}

/** The pieces put together. */
export class Gathered {
  reasoning = '';
  text = '';
  logprobs: Logprobs[number][] = [];
  #calls = new Map<number, ToolCall>();

  add(piece: Piece): void {
    switch (piece.kind) {
      case 'reasoning':
        this.reasoning += piece.text;
        return;
      case 'text':
        this.text += piece.text;
        if (piece.logprobs !== undefined) this.logprobs.push(...piece.logprobs);
        return;
      case 'call': {
        const known = this.#calls.get(piece.index) ?? { id: '', name: '', argumentsText: '' };
        this.#calls.set(piece.index, {
          id: piece.begins?.id ?? known.id,
          name: piece.begins?.name ?? known.name,
          argumentsText: known.argumentsText + piece.argumentsText,
        });
      }
    }
  }

  get calls(): readonly ToolCall[] {
    return [...this.#calls.entries()].sort(([left], [right]) => left - right).map(([, call]) => call);
  }
}

/** As every API reports them, beside its own usage; the rates are the engine's. */
export const timingsOf = ({ usage, timings }: Finish): object => ({
  queue_ms: Math.round(timings.queueMs),
  load_ms: Math.round(timings.loadMs),
  prefill_ms: timings.prefillMs === null ? null : Math.round(timings.prefillMs),
  first_token_ms: timings.firstTokenMs === null ? null : Math.round(timings.firstTokenMs),
  total_ms: Math.round(timings.totalMs),
  prefill_tokens_per_second: usage.prefillTokensPerSecond,
  decode_tokens_per_second: usage.decodeTokensPerSecond,
});
