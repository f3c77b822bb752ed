import { describe, expect, test } from 'vitest';
import { blockFormula, inlineFormula, nextBlockFormula, openFormula, readsAsFormula } from './formulas.ts';

describe('formulas', () => {
  test.each([
    ['\\[ x^2 \\]\nnext', '\\[ x^2 \\]\n', 'x^2'],
    ['$$\na\n= b\n$$\n\nnext', '$$\na\n= b\n$$\n\n', 'a\n= b'],
    ['  \\[\n\\frac12\n\\]', '  \\[\n\\frac12\n\\]', '\\frac12'],
  ])('%j stands on its own', (text, raw, tex) => {
    expect(blockFormula(text)).toEqual({ raw, tex, isDisplay: true });
  });

  test.each(['\\[ x \\] and more', '\\[ x', '$$ x', '\\[ a\n\n b \\]', '$$$$', '\\[ \\]', '    \\[ x \\]'])(
    '%j does not',
    (text) => expect(blockFormula(text)).toBeUndefined(),
  );

  test.each([
    ['\\( a_1 \\) rest', '\\( a_1 \\)', 'a_1', false],
    ['\\[ a \\].', '\\[ a \\]', 'a', true],
    ['$$a$$, b', '$$a$$', 'a', true],
    ['$x$ and $y$', '$x$', 'x', false],
    ['$\\alpha + 1$', '$\\alpha + 1$', '\\alpha + 1', false],
    ['$n = 3$.', '$n = 3$', 'n = 3', false],
  ])('%j holds one', (text, raw, tex, isDisplay) => {
    expect(inlineFormula(text)).toEqual({ raw, tex, isDisplay });
  });

  test.each([
    '$5 and $10',
    '$5-$10',
    '$HOME/$USER',
    '$HOME and $PATH',
    '$5 for the small one and 6$',
    '$10$',
    '$ x$',
    '$x $',
    '$a$b',
    '$x',
    '$PATH:$HOME$',
    '$(ls) + $(pwd)$',
    '\\( never closed',
  ])('%j is text', (text) => expect(inlineFormula(text)).toBeUndefined());

  test.each([
    ['x', true],
    ["f'", true],
    ['a_1', true],
    ['\\text{if it rains} + 1', true],
    ['O(n \\log n)', true],
    ['2 + 2', true],
    ['100', false],
    ['USER_NAME is', false],
    ['cost per unit', false],
    ['src/main', false],
  ])('%j', (content, isFormula) => expect(readsAsFormula(content)).toBe(isFormula));

  test('the next one begins a line before the next empty one', () => {
    expect(nextBlockFormula('so\n\\[ x \\]')).toBe(3);
    expect(nextBlockFormula('so \\[ x \\]')).toBeUndefined();
    expect(nextBlockFormula('so\n\n\\[ x \\]')).toBeUndefined();
  });

  test.each([
    ['so \\( a_1', 3],
    ['so \\( a \\) and \\[ b', 15],
    ['so \\( a \\) then', -1],
    ['$$ a', 0],
    ['plain', -1],
    ['\\( left open\n\nnext', -1],
  ])('%j is open at %i', (text, at) => expect(openFormula(text)).toBe(at));
});
