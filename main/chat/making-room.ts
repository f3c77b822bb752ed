/** A conversation that fills its context: how full it is, and what the user can do. Nothing is cut silently. */
import type { ContextUse, Effort, Message } from '../../preload/contract.ts';
import { ContextFull, type Engine } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { type ContextMeter, leastEnough, type Prompt, reservedTokens } from './context-meter.ts';
import { promptOf } from './prompt.ts';
import type { DraftText, Requests } from './requests.ts';
import { askAside } from './side-request.ts';
import type { ConversationStore, StoredConversation } from './store.ts';
import { SUMMARY_THINKING_TOKENS, SUMMARY_TOKENS, summarise } from './summary.ts';

export interface MakingRoomPorts {
  readonly store: ConversationStore;
  readonly engine: Pick<Engine, 'generate'>;
  readonly meter: ContextMeter;
  readonly requests: Requests;
  /** A summary begins or ends. */
  changed(conversationId: string): void;
}

export interface MakingRoom {
  /**
   * The tokens an answer may have at most; null when nobody can count yet: the ceiling in front of the engine asks
   * again, with the model on. Throws AppFault with the numbers when a prompt leaves no room.
   */
  roomFor(prompt: Prompt, settings: StoredConversation['settings']): Promise<number | null>;
  use(input: {
    conversation: Pick<StoredConversation, 'messages' | 'settings' | 'cut'>;
    untilId: string | null | undefined;
    draft: DraftText;
    effort: Effort;
    date: string;
  }): Promise<ContextUse>;
  /** Leaves out as few of the oldest messages as make room for the draft. Throws AppFault. */
  make(input: {
    conversation: StoredConversation;
    how: 'trim' | 'summarise';
    draft: DraftText | null;
    effort: Effort;
  }): Promise<void>;
  isSummarising(conversationId: string): boolean;
  /** Ends a summary under way. */
  endSummary(conversationId: string): void;
  endAll(): void;
}

/** After a trim this share of the context is free, so that not every message needs another and reads everything anew. */
const FREE_AFTERWARDS = 0.25;

export function createMakingRoom(ports: MakingRoomPorts): MakingRoom {
  const { store, engine, meter, requests } = ports;
  const summarising = new Map<string, AbortController>();

  const summariseUntil = async (conversation: StoredConversation, place: number, limit: number): Promise<void> => {
    const { id, cut, messages } = conversation;
    const afterMessageId = messages[place]?.id;
    if (afterMessageId === undefined) return;
    const abort = new AbortController();
    summarising.set(id, abort);
    ports.changed(id);
    try {
      const date = requests.dateOf(id);
      const said = promptOf({
        path: messages.slice(cut?.messages ?? 0, place + 1),
        systemText: '',
        cut: null,
        attached: (messageId) => requests.attachedTo(messageId),
      });
      const summary = await summarise(said, cut?.kind === 'summarised' ? cut.summary : '', {
        limitTokens: limit,
        count: (asked) => meter.count({ messages: asked, effort: 'low', date }),
        ask: (asked) =>
          askAside(
            engine,
            { messages: asked, date, maxTokens: SUMMARY_TOKENS, thinkingBudgetTokens: SUMMARY_THINKING_TOKENS },
            { signal: abort.signal, priority: 'window' },
          ),
      });
      if (summary === null) {
        throw new AppFault(
          'context-full',
          'The oldest messages could not be summarised with this context.',
          'Leave them out, or raise the context.',
        );
      }
      store.cut(id, { kind: 'summarised', summary, afterMessageId });
    } finally {
      summarising.delete(id);
      ports.changed(id);
    }
  };

  return {
    async roomFor(prompt, settings) {
      const limit = requests.limitOf(settings);
      const tokens = limit === null ? null : await meter.count(prompt);
      if (limit === null || tokens === null) return null;
      if (tokens + reservedTokens(prompt.effort, limit, settings) <= limit) return limit - tokens;
      throw tooLong(tokens, limit, 'Leave out the oldest messages, have them summarised, or raise the context.');
    },

    use({ conversation, untilId, draft, effort, date }) {
      const { messages, settings } = conversation;
      const limitTokens = requests.limitOf(settings) ?? 0;
      const promptWith = (written: DraftText): Prompt => ({
        messages: requests.messagesFor(conversation, untilId, written),
        effort,
        date,
      });
      const last = messages.findLast((message) => message.role === 'assistant' && message.usage !== null);
      const usage = last?.role === 'assistant' ? last.usage : null;
      return meter.use({
        prompt: promptWith(draft),
        empty: promptWith({ text: '', attached: [] }),
        reservedTokens: reservedTokens(effort, limitTokens, settings),
        limitTokens,
        lastUsedTokens: usage === null ? null : usage.promptTokens + usage.completionTokens - usage.reasoningTokens,
      });
    },

    async make({ conversation, how, draft, effort }) {
      const { id, messages, settings } = conversation;
      const limit = requests.limitOf(settings);
      const places = cutPlaces(messages, conversation.cut?.messages ?? 0, draft === null);
      if (limit === null || places.length === 0) {
        throw new AppFault('refused', 'There is nothing that could be left out.', 'Raise the context.');
      }
      const reserved = reservedTokens(effort, limit, settings) + (how === 'summarise' ? SUMMARY_TOKENS : 0);
      let tokens: number | null = null;
      const leaves = (spare: number) => async (place: number) => {
        const cut = { kind: 'trimmed', afterMessageId: messages[place]?.id ?? '', messages: place + 1 } as const;
        const asked = requests.messagesFor({ messages, settings, cut }, undefined, draft);
        tokens = await meter.count({ messages: asked, effort, date: requests.dateOf(id) });
        return tokens !== null && tokens + reserved + spare <= limit;
      };
      const place =
        (await leastEnough(places, leaves(Math.floor(limit * FREE_AFTERWARDS)))) ??
        (await leastEnough(places, leaves(0)));
      const afterMessageId = place === null ? undefined : messages[place]?.id;
      if (place === null || afterMessageId === undefined) {
        if (tokens === null) {
          throw new AppFault('engine-off', 'The model has to be on to count.', 'Turn it on and try again.');
        }
        throw tooLong(tokens, limit, 'Raise the context, or shorten the message.');
      }
      if (how === 'trim') store.cut(id, { kind: 'trimmed', afterMessageId });
      else await summariseUntil(conversation, place, limit);
    },

    isSummarising: (conversationId) => summarising.has(conversationId),
    endSummary: (conversationId) => summarising.get(conversationId)?.abort(),
    endAll() {
      for (const abort of summarising.values()) abort.abort();
    },
  };
}

/**
 * After which messages of the path it may be cut, oldest first: before a user message, behind the cut there is. When
 * nothing is being written, the last question has to stay.
 */
export function cutPlaces(path: readonly Message[], cutAlready: number, keepLastQuestion: boolean): number[] {
  const lastQuestion = path.findLastIndex(({ role }) => role === 'user');
  return path.flatMap((_, index) => {
    const isBeforeQuestion = index + 1 === path.length || path[index + 1]?.role === 'user';
    const isLastQuestionKept = !keepLastQuestion || index < lastQuestion;
    return index >= cutAlready && isBeforeQuestion && isLastQuestionKept ? [index] : [];
  });
}

function tooLong(promptTokens: number, ceilingTokens: number, nextStep: string): AppFault {
  const { message } = new ContextFull({ promptTokens, ceilingTokens, mostTokens: null });
  return new AppFault('context-full', message, nextStep);
}
