import type { Message } from '../../preload/contract.ts';

/** Rows by their place in the list, both ends included. */
export interface RowSpan {
  readonly first: number;
  readonly last: number;
}

/** Past this a selection keeps only its two ends in the page: a whole long conversation drawn would cost what the list saves. */
const MAX_PINNED = 40;

/**
 * The rows to draw: those in view, and those that must not vanish because the focus or a selection is in them. Rows
 * between the ends of a selection stay too, so that copying gets them.
 */
export function rowsToDraw(inView: RowSpan, count: number, pinned: readonly RowSpan[]): number[] {
  const rows = new Set<number>();
  const add = (first: number, last: number): void => {
    for (let row = Math.max(0, first); row <= Math.min(count - 1, last); row += 1) rows.add(row);
  };
  add(inView.first, inView.last);
  for (const { first, last } of pinned) {
    if (last - first < MAX_PINNED) add(first, last);
    else {
      add(first, first);
      add(last, last);
    }
  }
  return [...rows].sort((a, b) => a - b);
}

/** Height in pixels until a row has been drawn and measured: 55 characters a line, a line of 18, and what surrounds it. */
export function estimatedHeight(message: Message): number {
  const lines = Math.ceil(message.text.length / 55) + 1;
  return lines * 18 + (message.role === 'user' ? 14 : 32);
}
