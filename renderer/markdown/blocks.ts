import { blockTokens } from './syntax.ts';

/** Ends with a blank line, or is nothing but one: text appended later cannot change a block before it. */
const closed = (block: string): boolean => /\n[ \t]*\n$/.test(block) || block.trim() === '';

/** Quotes and lists nested deeper than anybody writes overflow the lexer's stack some hundred levels later. */
const DEEP_NESTING = /^(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))){25}|^[ \t]{100,}(?:[-*+]|\d{1,9}[.)])[ \t]/m;

const isDeeplyNested = (text: string): boolean => DEEP_NESTING.test(text);

/** Past these a block is shown as plain lines: no answer needs them, and lexing them would freeze the window. */
const MAX_BLOCK_LENGTH = 100_000;
const MAX_LINE_LENGTH = 8_000;
/** A paragraph longer than this is drawn as it was written: emphasis in it would cost more than it says. */
export const MAX_INLINE_LENGTH = 8_000;

export const isCode = (raw: string): boolean => /^ {0,3}(?:```|~~~)/.test(raw);

/** Whether a block is drawn as it was written. A long line of code is the code block's to cut. */
export const isDrawnPlain = (raw: string): boolean =>
  !isCode(raw) &&
  (raw.length > MAX_BLOCK_LENGTH ||
    (raw.length > MAX_LINE_LENGTH && raw.split('\n').some((line) => line.length > MAX_LINE_LENGTH)) ||
    isDeeplyNested(raw));

function lexed(text: string): string[] {
  if (!isDeeplyNested(text)) {
    try {
      return blockTokens(text).map(({ raw }) => raw);
    } catch {
      // A text that the lexer cannot take is cut at its empty lines.
    }
  }
  return text.match(/[^\n][\s\S]*?(?:\n(?:[ \t]*\n)+|$)|\n+/g) ?? [];
}

/**
 * Splits a growing Markdown text into its top-level blocks. Blocks before the last safe boundary (closed, and followed
 * by two more) are kept as they are; only the rest is lexed again, so a whole stream costs O(n) and not O(n²). A text
 * that does not continue the last one is split from its beginning. Joining the result gives the text back, with line
 * ends as `\n`.
 */
export function createBlockSplitter(): (text: string) => readonly string[] {
  let previous = '';
  let blocks: readonly string[] = [];
  // Up to here nothing can change any more.
  let kept = 0;
  let keptLength = 0;
  return (raw) => {
    const text = raw.includes('\r') ? raw.replace(/\r\n|\r/g, '\n') : raw;
    if (text === previous) return blocks;
    if (!text.startsWith(previous)) {
      blocks = [];
      kept = 0;
      keptLength = 0;
    }
    let length = keptLength;
    for (let index = kept; index < blocks.length - 2; index += 1) {
      const block = blocks[index] ?? '';
      length += block.length;
      if (closed(block)) {
        kept = index + 1;
        keptLength = length;
      }
    }
    blocks = [...blocks.slice(0, kept), ...lexed(text.slice(keptLength))];
    previous = text;
    return blocks;
  };
}
