/**
 * Turns a growing answer into at most one delta each `intervalMs`. Painting 20–30 times a second costs the window a
 * third of what painting every token does, and nobody reads faster.
 */
import type { AnswerStatus, ChatDelta } from '../../preload/contract.ts';
import type { Answer } from './answer.ts';

const DELTA_INTERVAL_MS = 40;

export interface Timers {
  /** Runs `work` once after `delayMs`; returns the cancel function. */
  after(delayMs: number, work: () => void): () => void;
}

const realTimers: Timers = {
  after(delayMs, work) {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface DeltaCoalescer {
  update(answer: Answer): void;
  /** Sends what is pending now and stops the timer. */
  flush(): void;
}

export function createDeltaCoalescer(
  ids: { conversationId: string; messageId: string },
  publish: (delta: ChatDelta) => void,
  /** What the windows have already of an answer that goes on. */
  start: { readonly text: string; readonly reasoning: string } = { text: '', reasoning: '' },
  timers: Timers = realTimers,
): DeltaCoalescer {
  let latest: Answer | null = null;
  let sentText = start.text.length;
  let sentReasoning = start.reasoning.length;
  let sentStatus: AnswerStatus | null = null;
  let cancelTimer: (() => void) | null = null;

  const send = (): void => {
    cancelTimer?.();
    cancelTimer = null;
    if (latest === null) return;
    const { text, reasoning, status, generatedTokens, reasoningTokens } = latest;
    if (text.length === sentText && reasoning.length === sentReasoning && status === sentStatus) return;
    publish({
      ...ids,
      textStart: sentText,
      text: text.slice(sentText),
      reasoningStart: sentReasoning,
      reasoning: reasoning.slice(sentReasoning),
      status,
      generatedTokens,
      reasoningTokens,
    });
    sentText = text.length;
    sentReasoning = reasoning.length;
    sentStatus = status;
  };

  return {
    update(answer) {
      const first = sentStatus === null || sentStatus.kind !== answer.status.kind;
      latest = answer;
      // A change of phase shows at once; the first token is what the user waits for.
      if (first) send();
      else cancelTimer ??= timers.after(DELTA_INTERVAL_MS, send);
    },
    flush: send,
  };
}
