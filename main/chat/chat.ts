/** Conversations in action: a message goes to the store, then to the engine; the answer comes back as deltas. */
import type {
  AnswerStatus,
  AssistantMessage,
  ContextUse,
  Conversation,
  ConversationSettings,
  ConversationSummary,
  Effort,
  EventEnvelope,
  Message,
  QueuedMessage,
} from '../../preload/contract.ts';
import { isFinal } from '../../preload/answer-status.ts';
import { ContextFull, type Engine, type EngineMessage, type GenerationRequest } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { localDate } from '../local-date.ts';
import type { Log } from '../log/log.ts';
import { createAnswering } from './answering.ts';
import { type ContextMeter, createContextMeter, leastEnough, type Prompt, reservedTokens } from './context-meter.ts';
import { type AttachedText, promptOf } from './prompt.ts';
import { DEFAULT_CONVERSATION_SETTINGS } from './rows.ts';
import { askAside } from './side-request.ts';
import type { ConversationStore, StoredConversation, Turn } from './store.ts';
import { SUMMARY_THINKING_TOKENS, SUMMARY_TOKENS, summarise } from './summary.ts';
import { titleFromModel, titleQuestion } from './title.ts';

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
  model(): { readonly name: string; readonly isToy: boolean } | null;
  /** Sampling of the current model. */
  sampling(): Pick<GenerationRequest, 'maxTokens' | 'temperature' | 'topP'>;
  /** The user's ceiling for a context, at most what the model was made for. Null without a model. */
  limitTokens(): number | null;
  defaultEffort(): Effort;
  nowMs(): number;
  publish(envelope: EventEnvelope): void;
  readonly log: Log;
}

export interface Outgoing {
  readonly text: string;
  readonly effort: Effort;
  readonly attachmentIds?: readonly string[];
}

/** A setting that was left out and one that is undefined are the same. */
export type SettingsChange = { readonly [K in keyof ConversationSettings]?: ConversationSettings[K] | undefined };

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
  countText(text: string): Promise<number | null>;
  fit(input: {
    conversationId: string;
    how: 'trim' | 'summarise' | 'everything';
    text: string;
    attachmentIds: readonly string[];
  }): Promise<Conversation>;
  /** What only waits for a quiet moment: a title for this conversation. Ended by whatever is sent. */
  quietWork(conversationId: string): Promise<void>;
  /** Ends every answer with this status and waits until they are stored. */
  endAll(status: Extract<AnswerStatus, { kind: 'stopped' | 'interrupted' }>): Promise<void>;
}

/** A quiet moment: so long after an answer nothing else was sent. */
const QUIET_MS = 1_500;
const TITLE_TOKENS = 120;
const TITLE_THINKING_TOKENS = 64;
/** After a trim this share of the context is free, so that not every message needs another and reads everything anew. */
const FREE_AFTER_TRIM = 0.25;

