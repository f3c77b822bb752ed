import { createStore, type StoreApi } from 'zustand/vanilla';
import type {
  AppError,
  AppState,
  AssistantMessage,
  Bridge,
  Conversation,
  ConversationSettings,
  ConversationSummary,
  Draft,
  Effort,
  Message,
  ModelEntry,
  Result,
  Settings,
} from '../../preload/contract.ts';
import { isFinal } from '../../preload/answer-status.ts';
import { DEFAULT_CONVERSATION_SETTINGS } from '../../preload/contract.ts';
import { AnswerStreams } from '../chat/answer-streams.ts';
import { announcement } from '../chat/answer-words.ts';
import { ChatActions } from '../chat/chat-actions.ts';
import { Drafts } from '../chat/drafts.ts';
import { ConversationsMirror } from '../conversations/conversations-mirror.ts';
import { EndpointMirror } from '../endpoint/endpoint-mirror.ts';
import { EnginesMirror } from '../engines/engines-mirror.ts';
import { MemoryMirror } from '../memory/memory-mirror.ts';
import { ModelsMirror } from '../models/models-mirror.ts';

/**
 * Whether main can be heard.
 *
 *  connecting ─► connected ⇄ lost
 *      └──────► refused
 */
type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly error: AppError };

/** A conversation but for its messages. */
type AboutConversation = Omit<Conversation, 'messages'>;

/** What the conversation pane shows. `settings`: what a conversation that does not exist yet will begin with. */
export type Pane =
  | { readonly kind: 'new'; readonly settings: Partial<ConversationSettings> }
  | { readonly kind: 'opening'; readonly conversationId: string }
  | {
      readonly kind: 'open';
      readonly conversationId: string;
      readonly messages: readonly Message[];
      readonly about: AboutConversation;
    };

const NEW_PANE: Pane = { kind: 'new', settings: {} };

export interface MirrorState {
  readonly connection: Connection;
  /** Null until main has answered once. */
  readonly app: AppState | null;
  readonly pane: Pane;
  /** An action main refused, until the next one. */
  readonly refusal: AppError | null;
  /** A message is on its way to main. */
  readonly isSending: boolean;
  /** The answer that was asked to stop and has not yet. */
  readonly stoppingId: string | null;
  /** The user's message that is being written anew, in its place. */
  readonly editingId: string | null;
  /** The message that the reader asked to see, until it is in view. */
  readonly revealedId: string | null;
  /** For screen readers: the last answer, once. */
  readonly announcement: string;
  /** Counts them: the same words twice are two. */
  readonly announcements: number;
  /** Counts reasons to put the focus into the composer (shown, new conversation). */
  readonly focusRequests: number;
  /** Counts the times that the reader asked to find something in the conversation. */
  readonly findRequests: number;
}

