import { expect, test } from 'vitest';
import { directionAround, directionOf, visibleCode, visibleText } from './visible-text.ts';

test('terminal escapes are pictures of themselves', () => {
  expect(visibleText('a\u001b[31mred\u0007\u007f\u009b')).toBe('a\u241b[31mred\u2407\u2421\ufffd');
  expect(visibleText('tab\tand\nline')).toBe('tab\tand\nline');
  expect(visibleText('&#27;[2J &amp; &#x1b;')).not.toContain('\u001b');
});

test('a name is read in the order of its letters', () => {
  expect(visibleText('access\u202eexe.txt')).toBe('access\u27e8U+202E\u27e9exe.txt');
});

test('a list leans to the side of its first letter', () => {
  expect(directionAround('- 1. "שלום" and more').dir).toBe('rtl');
  expect(directionAround('- Hebrew: שלום').dir).toBeUndefined();
  expect(directionAround('- 12').dir).toBeUndefined();
});

test('code shows what turns its direction around', () => {
  expect(visibleCode('if (a\u202e) \u2066x')).toBe('if (a\u27e8U+202E\u27e9) \u27e8U+2066\u27e9x');
  expect(visibleCode('\u001b[0m &amp;')).toBe('\u241b[0m &amp;');
});

test.each([
  ['plain text, é 漢字 🙂', undefined],
  ['שלום', 'auto'],
  ['مرحبا', 'auto'],
  ['only a mark \u202e', 'auto'],
  ['𞤀𞤣𞤤𞤢𞤥', 'auto'],
])('%s', (text, dir) => expect(directionOf(text).dir).toBe(dir));