export function createChat(ports: ChatPorts): Chat {
  const { store, engine, publish } = ports;
  const meter: ContextMeter = createContextMeter({ engine, modelName: () => ports.model()?.name ?? null });
  /** Conversations in which something is being sent: between the question whether it fits and the answer's start. */
  const preparing = new Set<string>();
  const summarising = new Map<string, AbortController>();
  let quiet: { readonly abort: AbortController; readonly timer: NodeJS.Timeout } | null = null;
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
      if (kind === 'complete') whenQuiet(message.conversationId);
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
      isSummarising: summarising.has(conversationId),
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

  // ── What the model is sent ──

  const attachedTo = (messageId: string): AttachedText[] => store.attachments.ofMessage(messageId);
  const attachedBy = (ids: readonly string[]): AttachedText[] => {
    const found = store.attachments.get(ids);
    if (found === null) throw new AppFault('not-found', 'An attachment is no longer there.', 'Attach it again.');
    return found.map(({ id, name, language }) => ({ name, language, text: store.attachments.text(id) ?? '' }));
  };
  /** The path up to `untilId` (all of it when null), with text that is not stored yet at its end. */
  const messagesFor = (
    conversation: Pick<StoredConversation, 'messages' | 'settings' | 'cut'>,
    untilId: string | null | undefined,
    draft: { readonly text: string; readonly attached: readonly AttachedText[] } | null,
  ): EngineMessage[] => {
    const { messages, settings, cut } = conversation;
    const end = untilId === undefined ? messages.length : messages.findIndex(({ id }) => id === untilId) + 1;
    const path: Message[] = messages.slice(0, end);
    if (draft !== null) {
      path.push({
        role: 'user',
        id: DRAFT_ID,
        conversationId: '',
        parentId: null,
        createdAtMs: 0,
        text: draft.text,
        attachments: [],
      });
    }
    const isCutHere = cut !== null && path.some(({ id }) => id === cut.afterMessageId);
    return promptOf({
      path,
      systemText: settings.systemText,
      cut: isCutHere ? cut : null,
      attached: (id) => (id === DRAFT_ID ? (draft?.attached ?? []) : attachedTo(id)),
    });
  };

  const limitOf = (settings: ConversationSettings): number | null => {
    const limit = ports.limitTokens();
    return limit === null ? null : Math.min(limit, settings.contextTokens ?? limit);
  };

  const requestFor = (
    conversation: Pick<StoredConversation, 'id' | 'settings'>,
    messages: readonly EngineMessage[],
    effort: Effort,
    room: number | null,
  ): GenerationRequest => {
    const { settings } = conversation;
    const sampling = ports.sampling();
    return {
      ...sampling,
      ...(settings.temperature === null ? {} : { temperature: settings.temperature }),
      ...(settings.topP === null ? {} : { topP: settings.topP }),
      ...(settings.topK === null ? {} : { topK: settings.topK }),
      ...(settings.minP === null ? {} : { minP: settings.minP }),
      ...(settings.thinkingTokens === null ? {} : { thinkingBudgetTokens: settings.thinkingTokens }),
      maxTokens: Math.min(sampling.maxTokens, settings.maxAnswerTokens ?? Infinity, room ?? Infinity),
      messages,
      effort,
      date: store.toldDate(conversation.id) ?? localDate(ports.nowMs()),
      cacheKey: conversation.id,
    };
  };

  /**
   * The tokens an answer may have at most; null when nobody can count yet: the ceiling in front of the engine asks
   * again, with the model on. Throws with the numbers when a prompt leaves no room. Nothing is cut silently.
   */
  const roomFor = async (prompt: Prompt, settings: ConversationSettings): Promise<number | null> => {
    const limit = limitOf(settings);
    const tokens = limit === null ? null : await meter.count(prompt);
    if (limit === null || tokens === null) return null;
    if (tokens + reservedTokens(prompt.effort, limit, settings) <= limit) return limit - tokens;
    const full = new ContextFull({ promptTokens: tokens, ceilingTokens: limit, mostTokens: null });
    throw new AppFault(
      'context-full',
      full.message,
      'Leave out the oldest messages, have them summarised, or raise the context.',
    );
  };

  const admit = (messages: readonly EngineMessage[]): void =>
    ports.admitPrompt?.(messages.reduce((length, { content }) => length + (content?.length ?? 0), 0));

  /** One at a time in a conversation, from the first question to the start of the answer. */
  const preparingIn = async <T>(conversationId: string | null, work: () => Promise<T>): Promise<T> => {
    if (conversationId === null) return work();
    if (preparing.has(conversationId) || answering.isRunning(conversationId)) {
      throw new AppFault('refused', 'An answer is still being written here.', 'Wait for it, or stop it first.');
    }
    if (summarising.has(conversationId)) {
      throw new AppFault('refused', 'A summary is still being written here.', 'Wait for it, or end it first.');
    }
    preparing.add(conversationId);
    try {
      return await work();
    } finally {
      preparing.delete(conversationId);
    }
  };

  const dateOf = (conversationId: string | null): string =>
    (conversationId === null ? null : store.toldDate(conversationId)) ?? localDate(ports.nowMs());

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
      endQuietWork();
      const { text, effort, parentId, queuedId, attachmentIds = [] } = input;
      const earlier =
        input.conversationId === null
          ? { messages: [], settings: { ...DEFAULT_CONVERSATION_SETTINGS, ...given(input.settings) }, cut: null }
          : opened(input.conversationId);
      const messages = messagesFor(earlier, parentId, { text, attached: attachedBy(attachmentIds) });
      admit(messages);
      const room = await roomFor({ messages, effort, date: dateOf(input.conversationId) }, earlier.settings);
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
        requestFor({ id: turn.conversation.id, settings: earlier.settings }, messages, effort, room),
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

  // ── Quiet work ──

  const endQuietWork = (): void => {
    if (quiet === null) return;
    clearTimeout(quiet.timer);
    quiet.abort.abort();
    quiet = null;
  };

  const whenQuiet = (conversationId: string): void => {
    endQuietWork();
    if (store.titleBy(conversationId) !== 'first-line' || ports.model()?.isToy !== false) return;
    const abort = new AbortController();
    const timer = setTimeout(() => void nameIt(conversationId, abort.signal), QUIET_MS);
    timer.unref();
    quiet = { abort, timer };
  };

  const nameIt = async (conversationId: string, signal: AbortSignal): Promise<void> => {
    const isIdle = engine.state.kind === 'ready' && answering.count === 0 && preparing.size === 0;
    if (!isIdle || signal.aborted) return;
    try {
      const [question, answer] = store.open(conversationId)?.messages ?? [];
      if (question === undefined || answer === undefined) return;
      const said = await askAside(
        engine,
        {
          messages: titleQuestion(question.text, answer.text),
          date: dateOf(conversationId),
          maxTokens: TITLE_TOKENS,
          thinkingBudgetTokens: TITLE_THINKING_TOKENS,
        },
        { signal, priority: 'api' },
      );
      const title = titleFromModel(said);
      if (title === null || !store.rename(conversationId, title, 'model')) return;
      publishList();
      publishChanged(conversationId);
    } catch {
      // Somebody sent something, or memory is short: the first line serves as well.
    }
  };

  // ── Making room ──

  const summariseUntil = async (conversation: StoredConversation, place: number): Promise<void> => {
    const { id, settings, cut } = conversation;
    const limit = limitOf(settings) ?? 0;
    const abort = new AbortController();
    summarising.set(id, abort);
    publishChanged(id);
    try {
      const said = promptOf({
        path: conversation.messages.slice(cut?.messages ?? 0, place + 1),
        systemText: '',
        cut: null,
        attached: attachedTo,
      });
      const date = dateOf(id);
      const summary = await summarise(said, cut?.kind === 'summarised' ? cut.summary : '', {
        limitTokens: limit,
        count: (messages) => meter.count({ messages, effort: 'low', date }),
        ask: (messages) =>
          askAside(
            engine,
            { messages, date, maxTokens: SUMMARY_TOKENS, thinkingBudgetTokens: SUMMARY_THINKING_TOKENS },
            { signal: abort.signal, priority: 'window' },
          ),
      });
      if (summary === null) {
        throw new AppFault(
          'context-full',
          'The oldest messages are too long to be summarised with this context.',
          'Leave them out, or raise the context.',
        );
      }
      const afterMessageId = conversation.messages[place]?.id;
      if (afterMessageId !== undefined) store.cut(id, { kind: 'summarised', summary, afterMessageId });
    } finally {
      summarising.delete(id);
      if (store.summary(id) !== null) publishChanged(id);
    }
  };

  const fit: Chat['fit'] = async ({ conversationId, how, text, attachmentIds }) => {
    if (how === 'everything') {
      summarising.get(conversationId)?.abort();
      opened(conversationId);
      store.cut(conversationId, null);
      return publishChanged(conversationId);
    }
    await preparingIn(conversationId, async () => {
      endQuietWork();
      const conversation = opened(conversationId);
      const { messages, settings } = conversation;
      ports.ensureRunning(settings.modelId);
      const limit = limitOf(settings);
      const draft =
        text.trim() === '' && attachmentIds.length === 0 ? null : { text, attached: attachedBy(attachmentIds) };
      const effort = settings.effort ?? ports.defaultEffort();
      const places = cutPlaces(messages, conversation.cut?.messages ?? 0, draft === null);
      if (limit === null || places.length === 0) {
        throw new AppFault('refused', 'There is nothing that could be left out.', 'Raise the context.');
      }
      const reserved = reservedTokens(effort, limit, settings) + (how === 'summarise' ? SUMMARY_TOKENS : 0);
      let tokens: number | null = null;
      const enough = (spare: number) => async (place: number) => {
        const cut = { kind: 'trimmed', afterMessageId: messages[place]?.id ?? '', messages: place + 1 } as const;
        const prompt = { messages: messagesFor({ messages, settings, cut }, undefined, draft), effort };
        tokens = await meter.count({ ...prompt, date: dateOf(conversationId) });
        return tokens !== null && tokens + reserved + spare <= limit;
      };
      const place =
        (await leastEnough(places, enough(Math.floor(limit * FREE_AFTER_TRIM)))) ??
        (await leastEnough(places, enough(0)));
      const afterMessageId = place === null ? undefined : messages[place]?.id;
      if (place === null || afterMessageId === undefined) {
        if (tokens === null) {
          throw new AppFault('engine-off', 'The model has to be on to count.', 'Turn it on and try again.');
        }
        const full = new ContextFull({ promptTokens: tokens, ceilingTokens: limit, mostTokens: null });
        throw new AppFault('context-full', full.message, full.nextStep);
      }
      if (how === 'trim') store.cut(conversationId, { kind: 'trimmed', afterMessageId });
      else await summariseUntil(conversation, place);
    });
    return publishChanged(conversationId);
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
        endQuietWork();
        if (parentId === null) throw new AppFault('refused', 'This answer has no question.', 'Send a message.');
        store.openBranch(messageId);
        const conversation = opened(conversationId);
        const wanted = effort ?? old.effort;
        const messages = messagesFor(conversation, parentId, null);
        admit(messages);
        const room = await roomFor({ messages, effort: wanted, date: dateOf(conversationId) }, conversation.settings);
        ports.ensureRunning(conversation.settings.modelId);
        const model = ports.model()?.name ?? null;
        const answer = store.addAnswer({ conversationId, parentId, effort: wanted, model, nowMs: ports.nowMs() });
        answering.start(answer, requestFor(conversation, messages, wanted, room));
      });
      publishList();
      return publishChanged(conversationId);
    },

    async continue(messageId) {
      const { conversationId } = answerOf(messageId);
      await preparingIn(conversationId, async () => {
        endQuietWork();
        const old = answerOf(messageId);
        if (!isFinal(old.status)) throw new AppFault('refused', 'It is still being written.', 'Wait for it.');
        store.openBranch(messageId);
        const conversation = opened(conversationId);
        const messages = messagesFor(conversation, old.parentId, null);
        admit(messages);
        // What the answer has already stands behind the prompt.
        const begun: EngineMessage = { role: 'assistant', content: old.reasoning + old.text };
        const room = await roomFor(
          { messages: [...messages, begun], effort: old.effort, date: dateOf(conversationId) },
          conversation.settings,
        );
        ports.ensureRunning(conversation.settings.modelId);
        store.reopen(messageId, ports.nowMs());
        const hasBegun = old.text !== '' || old.reasoning !== '';
        answering.start(answerOf(messageId), {
          ...requestFor(conversation, messages, old.effort, room),
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
      summarising.get(conversationId)?.abort();
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
      const edited = messageId === undefined ? undefined : messageOf(messageId).parentId;
      const wanted = effort ?? known.settings.effort ?? ports.defaultEffort();
      const limitTokens = limitOf(known.settings) ?? 0;
      const promptWith = (draft: { text: string; attached: AttachedText[] }): Prompt => ({
        messages: messagesFor(known, edited, draft),
        effort: wanted,
        date: dateOf(conversationId),
      });
      const last = known.messages.findLast((message) => message.role === 'assistant' && message.usage !== null);
      const usage = last?.role === 'assistant' ? last.usage : null;
      return meter.use({
        prompt: promptWith({ text, attached: attachedBy(attachmentIds) }),
        empty: promptWith({ text: '', attached: [] }),
        reservedTokens: reservedTokens(wanted, limitTokens, known.settings),
        limitTokens,
        lastUsedTokens: usage === null ? null : usage.promptTokens + usage.completionTokens - usage.reasoningTokens,
      });
    },

    async countText(text) {
      const date = localDate(ports.nowMs());
      const withText = await meter.count({ messages: [{ role: 'user', content: text }], effort: 'low', date });
      const without = await meter.count({ messages: [{ role: 'user', content: '' }], effort: 'low', date });
      return withText === null || without === null ? null : Math.max(0, withText - without);
    },

    fit,

    async quietWork(conversationId) {
      const { signal } = new AbortController();
      await nameIt(conversationId, signal);
    },

    async endAll(status) {
      isEnding = true;
      endQuietWork();
      for (const abort of summarising.values()) abort.abort();
      await answering.endAll(status);
      isEnding = false;
    },
  };

  function summaryAfterChange(conversationId: string): ConversationSummary {
    publishList();
    publishChanged(conversationId);
    const summary = store.summary(conversationId);
    if (summary === null) throw notFound();
    return summary;
  }
}

/** Stands for a message that is not stored yet; no id looks like this. */
const DRAFT_ID = 'draft';

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

const given = (settings: SettingsChange | undefined): Partial<ConversationSettings> =>
  Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));

const notFound = (): AppFault =>
  new AppFault('not-found', 'This conversation is no longer there.', 'Choose another one or begin a new one.');
