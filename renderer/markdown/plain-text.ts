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
