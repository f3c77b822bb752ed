import type {
  Attachment,
  Bridge,
  ContextUse,
  Conversation,
  Draft,
  Effort,
  QueuedMessage,
  Result,
  RouteInput,
} from '../../preload/contract.ts';

interface Surroundings {
  readonly bridge: Bridge;
  /** Says what main refused; null then. */
  take<T>(result: Result<T>): T | null;
  show(conversation: Conversation): void;
}

/** What a person does inside a conversation, but for sending and stopping, which are the mirror's. */
export class ChatActions {
  readonly #bridge: Bridge;
  readonly #take: Surroundings['take'];
  readonly #show: Surroundings['show'];

  constructor({ bridge, take, show }: Surroundings) {
    this.#bridge = bridge;
    this.#take = take;
    this.#show = show;
  }

  /** False: refused, and said so. */
  async edit(messageId: string, draft: Draft, effort: Effort): Promise<boolean> {
    const { text, attachments } = draft;
    const attachmentIds = attachments.map(({ id }) => id);
    return this.#shown(await this.#bridge.call('chat.edit', { messageId, text, effort, attachmentIds }));
  }

  async regenerate(messageId: string): Promise<boolean> {
    return this.#shown(await this.#bridge.call('chat.regenerate', { messageId }));
  }

  async goOn(messageId: string): Promise<boolean> {
    return this.#shown(await this.#bridge.call('chat.continue', { messageId }));
  }

  async walkTo(messageId: string): Promise<boolean> {
    return this.#shown(await this.#bridge.call('chat.branch', { messageId }));
  }

  async answerNow(messageId: string): Promise<void> {
    this.#take(await this.#bridge.call('chat.answerNow', { messageId }));
  }

  async queue(conversationId: string, draft: Draft, effort: Effort): Promise<boolean> {
    const { text, attachments } = draft;
    const attachmentIds = attachments.map(({ id }) => id);
    return this.#shown(await this.#bridge.call('chat.queue', { conversationId, text, effort, attachmentIds }));
  }

  async unqueue(queuedId: string): Promise<QueuedMessage | null> {
    return this.#take(await this.#bridge.call('chat.unqueue', { queuedId }));
  }

  async sendQueued(queuedId: string): Promise<boolean> {
    return this.#shown(await this.#bridge.call('chat.sendQueued', { queuedId }));
  }

  async configure(conversationId: string, settings: RouteInput<'chat.configure'>['settings']): Promise<boolean> {
    return this.#shown(await this.#bridge.call('chat.configure', { conversationId, settings }));
  }

  /** The person's choice when a conversation no longer fits. */
  async fit(conversationId: string, how: 'trim' | 'summarise' | 'everything', draft: Draft): Promise<boolean> {
    const attachmentIds = draft.attachments.map(({ id }) => id);
    return this.#shown(await this.#bridge.call('chat.fit', { conversationId, how, text: draft.text, attachmentIds }));
  }

  /** Null: nobody could count. */
  async count(question: RouteInput<'chat.count'>): Promise<ContextUse | null> {
    const result = await this.#bridge.call('chat.count', question);
    return result.ok ? result.value : null;
  }

  async attach(name: string | null, text: string): Promise<Attachment | null> {
    return this.#take(await this.#bridge.call('chat.attach', { name, text }));
  }

  async attachmentText(attachmentId: string): Promise<string | null> {
    return this.#take(await this.#bridge.call('chat.attachment', { attachmentId }))?.text ?? null;
  }

  #shown(result: Result<Conversation>): boolean {
    const conversation = this.#take(result);
    if (conversation !== null) this.#show(conversation);
    return conversation !== null;
  }
}
