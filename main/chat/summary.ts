/** The oldest part of a conversation in few words, written by the model, so that the rest has room. */
import type { EngineMessage } from '../engine/engine.ts';
import { leastEnough } from './context-meter.ts';

export const SUMMARY_TOKENS = 400;
export const SUMMARY_THINKING_TOKENS = 200;

const INSTRUCTION =
  'You summarise the beginning of a conversation, so that it can go on without it. Keep names, numbers, decisions, ' +
  'open questions and what the user wants. At most 200 words, in the language of the conversation. Only the summary.';

export interface SummaryPorts {
  /** Prompt tokens of a question to the model. Null when nobody can count. */
  count(messages: readonly EngineMessage[]): Promise<number | null>;
  ask(messages: readonly EngineMessage[]): Promise<string>;
  /** Most tokens a question may have. */
  readonly limitTokens: number;
}

const question = (summary: string, said: readonly EngineMessage[]): EngineMessage[] => {
  const earlier = summary === '' ? '' : `What was said before, in short:\n${summary}\n\n`;
  const transcript = said.map(({ role, content }) => `${role === 'user' ? 'User' : 'Answer'}: ${content ?? ''}`);
  return [
    { role: 'system', content: INSTRUCTION },
    { role: 'user', content: `${earlier}${transcript.join('\n\n')}\n\nSummary:` },
  ];
};

/**
 * Summarises `said`, in as many steps as the context needs: each takes what fits and the summary so far. Null when a
 * single message does not fit, or nobody can count.
 */
export async function summarise(
  said: readonly EngineMessage[],
  earlier: string,
  { count, ask, limitTokens }: SummaryPorts,
): Promise<string | null> {
  let summary = earlier;
  let from = 0;
  while (from < said.length) {
    const counts = said.slice(from).map((_, index) => index + 1);
    // Rising in what is left out: the first that fits takes the most messages.
    const leftOut = await leastEnough(
      counts.map((each) => each - 1),
      async (left) => {
        const tokens = await count(question(summary, said.slice(from, said.length - left)));
        return tokens !== null && tokens + SUMMARY_TOKENS + SUMMARY_THINKING_TOKENS <= limitTokens;
      },
    );
    if (leftOut === null) return null;
    summary = await ask(question(summary, said.slice(from, said.length - leftOut)));
    if (summary === '') return null;
    from = said.length - leftOut;
  }
  return summary;
}
