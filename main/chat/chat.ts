/** Conversations in action: a message goes to the store, then to the engine; the answer comes back as deltas. */
import type {
  AnswerStatus,
  AssistantMessage,
  Attachment,
  ContextUse,
  Conversation,
  ConversationSettings,
  ConversationSummary,
  Effort,
  EventEnvelope,
  Message,
  ModelInfo,
  QueuedMessage,
} from '../../preload/contract.ts';
import { isFinal } from '../../preload/answer-status.ts';
import type { Engine, EngineMessage, GenerationRequest } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { localDate } from '../local-date.ts';
import type { Log } from '../log/log.ts';
import { attachmentName, notText } from './attachment-kind.ts';
import { createAnswering } from './answering.ts';
import { createContextMeter } from './context-meter.ts';
import { createMakingRoom } from './making-room.ts';
import { createRequests } from './requests.ts';
import type { ConversationStore, StoredConversation, Turn } from './store.ts';
import { createTitles } from './titles.ts';
import { DEFAULT_CONVERSATION_SETTINGS } from '../../preload/contract.ts';

export interface ChatPorts {
  readonly store: ConversationStore;
  readonly engine: Engine;
  /**
   * Makes sure the engine is on or on its way, with this model where a conversation has its own. Throws AppFault
   * (no-model).
   */
  ensureRunning(modelId: string | null): void;
  /** Throws AppFault when a prompt of this length is not taken now. */
  admitPrompt?(characters: number): void;
  /** The model that would answer. `isToy`: it has no titles or summaries to offer. */
  model(): Pick<ModelInfo, 'name' | 'isToy' | 'lacks'> | null;
  /** Sampling of the current model. */
  sampling(): Pick<GenerationRequest, 'maxTokens' | 'temperature' | 'topP'>;
  /** The user's ceiling for a context, at most what the model was made for. Null without a model. */
  limitTokens(): number | null;
  defaultEffort(): Effort;
  nowMs(): number;
  publish(envelope: EventEnvelope): void;
  readonly log: Log;
}

interface Outgoing {
  readonly text: string;
  readonly effort: Effort;
  readonly attachmentIds?: readonly string[];
}

/** A setting that was left out and one that is undefined are the same. */
type SettingsChange = { readonly [K in keyof ConversationSettings]?: ConversationSettings[K] | undefined };

export interface Chat {
  send(input: Outgoing & { conversationId: string | null; settings?: SettingsChange | undefined }): Promise<Turn>;
  /** Ends an answer; its text stays. `interrupted` is for what the user did not ask for (sleep, quit). */
  stop(messageId: string): void;
  answerNow(messageId: string): void;
  queue(input: Outgoing & { conversationId: string }): Promise<Conversation>;
  unqueue(queuedId: string): QueuedMessage;
  sendQueued(queuedId: string): Promise<Conversation>;
  edit(input: Outgoing & { messageId: string }): Promise<Conversation>;
  regenerate(messageId: string, effort: Effort | null): Promise<Conversation>;
  continue(messageId: string): Promise<Conversation>;
  branch(messageId: string): Conversation;
  open(conversationId: string): Conversation;
  configure(conversationId: string, settings: SettingsChange): Conversation;
  rename(conversationId: string, title: string): ConversationSummary;
  pin(conversationId: string, pinned: boolean): ConversationSummary;
  archive(conversationId: string, archived: boolean): ConversationSummary;
  remove(conversationId: string): Promise<void>;
  takeBack(conversationId: string): ConversationSummary;
  count(input: {
    conversationId: string | null;
    messageId?: string | undefined;
    text: string;
    attachmentIds: readonly string[];
    effort?: Effort | undefined;
    settings?: SettingsChange | undefined;
  }): Promise<ContextUse>;
  /** A file by its name, or pasted text. Throws AppFault when it is not text, or too long for any message. */
  attach(name: string | null, text: string): Promise<Attachment>;
  fit(input: {
    conversationId: string;
    how: 'trim' | 'summarise' | 'everything';
    text: string;
    attachmentIds: readonly string[];
  }): Promise<Conversation>;
  /** Somebody else asks the engine for something: what goes on here without being waited for ends. */
  giveWay(): void;
  isAnswering(): boolean;
  /** Ends every answer with this status and waits until they are stored. */
  endAll(status: Extract<AnswerStatus, { kind: 'stopped' | 'interrupted' }>): Promise<void>;
}

