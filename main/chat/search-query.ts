/** From what a person types to what SQLite is asked, and from what it marks to what is highlighted. Pure. */

/** Around a found word in SQLite's answer. Control characters: nobody types them, and if so a highlight is off. */
export const MARK_START = '\u0001';
export const MARK_END = '\u0002';

/**
 * Each word a quoted phrase, so that no character of it is an operator; all must be there. The last may be unfinished
 * while it is being typed. Null when there is nothing to look for.
 */
export function fullTextQuery(text: string): string | null {
  const words = wordsOf(text);
  if (words.length === 0) return null;
  const isUnfinished = !/\s$/u.test(text);
  return words
    .map((word, index) => {
      // One letter begins too many words: the index is not made for that, and the result would say little.
      const isPrefix = isUnfinished && index === words.length - 1 && /../u.test(word);
      return `"${word.replaceAll('"', '""')}"${isPrefix ? '*' : ''}`;
    })
    .join(' AND ');
}

/** For `LIKE … ESCAPE '\'`: one pattern a word. */
export const likePatterns = (text: string): string[] =>
  wordsOf(text).map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);

/** Only what has a letter or a digit can be found. */
export const wordsOf = (text: string): string[] =>
  text
    .replaceAll('\0', ' ')
    .split(/\s+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, 20);

/** Scripts written without spaces: the tokenizer takes a whole sentence for one word, so it is of no use there. */
export const needsPlainSearch = (text: string): boolean =>
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u.test(
    text,
  );

export interface Highlighted {
  readonly snippet: string;
  readonly ranges: readonly (readonly [number, number])[];
}

/** Takes the marks out and says where they were. */
export function highlightedFrom(marked: string): Highlighted {
  let snippet = '';
  let start = -1;
  const ranges: [number, number][] = [];
  for (const part of marked.split(/([\u0001\u0002])/)) {
    if (part === MARK_START) start = snippet.length;
    else if (part === MARK_END) {
      if (start !== -1 && snippet.length > start) ranges.push([start, snippet.length]);
      start = -1;
    } else snippet += part.replace(/\s/gu, ' ');
  }
  return { snippet, ranges };
}

const BEFORE = 40;
const LENGTH = 160;

/** The place where the first of the words is found, with every word in it marked. For the search without an index. */
export function snippetOf(text: string, words: readonly string[]): Highlighted {
  const first = Math.min(
    ...words.map((word) => text.search(new RegExp(escaped(word), 'iu'))).filter((at) => at !== -1),
    text.length,
  );
  const start = first === text.length ? 0 : Math.max(0, first - BEFORE);
  const cut = text.slice(start, start + LENGTH).replace(/\s/gu, ' ');
  const snippet = `${start > 0 ? '…' : ''}${cut}${start + LENGTH < text.length ? '…' : ''}`;
  const ranges = words.flatMap((word) =>
    [...snippet.matchAll(new RegExp(escaped(word), 'giu'))].map(
      (match) => [match.index, match.index + match[0].length] as const,
    ),
  );
  return { snippet, ranges: withoutOverlaps(ranges) };
}

function withoutOverlaps(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const apart: (readonly [number, number])[] = [];
  for (const range of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = apart.at(-1);
    if (last !== undefined && range[0] < last[1]) apart[apart.length - 1] = [last[0], Math.max(last[1], range[1])];
    else apart.push(range);
  }
  return apart;
}

const escaped = (word: string): string =>
  word.replace(/[.*+?^${}()|[\]\\/-]/g, (sign) => (sign === '-' ? '\\x2d' : `\\${sign}`));
