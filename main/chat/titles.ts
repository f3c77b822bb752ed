/**
 * Titles by the model, in a quiet moment: nothing else runs, and whatever is sent ends it at once. They leave the prompt
 * cache alone. Where there is none, the first line of the conversation serves.
 */
import type { Engine } from '../engine/engine.ts';
import { askAside } from './side-request.ts';
import type { ConversationStore } from './store.ts';
import { titleFromModel, titleQuestion } from './title.ts';

export interface TitlePorts {
  readonly store: Pick<ConversationStore, 'open' | 'rename' | 'titleBy'>;
  readonly engine: Pick<Engine, 'state' | 'generate'>;
  /** False for a model that has no titles to offer. */
  isWorthAsking(): boolean;
  /** Nothing is being answered or sent. */
  isIdle(): boolean;
  dateOf(conversationId: string): string;
  renamed(conversationId: string): void;
}

export interface Titles {
  /** An answer has ended. */
  whenQuiet(conversationId: string): void;
  /** Something is being sent, or the app ends. */
  giveUp(): void;
}

/** A quiet moment: so long after an answer nothing else was sent. */
const QUIET_MS = 1_500;
const MOST_TOKENS = 120;
const MOST_THINKING_TOKENS = 64;

export function createTitles(ports: TitlePorts): Titles {
  const { store, engine } = ports;
  /** Asked for once, and what came was no title. */
  const untitled = new Set<string>();
  let quiet: { readonly abort: AbortController; readonly timer: NodeJS.Timeout } | null = null;

  const giveUp = (): void => {
    if (quiet === null) return;
    clearTimeout(quiet.timer);
    quiet.abort.abort();
    quiet = null;
  };

  const name = async (conversationId: string, signal: AbortSignal): Promise<void> => {
    if (signal.aborted || engine.state.kind !== 'ready' || !ports.isIdle()) return;
    try {
      const [question, answer] = store.open(conversationId)?.messages ?? [];
      if (question === undefined || answer === undefined) return;
      const said = await askAside(
        engine,
        {
          messages: titleQuestion(question.text, answer.text),
          date: ports.dateOf(conversationId),
          maxTokens: MOST_TOKENS,
          thinkingBudgetTokens: MOST_THINKING_TOKENS,
        },
        { signal, priority: 'api' },
      );
      const title = titleFromModel(said);
      if (title === null) untitled.add(conversationId);
      else if (store.rename(conversationId, title, 'model')) ports.renamed(conversationId);
    } catch {
      // Somebody sent something, or memory is short: the first line serves as well.
    }
  };

  return {
    giveUp,
    whenQuiet(conversationId) {
      giveUp();
      if (untitled.has(conversationId) || store.titleBy(conversationId) !== 'first-line') return;
      if (!ports.isWorthAsking()) return;
      const abort = new AbortController();
      const timer = setTimeout(() => void name(conversationId, abort.signal), QUIET_MS);
      timer.unref();
      quiet = { abort, timer };
    },
  };
}
