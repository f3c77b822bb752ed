/** What was deleted, and what belongs to nothing any more, goes for good after a while. */
import type { ConversationStore } from './store.ts';

/** So long a deletion can be taken back. */
const TAKE_BACK_MS = 3_600_000;
/** So long an attachment may wait for its message. */
const ATTACHMENT_MS = 24 * 3_600_000;
const INTERVAL_MS = 600_000;

export function keepTidy(
  store: Pick<ConversationStore, 'purge' | 'attachments'>,
  nowMs: () => number,
): { dispose(): void } {
  const tidy = (): void => {
    store.purge(nowMs() - TAKE_BACK_MS);
    store.attachments.purge(nowMs() - ATTACHMENT_MS);
  };
  tidy();
  const timer = setInterval(tidy, INTERVAL_MS);
  timer.unref();
  return { dispose: () => clearInterval(timer) };
}
