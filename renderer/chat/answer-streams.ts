import { isFinal } from '../../preload/answer-status.ts';
import type { AnswerStatus, AssistantMessage, ChatDelta } from '../../preload/contract.ts';

/** An answer as it stands while it is written. */
export interface LiveAnswer {
  readonly text: string;
  readonly reasoning: string;
  readonly status: AnswerStatus;
  readonly generatedTokens: number;
  /** When thinking and answering were first seen here; null when this window was not there to see it. */
  readonly thinkingSinceMs: number | null;
}

interface Entry {
  answer: LiveAnswer;
  /** Deltas that could not be appended because something before them is missing. */
  waiting: ChatDelta[];
}

/** A mirror that never catches up (a fault in main) must not grow without bound. */
const MAX_WAITING = 500;

/**
 * Answers being written, each its own external store: a token wakes the one message it belongs to and nothing else.
 * A delta tells the length it appends to. One that starts later than our text ends means that something was missed: it
 * waits, and `onGap` asks for the conversation again. What is known already is skipped, so a snapshot and the deltas
 * around it may come in any order.
 */
export class AnswerStreams {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #onGap: (conversationId: string) => void;
  readonly #now: () => number;

  constructor(onGap: (conversationId: string) => void, now: () => number = Date.now) {
    this.#onGap = onGap;
    this.#now = now;
  }

  get(messageId: string): LiveAnswer | undefined {
    return this.#entries.get(messageId)?.answer;
  }

  subscribe(messageId: string, listener: () => void): () => void {
    let listeners = this.#listeners.get(messageId);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(messageId, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(messageId) === listeners) this.#listeners.delete(messageId);
    };
  }

  apply(delta: ChatDelta): void {
    let entry = this.#entries.get(delta.messageId);
    if (entry === undefined) {
      entry = {
        answer: { text: '', reasoning: '', status: delta.status, generatedTokens: 0, thinkingSinceMs: null },
        waiting: [],
      };
      this.#entries.set(delta.messageId, entry);
    }
    if (!this.#append(entry, delta)) {
      if (entry.waiting.length < MAX_WAITING) entry.waiting.push(delta);
      this.#onGap(delta.conversationId);
      return;
    }
    this.#wake(delta.messageId);
  }

  /** A message as main has it. A final one ends its stream. */
  settle(message: AssistantMessage): void {
    if (isFinal(message.status)) {
      this.#entries.delete(message.id);
      this.#wake(message.id);
      return;
    }
    const entry = this.#entries.get(message.id);
    const known = entry?.answer;
    const answer: LiveAnswer =
      known !== undefined &&
      known.text.length >= message.text.length &&
      known.reasoning.length >= message.reasoning.length
        ? known
        : {
            text: message.text,
            reasoning: message.reasoning,
            status: message.status,
            generatedTokens: known?.generatedTokens ?? 0,
            thinkingSinceMs: known?.thinkingSinceMs ?? null,
          };
    const next: Entry = { answer, waiting: [] };
    this.#entries.set(message.id, next);
    let missing = false;
    for (const delta of entry?.waiting ?? []) {
      if (!this.#append(next, delta)) {
        missing = true;
        next.waiting.push(delta);
      }
    }
    if (missing) this.#onGap(message.conversationId);
    this.#wake(message.id);
  }

  /** Forgets everything: after a lost connection only a new snapshot counts. */
  clear(): void {
    const ids = [...this.#entries.keys()];
    this.#entries.clear();
    for (const id of ids) this.#wake(id);
  }

  #append(entry: Entry, delta: ChatDelta): boolean {
    const { answer } = entry;
    if (delta.textStart > answer.text.length || delta.reasoningStart > answer.reasoning.length) return false;
    const text = delta.text.slice(answer.text.length - delta.textStart);
    const reasoning = delta.reasoning.slice(answer.reasoning.length - delta.reasoningStart);
    const isNews = delta.generatedTokens >= answer.generatedTokens;
    const startsThinking =
      answer.thinkingSinceMs === null && delta.status.kind === 'thinking' && answer.reasoning === '';
    entry.answer = {
      text: answer.text + text,
      reasoning: answer.reasoning + reasoning,
      status: isNews ? delta.status : answer.status,
      generatedTokens: Math.max(answer.generatedTokens, delta.generatedTokens),
      thinkingSinceMs: startsThinking ? this.#now() : answer.thinkingSinceMs,
    };
    return true;
  }

  #wake(messageId: string): void {
    for (const listener of this.#listeners.get(messageId) ?? []) listener();
  }
}
