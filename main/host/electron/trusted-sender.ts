/** Whether a request really comes from our page in our window. Every request is judged, before anything is read of it. */
import type { Sender } from '../gate.ts';
import { isOurAddress } from './page-policy.ts';

export interface SenderFacts {
  /** Null when the frame has navigated or gone since it sent. */
  readonly frame: { readonly url: string; readonly isMainFrame: boolean } | null;
  readonly contentsId: number;
  /** The web contents of our own window, or null while there is none. */
  readonly ourContentsId: number | null;
}

export function judgeSender(facts: SenderFacts): Sender {
  if (facts.frame === null) return { trusted: false, reason: 'the frame is gone' };
  if (!facts.frame.isMainFrame) return { trusted: false, reason: 'the frame is not the main frame' };
  if (!isOurAddress(facts.frame.url)) return { trusted: false, reason: 'the page is not ours' };
  if (facts.contentsId !== facts.ourContentsId) return { trusted: false, reason: 'the window is not ours' };
  return { trusted: true };
}
