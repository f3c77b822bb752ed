import type { Bridge, Draft } from '../../preload/contract.ts';

const EMPTY: Draft = { text: '', attachments: [] };
/** Main is told when the typing rests for so long, and at once when the window may go. */
const REST_MS = 300;

/** What is being written and not sent, a draft a conversation. Main keeps it; this window has its own caret. */
export class Drafts {
  readonly #bridge: Bridge;
  readonly #setTimer: (run: () => void, afterMs: number) => unknown;
  readonly #here = new Map<string | null, Draft>();
  readonly #unsaved = new Set<string | null>();
  #isTimed = false;

  constructor(bridge: Bridge, setTimer: (run: () => void, afterMs: number) => unknown) {
    this.#bridge = bridge;
    this.#setTimer = setTimer;
  }

  /** `conversationId: null`: of a conversation that does not exist yet. */
  get(conversationId: string | null): Draft {
    return this.#here.get(conversationId) ?? EMPTY;
  }

  /** What main has. What was written here since comes first. */
  learn(conversationId: string | null, draft: Draft | null): void {
    if (!this.#unsaved.has(conversationId)) this.#here.set(conversationId, draft ?? EMPTY);
  }

  keep(conversationId: string | null, draft: Draft): void {
    this.#here.set(conversationId, draft);
    this.#unsaved.add(conversationId);
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#setTimer(() => {
      this.#isTimed = false;
      this.flush();
    }, REST_MS);
  }

  /** It was sent, or goes with its conversation: main knows. */
  forget(conversationId: string | null): void {
    this.#here.delete(conversationId);
    this.#unsaved.delete(conversationId);
  }

  flush(): void {
    for (const conversationId of this.#unsaved) {
      const { text, attachments } = this.get(conversationId);
      const attachmentIds = attachments.map(({ id }) => id);
      void this.#bridge.call('chat.draft', { conversationId, text, attachmentIds });
    }
    this.#unsaved.clear();
  }
}
