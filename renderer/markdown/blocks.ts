import { Lexer } from 'marked';

/** Ends with a blank line, or is nothing but one: text appended later cannot change a block before it. */
const closed = (block: string): boolean => /\n[ \t]*\n$/.test(block) || block.trim() === '';

/**
 * Splits a growing Markdown text into its top-level blocks. Blocks before the last safe boundary (closed, and followed
 * by two more) are kept as they are; only the rest is lexed again, so a whole stream costs O(n) and not O(n²). A text
 * that does not continue the last one is split from its beginning. Joining the result gives the text back, with line
 * ends as `\n`.
 */
export function createBlockSplitter(): (text: string) => readonly string[] {
  let previous = '';
  let blocks: readonly string[] = [];
  return (raw) => {
    const text = raw.replace(/\r\n|\r/g, '\n');
    if (text === previous) return blocks;
    let kept = 0;
    let keptLength = 0;
    if (text.startsWith(previous)) {
      let length = 0;
      for (const [index, block] of blocks.slice(0, -2).entries()) {
        length += block.length;
        if (closed(block)) {
          kept = index + 1;
          keptLength = length;
        }
      }
    }
    const tail = new Lexer().blockTokens(text.slice(keptLength), []).map((token) => token.raw);
    blocks = [...blocks.slice(0, kept), ...tail];
    previous = text;
    return blocks;
  };
}

/** Longest piece of a plain text that is laid out as one node. */
const PIECE_LENGTH = 2_000;

/**
 * Splits plain text (the model's reasoning) into paragraphs, long ones further: one growing text node costs quadratic
 * layout (14 s for 24,000 characters at 60 appends a second).
 */
export function splitPlainText(text: string): readonly string[] {
  const pieces: string[] = [];
  for (const paragraph of text.split(/\n{2,}/)) {
    for (let start = 0; start < paragraph.length; ) {
      let end = Math.min(start + PIECE_LENGTH, paragraph.length);
      if (end < paragraph.length) {
        const space = paragraph.lastIndexOf(' ', end);
        if (space > start) end = space + 1;
      }
      pieces.push(paragraph.slice(start, end));
      start = end;
    }
  }
  return pieces;
}
