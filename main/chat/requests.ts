/** From what is stored of a conversation to what the engine is asked. */
import type { ConversationSettings, Effort, Message, ModelInfo } from '../../preload/contract.ts';
import type { EngineMessage, GenerationRequest } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { localDate } from '../local-date.ts';
import { type AttachedText, promptOf } from './prompt.ts';
import type { ConversationStore, StoredConversation } from './store.ts';

/** What is being written and not stored yet. */
export interface DraftText {
  readonly text: string;
  readonly attached: readonly AttachedText[];
}

type Told = Pick<StoredConversation, 'messages' | 'settings' | 'cut'>;

export interface RequestPorts {
  readonly store: ConversationStore;
  /** Sampling of the current model. */
  sampling(): Pick<GenerationRequest, 'maxTokens' | 'temperature' | 'topP'>;
  /** The chosen model; null without one. */
  model(): Pick<ModelInfo, 'lacks'> | null;
  /** The user's ceiling for a context, at most what the model was made for. Null without a model. */
  limitTokens(): number | null;
  nowMs(): number;
}

export interface Requests {
  /** Throws AppFault when one is not there. */
  attachedBy(ids: readonly string[]): AttachedText[];
  attachedTo(messageId: string): AttachedText[];
  /** The path up to `untilId` (undefined: all of it, null: nothing), with a draft at its end. */
  messagesFor(conversation: Told, untilId: string | null | undefined, draft: DraftText | null): EngineMessage[];
  dateOf(conversationId: string | null): string;
  /** The ceiling of this conversation. */
  limitOf(settings: ConversationSettings): number | null;
  /** `room`: the tokens left for an answer, null where nobody could count. */
  requestFor(
    conversation: Pick<StoredConversation, 'id' | 'settings'>,
    messages: readonly EngineMessage[],
    effort: Effort,
    room: number | null,
  ): GenerationRequest;
}

/** Stands for a message that is not stored yet; no id looks like this. */
const DRAFT_ID = 'draft';

const draftMessage = ({ text }: DraftText): Message => ({
  role: 'user',
  id: DRAFT_ID,
  conversationId: '',
  parentId: null,
  createdAtMs: 0,
  text,
  attachments: [],
});

export function createRequests({ store, sampling, model: chosen, limitTokens, nowMs }: RequestPorts): Requests {
  const attachedTo = (messageId: string): AttachedText[] => store.attachments.ofMessage(messageId);
  const dateOf = (conversationId: string | null): string =>
    (conversationId === null ? null : store.toldDate(conversationId)) ?? localDate(nowMs());

  return {
    attachedTo,
    dateOf,

    attachedBy(ids) {
      const found = store.attachments.get(ids);
      if (found === null) throw new AppFault('not-found', 'An attachment is no longer there.', 'Attach it again.');
      return found.map(({ id, name, language }) => ({ name, language, text: store.attachments.text(id) ?? '' }));
    },

    messagesFor({ messages, settings, cut }, untilId, draft) {
      const end = untilId === undefined ? messages.length : messages.findIndex(({ id }) => id === untilId) + 1;
      const stored = messages.slice(0, end);
      const isCutHere = cut !== null && stored.some(({ id }) => id === cut.afterMessageId);
      return promptOf({
        path: draft === null ? stored : [...stored, draftMessage(draft)],
        systemText: settings.systemText,
        cut: isCutHere ? cut : null,
        attached: (id) => (id === DRAFT_ID ? (draft?.attached ?? []) : attachedTo(id)),
      });
    },

    limitOf(settings) {
      const limit = limitTokens();
      return limit === null ? null : Math.min(limit, settings.contextTokens ?? limit);
    },

    requestFor({ id, settings }, messages, effort, room) {
      const model = sampling();
      return {
        ...model,
        ...(settings.temperature === null ? {} : { temperature: settings.temperature }),
        ...(settings.topP === null ? {} : { topP: settings.topP }),
        ...(settings.topK === null ? {} : { topK: settings.topK }),
        ...(settings.minP === null ? {} : { minP: settings.minP }),
        // Set for an engine that keeps it; with another one the window says that it does not hold.
        ...(settings.thinkingTokens === null || chosen()?.lacks?.includes('thinking-limit') === true
          ? {}
          : { thinkingBudgetTokens: settings.thinkingTokens }),
        maxTokens: Math.min(model.maxTokens, settings.maxAnswerTokens ?? Infinity, room ?? Infinity),
        messages,
        effort,
        date: dateOf(id),
        cacheKey: id,
      };
    },
  };
}
