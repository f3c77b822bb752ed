/** From what a person types to what SQLite is asked, and where in a text it is found. Pure. */

/** A sign of the scripts that are written without spaces. */
const UNSPACED =
  '(?=[\\p{L}\\p{M}\\p{N}])[\\p{scx=Hani}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]';
const UNSPACED_RUN = new RegExp(`(?:${UNSPACED})+`, 'gu');
/** A sign of the words that others are written in. */
const SPACED = `(?!${UNSPACED})[\\p{L}\\p{M}\\p{N}]`;
const TOKEN = new RegExp(`(?:${UNSPACED})+|(?:${SPACED})+`, 'gu');

/**
 * The text as it is indexed. The tokenizer takes a sentence without spaces for one word, so there each sign becomes a
 * word, and what is looked for a phrase. (Measured on 200,000 Chinese messages: 59 MiB and 6 ms; pairs of signs take 165
 * MiB; SQLite's own trigrams take 143 MiB and cannot find words of two signs, which most are.)
 */
export function spacedOut(text: string): string {
  // Most texts have none, and are told from the others a hundred times faster so.
  if (!/[\u0e00-\uffff]/.test(text)) return text;
  return text.replace(UNSPACED_RUN, (run) => ` ${Array.from(run.normalize('NFC')).join(' ')} `);
}

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
      const phrase = spacedOut(word).trim();
      // One letter begins too many words: the index is not made for that, and the result would say little.
      const isPrefix = isUnfinished && index === words.length - 1 && /\S\S$/u.test(phrase);
      return `"${phrase.replaceAll('"', '""')}"${isPrefix ? '*' : ''}`;
    })
    .join(' AND ');
}

/** For `LIKE … ESCAPE '\'`: one pattern a word. */
export const likePatterns = (text: string): string[] =>
  wordsOf(text).map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);

/** Only what has a letter or a digit can be found. */
const wordsOf = (text: string): string[] =>
  text
    .replaceAll('\0', ' ')
    .split(/\s+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, 20);

export interface Highlighted {
  readonly snippet: string;
  readonly ranges: readonly (readonly [number, number])[];
}

/** `words`: as the index finds them, the last perhaps unfinished. `parts`: anywhere, as `LIKE` does. */
export type Matching = 'words' | 'parts';

const BEFORE = 40;
const LENGTH = 160;
/** A very long text is looked through piece by piece, so that a place near its beginning is found soon. */
const PIECE = 20_000;

/**
 * A window of the text around the first place where a word of the query is found, with every such place in it. Case and
 * accents count as little as in the index.
 */
export function snippetOf(text: string, query: string, matching: Matching): Highlighted {
  const pattern = patternOf(query, matching);
  const first = pattern === null ? -1 : firstMatch(text, pattern);
  const start = first === -1 ? 0 : wordStart(text, Math.max(0, first - BEFORE));
  const end = Math.min(text.length, start + LENGTH);
  const shown = text.slice(start, end).toWellFormed().replace(/\s/gu, ' ');
  const snippet = `${start > 0 ? '…' : ''}${shown}${end < text.length ? '…' : ''}`;
  return { snippet, ranges: pattern === null || first === -1 ? [] : matchesIn(snippet, pattern) };
}

/** Not in the middle of a word, if that one is not too long. */
function wordStart(text: string, at: number): number {
  if (at === 0) return 0;
  const space = text.slice(at, at + BEFORE).search(/\s/u);
  return space === -1 ? at : at + space + 1;
}

function patternOf(query: string, matching: Matching): RegExp | null {
  const isUnfinished = !/\s$/u.test(query);
  const words = wordsOf(query);
  const alternatives = words.flatMap((word, index) => {
    if (matching === 'parts') return [escaped(folded(word).text)];
    // What stands between letters and digits separates words for the index.
    const tokens = folded(word).text.match(TOKEN) ?? [];
    return tokens.map((token, at) => {
      if (token.match(UNSPACED_RUN) !== null) return escaped(token);
      const isLast = index === words.length - 1 && at === tokens.length - 1;
      return `(?<!${SPACED})${escaped(token)}${isLast && isUnfinished ? `(?:${SPACED})*` : `(?!${SPACED})`}`;
    });
  });
  return alternatives.length === 0 ? null : new RegExp(alternatives.join('|'), 'gu');
}

function firstMatch(text: string, pattern: RegExp): number {
  for (let start = 0; start < text.length; start += PIECE) {
    const { text: piece, at } = folded(text.slice(start, start + PIECE + LENGTH));
    const found = piece.search(pattern);
    if (found !== -1) return start + (at?.[found] ?? found);
  }
  return -1;
}

function matchesIn(text: string, pattern: RegExp): (readonly [number, number])[] {
  const { text: plain, at } = folded(text);
  const original = (index: number): number => (at === null ? index : (at[index] ?? text.length));
  const ranges: (readonly [number, number])[] = [];
  for (const match of plain.matchAll(pattern)) {
    const range = [original(match.index), original(match.index + match[0].length)] as const;
    const last = ranges.at(-1);
    if (range[1] > range[0] && (last === undefined || range[0] >= last[1])) ranges.push(range);
  }
  return ranges;
}

/** Without case and accents, and for each of its units where it comes from; null where that is the same place. */
function folded(text: string): { readonly text: string; readonly at: readonly number[] | null } {
  // ASCII, the usual case, keeps its places.
  if (!/[^\0-\x7f]/.test(text)) return { text: text.toLowerCase(), at: null };
  const at: number[] = [];
  let plain = '';
  let index = 0;
  for (const sign of text) {
    // The accents that the index leaves out; the vowels of other scripts are marks too, and stay.
    const base = sign
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
      .toLowerCase();
    for (let unit = 0; unit < base.length; unit += 1) at.push(index);
    plain += base;
    index += sign.length;
  }
  at.push(index);
  return { text: plain, at };
}

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