export function createChat(ports: ChatPorts): Chat {
  const { store, engine, publish } = ports;
  const requests = createRequests(ports);
  const { attachedBy, messagesFor, dateOf, requestFor } = requests;
  /** Conversations in which something is being sent: between the question whether it fits and the answer's start. */
  const preparing = new Set<string>();
  let isEnding = false;

  const answering = createAnswering({
    store,
    engine,
    nowMs: ports.nowMs,
    log: ports.log,
    publishDelta: (payload) => publish({ event: 'chat.delta', payload }),
    publishMessage: (payload) => publish({ event: 'chat.message', payload }),
    ended(message, byUser) {
      const { kind } = message.status;
      if (isEnding) return;
      if (kind === 'complete' || kind === 'length' || (kind === 'stopped' && byUser)) {
        if (sendNext(message.conversationId)) return;
      }
      if (kind === 'complete') titles.whenQuiet(message.conversationId);
    },
  });

  const meter = createContextMeter({ engine, modelName: () => ports.model()?.name ?? null });
  const room = createMakingRoom({
    store,
    engine,
    meter,
    requests,
    changed: (conversationId) => {
      if (store.summary(conversationId) !== null) publishChanged(conversationId);
    },
  });

  const titles = createTitles({
    store,
    engine,
    isWorthAsking: () => ports.model()?.isToy === false,
    isIdle: () => answering.count === 0 && preparing.size === 0,
    dateOf,
    renamed(conversationId) {
      publishList();
      publishChanged(conversationId);
    },
  });

  // ── What is shown ──

  const opened = (conversationId: string): StoredConversation => {
    const conversation = store.open(conversationId);
    if (conversation === null) throw notFound();
    return conversation;
  };
  const shown = (conversationId: string): Conversation => {
    const conversation = opened(conversationId);
    return {
      ...conversation,
      messages: conversation.messages.map((message) => answering.live(message)),
      isSummarising: room.isSummarising(conversationId),
    };
  };
  const publishList = (): void => publish({ event: 'chat.conversations', payload: store.head() });
  const publishChanged = (conversationId: string): Conversation => {
    const conversation = shown(conversationId);
    publish({ event: 'chat.changed', payload: conversation });
    return conversation;
  };
  const messageOf = (messageId: string): Message => {
    const message = store.message(messageId);
    if (message === null) throw notFound();
    return message;
  };
  const answerOf = (messageId: string): AssistantMessage => {
    const message = messageOf(messageId);
    if (message.role === 'user') throw new AppFault('refused', 'This is no answer.', 'Choose an answer.');
    return message;
  };

  const admit = (messages: readonly EngineMessage[]): void =>
    ports.admitPrompt?.(messages.reduce((length, { content }) => length + (content?.length ?? 0), 0));

  /** One at a time in a conversation, from the first question to the start of the answer. */
  const preparingIn = async <T>(conversationId: string | null, work: () => Promise<T>): Promise<T> => {
    if (conversationId === null) return work();
    if (preparing.has(conversationId) || answering.isRunning(conversationId)) {
      throw new AppFault('refused', 'An answer is still being written here.', 'Wait for it, or stop it first.');
    }
    if (room.isSummarising(conversationId)) {
      throw new AppFault('refused', 'A summary is still being written here.', 'Wait for it, or end it first.');
    }
    preparing.add(conversationId);
    try {
      return await work();
    } finally {
      preparing.delete(conversationId);
    }
  };

  /** Asks whether it fits, turns the model on, stores the turn, begins to answer. */
  const ask = async (
    input: Outgoing & {
      conversationId: string | null;
      /** Where it hangs; undefined for the end of the open path. */
      parentId?: string | null;
      settings?: SettingsChange | undefined;
      queuedId?: string;
    },
  ): Promise<Turn> =>
    preparingIn(input.conversationId, async () => {
      titles.giveUp();
      const { text, effort, parentId, queuedId, attachmentIds = [] } = input;
      const earlier =
        input.conversationId === null
          ? { messages: [], settings: { ...DEFAULT_CONVERSATION_SETTINGS, ...given(input.settings) }, cut: null }
          : opened(input.conversationId);
      const messages = messagesFor(earlier, parentId, { text, attached: attachedBy(attachmentIds) });
      admit(messages);
      const left = await room.roomFor({ messages, effort, date: dateOf(input.conversationId) }, earlier.settings);
      ports.ensureRunning(earlier.settings.modelId);
      const nowMs = ports.nowMs();
      const turn = store.addTurn({
        conversationId: input.conversationId,
        text,
        effort,
        attachmentIds,
        model: ports.model()?.name ?? null,
        nowMs,
        toldDate: localDate(nowMs),
        settings: given(input.settings),
        ...(parentId === undefined ? {} : { parentId }),
        ...(queuedId === undefined ? {} : { queuedId }),
      });
      if (turn === null) throw notFound();
      publishList();
      publish({ event: 'chat.message', payload: turn.user });
      publish({ event: 'chat.message', payload: turn.assistant });
      answering.start(
        turn.assistant,
        requestFor({ id: turn.conversation.id, settings: earlier.settings }, messages, effort, left),
      );
      return turn;
    });

  // ── The queue ──

  const sendQueued = async (queued: QueuedMessage): Promise<Conversation> => {
    await ask({
      conversationId: queued.conversationId,
      text: queued.text,
      effort: queued.effort,
      attachmentIds: queued.attachments.map(({ id }) => id),
      queuedId: queued.id,
    });
    return publishChanged(queued.conversationId);
  };

  /** Whether there was one to send. What cannot be sent stays in the queue, where the user sees it. */
  const sendNext = (conversationId: string): boolean => {
    const next = store.queue.of(conversationId)[0];
    if (next === undefined) return false;
    sendQueued(next).catch((error: unknown) => {
      ports.log('info', `a queued message waits: ${error instanceof Error ? error.message : String(error)}`);
    });
    return true;
  };

  // ── What the window asks for ──

  return {
    send: (input) => ask(input),

    stop(messageId) {
      if (answering.stop(messageId)) return;
      const message = messageOf(messageId);
      if (message.role !== 'assistant' || message.status.kind !== 'paused') return;
      // Left at that.
      store.settle(messageId, { kind: 'stopped' });
      publish({ event: 'chat.message', payload: messageOf(messageId) });
      sendNext(message.conversationId);
    },

    answerNow(messageId) {
      if (answering.answerNow(messageId) === 'asked') return;
      answerOf(messageId);
      throw new AppFault('refused', 'The model is not thinking now.', 'Read its answer.');
    },

    async queue({ conversationId, text, effort, attachmentIds = [] }) {
      opened(conversationId);
      attachedBy(attachmentIds);
      store.queue.add({ conversationId, text, effort, attachmentIds, nowMs: ports.nowMs() });
      store.drafts.forget(conversationId);
      const isFree = !answering.isRunning(conversationId) && !preparing.has(conversationId);
      if (isFree && store.queue.of(conversationId).length === 1) sendNext(conversationId);
      return publishChanged(conversationId);
    },
    unqueue(queuedId) {
      const queued = store.queue.get(queuedId);
      if (queued === null) throw new AppFault('not-found', 'It has been sent already.', 'Stop the answer instead.');
      store.queue.remove(queuedId);
      publishChanged(queued.conversationId);
      return queued;
    },
    async sendQueued(queuedId) {
      const queued = store.queue.get(queuedId);
      if (queued === null) throw new AppFault('not-found', 'It has been sent already.', 'Read on.');
      return sendQueued(queued);
    },

    async edit({ messageId, ...outgoing }) {
      const { role, conversationId, parentId } = messageOf(messageId);
      if (role !== 'user') throw new AppFault('refused', 'Only your own messages can be edited.', 'Regenerate it.');
      store.openBranch(messageId);
      await ask({ ...outgoing, conversationId, parentId });
      return publishChanged(conversationId);
    },

    async regenerate(messageId, effort) {
      const old = answerOf(messageId);
      const { conversationId, parentId } = old;
      await preparingIn(conversationId, async () => {
        titles.giveUp();
        if (parentId === null) throw new AppFault('refused', 'This answer has no question.', 'Send a message.');
        store.openBranch(messageId);
        const conversation = opened(conversationId);
        const wanted = effort ?? old.effort;
        const messages = messagesFor(conversation, parentId, null);
        admit(messages);
        const left = await room.roomFor(
          { messages, effort: wanted, date: dateOf(conversationId) },
          conversation.settings,
        );
        ports.ensureRunning(conversation.settings.modelId);
        const model = ports.model()?.name ?? null;
        const answer = store.addAnswer({ conversationId, parentId, effort: wanted, model, nowMs: ports.nowMs() });
        answering.start(answer, requestFor(conversation, messages, wanted, left));
      });
      publishList();
      return publishChanged(conversationId);
    },

    async continue(messageId) {
      const { conversationId } = answerOf(messageId);
      await preparingIn(conversationId, async () => {
        titles.giveUp();
        const old = answerOf(messageId);
        if (!isFinal(old.status)) throw new AppFault('refused', 'It is still being written.', 'Wait for it.');
        store.openBranch(messageId);
        const conversation = opened(conversationId);
        const messages = messagesFor(conversation, old.parentId, null);
        admit(messages);
        // What the answer has already stands behind the prompt.
        const begun: EngineMessage = { role: 'assistant', content: old.reasoning + old.text };
        const left = await room.roomFor(
          { messages: [...messages, begun], effort: old.effort, date: dateOf(conversationId) },
          conversation.settings,
        );
        ports.ensureRunning(conversation.settings.modelId);
        store.reopen(messageId, ports.nowMs());
        const hasBegun = old.text !== '' || old.reasoning !== '';
        answering.start(answerOf(messageId), {
          ...requestFor(conversation, messages, old.effort, left),
          ...(hasBegun ? { continueFrom: { reasoning: old.reasoning, content: old.text } } : {}),
        });
      });
      publishList();
      return publishChanged(conversationId);
    },

    branch(messageId) {
      const { conversationId } = messageOf(messageId);
      store.openBranch(messageId);
      return publishChanged(conversationId);
    },

    open: shown,

    configure(conversationId, settings) {
      opened(conversationId);
      store.configure(conversationId, given(settings));
      return publishChanged(conversationId);
    },
    rename(conversationId, title) {
      opened(conversationId);
      store.rename(conversationId, title, 'user');
      return summaryAfterChange(conversationId);
    },
    pin(conversationId, pinned) {
      opened(conversationId);
      store.pin(conversationId, pinned ? ports.nowMs() : null);
      return summaryAfterChange(conversationId);
    },
    archive(conversationId, archived) {
      opened(conversationId);
      store.archive(conversationId, archived ? ports.nowMs() : null);
      return summaryAfterChange(conversationId);
    },
    async remove(conversationId) {
      if (!store.remove(conversationId, ports.nowMs())) throw notFound();
      room.endSummary(conversationId);
      publish({ event: 'chat.deleted', payload: { conversationId } });
      publishList();
      await answering.end(conversationId);
    },
    takeBack(conversationId) {
      if (store.takeBack(conversationId) === null) throw notFound();
      return summaryAfterChange(conversationId);
    },

    async count({ conversationId, messageId, text, attachmentIds, effort, settings }) {
      const known =
        conversationId === null
          ? { messages: [], settings: { ...DEFAULT_CONVERSATION_SETTINGS, ...given(settings) }, cut: null }
          : opened(conversationId);
      for (const { id, tokens } of store.attachments.get(attachmentIds) ?? []) {
        if (tokens === null) await countAttachment(id);
      }
      return room.use({
        conversation: known,
        untilId: messageId === undefined ? undefined : messageOf(messageId).parentId,
        draft: { text, attached: attachedBy(attachmentIds) },
        effort: effort ?? known.settings.effort ?? ports.defaultEffort(),
        date: dateOf(conversationId),
      });
    },

    async attach(name, text) {
      const fault = notText(text);
      if (fault !== null) throw new AppFault('refused', fault, 'Attach a text or code file.');
      const tokens = await meter.tokensOf(text, dateOf(null));
      const limit = ports.limitTokens();
      if (tokens !== null && limit !== null && tokens > limit) {
        throw new AppFault(
          'context-full',
          `${attachmentName(name)} takes ${tokens.toLocaleString('en-US')} tokens, and the context is set to ${limit.toLocaleString('en-US')}.`,
          'Raise the context with the slider, or attach a part of it.',
        );
      }
      return store.attachments.add({ name: attachmentName(name), text, tokens, nowMs: ports.nowMs() });
    },

    async fit({ conversationId, how, text, attachmentIds }) {
      if (how === 'everything') {
        opened(conversationId);
        room.endSummary(conversationId);
        store.cut(conversationId, null);
        return publishChanged(conversationId);
      }
      await preparingIn(conversationId, async () => {
        titles.giveUp();
        const conversation = opened(conversationId);
        const isDraft = text.trim() !== '' || attachmentIds.length > 0;
        const draft = isDraft ? { text, attached: attachedBy(attachmentIds) } : null;
        ports.ensureRunning(conversation.settings.modelId);
        await room.make({
          conversation,
          how,
          draft,
          effort: conversation.settings.effort ?? ports.defaultEffort(),
        });
      });
      // What was queued meanwhile, or did not fit before.
      sendNext(conversationId);
      return publishChanged(conversationId);
    },

    giveWay: () => titles.giveUp(),

    isAnswering: () => answering.count > 0,

    async endAll(status) {
      isEnding = true;
      titles.giveUp();
      room.endAll();
      await answering.endAll(status);
      isEnding = false;
    },
  };

  async function countAttachment(id: string): Promise<void> {
    const tokens = await meter.tokensOf(store.attachments.text(id) ?? '', dateOf(null));
    if (tokens !== null) store.attachments.setTokens(id, tokens);
  }

  function summaryAfterChange(conversationId: string): ConversationSummary {
    publishList();
    publishChanged(conversationId);
    const summary = store.summary(conversationId);
    if (summary === null) throw notFound();
    return summary;
  }
}

const given = (settings: SettingsChange | undefined): Partial<ConversationSettings> =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));

const notFound = (): AppFault =>
  new AppFault('not-found', 'This conversation is no longer there.', 'Choose another one or begin a new one.');