/** What the window keeps over its own end: localStorage, or a map in tests. */
export interface Keepsakes {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const OPEN_KEY = 'headroom.open-conversation';
const NEW = 'new';
/** Main is asked for a conversation at most this often, however many gaps there are. */
const RESYNC_INTERVAL_MS = 500;

export interface MirrorOptions {
  readonly bridge: Bridge;
  readonly keepsakes: Keepsakes;
  readonly setTimer?: (run: () => void, afterMs: number) => unknown;
}

/** The answer under way in the pane, if any: at most one, the last message. */
export function liveAnswer(pane: Pane): AssistantMessage | null {
  if (pane.kind !== 'open') return null;
  const last = pane.messages.at(-1);
  return last?.role === 'assistant' && !isFinal(last.status) ? last : null;
}

/** How hard the model thinks about the next message: the conversation's own effort, else the app's. */
export function effortOf(app: AppState | null, pane: Pane): Effort {
  const own = pane.kind === 'open' ? pane.about.settings.effort : pane.kind === 'new' ? pane.settings.effort : null;
  return own ?? app?.settings.effort ?? 'medium';
}

/** What is known of a conversation that has just begun. */
function aboutNew(conversation: ConversationSummary, pane: Pane): AboutConversation {
  const settings = { ...DEFAULT_CONVERSATION_SETTINGS, ...(pane.kind === 'new' ? pane.settings : {}) };
  return { ...conversation, branches: [], settings, queued: [], draft: null, cut: null, isSummarising: false };
}

/** Adds a message or replaces the one with its id; order is main's (by time, as they come). */
function upsert(messages: readonly Message[], message: Message): readonly Message[] {
  const index = messages.findIndex(({ id }) => id === message.id);
  if (index === -1) return [...messages, message];
  const known = messages[index];
  // A snapshot taken before the end must not reopen a finished answer, unless the answer goes on in another attempt.
  if (known?.role === 'assistant' && message.role === 'assistant') {
    const isOlder = message.attempt < known.attempt;
    const isBeforeEnd = message.attempt === known.attempt && isFinal(known.status) && !isFinal(message.status);
    if (isOlder || isBeforeEnd) return messages;
  }
  return messages.map((other) => (other.id === message.id ? message : other));
}

/** A copy of main's truth, fed by `app.state` and events. It may be thrown away and made anew at any time. */
export class Mirror {
  readonly store: StoreApi<MirrorState>;
  readonly streams: AnswerStreams;
  readonly memory: MemoryMirror;
  readonly models: ModelsMirror;
  readonly endpoint: EndpointMirror;
  readonly engines: EnginesMirror;
  readonly conversations: ConversationsMirror;
  readonly chat: ChatActions;
  readonly drafts: Drafts;
  readonly #bridge: Bridge;
  readonly #keepsakes: Keepsakes;
  readonly #setTimer: (run: () => void, afterMs: number) => unknown;
  readonly #release: (() => void)[] = [];
  #modelPresence: ModelEntry['presence']['kind'] | null = null;
  #resync: 'idle' | 'running' | 'again' = 'idle';

