/**
 * A bridge that plays main's part inside the page, for pictures of rare states and for tests of the window alone.
 * `installFakeBridge` is sent to the page as source text: it may use nothing from outside of itself.
 */
import type {
  AppError,
  AppState,
  AssistantMessage,
  Bridge,
  Conversation,
  EventName,
  Events,
  MemorySample,
  MemoryUser,
  Message,
  ProtectionState,
  QuitOutcome,
  RouteName,
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

export interface FakeScript {
  readonly app: AppState;
  readonly conversations: readonly Conversation[];
  readonly reply: FakeReply;
  readonly memory: FakeMemory;
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
  const setLimit = (state: WiredLimitState): WiredLimitState => {
    wiredLimit = state;
    emit('wiredLimit.state', wiredLimit);
    return wiredLimit;
  };
  let isStopped = false;
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
    let text = '';
    let reasoning = '';
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
      if (isStopped) break;
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
  };

  const send = (input: { conversationId: string | null; text: string; effort: AssistantMessage['effort'] }) => {
    const now = Date.now();
    const conversationId = input.conversationId ?? id();
    if (!conversations.has(conversationId))
      conversations.set(conversationId, {
        id: conversationId,
        title: input.text.slice(0, 60),
        createdAtMs: now,
        updatedAtMs: now,
        messages: [],
      });
    const base = { conversationId, createdAtMs: now };
    const user: UserMessage = { ...base, role: 'user', id: id(), parentId: null, text: input.text };
    const assistant: AssistantMessage = {
      ...base,
      role: 'assistant',
      id: id(),
      parentId: user.id,
      effort: input.effort,
      text: '',
      reasoning: '',
      reasoningMs: null,
      status: { kind: 'queued' },
      usage: null,
    };
    store(user);
    store(assistant);
    const summaries = [...conversations.values()].map(({ messages: _, ...summary }) => summary);
    setApp({ conversations: summaries });
    emit('chat.conversations', summaries);
    void answer(assistant);
    const { messages: _, ...conversation } = conversations.get(conversationId) as Conversation;
    return { conversation, user, assistant };
  };

  const handle = (route: RouteName, input: never): unknown => {
    switch (route) {
      case 'app.state':
        return app;
      case 'engine.start':
        void load();
        return app.engine;
      case 'engine.stop':
        isStopped = app.engine.kind === 'busy';
        setEngine({ kind: 'off' });
        return app.engine;
      case 'model.choose': {
        const { modelId } = input as { modelId: string };
        setApp({ model: app.availableModels.find((model) => model.id === modelId) ?? null });
        emit('model.changed', app.model);
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
      case 'log.tail':
        return { lines: [] };
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
    }
  };

  const bridge: Bridge = {
    call: (route, input) => {
      calls.push({ route, input });
      // As over a lost socket: the call waits for a connection.
      if (!isConnected) return new Promise(() => undefined);
      const error = script.refuse?.[route];
      if (error !== undefined) return Promise.resolve({ ok: false, error });
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
