import type { AnswerStatus, AnswerUsage, EngineState } from '../../preload/contract.ts';
import { bytesOf, count, seconds } from '../ui/numbers.ts';

/** A wait, in words, with how far it is when that is known. */
export interface Wait {
  readonly words: string;
  readonly progress: { readonly done: number; readonly total: number } | null;
}

/** What an answer that has no text yet is waiting for; null once the model writes or the answer is final. */
export function waitOf(status: AnswerStatus, engine: EngineState): Wait | null {
  switch (status.kind) {
    case 'queued':
      return { words: 'Waiting for the answer before it', progress: null };
    case 'loading':
      return engine.kind === 'loading' && engine.totalBytes > 0
        ? {
            words: `Loading the model, ${bytesOf(engine.loadedBytes, engine.totalBytes)}`,
            progress: { done: engine.loadedBytes, total: engine.totalBytes },
          }
        : { words: 'Starting the model', progress: null };
    case 'prefill':
      return status.totalTokens > 0
        ? {
            words: `Reading, ${count(status.doneTokens)} of ${count(status.totalTokens)} tokens`,
            progress: { done: status.doneTokens, total: status.totalTokens },
          }
        : { words: 'Reading', progress: null };
    default:
      return null;
  }
}

/** What to say under an answer that did not simply finish. */
export function endOf(status: AnswerStatus): { readonly title: string; readonly detail: string | null } | null {
  switch (status.kind) {
    case 'stopped':
      return { title: 'Stopped', detail: null };
    case 'interrupted':
      return {
        title: 'Interrupted',
        detail:
          status.because ?? 'Headroom or the model ended before the answer was finished. What had arrived was kept.',
      };
    case 'length':
      return status.where === 'reasoning'
        ? {
            title: 'Ended while thinking',
            detail: 'The answer’s length limit was used up by thinking. A lower effort leaves more for the answer.',
          }
        : { title: 'Cut at the length limit', detail: 'Ask it to continue to get the rest.' };
    case 'paused':
      return {
        title: 'Paused',
        detail:
          status.because === 'repeating'
            ? 'The model seems to repeat itself. Go on, or leave it at that?'
            : `This has become very long${status.where === 'reasoning' ? ', and the model still thinks' : ''}. Go on, or leave it at that?`,
      };
    case 'failed':
      return { title: status.error.message, detail: status.error.nextStep };
    default:
      return null;
  }
}

export function reasoningWords(running: boolean, milliseconds: number | null, tokens: number | null = null): string {
  if (running) return milliseconds === null || milliseconds < 1_000 ? 'Thinking' : `Thinking, ${seconds(milliseconds)}`;
  const cost = tokens === null || tokens === 0 ? '' : `, ${count(tokens)} ${tokens === 1 ? 'token' : 'tokens'}`;
  if (milliseconds === null) return `Thoughts${cost}`;
  return `${milliseconds < 1_000 ? 'Thought briefly' : `Thought for ${seconds(milliseconds)}`}${cost}`;
}

/** The last line the model has thought, for the folded preview. */
export function lastLine(reasoning: string): string {
  const end = reasoning.trimEnd();
  const line = end.slice(end.lastIndexOf('\n') + 1).trim();
  // The end of a long line is the news; the column shows some 55 characters.
  return line.length > 160 ? line.slice(-160) : line;
}

/** "42 tok/s · 311 tokens · 1,840 of 1,912 tokens from cache", leaving out what is not known. */
export function metaWords(usage: AnswerUsage): string {
  const parts: string[] = [];
  const rate = usage.decodeTokensPerSecond;
  if (rate !== null) parts.push(`${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))} tok/s`);
  parts.push(usage.completionTokens === 1 ? '1 token' : `${count(usage.completionTokens)} tokens`);
  if (usage.cachedTokens > 0)
    parts.push(`${count(usage.cachedTokens)} of ${count(usage.promptTokens)} tokens from cache`);
  return parts.join(' · ');
}

/** What a screen reader hears once when an answer is final. */
export function announcement(status: AnswerStatus, text: string): string {
  const end = endOf(status);
  // Long answers are read from the page, not from one announcement that cannot be paused.
  const plain = text.length > 600 ? `${text.slice(0, 600)}… The answer goes on.` : text;
  return end === null
    ? plain
    : [plain, end.title, end.detail].filter((part) => part !== null && part !== '').join('. ');
}
