import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../preload/contract.ts';
import { estimatedHeight, keepsEnd, rowsToDraw } from './rows.ts';

test.each([
  ['only what is in view', { first: 3, last: 5 }, 10, [], [3, 4, 5]],
  ['the focused row stays', { first: 3, last: 5 }, 10, [{ first: 0, last: 0 }], [0, 3, 4, 5]],
  ['a selection keeps what lies between', { first: 5, last: 6 }, 10, [{ first: 1, last: 3 }], [1, 2, 3, 5, 6]],
  ['a selection of everything keeps its ends', { first: 50, last: 51 }, 100, [{ first: 0, last: 99 }], [0, 50, 51, 99]],
  ['rows that are gone are not drawn', { first: 0, last: 4 }, 2, [{ first: 7, last: 7 }], [0, 1]],
  ['an empty list has none', { first: 0, last: 0 }, 0, [], []],
])('%s', (_name, inView, count, pinned, expected) => {
  expect(rowsToDraw(inView, count, pinned)).toEqual(expected);
});

test('rows come in order, once, and exist', () => {
  const span = fc.tuple(fc.nat(200), fc.nat(60)).map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(span, fc.nat(150), fc.array(span, { maxLength: 3 }), (inView, count, pinned) => {
      const rows = rowsToDraw(inView, count, pinned);
      expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
      expect(rows.every((row) => row >= 0 && row < count)).toBe(true);
      for (let row = inView.first; row <= Math.min(inView.last, count - 1); row += 1) expect(rows).toContain(row);
    }),
  );
});

const answer = (text: string): Message => ({ role: 'assistant', text }) as Message;

test.each([
  ['a line', 'short', 52],
  ['a line that wraps', 'x'.repeat(100), 70],
  ['two paragraphs', 'one\n\ntwo', 78],
  ['code does not wrap', `\`\`\`ts\n${`${'x'.repeat(200)}\n`.repeat(10)}\`\`\``, 252],
  ['a table', '| a | b |\n| - | -: |\n| 1 | 2 |', 88],
])('%s is about as high as it will be', (_name, text, height) => {
  expect(estimatedHeight(answer(text))).toBe(height);
});

test.each([
  ['at the end', { keepsEnd: false, offset: 0 }, { offset: 90, distanceFromEnd: 3 }, true],
  ['a row was higher', { keepsEnd: true, offset: 90 }, { offset: 90, distanceFromEnd: 60 }, true],
  ['the end moved on', { keepsEnd: true, offset: 90 }, { offset: 120, distanceFromEnd: 12 }, true],
  ['the reader moved up', { keepsEnd: true, offset: 90 }, { offset: 80, distanceFromEnd: 10 }, false],
  ['and is left there', { keepsEnd: false, offset: 80 }, { offset: 80, distanceFromEnd: 900 }, false],
])('the end is kept in view, or not: %s', (_what, before, now, expected) => {
  expect(keepsEnd(before, now)).toBe(expected);
});
