/**
 * A bridge that plays main's part inside the page, for pictures of rare states and for tests of the window alone.
 * `installFakeBridge` is sent to the page as source text: it may use nothing from outside of itself.
 */
import type {
  AppError,
  AppState,
  AssistantMessage,
  Attachment,
  Bridge,
  ContextPlan,
  Conversation,
  ConversationSettings,
  ConversationSummary,
  EndpointStatus,
  EventName,
  Events,
  HubSettings,
  MemorySample,
  MemoryUser,
  Message,
  ModelEntry,
  ModelPresence,
  OutsideEngineLook,
  OutsideEngineStatus,
  Preflight,
  Preset,
  ProtectionState,
  QueuedMessage,
  QuitOutcome,
  RouteName,
  SearchHit,
  UserMessage,
  WiredLimitHelperStatus,
  WiredLimitPlan,
  WiredLimitState,
} from '../../preload/contract.ts';

/** What the fake answers with, piece by piece. */
export interface FakeReply {
  readonly reasoning: readonly string[];
  readonly text: readonly string[];
  /** Pause before each piece. */
  readonly pieceMs: number;
}

export interface FakeMemory {
  readonly samples: readonly MemorySample[];
  readonly users: readonly MemoryUser[];
  /** What asking an app to quit comes to. */
  readonly quit: { readonly outcome: QuitOutcome; readonly message: string };
  readonly wiredLimit: WiredLimitState;
  readonly plan: WiredLimitPlan | null;
  readonly helper: WiredLimitHelperStatus;
  readonly protection: ProtectionState;
}

export interface FakeModels {
  readonly entries: readonly ModelEntry[];
  /** Null: there is no slider. */
  readonly plan: ContextPlan | null;
  /** What looking before loading finds; null: it cannot be found out. */
  readonly preflight: Preflight | null;
  readonly hub: HubSettings;
  /** Pause between the steps of a download. */
  readonly stepMs: number;
  /** Turning the model on asks for this first, once. */
  readonly asksFirst?: WiredLimitState;
}

export interface FakeScript {
  readonly app: AppState;
  readonly conversations: readonly Conversation[];
  readonly reply: FakeReply;
  readonly memory: FakeMemory;
  readonly models: FakeModels;
  /** What differs from an endpoint that nobody uses yet. */
  readonly endpoint?: Partial<EndpointStatus>;
  /** What the system's dialog is answered with; null: it is dismissed. */
  readonly choosesPath?: string | null;
  /** Engines that others made; none asked for yet when left out. */
  readonly engines?: readonly OutsideEngineStatus[];
  /** What looking for one of them again finds. */
  readonly engineLook?: OutsideEngineLook;
  /** Routes that answer with an error. */
  readonly refuse?: Partial<Record<RouteName, AppError>>;
  /** False: the connection falls away once the first state is there. */
  readonly staysConnected?: boolean;
}

interface FakeMain {
  readonly calls: readonly { readonly route: RouteName; readonly input: unknown }[];
  emit<N extends EventName>(event: N, payload: Events[N]): void;
  setConnected(connected: boolean): void;
}

declare global {
  interface Window {
    fakeMain: FakeMain;
  }
}

