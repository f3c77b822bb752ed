import { type RefObject, useCallback, useEffect, useMemo, useState } from 'react';
import type { Message } from '../../preload/contract.ts';
import { countIn, type FoundIn, matcherOf, matchNear, placeOf, totalOf, wordsOf } from './find.ts';
import { rangesIn } from './find-ranges.ts';

/** Messages are read in slices of this long, so that looking through a long conversation never holds up a key. */
const SLICE_MS = 8;
/** Frames that the list gets to draw a row that was far away, and to measure it. */
const MAX_FRAMES = 40;
/** Marks in one message: the letter e in a long one would be thousands, which the page has to follow at every change. */
const MAX_MARKS = 500;
const ALL = 'find';
const CURRENT = 'find-current';

export interface FindPorts {
  readonly view: RefObject<HTMLElement | null>;
  /** Brings a row into the page. */
  readonly showRow: (row: number) => void;
  /** The first row that the reader sees. */
  readonly firstRow: () => number;
}

export interface Find {
  readonly query: string;
  readonly total: number;
  /** From 1; 0 when there is none. */
  readonly current: number;
  readonly isSearching: boolean;
  search(query: string): void;
  step(by: 1 | -1): void;
}

interface Search {
  readonly query: string;
  readonly found: readonly FoundIn[];
  readonly isSearching: boolean;
  readonly match: number;
  /** Counts the times that the reader asked to be brought to a match. */
  readonly travels: number;
}

const NOTHING: Search = { query: '', found: [], isSearching: false, match: 0, travels: 0 };

/** A message's words do not change: they are read once, as long as the message lives. */
const known = new WeakMap<Message, readonly string[]>();

function words(message: Message): readonly string[] {
  let read = known.get(message);
  if (read === undefined) {
    read = wordsOf(message);
    known.set(message, read);
  }
  return read;
}

/**
 * Looks for words in the whole conversation, drawn or not, and marks them where they are drawn. Marks are the browser's
 * own highlights: the page itself is not changed.
 */
export function useFind(isOpen: boolean, messages: readonly Message[], { view, showRow, firstRow }: FindPorts): Find {
  const [search, setSearch] = useState(NOTHING);
  const { query, found, match, travels } = search;
  const matcher = useMemo(() => (isOpen ? matcherOf(query) : null), [isOpen, query]);

  // Reads the messages, a slice at a time.
  useEffect(() => {
    if (matcher === null) return;
    const results: FoundIn[] = [];
    let next = 0;
    let timer = 0;
    const slice = (): void => {
      const endMs = performance.now() + SLICE_MS;
      for (; next < messages.length && performance.now() < endMs; next += 1) {
        const message = messages[next];
        const count = message === undefined ? 0 : countIn(words(message), matcher);
        if (count > 0) results.push({ row: next, count });
      }
      const isSearching = next < messages.length;
      setSearch((state) => ({
        ...state,
        found: [...results],
        isSearching,
        // A new search begins where the reader is; one that follows new messages stays where it was.
        match: state.match === -1 && !isSearching ? matchNear(results, firstRow()) : state.match,
        travels: state.match === -1 && !isSearching ? state.travels + 1 : state.travels,
      }));
      if (isSearching) timer = window.setTimeout(slice);
    };
    timer = window.setTimeout(slice);
    return () => window.clearTimeout(timer);
  }, [matcher, messages, firstRow]);

  // Marks what is drawn, and again whenever rows come, go or grow.
  useEffect(() => {
    const root = view.current;
    if (matcher === null || root === null) return;
    const place = placeOf(found, match);
    let frame = 0;
    const mark = (): void => {
      frame = 0;
      const all = new Highlight();
      const current = new Highlight();
      for (const row of root.querySelectorAll<HTMLElement>('[data-index]')) {
        const isPlace = Number(row.dataset['index']) === place?.row;
        const most = Math.max(MAX_MARKS, isPlace ? place.nth + 1 : 0);
        for (const [nth, range] of rangesOf(row, matcher, most).entries())
          (isPlace && nth === place.nth ? current : all).add(range);
      }
      CSS.highlights.set(ALL, all);
      CSS.highlights.set(CURRENT, current);
    };
    mark();
    const observer = new MutationObserver(() => {
      frame ||= requestAnimationFrame(mark);
    });
    observer.observe(root, { childList: true, characterData: true, subtree: true });
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame);
      CSS.highlights.delete(ALL);
      CSS.highlights.delete(CURRENT);
    };
  }, [matcher, found, match, view]);

  // Brings the reader to the match.
  useEffect(() => {
    const place = placeOf(found, match);
    if (travels === 0 || matcher === null || place === null) return;
    let frames = 0;
    let stillAt: number | null = null;
    let frame = 0;
    const travel = (): void => {
      const root = view.current;
      if (root === null || (frames += 1) > MAX_FRAMES) return;
      const row = root.querySelector<HTMLElement>(`[data-index="${place.row}"]`);
      const range = row === null ? undefined : rangesOf(row, matcher, place.nth + 1)[place.nth];
      if (range === undefined) {
        if (frames % 8 === 1) showRow(place.row);
      } else {
        const top = comeInto(root, range);
        // Rows that are measured meanwhile move it once more.
        if (stillAt === top) return;
        stillAt = top;
      }
      frame = requestAnimationFrame(travel);
    };
    travel();
    return () => cancelAnimationFrame(frame);
    // Only when asked to: text that grows must not pull the reader back.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [travels]);

  const total = totalOf(found);
  return {
    query,
    total,
    current: total === 0 || match < 0 ? 0 : Math.min(match, total - 1) + 1,
    isSearching: search.isSearching,
    search: useCallback(
      (wanted: string) =>
        setSearch((state) =>
          wanted === state.query
            ? state
            : matcherOf(wanted) === null
              ? { ...NOTHING, query: wanted }
              : { ...state, query: wanted, isSearching: true, match: -1 },
        ),
      [],
    ),
    step: useCallback((by: 1 | -1) => {
      setSearch((state) => {
        const count = totalOf(state.found);
        if (count === 0) return state;
        return { ...state, match: (state.match + by + count) % count, travels: state.travels + 1 };
      });
    }, []),
  };
}

function rangesOf(row: HTMLElement, matcher: RegExp, most: number): Range[] {
  const ranges: Range[] = [];
  for (const root of row.querySelectorAll('[data-find]')) ranges.push(...rangesIn(root, matcher, most - ranges.length));
  return ranges;
}

/** Scrolls so that a range is well in view, sideways too; answers where the view then stands. */
function comeInto(view: HTMLElement, range: Range): number {
  const sideways = range.startContainer.parentElement?.closest<HTMLElement>('pre, [role="group"]');
  let place = range.getBoundingClientRect();
  if (sideways !== null && sideways !== undefined && sideways.scrollWidth > sideways.clientWidth) {
    const box = sideways.getBoundingClientRect();
    if (place.left < box.left || place.right > box.right) {
      sideways.scrollLeft += place.left - box.left - box.width / 3;
      place = range.getBoundingClientRect();
    }
  }
  const box = view.getBoundingClientRect();
  const margin = Math.min(48, box.height / 4);
  if (place.top < box.top + margin || place.bottom > box.bottom - margin)
    view.scrollTop += place.top - box.top - box.height / 3;
  return view.scrollTop;
}
