/** How an answer grows: a pure fold of the engine's events. */
import type { AnswerStatus, AnswerUsage, AssistantMessage } from '../../preload/contract.ts';
import type { GenerationEvent } from '../engine/engine.ts';
import type { AnswerText } from './store.ts';

/**
 * ```
 *  queued ─► loading ─► prefill ─► thinking ⇄ answering ─► complete | length
 *     └──────────┴─────────┴──────────┴───────────┴──────► stopped | interrupted | paused | failed   (see ended())
 * ```
 */
export interface Answer extends AnswerText {
  readonly status: AnswerStatus;
  readonly sentAtMs: number;
  readonly firstTokenAtMs: number | null;
  readonly thinkingSinceMs: number | null;
  /** How long it had thought before it broke off, when it goes on. */
  readonly earlierThoughtMs: number;
  readonly generatedTokens: number;
  readonly reasoningTokens: number;
  readonly usage: AnswerUsage | null;
}

export const newAnswer = (sentAtMs: number): Answer => ({
  text: '',
  reasoning: '',
  reasoningMs: null,
  status: { kind: 'queued' },
  sentAtMs,
  firstTokenAtMs: null,
  thinkingSinceMs: null,
  earlierThoughtMs: 0,
  generatedTokens: 0,
  reasoningTokens: 0,
  usage: null,
});

/** The answer of a message that begins or goes on: what it has stays, counts and times begin anew. */
export const resumedAnswer = (message: AssistantMessage, nowMs: number): Answer => ({
  ...newAnswer(nowMs),
  text: message.text,
  reasoning: message.reasoning,
  // Once it answers, the time of thinking is over; before, it goes on being counted.
  reasoningMs: message.text === '' ? null : message.reasoningMs,
  earlierThoughtMs: message.reasoningMs ?? 0,
});

export function grow(answer: Answer, event: GenerationEvent, nowMs: number): Answer {
  switch (event.kind) {
    case 'waiting':
      return { ...answer, status: event.for === 'engine' ? { kind: 'loading' } : { kind: 'queued' } };
    case 'prefill':
      return {
        ...answer,
        status: { kind: 'prefill', doneTokens: event.doneTokens, totalTokens: event.totalTokens },
      };
    case 'reasoning':
      return {
        ...withToken(answer, nowMs),
        reasoning: answer.reasoning + event.text,
        reasoningTokens: answer.reasoningTokens + 1,
        thinkingSinceMs: answer.thinkingSinceMs ?? nowMs,
        status: { kind: 'thinking' },
      };
    // A commentary preamble is written for the user, before a tool call: it is part of the answer.
    case 'commentary':
    case 'content':
      return {
        ...thoughtUntil(withToken(answer, nowMs), nowMs),
        text: answer.text + event.text,
        status: { kind: 'answering' },
      };
    // The window offers the model no tools, so a call is the model's mistake; the answer ends without it.
    case 'tool-call':
      return thoughtUntil(withToken(answer, nowMs), nowMs);
    case 'finish': {
      const { usage } = event;
      return {
        ...thoughtUntil(answer, nowMs),
        generatedTokens: usage.completionTokens,
        reasoningTokens: usage.reasoningTokens,
        status:
          event.reason === 'length' ? { kind: 'length', where: event.lengthIn ?? 'answer' } : { kind: 'complete' },
        usage: {
          ...usage,
          firstTokenMs: answer.firstTokenAtMs === null ? null : answer.firstTokenAtMs - answer.sentAtMs,
        },
      };
    }
  }
}

/** Ended from outside: stopped, interrupted, paused or failed. The text stays. */
export const ended = (answer: Answer, status: AnswerStatus, nowMs: number): Answer => ({
  ...thoughtUntil(answer, nowMs),
  status,
});

/** The engine sends one event for each token that yields text, so this trails its own count slightly until the end. */
const withToken = (answer: Answer, nowMs: number): Answer => ({
  ...answer,
  firstTokenAtMs: answer.firstTokenAtMs ?? nowMs,
  generatedTokens: answer.generatedTokens + 1,
});

const thoughtUntil = (answer: Answer, nowMs: number): Answer =>
  answer.reasoningMs !== null || (answer.thinkingSinceMs === null && answer.earlierThoughtMs === 0)
    ? answer
    : { ...answer, reasoningMs: answer.earlierThoughtMs + nowMs - (answer.thinkingSinceMs ?? nowMs) };