  constructor({ bridge, keepsakes, setTimer }: MirrorOptions) {
    this.#bridge = bridge;
    this.#keepsakes = keepsakes;
    this.#setTimer = setTimer ?? ((run, afterMs) => setTimeout(run, afterMs));
    this.streams = new AnswerStreams((conversationId) => this.#requestResync(conversationId));
    this.memory = new MemoryMirror(bridge, (result) => this.#take(result));
    this.models = new ModelsMirror(bridge);
    this.endpoint = new EndpointMirror(bridge);
    this.engines = new EnginesMirror(bridge);
    this.conversations = new ConversationsMirror(bridge, (result) => this.#take(result));
    this.drafts = new Drafts(bridge, this.#setTimer);
    this.chat = new ChatActions({
      bridge,
      take: (result) => this.#take(result),
      show: (conversation) => this.#showIfHere(conversation),
    });
    this.store = createStore<MirrorState>(() => ({
      connection: { kind: 'connecting' },
      app: null,
      pane: NEW_PANE,
      refusal: null,
      isSending: false,
      stoppingId: null,
      editingId: null,
      revealedId: null,
      announcement: '',
      announcements: 0,
      focusRequests: 0,
      findRequests: 0,
    }));
  }

  /** Listens first and asks then, so that nothing falls between. */
  async connect(): Promise<void> {
    const { on } = this.#bridge;
    this.#release.push(
      on('engine.state', (engine) => this.#patchApp({ engine })),
      on('settings.changed', (settings) => this.#patchApp({ settings })),
      on('model.changed', (model) => this.#patchApp({ model })),
      on('models.changed', (entries) => this.#noteModel(entries)),
      on('model.chosen', (chosenModelId) => this.#patchApp({ chosenModelId })),
      on('chat.conversations', (conversations) => this.#patchApp({ conversations })),
      on('chat.delta', (delta) => this.streams.apply(delta)),
      on('chat.message', (message) => this.#receive(message)),
      on('chat.changed', (conversation) => this.#showIfHere(conversation)),
      on('chat.deleted', ({ conversationId }) => this.#leave(conversationId)),
      this.conversations.listen(),
      on('window.shown', () => this.requestFocus()),
      this.memory.listen(),
      this.models.listen(),
      this.endpoint.listen(),
      this.#bridge.onConnection((connected) => this.#connectionChanged(connected)),
    );
    await this.#loadEverything();
  }

  dispose(): void {
    this.drafts.flush();
    for (const release of this.#release.splice(0)) release();
  }

  // ── What the person does ──

  /**
   * True when main has taken the message; while an answer is being written here, it waits for its turn. `isFitShown`:
   * that it does not fit stands above the composer already, with its ways.
   */
  async send(draft: Draft, isFitShown = false): Promise<boolean> {
    const { app, pane, isSending } = this.store.getState();
    const isEmpty = draft.text.trim() === '' && draft.attachments.length === 0;
    if (app === null || isSending || pane.kind === 'opening' || isEmpty) return false;
    const conversationId = pane.kind === 'new' ? null : pane.conversationId;
    const effort = this.effort();
    this.store.setState({ isSending: true, refusal: null });
    if (conversationId !== null && liveAnswer(pane) !== null) {
      const wasQueued = await this.chat.queue(conversationId, draft, effort);
      this.store.setState({ isSending: false });
      if (wasQueued) this.drafts.forget(conversationId);
      return wasQueued;
    }
    const { text, attachments } = draft;
    const result = await this.#bridge.call('chat.send', {
      conversationId,
      text,
      effort,
      attachmentIds: attachments.map(({ id }) => id),
      ...(pane.kind === 'new' ? { settings: pane.settings } : {}),
    });
    this.store.setState({ isSending: false });
    const startsModel = app.engine.kind === 'off' || app.engine.kind === 'failed';
    if (startsModel && (await this.#isExplained(result))) return false;
    if (isFitShown && !result.ok && result.error.code === 'context-full') return false;
    const sent = this.#take(result);
    if (sent === null) return false;
    this.drafts.forget(conversationId);
    const { conversation, user, assistant } = sent;
    this.streams.settle(assistant);
    this.store.setState((state) => {
      // The person may have gone elsewhere meanwhile: the answer goes on there without us.
      const isHere =
        state.pane.kind === 'new' ? conversationId === null : state.pane.conversationId === conversation.id;
      if (!isHere) return {};
      const { messages, about } =
        state.pane.kind === 'open' ? state.pane : { messages: [], about: aboutNew(conversation, pane) };
      return {
        pane: {
          kind: 'open' as const,
          conversationId: conversation.id,
          messages: upsert(upsert(messages, user), assistant),
          about,
        },
      };
    });
    this.#rememberPane();
    return true;
  }

  /** What holds for a conversation, or (null) for the one that begins with the next message. */
  async configure(conversationId: string | null, settings: Partial<ConversationSettings>): Promise<void> {
    const { pane } = this.store.getState();
    if (conversationId !== null) await this.chat.configure(conversationId, settings);
    else if (pane.kind === 'new')
      this.store.setState({ pane: { kind: 'new', settings: { ...pane.settings, ...settings } } });
  }

  /** The text of the last answer in view. */
  lastAnswerText(): string | null {
    const { pane } = this.store.getState();
    if (pane.kind !== 'open') return null;
    return pane.messages.findLast(({ role, text }) => role === 'assistant' && text !== '')?.text ?? null;
  }

  /** How hard the model thinks about the next message. */
  effort(): Effort {
    const { app, pane } = this.store.getState();
    return effortOf(app, pane);
  }

  async stopAnswer(): Promise<void> {
    const live = liveAnswer(this.store.getState().pane);
    if (live === null) return;
    this.store.setState({ stoppingId: live.id });
    const result = await this.#bridge.call('chat.stop', { messageId: live.id });
    if (this.#take(result) === null && !result.ok) this.store.setState({ stoppingId: null });
  }

  /** A paused answer stays as it is. */
  async leaveAnswer(messageId: string): Promise<void> {
    this.#take(await this.#bridge.call('chat.stop', { messageId }));
  }

  /** `anyway`: past what was found before loading. */
  async turnOn(how: 'as usual' | 'anyway' = 'as usual'): Promise<void> {
    const result = await this.#bridge.call('engine.start', how === 'anyway' ? { anyway: true } : null);
    if (how === 'as usual' && (await this.#isExplained(result))) return;
    const engine = this.#take(result);
    if (engine !== null) this.#patchApp({ engine });
  }

  async turnOff(): Promise<void> {
    const engine = this.#take(await this.#bridge.call('engine.stop', null));
    if (engine !== null) this.#patchApp({ engine });
  }

  async chooseModel(modelId: string): Promise<boolean> {
    const model = this.#take(await this.#bridge.call('model.choose', { modelId }));
    if (model !== null) this.#patchApp({ model, chosenModelId: modelId });
    return model !== null;
  }

  /** Loads what the next message here would load; the choice stays what it is. */
  async loadForNow(modelId: string): Promise<void> {
    const model = this.#take(await this.#bridge.call('model.choose', { modelId, forNow: true }));
    if (model === null) return;
    this.#patchApp({ model });
    this.requestFocus();
    await this.turnOn();
  }

  /** For this conversation if it has an effort of its own, else for every message to come. */
  async setEffort(effort: Effort): Promise<void> {
    const { pane } = this.store.getState();
    if (pane.kind === 'open' && pane.about.settings.effort !== null) {
      await this.chat.configure(pane.conversationId, { effort });
      return;
    }
    const settings = this.#take(await this.#bridge.call('settings.update', { effort }));
    if (settings !== null) this.#patchApp({ settings });
  }

  /** Somebody looks or is about to write: a model whose memory was lent comes back. */
  async warm(): Promise<void> {
    const result = await this.#bridge.call('engine.warm', null);
    if (result.ok) this.#patchApp({ engine: result.value });
  }

  async setProtection(protection: Settings['protection']): Promise<void> {
    const settings = this.#take(await this.#bridge.call('settings.update', { protection }));
    if (settings !== null) this.#patchApp({ settings });
  }

  /** The first run is over, or is wanted again. */
  async setFirstRun(firstRun: Settings['firstRun']): Promise<void> {
    const settings = this.#take(await this.#bridge.call('settings.update', { firstRun }));
    if (settings !== null) this.#patchApp({ settings });
  }

  newConversation(settings: Partial<ConversationSettings> = {}): void {
    this.store.setState({ pane: { kind: 'new', settings }, refusal: null, editingId: null });
    this.#rememberPane();
    this.requestFocus();
  }

  /** `messageId`: the message to be seen, on whichever branch it lies. */
  async openConversation(conversationId: string, messageId: string | null = null): Promise<void> {
    this.store.setState({ pane: { kind: 'opening', conversationId }, refusal: null, editingId: null });
    await this.#loadConversation(conversationId, 'missing is told');
    this.#rememberPane();
    this.requestFocus();
    if (messageId === null) return;
    const { pane } = this.store.getState();
    if (pane.kind !== 'open' || pane.conversationId !== conversationId) return;
    if (!pane.messages.some(({ id }) => id === messageId)) await this.chat.walkTo(messageId);
    this.store.setState({ revealedId: messageId });
  }

  async openLink(url: string): Promise<void> {
    this.#take(await this.#bridge.call('link.open', { url }));
  }

  async logTail(): Promise<readonly string[]> {
    const result = await this.#bridge.call('log.tail', null);
    return result.ok ? result.value.lines : [];
  }

  /** Null: it is ours. */
  async setGlobalShortcut(globalShortcut: string | null): Promise<AppError | null> {
    const result = await this.#bridge.call('settings.update', { globalShortcut });
    if (!result.ok) return result.error;
    this.#patchApp({ settings: result.value });
    return null;
  }

  async setOpensAtLogin(opens: boolean): Promise<void> {
    const state = this.#take(await this.#bridge.call('app.openAtLogin', { opens }));
    if (state !== null) this.#patchApp(state);
  }

  /** Into a window of its own, or back under the icon. The page goes, another one takes its place. */
  detachWindow(detached: boolean): void {
    this.drafts.flush();
    void this.#bridge.call('window.detach', { detached });
  }

  /** The system's file dialog takes the focus: the window stays meanwhile. */
  holdWindow(open: boolean): void {
    void this.#bridge.call('window.keepOpen', { open });
  }

  /** Null: dismissed, or there is no such dialog here. */
  async choosePath(what: 'folder' | 'file', startAt: string | null): Promise<string | null> {
    const chosen = this.#take(await this.#bridge.call('window.choosePath', { what, startAt }));
    return chosen?.path ?? null;
  }

  hideWindow(): void {
    void this.#bridge.call('window.hide', null);
  }

  reportFault(message: string): void {
    void this.#bridge.call('log.report', { message: message.slice(0, 8_000) });
  }

  /** It is in view. */
  endReveal(): void {
    this.store.setState({ revealedId: null });
  }

  /** Null ends it; the focus goes back to the composer then. */
  editMessage(messageId: string | null): void {
    this.store.setState({ editingId: messageId });
    if (messageId === null) this.requestFocus();
  }

  /** ⌘↑: the last message, once more. */
  editLastMessage(): void {
    const { pane } = this.store.getState();
    if (pane.kind !== 'open' || liveAnswer(pane) !== null) return;
    const last = pane.messages.findLast(({ role }) => role === 'user');
    if (last !== undefined) this.editMessage(last.id);
  }

  requestFind(): void {
    this.store.setState((state) => ({ findRequests: state.findRequests + 1 }));
  }

  requestFocus(): void {
    this.store.setState((state) => ({ focusRequests: state.focusRequests + 1 }));
  }

  /** Something the window itself cannot do, said like what main refuses. */
  refuse(error: AppError): void {
    this.store.setState({ refusal: error });
  }

  /** What was refused because of the model's files says nothing any longer once they are repaired, or gone. */
  #noteModel(entries: readonly ModelEntry[]): void {
    const modelId = this.store.getState().app?.model?.id;
    const presence = entries.find(({ id }) => id === modelId)?.presence.kind ?? null;
    if (presence !== this.#modelPresence && this.#modelPresence !== null) this.dismissRefusal();
    this.#modelPresence = presence;
  }

  dismissRefusal(): void {
    this.store.setState({ refusal: null });
  }

  // ── What main tells ──

  #patchApp(patch: Partial<AppState>): void {
    this.store.setState((state) => (state.app === null ? {} : { app: { ...state.app, ...patch } }));
  }

  #receive(message: Message): void {
    const { pane } = this.store.getState();
    if (message.role === 'assistant') this.streams.settle(message);
    if (pane.kind !== 'open' || pane.conversationId !== message.conversationId) return;
    const hasEnded = message.role === 'assistant' && isFinal(message.status);
    this.store.setState((state) => ({
      pane: { ...pane, messages: upsert(pane.messages, message) },
      announcement: hasEnded ? announcement(message.status, message.text) : state.announcement,
      announcements: state.announcements + (hasEnded ? 1 : 0),
      stoppingId: hasEnded && state.stoppingId === message.id ? null : state.stoppingId,
    }));
  }

  #connectionChanged(connected: boolean): void {
    const { connection } = this.store.getState();
    if (connected) {
      if (connection.kind === 'connected' || connection.kind === 'connecting') return;
      this.streams.clear();
    } else if (connection.kind === 'connected') {
      this.store.setState({ connection: { kind: 'lost' } });
    }
    // Without a connection the question waits for one, or is answered with why there will be none.
    void this.#loadEverything();
  }

  async #loadEverything(): Promise<void> {
    const result = await this.#bridge.call('app.state', null);
    if (!result.ok) {
      const isLost = result.error.code === 'disconnected' && this.store.getState().app !== null;
      this.store.setState({ connection: isLost ? { kind: 'lost' } : { kind: 'refused', error: result.error } });
      return;
    }
    void this.memory.load();
    void this.models.load();
    const isFirst = this.store.getState().app === null;
    this.store.setState({ app: result.value, connection: { kind: 'connected' }, stoppingId: null });
    if (result.value.startNotice !== undefined) this.refuse(result.value.startNotice);
    this.drafts.learn(null, result.value.newDraft);
    const { pane } = this.store.getState();
    if (!isFirst) {
      if (pane.kind !== 'new') await this.#loadConversation(pane.conversationId, 'missing is told');
      return;
    }
    const wanted = this.#keepsakes.getItem(OPEN_KEY);
    if (wanted === NEW) return;
    const { conversations } = result.value;
    const latest = [...conversations].sort((a, b) => b.updatedAtMs - a.updatedAtMs)[0];
    const openedId = wanted ?? latest?.id;
    if (openedId === undefined) return;
    this.store.setState({ pane: { kind: 'opening', conversationId: openedId } });
    await this.#loadConversation(openedId, 'missing is new');
  }

  async #loadConversation(conversationId: string, missing: 'missing is told' | 'missing is new'): Promise<void> {
    const result = await this.#bridge.call('chat.open', { conversationId });
    const { pane } = this.store.getState();
    // The answer to a question nobody asks any more.
    if (pane.kind === 'new' || pane.conversationId !== conversationId) return;
    if (!result.ok) {
      if (result.error.code === 'disconnected') return;
      this.store.setState({ pane: NEW_PANE, ...(missing === 'missing is told' ? { refusal: result.error } : {}) });
      return;
    }
    this.#show(result.value);
  }

  #showIfHere(conversation: Conversation): void {
    const { pane } = this.store.getState();
    if (pane.kind === 'open' && pane.conversationId === conversation.id) this.#show(conversation);
  }

  /** The conversation is gone: what shows it shows a new one. */
  #leave(conversationId: string): void {
    const { pane } = this.store.getState();
    this.drafts.forget(conversationId);
    if (pane.kind === 'new' || pane.conversationId !== conversationId) return;
    this.store.setState({ pane: NEW_PANE });
    this.#rememberPane();
  }

  #show(conversation: Conversation): void {
    const { messages: told, ...about } = conversation;
    for (const message of told) if (message.role === 'assistant') this.streams.settle(message);
    this.drafts.learn(conversation.id, conversation.draft);
    this.store.setState((state) => {
      const known =
        state.pane.kind === 'open' && state.pane.conversationId === conversation.id ? state.pane.messages : [];
      // Main's list is the order; a message that finished while the snapshot was on its way stays finished.
      const messages = told.map((message) => {
        const here = known.find(({ id }) => id === message.id);
        return here === undefined ? message : (upsert([here], message)[0] ?? message);
      });
      return { pane: { kind: 'open', conversationId: conversation.id, messages, about } };
    });
  }

  #requestResync(conversationId: string): void {
    if (this.#resync !== 'idle') {
      this.#resync = 'again';
      return;
    }
    this.#resync = 'running';
    void this.#loadConversation(conversationId, 'missing is told').finally(() => {
      this.#setTimer(() => {
        const again = this.#resync === 'again';
        this.#resync = 'idle';
        if (again) this.#requestResync(conversationId);
      }, RESYNC_INTERVAL_MS);
    });
  }

  /** A start was refused for what the pre-flight says, which then shows itself with its numbers and ways. */
  async #isExplained(result: Result<unknown>): Promise<boolean> {
    if (result.ok || result.error.code !== 'refused' || this.memory.protectionRefuses) return false;
    return this.models.explainsRefusal();
  }

  #take<T>(result: Result<T>): T | null {
    if (result.ok) return result.value;
    // The strip under the header tells about a lost connection already.
    if (result.error.code !== 'disconnected') this.store.setState({ refusal: result.error });
    return null;
  }

  #paneName(): string {
    const { pane } = this.store.getState();
    return pane.kind === 'new' ? NEW : pane.conversationId;
  }

  #rememberPane(): void {
    this.#keepsakes.setItem(OPEN_KEY, this.#paneName());
  }
}
