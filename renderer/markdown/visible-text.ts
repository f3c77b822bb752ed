import { decodeEntities } from './entities.ts';

// What a terminal would obey is what this looks for.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const OVERRIDES = /[\u202d\u202e]/g;
const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/g;
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\u200f\u202b\u202e\u2067\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802\ud803\ud83a\ud83b][\udc00-\udfff]/;

/** Terminal escapes and other control characters as pictures of themselves: they do nothing here and hide nothing. */
function pictured(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x24_00 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

const withoutControls = (text: string): string => text.replace(CONTROLS, pictured);

const byNumber = (mark: string): string =>
  `\u27e8U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`;

/**
 * Text of an answer as it is drawn: character references resolved, control characters made visible, and so what forces
 * letters into another order than their own (a file name that seems to end in .txt).
 */
export const visibleText = (text: string): string => withoutControls(decodeEntities(text)).replace(OVERRIDES, byNumber);

/**
 * Code as it is drawn. What turns the reading direction around in code exists to make it read as something else, so it is
 * shown by its number. Copying gives the code as it was written.
 */
export const visibleCode = (text: string): string => withoutControls(text).replace(DIRECTION_MARKS, byNumber);

/** The `dir` a block needs. Without right-to-left text none: finding the direction costs at every change of the text. */
export const directionOf = (text: string): { readonly dir?: 'auto' } =>
  RIGHT_TO_LEFT.test(text) ? { dir: 'auto' } : {};

/**
 * The `dir` of what holds blocks with directions of their own, which `auto` would look past: that of its first letter.
 */
export function directionAround(text: string): { readonly dir?: 'rtl' } {
  const letter = /\p{L}/u.exec(text)?.[0] ?? '';
  return RIGHT_TO_LEFT.test(letter) ? { dir: 'rtl' } : {};
}
