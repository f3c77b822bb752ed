import { describe, expect, test } from 'vitest';
import { splitPlainText } from './plain-text.ts';

describe('plain text', () => {
  test('is cut into pieces that join to its paragraphs', () => {
    const long = 'lorem ipsum '.repeat(600);
    const pieces = splitPlainText(`first\n\n${long}\n\nlast`);
    expect(pieces[0]).toBe('first');
    expect(pieces.at(-1)).toBe('last');
    expect(pieces.slice(1, -1).join('')).toBe(long);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(2_001);
  });

  test('cuts a word that never ends', () => {
    expect(splitPlainText('x'.repeat(5_000)).map((piece) => piece.length)).toEqual([2_000, 2_000, 1_000]);
  });
});
