import { expect, test } from 'vitest';
import { directionOf, visibleCode, visibleText } from './visible-text.ts';

test('terminal escapes are pictures of themselves', () => {
  expect(visibleText('a\u001b[31mred\u0007\u007f\u009b')).toBe('a\u241b[31mred\u2407\u2421\ufffd');
  expect(visibleText('tab\tand\nline')).toBe('tab\tand\nline');
  expect(visibleText('&#27;[2J &amp; &#x1b;')).not.toContain('\u001b');
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
