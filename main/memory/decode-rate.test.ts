import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecodeMark, currentRate, usualRate, withMark, withRate } from './decode-rate.ts';

const marksOf = (pairs: readonly (readonly [atMs: number, tokens: number])[]): readonly DecodeMark[] =>
  pairs.reduce<readonly DecodeMark[]>(
    (marks, [atMs, generatedTokens]) => withMark(marks, { atMs, generatedTokens }),
    [],
  );

describe('the rate now', () => {
  it.each([
    ['nothing yet', [], null],
    ['one mark', [[0, 10]], null],
    [
      'too short to tell',
      [
        [0, 10],
        [2_000, 90],
      ],
      null,
    ],
    [
      'four seconds',
      [
        [0, 10],
        [2_000, 90],
        [4_000, 170],
      ],
      40,
    ],
    [
      'only the last eight',
      [
        [0, 0],
        [2_000, 800],
        [4_000, 840],
        [6_000, 880],
        [8_000, 920],
        [10_000, 960],
      ],
      20,
    ],
    [
      'a standstill',
      [
        [0, 10],
        [2_000, 10],
        [4_000, 10],
      ],
      0,
    ],
    [
      'another answer begins',
      [
        [0, 500],
        [2_000, 600],
        [4_000, 5],
      ],
      null,
    ],
    [
      'a clock set back',
      [
        [9_000, 5],
        [1_000, 10],
      ],
      null,
    ],
  ] as const)('%s', (_, pairs, expected) => expect(currentRate(marksOf(pairs))).toBe(expected));
});

describe('the usual rate', () => {
  const answer = (rate: number | null, tokens = 200) => ({ completionTokens: tokens, decodeTokensPerSecond: rate });
  const after = (rates: readonly (number | null)[]) =>
    rates.reduce<readonly number[]>((known, rate) => withRate(known, answer(rate)), []);

  it('is known from the third answer on, and not moved by one that was slow', () => {
    expect(usualRate(after([40, 41]))).toBeNull();
    expect(usualRate(after([40, 41, 42]))).toBe(41);
    expect(usualRate(after([40, 41, 3, 42, 39]))).toBe(40);
  });
  it('leaves out what says nothing', () => {
    expect(withRate([1], answer(null))).toEqual([1]);
    expect(withRate([1], answer(50, 31))).toEqual([1]);
    expect(withRate([1], answer(Number.NaN))).toEqual([1]);
    expect(withRate([1], answer(50, 32))).toEqual([1, 50]);
  });
  it('keeps twenty and lies between them', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.1, max: 500, noNaN: true }), { minLength: 3 }), (rates) => {
        const known = after(rates);
        expect(known).toEqual(rates.slice(-20));
        expect(usualRate(known)).toBeGreaterThanOrEqual(Math.min(...known));
        expect(usualRate(known)).toBeLessThanOrEqual(Math.max(...known));
      }),
    );
  });
});
