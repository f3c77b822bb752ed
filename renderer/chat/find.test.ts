import { describe, expect, test } from 'vitest';
import { countIn, matcherOf, matchNear, placeOf, totalOf } from './find.ts';

describe('finding in a conversation', () => {
  test.each([
    ['limit', ['The Limit and the limits'], 2],
    ['a.b', ['a.b axb'], 1],
    ['two  words', ['two\nwords two words'], 2],
    ['aa', ['aaaa'], 2],
    ['ÄRGER', ['Ärger'], 1],
    ['-x [y]', ['with -x [y]'], 1],
    ['$5', ['$5 and $50'], 2],
    ['across', ['acr', 'oss'], 0],
  ])('%j', (query, words, count) => {
    const matcher = matcherOf(query);
    expect(matcher === null ? 0 : countIn(words, matcher)).toBe(count);
  });

  test('nothing is looked for without letters', () => {
    expect(matcherOf('')).toBeNull();
    expect(matcherOf('  \n')).toBeNull();
  });

  const found = [
    { row: 2, count: 2 },
    { row: 5, count: 1 },
    { row: 9, count: 3 },
  ];

  test.each([
    [0, { row: 2, nth: 0 }],
    [1, { row: 2, nth: 1 }],
    [2, { row: 5, nth: 0 }],
    [5, { row: 9, nth: 2 }],
    [6, null],
  ])('match %i is there', (match, place) => expect(placeOf(found, match)).toEqual(place));

  test.each([
    [0, 0],
    [2, 0],
    [3, 2],
    [6, 3],
    [10, 0],
  ])('read from row %i it begins with match %i', (row, match) => expect(matchNear(found, row)).toBe(match));

  test('all of them', () => expect(totalOf(found)).toBe(6));
});
