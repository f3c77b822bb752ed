import { expect, test } from 'vitest';
import { followsEnd, isAtEnd, type ScrollMetrics } from './scroll.ts';

const at = (top: number, contentHeight = 1_000, viewHeight = 400): ScrollMetrics => ({
  top,
  viewHeight,
  contentHeight,
});

test('the end is the last line, not the last pixel', () => {
  expect(isAtEnd(at(600))).toBe(true);
  expect(isAtEnd(at(577))).toBe(true);
  expect(isAtEnd(at(570))).toBe(false);
  expect(isAtEnd(at(0, 100))).toBe(true);
});

test.each([
  ['growth alone keeps following', true, at(600), at(600, 1_300), true],
  ['the reader moves up', true, at(600), at(500), false],
  ['the reader moves up while text arrives', true, at(600), at(560, 1_100), false],
  ['the reader stays away while text arrives', false, at(300), at(300, 1_400), false],
  ['the reader comes back to the end', false, at(300), at(590), true],
  ['the reader moves down, not to the end', false, at(100), at(300), false],
  ['folding something shortens the list', true, at(600), at(300, 700), true],
  ['a taller window shows more', true, at(600), at(400, 1_000, 600), true],
  ['a small wobble of a pixel is nobody', true, at(600, 1_100), at(599, 1_100), true],
])('%s', (_name, follows, before, now, expected) => {
  expect(followsEnd(follows, before, now)).toBe(expected);
});