export function installFakeBridge(script: FakeScript): void {
  const calls: { route: RouteName; input: unknown }[] = [];
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const connectionListeners = new Set<(connected: boolean) => void>();
  let app = script.app;
  const conversations = new Map(script.conversations.map((conversation) => [conversation.id, conversation]));
  const { memory } = script;
  let { wiredLimit } = memory;
  let { entries, plan, hub } = script.models;
  let endpoint = script.endpoint ?? null;
  let engines = script.engines ?? [];
  const endpointStatus = (): EndpointStatus => ({
    url: app.endpointUrl,
    wantedPort: 8_080,
    portTaken: null,
    clients: [],
    requests: [],
    origins: [],
    isPinned: false,
    unloadAfterMinutes: 0,
    unloadsAtMs: null,
    ...endpoint,
  });
  const setLimit = (state: WiredLimitState): WiredLimitState => {
    wiredLimit = state;
    emit('wiredLimit.state', wiredLimit);
    return wiredLimit;
  };
  let isStopped = false;
  let isAnswerWanted = false;
  let isConnected = true;
  let nextId = 1;

  const id = (): string => `00000000-0000-4000-8000-${String(nextId++).padStart(12, '0')}`;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const emit = (event: string, payload: unknown): void => {
    for (const listener of listeners.get(event) ?? []) (listener as (payload: unknown) => void)(payload);
  };
  const setApp = (patch: Partial<AppState>): void => {
    app = { ...app, ...patch };
  };
  const store = (message: Message): void => {
    const conversation = conversations.get(message.conversationId);
    if (conversation === undefined) return;
    const others = conversation.messages.filter((other) => other.id !== message.id);
    const index = conversation.messages.findIndex((other) => other.id === message.id);
    const messages = index === -1 ? [...others, message] : conversation.messages.with(index, message);
    conversations.set(conversation.id, { ...conversation, messages });
    emit('chat.message', message);
  };
  const setEngine = (engine: AppState['engine']): void => {
    setApp({ engine });
    emit('engine.state', engine);
  };
  const load = async (): Promise<void> => {
    if (app.engine.kind === 'ready' || app.engine.kind === 'busy') return;
    setEngine({ kind: 'starting', sinceMs: Date.now(), attempt: 1 });
    await wait(10);
    for (const share of [0.25, 0.5, 1]) {
      setEngine({
        kind: 'loading',
        sinceMs: Date.now(),
        loadedBytes: share * (app.model?.sizeBytes ?? 1),
        totalBytes: app.model?.sizeBytes ?? 1,
      });
      await wait(10);
    }
    setEngine({ kind: 'ready', sinceMs: Date.now() });
  };

  const answer = async (assistant: AssistantMessage): Promise<void> => {
    let { text, reasoning } = assistant;
    let tokens = 0;
    const delta = (status: AssistantMessage['status'], moreText: string, moreReasoning: string): void => {
      if (moreText !== '' || moreReasoning !== '') tokens += 1;
      emit('chat.delta', {
        conversationId: assistant.conversationId,
        messageId: assistant.id,
        textStart: text.length,
        text: moreText,
        reasoningStart: reasoning.length,
        reasoning: moreReasoning,
        status,
        generatedTokens: tokens,
        reasoningTokens: Math.min(tokens, script.reply.reasoning.length),
      });
      text += moreText;
      reasoning += moreReasoning;
    };
    const startedMs = Date.now();
    await load();
    setEngine({ kind: 'busy', sinceMs: Date.now() });
    delta({ kind: 'prefill', doneTokens: 0, totalTokens: 64 }, '', '');
    for (const piece of script.reply.reasoning) {
      await wait(script.reply.pieceMs);
      if (isStopped || isAnswerWanted) break;
      delta({ kind: 'thinking' }, '', piece);
    }
    const reasoningMs = Date.now() - startedMs;
    for (const piece of script.reply.text) {
      if (isStopped) break;
      delta({ kind: 'answering' }, piece, '');
      await wait(script.reply.pieceMs);
    }
    const status: AssistantMessage['status'] = isStopped ? { kind: 'stopped' } : { kind: 'complete' };
    isStopped = false;
    isAnswerWanted = false;
    store({
      ...assistant,
      text,
      reasoning,
      reasoningMs,
      status,
      usage: {
        promptTokens: 64,
        cachedTokens: 48,
        completionTokens: tokens,
        reasoningTokens: script.reply.reasoning.length,
        decodeTokensPerSecond: 41.7,
        prefillTokensPerSecond: 800,
        firstTokenMs: 120,
      },
    });
    setEngine({ kind: 'ready', sinceMs: Date.now() });
    const next = conversations.get(assistant.conversationId)?.queued[0];
    if (next !== undefined) sendQueued(next);
  };

  const noSettings: ConversationSettings = {
    modelId: null,
    effort: null,
    systemText: '',
    temperature: null,
    topP: null,
    topK: null,
    minP: null,
    maxAnswerTokens: null,
    thinkingTokens: null,
    contextTokens: null,
  };
  const attachments = new Map<string, { attachment: Attachment; text: string }>();
  const attached = (ids: readonly string[] | undefined): Attachment[] =>
    (ids ?? []).flatMap((each) => attachments.get(each)?.attachment ?? []);
  const deleted = new Map<string, Conversation>();
  /** For every message that has siblings: itself and what followed it when its branch was left. */
  const tails = new Map<string, readonly Message[]>();
  let presets: readonly Preset[] = [
    { id: '40000000-0000-4000-8000-000000000001', name: 'Short answers', systemText: 'Answer in one sentence.' },
  ];

  const summaryOf = (conversation: Conversation): ConversationSummary => {
    const { id: conversationId, title, createdAtMs, updatedAtMs, pinnedAtMs, archivedAtMs } = conversation;
    return { id: conversationId, title, createdAtMs, updatedAtMs, pinnedAtMs, archivedAtMs };
  };
  const tellList = (): void => {
    const known = app.conversations.filter(({ id: each }) => !conversations.has(each) && !deleted.has(each));
    const summaries = [...[...conversations.values()].map(summaryOf), ...known]
      .filter(({ archivedAtMs }) => archivedAtMs === null)
      .sort((x, y) => (y.pinnedAtMs ?? 0) - (x.pinnedAtMs ?? 0) || y.updatedAtMs - x.updatedAtMs);
    setApp({ conversations: summaries });
    emit('chat.conversations', summaries);
  };
  const change = (conversation: Conversation): Conversation => {
    conversations.set(conversation.id, conversation);
    emit('chat.changed', conversation);
    tellList();
    return conversation;
  };
  const conversationOf = (messageId: string): Conversation | undefined =>
    [...conversations.values()].find(
      ({ messages, branches }) =>
        messages.some((message) => message.id === messageId) ||
        branches.some(({ siblingIds }) => siblingIds.includes(messageId)),
    );
  const newAnswer = (
    conversationId: string,
    parentId: string,
    effort: AssistantMessage['effort'],
  ): AssistantMessage => ({
    role: 'assistant',
    id: id(),
    conversationId,
    parentId,
    createdAtMs: Date.now(),
    effort,
    model: app.model?.name ?? null,
    attempt: 1,
    text: '',
    reasoning: '',
    reasoningMs: null,
    status: { kind: 'queued' },
    usage: null,
  });

  const send = (input: {
    conversationId: string | null;
    text: string;
    effort: AssistantMessage['effort'];
    attachmentIds?: readonly string[];
    settings?: Partial<ConversationSettings>;
  }) => {
    const now = Date.now();
    const conversationId = input.conversationId ?? id();
    const known = conversations.get(conversationId);
    const conversation: Conversation = known ?? {
      id: conversationId,
      title: input.text.slice(0, 60),
      createdAtMs: now,
      updatedAtMs: now,
      pinnedAtMs: null,
      archivedAtMs: null,
      messages: [],
      branches: [],
      settings: { ...noSettings, ...input.settings },
      queued: [],
      draft: null,
      cut: null,
      isSummarising: false,
    };
    conversations.set(conversationId, { ...conversation, updatedAtMs: now, draft: null });
    const user: UserMessage = {
      role: 'user',
      id: id(),
      conversationId,
      parentId: conversation.messages.at(-1)?.id ?? null,
      createdAtMs: now,
      text: input.text,
      attachments: attached(input.attachmentIds),
    };
    const assistant = newAnswer(conversationId, user.id, input.effort);
    store(user);
    store(assistant);
    tellList();
    void answer(assistant);
    return { conversation: summaryOf(conversations.get(conversationId) as Conversation), user, assistant };
  };
  const sendQueued = (queued: QueuedMessage): Conversation | undefined => {
    const conversation = conversations.get(queued.conversationId);
    if (conversation === undefined) return undefined;
    change({ ...conversation, queued: conversation.queued.filter((each) => each.id !== queued.id) });
    send({ ...queued, attachmentIds: queued.attachments.map((each) => each.id) });
    return conversations.get(queued.conversationId);
  };
  /** Leaves the branch at `messageId` and goes on with `replacement` beside it. */
  const branchOff = (conversation: Conversation, messageId: string, replacement: readonly Message[]): Conversation => {
    const index = conversation.messages.findIndex((message) => message.id === messageId);
    const first = replacement[0];
    if (index === -1 || first === undefined) return conversation;
    const siblings = conversation.branches.find((branch) => branch.messageId === messageId)?.siblingIds ?? [messageId];
    tails.set(messageId, conversation.messages.slice(index));
    const siblingIds = siblings.includes(first.id) ? siblings : [...siblings, first.id];
    const above = conversation.messages.slice(0, index);
    return change({
      ...conversation,
      messages: [...above, ...replacement],
      branches: [
        ...conversation.branches.filter((branch) => above.some((message) => message.id === branch.messageId)),
        { messageId: first.id, siblingIds },
      ],
    });
  };
  const search = (text: string): SearchHit[] => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const rangesIn = (where: string): [number, number][] =>
      words.flatMap((word) => {
        const at = where.toLowerCase().indexOf(word);
        return at === -1 ? [] : [[at, at + word.length] as [number, number]];
      });
    return [...conversations.values()].flatMap((conversation) => {
      const inTitle = rangesIn(conversation.title);
      const hits: SearchHit[] = [];
      const base = {
        conversation: summaryOf(conversation),
        attachment: null,
        createdAtMs: conversation.updatedAtMs,
      };
      if (inTitle.length > 0)
        hits.push({ ...base, messageId: null, role: null, snippet: conversation.title, ranges: inTitle });
      for (const message of conversation.messages) {
        const snippet = message.text.slice(0, 160);
        const ranges = rangesIn(snippet);
        if (ranges.length > 0) hits.push({ ...base, messageId: message.id, role: message.role, snippet, ranges });
        for (const { id, name, preview } of message.role === 'user' ? message.attachments : []) {
          const inside = rangesIn(preview);
          if (inside.length > 0)
            hits.push({
              ...base,
              messageId: message.id,
              attachment: { id, name },
              role: 'user',
              snippet: preview,
              ranges: inside,
            });
        }
      }
      return hits;
    });
  };
  const tokensOf = (text: string): number => Math.ceil(text.length / 4);

  const handleChat = (route: RouteName, input: never): unknown => {
    const by = (input ?? {}) as {
      conversationId: string;
      messageId: string;
      queuedId: string;
      text: string;
      title: string;
      effort: AssistantMessage['effort'];
      attachmentIds?: readonly string[];
      settings: Partial<ConversationSettings>;
    };
    const conversation = conversations.get(by.conversationId) ?? conversationOf(by.messageId);
    const patch = (part: Partial<Conversation>): ConversationSummary | undefined =>
      conversation === undefined ? undefined : summaryOf(change({ ...conversation, ...part }));
    switch (route) {
      case 'chat.list': {
        const { archived } = input as { archived: boolean };
        const shown = [...conversations.values()].map(summaryOf);
        return { conversations: shown.filter(({ archivedAtMs }) => (archivedAtMs !== null) === archived), next: null };
      }
      case 'chat.search':
        return { hits: search(by.text) };
      case 'chat.rename':
        return patch({ title: by.title });
      case 'chat.pin':
        return patch({ pinnedAtMs: (input as { pinned: boolean }).pinned ? Date.now() : null });
      case 'chat.archive':
        return patch({ archivedAtMs: (input as { archived: boolean }).archived ? Date.now() : null });
      case 'chat.delete':
        if (conversation === undefined) return undefined;
        deleted.set(conversation.id, conversation);
        conversations.delete(conversation.id);
        emit('chat.deleted', { conversationId: conversation.id });
        tellList();
        return null;
      case 'chat.undelete': {
        const gone = deleted.get(by.conversationId);
        if (gone === undefined) return undefined;
        deleted.delete(gone.id);
        return summaryOf(change(gone));
      }
      case 'chat.configure':
        if (conversation === undefined) return undefined;
        return change({ ...conversation, settings: { ...conversation.settings, ...by.settings } });
      case 'chat.draft': {
        const draft =
          by.text === '' && !by.attachmentIds?.length
            ? null
            : { text: by.text, attachments: attached(by.attachmentIds) };
        if (conversation === undefined) setApp({ newDraft: draft });
        else conversations.set(conversation.id, { ...conversation, draft });
        return null;
      }
      case 'chat.attach': {
        const { name, text } = input as { name: string | null; text: string };
        const attachment: Attachment = {
          id: id(),
          name: name ?? 'Pasted text',
          language: name?.endsWith('.ts') ? 'typescript' : null,
          characters: text.length,
          lines: text.split('\n').length,
          tokens: tokensOf(text),
          preview: text.split('\n').slice(0, 4).join('\n').slice(0, 400),
        };
        attachments.set(attachment.id, { attachment, text });
        return attachment;
      }
      case 'chat.attachment': {
        const found = attachments.get((input as { attachmentId: string }).attachmentId);
        return found === undefined ? undefined : { text: found.text };
      }
      case 'chat.count': {
        const draftTokens =
          tokensOf(by.text) + attached(by.attachmentIds).reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
        const earlier = (conversation?.messages ?? []).reduce((sum, message) => sum + tokensOf(message.text) + 8, 0);
        const limitTokens = app.settings.contextTokens;
        const reservedTokens = Math.min(1_024, limitTokens / 4);
        if (app.engine.kind === 'off')
          return { kind: 'not-counted', lastUsedTokens: earlier, reservedTokens, limitTokens };
        const usedTokens = 60 + earlier + draftTokens;
        const leftTokens = limitTokens - reservedTokens - usedTokens;
        return { kind: 'counted', usedTokens, reservedTokens, leftTokens, limitTokens, draftTokens };
      }
      case 'chat.fit': {
        if (conversation === undefined) return undefined;
        const { how } = input as { how: 'trim' | 'summarise' | 'everything' };
        const last = conversation.messages.at(-3) ?? conversation.messages.at(-1);
        if (how === 'everything' || last === undefined) return change({ ...conversation, cut: null });
        const cut = { afterMessageId: last.id, messages: conversation.messages.indexOf(last) + 1 };
        return change({
          ...conversation,
          cut:
            how === 'trim'
              ? { kind: 'trimmed', ...cut }
              : { kind: 'summarised', ...cut, summary: 'What came before, in short.' },
        });
      }
      case 'chat.queue': {
        if (conversation === undefined) return undefined;
        const queued: QueuedMessage = {
          id: id(),
          conversationId: conversation.id,
          createdAtMs: Date.now(),
          text: by.text,
          attachments: attached(by.attachmentIds),
          effort: by.effort,
        };
        const next = change({ ...conversation, queued: [...conversation.queued, queued] });
        return app.engine.kind === 'busy' ? next : sendQueued(queued);
      }
      case 'chat.unqueue':
      case 'chat.sendQueued': {
        const all = [...conversations.values()].flatMap(({ queued }) => queued);
        const queued = all.find((each) => each.id === by.queuedId);
        const from = queued === undefined ? undefined : conversations.get(queued.conversationId);
        if (queued === undefined || from === undefined) return undefined;
        if (route === 'chat.sendQueued') return sendQueued(queued);
        change({ ...from, queued: from.queued.filter((each) => each.id !== queued.id) });
        return queued;
      }
      case 'chat.edit': {
        const old = conversation?.messages.find((message) => message.id === by.messageId);
        if (conversation === undefined || old?.role !== 'user') return undefined;
        const user: UserMessage = { ...old, id: id(), text: by.text, attachments: attached(by.attachmentIds) };
        const assistant = newAnswer(conversation.id, user.id, by.effort);
        const next = branchOff(conversation, old.id, [user, assistant]);
        void answer(assistant);
        return next;
      }
      case 'chat.regenerate': {
        const old = conversation?.messages.find((message) => message.id === by.messageId);
        if (conversation === undefined || old?.role !== 'assistant') return undefined;
        const assistant = newAnswer(conversation.id, old.parentId ?? '', by.effort ?? old.effort);
        const next = branchOff(conversation, old.id, [assistant]);
        void answer(assistant);
        return next;
      }
      case 'chat.branch': {
        const branch = conversation?.branches.find(({ siblingIds }) => siblingIds.includes(by.messageId));
        const tail = tails.get(by.messageId);
        if (conversation === undefined || branch === undefined || tail === undefined) return conversation;
        return branchOff(conversation, branch.messageId, tail);
      }
      case 'chat.continue': {
        const old = conversation?.messages.find((message) => message.id === by.messageId);
        if (conversation === undefined || old?.role !== 'assistant') return undefined;
        const again: AssistantMessage = { ...old, attempt: old.attempt + 1, status: { kind: 'queued' }, usage: null };
        const next = change({
          ...conversation,
          messages: conversation.messages.map((message) => (message.id === old.id ? again : message)),
        });
        void answer(again);
        return next;
      }
      case 'chat.export':
        return { fileName: 'Conversation.md', text: `# ${conversation?.title ?? 'Conversations'}\n`, next: null };
      case 'chat.import':
        return (input as { isLast: boolean }).isLast
          ? { from: 'chatgpt', conversations: 12, messages: 340, known: 0, skipped: [{ reason: 'Pictures', count: 3 }] }
          : null;
      case 'preset.list':
        return { presets };
      case 'preset.save': {
        const { presetId, name, systemText } = input as { presetId: string | null; name: string; systemText: string };
        const preset: Preset = { id: presetId ?? id(), name, systemText };
        presets = [...presets.filter((each) => each.id !== presetId), preset];
        emit('preset.changed', presets);
        return { presets };
      }
      case 'preset.delete': {
        presets = presets.filter((each) => each.id !== (input as { presetId: string }).presetId);
        emit('preset.changed', presets);
        return { presets };
      }
      case 'chat.answerNow':
        isAnswerWanted = true;
        return null;
      default:
        return undefined;
    }
  };

  const present = (modelId: string, presence: ModelPresence): ModelEntry | undefined => {
    entries = entries.map((entry) => (entry.id === modelId ? { ...entry, presence } : entry));
    emit('models.changed', entries);
    return entries.find((entry) => entry.id === modelId);
  };
  const fetchModel = async (modelId: string): Promise<void> => {
    const totalBytes = entries.find((entry) => entry.id === modelId)?.sizeBytes ?? 1;
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await wait(script.models.stepMs);
      const { presence } = entries.find((entry) => entry.id === modelId) ?? {};
      // Paused, cancelled, deleted.
      if (presence?.kind !== 'getting' || presence.download.kind === 'paused') return;
      const doneBytes = share * totalBytes;
      const download = {
        kind: 'downloading',
        doneBytes,
        totalBytes,
        bytesPerSecond: 4e7,
        remainingSeconds: 9,
      } as const;
      present(modelId, { kind: 'getting', download });
    }
    // As main does: what was fetched first is chosen, not loaded; the window hears of the choice first.
    if (app.model === null || app.model.isToy) {
      const { name = '', isToy = false } = entries.find((entry) => entry.id === modelId) ?? {};
      setApp({ model: { id: modelId, name, sizeBytes: totalBytes, isToy }, chosenModelId: modelId });
      emit('model.changed', app.model);
      emit('model.chosen', app.chosenModelId);
      setEngine({ kind: 'off' });
    }
    present(modelId, { kind: 'here', folder: `/models/${modelId}`, checked: 'hub' });
  };
  const setPlan = (tokens: number): ContextPlan | null => {
    plan = plan === null ? null : { ...plan, chosenTokens: tokens };
    return plan;
  };

  const handleModels = (route: RouteName, input: never): unknown => {
    const { modelId } = (input ?? {}) as { modelId: string };
    switch (route) {
      case 'models.list':
        return { models: entries };
      case 'models.add': {
        const added = input as { by: 'repository'; repository: string } | { by: 'folder'; folder: string };
        const named = added.by === 'folder' ? added.folder : added.repository;
        const entry: ModelEntry = {
          id: named,
          origin: 'added',
          name: named.split('/').at(-1) ?? named,
          repository: added.by === 'repository' ? named : null,
          sizeBytes: 2_300_000_000,
          licence: null,
          goodFor: null,
          isToy: false,
          isRecommended: false,
          isShared: false,
          presence: added.by === 'folder' ? { kind: 'here', folder: named, checked: 'unchecked' } : { kind: 'absent' },
          verdict: { kind: 'fits', message: 'At its peak it takes 3 GB.' },
          prediction: null,
          measured: null,
        };
        entries = [...entries, entry];
        emit('models.changed', entries);
        return entry;
      }
      case 'models.download':
      case 'models.repair': {
        void fetchModel(modelId);
        return present(modelId, { kind: 'getting', download: { kind: 'listing' } });
      }
      case 'models.pause': {
        const totalBytes = entries.find((entry) => entry.id === modelId)?.sizeBytes ?? 1;
        const download = { kind: 'paused', doneBytes: totalBytes / 4, totalBytes } as const;
        return present(modelId, { kind: 'getting', download });
      }
      case 'models.verify':
        return present(modelId, {
          kind: 'here',
          folder: `/models/${modelId}`,
          checked: 'pinned',
          checkedAtMs: Date.now(),
        });
      case 'models.cancel':
        return present(modelId, { kind: 'absent' });
      case 'models.delete': {
        const entry = entries.find((each) => each.id === modelId);
        if (entry?.origin === 'catalog') present(modelId, { kind: 'absent' });
        else entries = entries.filter((each) => each.id !== modelId);
        emit('models.changed', entries);
        return { freedBytes: entry?.sizeBytes ?? 0 };
      }
      case 'models.preflight':
        return script.models.preflight ?? undefined;
      case 'context.plan':
        return plan ?? undefined;
      case 'context.set':
        return setPlan((input as { tokens: number }).tokens) ?? undefined;
      case 'engines.list':
        return { engines };
      case 'engines.update': {
        const {
          kind,
          token,
          evenIfElsewhere: _,
          ...change
        } = input as {
          kind: string;
          token?: string | null;
          evenIfElsewhere?: boolean;
        };
        engines = engines.map((engine) => {
          if (engine.kind !== kind) return engine;
          const hasToken = token === undefined ? engine.hasToken : token !== null;
          const updated = { ...engine, ...change, hasToken };
          return updated.isOn
            ? { ...updated, look: script.engineLook ?? engine.look }
            : { ...updated, look: { kind: 'off' } };
        });
        return engines.find((engine) => engine.kind === kind);
      }
      case 'hub.settings':
        return hub;
      case 'hub.update': {
        const { token, ...change } = input as { token?: string | null };
        hub = { ...hub, ...change, ...(token === undefined ? {} : { token: token === null ? 'none' : 'set-here' }) };
        return hub;
      }
      default:
        return undefined;
    }
  };

  const handle = (route: RouteName, input: never): unknown => {
    switch (route) {
      case 'app.state':
        return app;
      case 'engine.start':
        if (script.models.asksFirst !== undefined && wiredLimit.kind !== 'raised') setLimit(script.models.asksFirst);
        else void load();
        return app.engine;
      case 'engine.stop':
        isStopped = app.engine.kind === 'busy';
        setEngine({ kind: 'off' });
        return app.engine;
      case 'model.choose': {
        const { modelId } = input as { modelId: string };
        const entry = entries.find((each) => each.id === modelId && each.presence.kind === 'here');
        const chosen =
          entry === undefined
            ? app.availableModels.find((model) => model.id === modelId)
            : { id: entry.id, name: entry.name, sizeBytes: entry.sizeBytes ?? 0, isToy: entry.isToy };
        const { forNow = false } = input as { forNow?: boolean };
        setApp({ model: chosen ?? null, ...(forNow ? {} : { chosenModelId: modelId }) });
        emit('model.changed', app.model);
        emit('model.chosen', app.chosenModelId);
        return app.model;
      }
      case 'chat.open':
        return conversations.get((input as { conversationId: string }).conversationId);
      case 'chat.send':
        return send(input);
      case 'chat.stop':
        isStopped = true;
        return null;
      case 'settings.update':
        setApp({ settings: { ...app.settings, ...(input as object) } });
        emit('settings.changed', app.settings);
        return app.settings;
      case 'app.openAtLogin':
        return { opensAtLogin: (input as { opens: boolean }).opens };
      case 'window.choosePath':
        return { path: script.choosesPath ?? null };
      case 'window.detach':
      case 'window.keepOpen':
        return null;
      case 'log.tail':
        return { lines: [] };
      case 'endpoint.status':
        return endpointStatus();
      case 'endpoint.addClient': {
        const { name } = input as { name: string };
        const key = 'hr-mW4bN8qXzR2sVtYc6LdKj0pHfGaU1eIo5TvBxQwEyZi';
        endpoint = {
          ...endpoint,
          clients: [
            ...endpointStatus().clients,
            { id: id(), name, keyEnd: key.slice(-4), createdAtMs: Date.now(), lastUsedAtMs: null },
          ],
        };
        emit('endpoint.changed', endpointStatus());
        return { url: app.endpointUrl, key, status: endpointStatus() };
      }
      case 'endpoint.revokeClient': {
        const { clientId } = input as { clientId: string };
        endpoint = { ...endpoint, clients: endpointStatus().clients.filter((client) => client.id !== clientId) };
        return endpointStatus();
      }
      case 'endpoint.endRequest': {
        const { requestId } = input as { requestId: string };
        endpoint = { ...endpoint, requests: endpointStatus().requests.filter((request) => request.id !== requestId) };
        return endpointStatus();
      }
      case 'endpoint.configure': {
        const { port, ...change } = input as Partial<EndpointStatus> & { port?: number | null };
        endpoint = { ...endpoint, ...change, ...(port == null ? {} : { wantedPort: port, portTaken: null }) };
        return endpointStatus();
      }
      case 'endpoint.reveal':
        return { url: app.endpointUrl, key: 'hr-J3m0vXq5Yk2T8wZr1uLb7dNc4fGhAs9eKpQiVtRxMoE' };
      case 'engine.warm':
        return app.engine;
      case 'memory.history':
        return { samples: memory.samples };
      case 'memory.apps':
        return { apps: memory.users };
      case 'memory.quitApp':
        return memory.quit;
      case 'protection.state':
        return memory.protection;
      case 'protection.undo': {
        const undone: ProtectionState = { kind: 'undone', sinceMs: Date.now(), untilMs: Date.now() + 600_000 };
        emit('protection.state', undone);
        return undone;
      }
      case 'wiredLimit.plan':
        return { state: wiredLimit, plan: memory.plan };
      case 'wiredLimit.raise': {
        const { limitMiB, by } = input as { limitMiB: number; by: 'prompt' | 'myself' };
        const command = `sudo sysctl iogpu.wired_limit_mb=${limitMiB}`;
        const work = { fromMiB: 0, toMiB: limitMiB, originalMiB: 0, thenStart: true };
        if (script.models.asksFirst !== undefined)
          // The password was given.
          void wait(script.models.stepMs).then(() => {
            setLimit({ kind: 'raised', settingMiB: limitMiB, originalMiB: 0, fromEarlierRun: false });
            return load();
          });
        return setLimit({ kind: 'raising', by, command, ...work });
      }
      case 'wiredLimit.restore': {
        const { by } = input as { by: 'prompt' | 'myself' };
        const work = { fromMiB: 12_800, toMiB: 0, originalMiB: 0, thenStart: false };
        return setLimit({ kind: 'restoring', by, command: 'sudo sysctl iogpu.wired_limit_mb=0', ...work });
      }
      case 'wiredLimit.cancel':
      case 'wiredLimit.startAnyway':
        return setLimit({ kind: 'idle', settingMiB: 0, note: null });
      case 'wiredLimit.helper':
      case 'wiredLimit.atBoot':
        return memory.helper;
      case 'log.report':
      case 'link.open':
      case 'window.hide':
        return null;
      default:
        return handleModels(route, input) ?? handleChat(route, input);
    }
  };

  const bridge: Bridge = {
    call: (route, input) => {
      calls.push({ route, input });
      // As over a lost socket: the call waits for a connection.
      if (!isConnected) return new Promise(() => undefined);
      const error = script.refuse?.[route];
      // The hub takes its time to say no.
      if (error !== undefined) return wait(route === 'models.add' ? 100 : 0).then(() => ({ ok: false, error }));
      const value = handle(route, structuredClone(input) as never);
      if (value === undefined)
        return Promise.resolve({
          ok: false,
          error: { code: 'not-found', message: 'This is not here any more.', nextStep: 'Open another conversation.' },
        });
      return Promise.resolve({ ok: true, value: structuredClone(value) as never });
    },
    on: (event, listener) => {
      const forEvent = listeners.get(event) ?? new Set();
      listeners.set(event, forEvent);
      forEvent.add(listener);
      return () => forEvent.delete(listener);
    },
    onConnection: (listener) => {
      connectionListeners.add(listener);
      return () => connectionListeners.delete(listener);
    },
  };
  const setConnected = (connected: boolean): void => {
    isConnected = connected;
    for (const listener of connectionListeners) listener(connected);
  };
  Object.assign(window, {
    headroom: bridge,
    fakeMain: { calls, setConnected, emit: (event: string, payload: unknown) => emit(event, payload) },
  });
}
