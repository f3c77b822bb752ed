import { ArrowDown } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../preload/contract.ts';
import { Hidden } from '../ui/hidden.tsx';
import { Answer } from './answer.tsx';
import styles from './conversation.module.css';
import { followsEnd, type ScrollMetrics } from './scroll.ts';
import { UserBubble } from './user-bubble.tsx';

const measure = (view: HTMLElement): ScrollMetrics => ({
  top: view.scrollTop,
  viewHeight: view.clientHeight,
  contentHeight: view.scrollHeight,
});

/**
 * The messages. The end stays in view while an answer grows, until the reader scrolls up; then nothing moves under
 * their eyes, and a button leads back.
 */
export function Conversation({ messages }: { readonly messages: readonly Message[] }) {
  const view = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const before = useRef<ScrollMetrics>({ top: 0, viewHeight: 0, contentHeight: 0 });
  const [isAway, setIsAway] = useState(false);

  const toEnd = useCallback(() => {
    if (view.current === null) return;
    follows.current = true;
    view.current.scrollTop = view.current.scrollHeight;
    before.current = measure(view.current);
    setIsAway(false);
  }, []);

  // What the reader sends is what they want to see.
  const lastUserId = messages.findLast(({ role }) => role === 'user')?.id;
  useLayoutEffect(toEnd, [toEnd, lastUserId]);

  useEffect(() => {
    if (view.current === null || content.current === null) return;
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    observer.observe(view.current);
    observer.observe(content.current);
    return () => observer.disconnect();
  }, [toEnd]);

  return (
    <div className={styles.frame}>
      {/* Focusable, so that arrow and page keys scroll it. */}
      <div
        ref={view}
        className={styles.view}
        role="log"
        // Said once when finished, by the live region: a log that speaks every token cannot be listened to.
        aria-live="off"
        aria-label="Conversation"
        tabIndex={0}
        onScroll={(event) => {
          const now = measure(event.currentTarget);
          follows.current = followsEnd(follows.current, before.current, now);
          before.current = now;
          setIsAway(!follows.current);
        }}
      >
        <div ref={content} className={styles.content}>
          {messages.map((message, index) =>
            message.role === 'user' ? (
              <UserBubble key={message.id} message={message} />
            ) : (
              <Answer key={message.id} message={message} isLast={index === messages.length - 1} />
            ),
          )}
        </div>
      </div>
      {isAway && (
        <button
          type="button"
          className={styles.jump}
          onClick={() => {
            toEnd();
            view.current?.focus({ preventScroll: true });
          }}
        >
          <ArrowDown size={14} strokeWidth={2} aria-hidden />
          Jump to latest
        </button>
      )}
      <Hidden>{`${messages.length} messages`}</Hidden>
    </div>
  );
}
