import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Growth, isRepeating, runawayOf } from './runaway.ts';

const prose = (words: number): string =>
  Array.from({ length: words }, (_, i) => `word${((i * 2_654_435_761) % 99_991).toString(36)}`).join(' ');
const growth = (over: Partial<Growth>): Growth => ({
  reasoning: '',
  text: '',
  reasoningTokens: 0,
  answerTokens: 0,
  effort: 'medium',
  attempt: 1,
  ...over,
});

describe('isRepeating', () => {
  it('sees any piece of 9 to 400 characters said twelve times, whatever came before and wherever it breaks off', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 9, maxLength: 400 }), fc.nat(400), fc.nat(399), (piece, before, broken) => {
        const times = Math.max(12, Math.ceil(1_600 / piece.length));
        const text = prose(before) + piece.repeat(times) + piece.slice(0, broken % piece.length);
        expect(isRepeating(text)).toBe(true);
      }),
    );
  });

  it('lets pass what is said seven times and no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 120 }), (words) => {
        const piece = prose(words);
        expect(isRepeating(`${prose(300)}\n${`${piece}\n`.repeat(7)}`)).toBe(false);
      }),
    );
  });

  it.each([
    ['prose', prose(2_000)],
    ['a rule', `${prose(400)}\n${'-'.repeat(600)}`],
    ['a table of numbers', Array.from({ length: 80 }, (_, i) => `| ${i} | ${i * i} | ${i % 7} |`).join('\n')],
    [
      'rows of code',
      Array.from({ length: 80 }, (_, i) => `  registers[${i}] = load(0x${(i * 37).toString(16)});`).join('\n'),
    ],
    ['a refrain', `${prose(60)}\nRow, row, row your boat\n${prose(50)}\nRow, row, row your boat\n`.repeat(3)],
  ])('lets %s pass', (_, text) => expect(isRepeating(text)).toBe(false));

  it('takes little time for the longest tail', () => {
    const worst = 'a'.repeat(3_999).concat('b').repeat(3);
    const startMs = performance.now();
    for (let i = 0; i < 100; i += 1) isRepeating(worst);
    expect((performance.now() - startMs) / 100).toBeLessThan(5);
  });
});

describe('runawayOf', () => {
  it('asks when thinking or the answer does not end, later each time', () => {
    expect(runawayOf(growth({ reasoningTokens: 6_000 }))).toBeNull();
    expect(runawayOf(growth({ reasoningTokens: 6_200 }))).toEqual({ because: 'long', where: 'reasoning' });
    expect(runawayOf(growth({ reasoningTokens: 6_200, attempt: 2 }))).toBeNull();
    expect(runawayOf(growth({ reasoningTokens: 2_100, effort: 'low' }))).toEqual({
      because: 'long',
      where: 'reasoning',
    });
    expect(runawayOf(growth({ reasoningTokens: 6_200, answerTokens: 1 }))).toBeNull();
    expect(runawayOf(growth({ answerTokens: 8_200 }))).toEqual({ because: 'long', where: 'answer' });
  });

  it('says where it repeats', () => {
    const loop = 'I should check this once more. '.repeat(40);
    expect(runawayOf(growth({ reasoning: loop }))).toEqual({ because: 'repeating', where: 'reasoning' });
    expect(runawayOf(growth({ reasoning: loop, text: 'Yes.', answerTokens: 2 }))).toBeNull();
  });
});
