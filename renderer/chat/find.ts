import type { Message } from '../../preload/contract.ts';
import { splitPlainText } from '../markdown/plain-text.ts';
import { shownText } from '../markdown/shown-text.ts';

/** What is looked for: its letters in either case, any white space for white space. Null when there is nothing to find. */
export function matcherOf(query: string): RegExp | null {
  const words = query.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  return new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('\\s+'), 'giu');
}

/** The words of a message as the reader sees them. What is folded away (thoughts, attached files) is not among them. */
export const wordsOf = (message: Message): readonly string[] =>
  message.role === 'user' ? splitPlainText(message.text) : shownText(message.text);

export const countIn = (words: readonly string[], matcher: RegExp): number =>
  words.reduce((count, text) => count + (text.match(matcher)?.length ?? 0), 0);

/** How often a message holds what is looked for. */
export interface FoundIn {
  readonly row: number;
  readonly count: number;
}

/** Where the n-th match of the whole conversation is: its row, and which of that row's matches. */
export function placeOf(
  found: readonly FoundIn[],
  match: number,
): { readonly row: number; readonly nth: number } | null {
  let before = 0;
  for (const { row, count } of found) {
    if (match < before + count) return { row, nth: match - before };
    before += count;
  }
  return null;
}

export const totalOf = (found: readonly FoundIn[]): number => found.reduce((sum, { count }) => sum + count, 0);

/** The match to begin with: the first one at or below the row that is read, else the first of all. */
export function matchNear(found: readonly FoundIn[], row: number): number {
  let before = 0;
  for (const place of found) {
    if (place.row >= row) return before;
    before += place.count;
  }
  return 0;
}
