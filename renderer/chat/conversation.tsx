import { defaultRangeExtractor, type Range, useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { Component, memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../preload/contract.ts';
import { useMirror, useMirrored } from '../mirror/react.ts';
import { Hidden } from '../ui/hidden.tsx';
import { Answer } from './answer.tsx';
import { ContextCutMark } from './context-cut-mark.tsx';
import styles from './conversation.module.css';
import { FindBar } from './find-bar.tsx';
import { estimatedHeight, keepsEnd, type RowSpan, rowsToDraw } from './rows.ts';
import { useKeptFocus } from './use-kept-focus.ts';
import { useFind } from './use-find.ts';
import { UserBubble } from './user-bubble.tsx';

/** How near to the end the list itself takes for being there, in pixels. */
const AT_END = 4;
/** Further from the end than a line of text, the way back is shown. */
const AWAY = 24;

const Row = memo(function Row({ message, isLast }: { readonly message: Message; readonly isLast: boolean }) {
  return (
    <UndrawableMessage text={message.text}>
      {message.role === 'user' ? <UserBubble message={message} /> : <Answer message={message} isLast={isLast} />}
      <ContextCutMark messageId={message.id} />
    </UndrawableMessage>
  );
});

/** A message that cannot be drawn is shown as it was written, and the others are not touched by it. */
class UndrawableMessage extends Component<
  { readonly text: string; readonly children: ReactNode },
  { readonly isFailed: boolean }
> {
  override state = { isFailed: false };
  static getDerivedStateFromError() {
    return { isFailed: true };
  }
  override render() {
    return this.state.isFailed ? <p className={styles.undrawable}>{this.props.text}</p> : this.props.children;
  }
}

/** Where the reader was in each conversation, as long as this window lives; nothing for those read to their end. */
const places = new Map<string, { readonly offset: number; readonly measured: VirtualItem[] }>();

/** What opens or closes under a click stays where it is for so long, however the list grows. */
const HOLD_MS = 400;

/** The row a node of the page lies in, or null. */
function rowOf(node: Node | null, within: HTMLElement | null): number | null {
  const element = node instanceof Element ? node : (node?.parentElement ?? null);
  const row = element?.closest<HTMLElement>('[data-index]') ?? null;
  return row !== null && within?.contains(row) ? Number(row.dataset['index']) : null;
}

/** Rows that hold the focus or a selection: they stay drawn wherever the reader scrolls. */
function pinnedRows(view: HTMLElement | null): readonly RowSpan[] {
  const spans: RowSpan[] = [];
  const focused = rowOf(document.activeElement, view);
  if (focused !== null) spans.push({ first: focused, last: focused });
  const selection = getSelection();
  if (selection !== null && !selection.isCollapsed) {
    const ends = [rowOf(selection.anchorNode, view), rowOf(selection.focusNode, view)].filter((row) => row !== null);
    if (ends.length > 0) spans.push({ first: Math.min(...ends), last: Math.max(...ends) });
  }
  return spans;
}

/**
 * The messages; only those near the view are in the page, whatever the conversation's length. The end stays in view
 * while an answer grows, until the reader scrolls up; then nothing moves under their eyes, and a button leads back.
 */
export function Conversation({ messages }: { readonly messages: readonly Message[] }) {
  const view = useRef<HTMLDivElement>(null);
  const [isAway, setIsAway] = useState(false);
  const conversationId = messages[0]?.conversationId ?? '';
  const [place] = useState(() => places.get(conversationId));
  const following = useRef({ keepsEnd: place === undefined, offset: place?.offset ?? 0 });
  const [isHeld, setIsHeld] = useState(false);
  const frame = useRef(0);
  // In the next frame: until then rows are still being measured, and the list may get there by itself.
  const keepEnd = (): void => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      if (following.current.keepsEnd && list.getDistanceFromEnd() > 1) list.scrollToEnd();
    });
  };
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const rangeExtractor = useCallback((range: Range) => {
    const inView = defaultRangeExtractor(range);
    return rowsToDraw({ first: inView[0] ?? 0, last: inView.at(-1) ?? -1 }, range.count, pinnedRows(view.current));
  }, []);
  // The React compiler, which could not memoise what this returns, is not used here.
  // oxlint-disable-next-line react/incompatible-library
  const list = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: messages.length,
    getScrollElement: () => view.current,
    getItemKey: (index) => messages[index]?.id ?? index,
    estimateSize: (index) => (messages[index] === undefined ? 0 : estimatedHeight(messages[index])),
    rangeExtractor,
    overscan: 2,
    gap: 16,
    paddingStart: 16,
    paddingEnd: 16,
    anchorTo: isHeld ? 'start' : 'end',
    ...(place && { initialOffset: place.offset, initialMeasurementsCache: place.measured }),
    followOnAppend: true,
    scrollEndThreshold: AT_END,
    directDomUpdates: true,
    // A transform would make each row the frame of what is fixed to the window (the address of a link pointed at).
    directDomUpdatesMode: 'position',
    onChange: (instance) => {
      const distanceFromEnd = instance.getDistanceFromEnd();
      if (isHeld && distanceFromEnd > AT_END) following.current.keepsEnd = false;
      if (following.current.keepsEnd && distanceFromEnd > 1) keepEnd();
      setIsAway(!following.current.keepsEnd && distanceFromEnd > AWAY);
    },
  });

  const toEnd = useCallback(() => {
    following.current.keepsEnd = true;
    list.scrollToEnd();
    setIsAway(false);
  }, [list]);

  // What the reader sends is what they want to see.
  const lastUserId = messages.findLast(({ role }) => role === 'user')?.id;
  const isRestored = useRef(place !== undefined);
  useLayoutEffect(() => {
    if (!isRestored.current) toEnd();
    isRestored.current = false;
  }, [toEnd, lastUserId]);

  useEffect(
    () => () => {
      // oxlint-disable-next-line react-hooks/exhaustive-deps -- As it is when the reader leaves.
      if (following.current.keepsEnd) places.delete(conversationId);
      else places.set(conversationId, { offset: list.scrollOffset ?? 0, measured: list.takeSnapshot() });
    },
    [list, conversationId],
  );

  // Thoughts that are opened at the end are read from their beginning: the end may leave the view.
  useEffect(() => {
    const root = view.current;
    let timer = 0;
    const hold = (event: MouseEvent): void => {
      if (!(event.target instanceof Element) || event.target.closest('[aria-expanded], summary') === null) return;
      window.clearTimeout(timer);
      setIsHeld(true);
      timer = window.setTimeout(() => setIsHeld(false), HOLD_MS);
    };
    root?.addEventListener('click', hold, { capture: true });
    return () => {
      root?.removeEventListener('click', hold, { capture: true });
      window.clearTimeout(timer);
    };
  }, []);

  // A composer that grows takes height from the end, which has to stay in view. Where the reader is, is asked only when
  // the page has scrolled: while rows are measured, place and height do not belong together.
  useEffect(() => {
    const root = view.current;
    if (root === null) return;
    const observer = new ResizeObserver(() => {
      if (following.current.keepsEnd) list.scrollToEnd();
    });
    observer.observe(root);
    const onScroll = (): void => {
      const { scrollTop: offset, scrollHeight, clientHeight } = root;
      const now = { offset, distanceFromEnd: scrollHeight - clientHeight - offset };
      following.current = { keepsEnd: keepsEnd(following.current, now), offset };
    };
    root.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      root.removeEventListener('scroll', onScroll);
    };
  }, [list]);

  const mirror = useMirror();
  useKeptFocus(view, () => mirror.requestFocus());
  const revealedId = useMirrored((state) => state.revealedId);
  useEffect(() => {
    const row = revealedId === null ? -1 : messages.findIndex(({ id }) => id === revealedId);
    if (row === -1) return;
    following.current.keepsEnd = false;
    list.scrollToIndex(row, { align: 'start' });
    mirror.endReveal();
  }, [list, messages, mirror, revealedId]);

  const findRequests = useMirrored((state) => state.findRequests);
  const [findsClosed, setFindsClosed] = useState(findRequests);
  const isFinding = findRequests > findsClosed;
  const closeFind = useCallback(() => {
    setFindsClosed(findRequests);
    mirror.requestFocus();
  }, [mirror, findRequests]);
  const find = useFind(isFinding, messages, {
    view,
    showRow: useCallback((row: number) => list.scrollToIndex(row, { align: 'center' }), [list]),
    firstRow: useCallback(() => list.getVirtualItemForOffset(list.scrollOffset ?? 0)?.index ?? 0, [list]),
  });

  return (
    <>
      {isFinding && <FindBar find={find} request={findRequests} onClose={closeFind} />}
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
        >
          <div ref={list.containerRef} className={styles.content}>
            {list.getVirtualItems().map(({ key, index }) => {
              const message = messages[index];
              return (
                message !== undefined && (
                  <div key={key} ref={list.measureElement} data-index={index} className={styles.row}>
                    <Row message={message} isLast={index === messages.length - 1} />
                  </div>
                )
              );
            })}
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
    </>
  );
}
