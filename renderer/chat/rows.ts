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

/** Characters of a line of text, and its height; what stands between two paragraphs; what a code block adds to its lines. */
const LINE_CHARACTERS = 52;
const LINE_HEIGHT = 18;
const PARAGRAPH_GAP = 8;
const CODE_FRAME = 38;
const TABLE_ROW_HEIGHT = 27;
const FORMULA_HEIGHT = 24;
/** What a question and an answer have around their text. */
const AROUND_QUESTION = 14;
const AROUND_ANSWER = 34;

const wrapped = (line: string): number => Math.max(1, Math.ceil(line.length / LINE_CHARACTERS)) * LINE_HEIGHT;

function answerHeight(text: string): number {
  let height = AROUND_ANSWER;
  let isCode = false;
  for (const line of text.split('\n')) {
    if (/^\s*(?:```|~~~)/.test(line)) {
      isCode = !isCode;
      height += CODE_FRAME / 2;
    } else if (isCode) height += LINE_HEIGHT;
    else if (line.trim() === '') height += PARAGRAPH_GAP;
    else if (/^\s*(?:\\\[|\\\]|\$\$)/.test(line)) height += FORMULA_HEIGHT / 2;
    else if (/^\s*\|[\s:|-]*$/.test(line)) continue;
    else if (/^\s*\|/.test(line)) height += TABLE_ROW_HEIGHT;
    else height += wrapped(line);
  }
  return height;
}

const known = new WeakMap<Message, number>();

/**
 * Height in pixels of a row that has not been drawn and measured yet. The nearer it is, the steadier the scroll bar; a
 * message's is worked out once, because the list asks for it with every change of another's.
 */
export function estimatedHeight(message: Message): number {
  let height = known.get(message);
  if (height === undefined) {
    height =
      message.role === 'user'
        ? AROUND_QUESTION + message.text.split('\n').reduce((sum, line) => sum + wrapped(line), 0)
        : answerHeight(message.text);
    known.set(message, height);
  }
  return height;
}

/** The reader who has moved up by more than this, in pixels, is not pulled back: less is a rounding error. */
const LET_GO = 4;

/**
 * Whether the end is to be kept in view. Only a reader who moves up lets go of it: a row that turns out higher than it
 * was taken for does not.
 */
export function keepsEnd(
  before: { readonly keepsEnd: boolean; readonly offset: number },
  now: { readonly offset: number; readonly distanceFromEnd: number },
): boolean {
  if (now.distanceFromEnd <= LET_GO) return true;
  return before.keepsEnd && now.offset >= before.offset;
}
