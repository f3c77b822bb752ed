import fc from 'fast-check';
import { Lexer } from 'marked';
import { describe, expect, test } from 'vitest';
import { createBlockSplitter } from './blocks.ts';
import { blockTokens } from './syntax.ts';

const fullLex = (text: string): string[] => blockTokens(text).map((token) => token.raw);

const line = fc.oneof(
  fc.constantFrom(
    '# Title',
    'Some plain words',
    '- item',
    '- [x] done',
    '  continued',
    '    indented',
    '1. one',
    '> quote',
    '>',
    '```ts',
    '```',
    '~~~',
    'const a = 1;',
    '| a | b |',
    '| - | - |',
    '| 1 | 2 |',
    '---',
    '===',
    '<div>',
    '</div>',
    '<!-- note',
    '-->',
    '',
    '',
    '',
    ' ',
    '\t',
    '**bold** and `code`',
    '[x]: https://example.org',
    '\\[ x^2 \\]',
    '\\[',
    '\\]',
    '$$',
    '= b',
    'see[^1] and $x$',
    '[^1]: What it says',
    '[^2]:',
    '* * *',
    '* other list',
  ),
  fc.string({ maxLength: 20 }).map((text) => text.replace(/\r/g, '')),
);
const documents = fc.array(line, { maxLength: 25 }).map((lines) => lines.join('\n'));

describe('block splitter', () => {
  test('gives what a full lex gives, after any cuts', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
        (text, steps) => {
          const split = createBlockSplitter();
          for (let end = 0, turn = 0; end < text.length; turn += 1) {
            end = Math.min(text.length, end + (steps[turn % steps.length] ?? 1));
            expect(split(text.slice(0, end))).toEqual(fullLex(text.slice(0, end)));
          }
        },
      ),
      { numRuns: 600 },
    );
  });

  test('loses nothing', () => {
    fc.assert(
      fc.property(documents, (text) => {
        // marked itself rewrites white space at the very end of a list; nobody can see that.
        expect(createBlockSplitter()(text).join('').trimEnd()).toBe(text.trimEnd());
      }),
    );
  });

  test('starts over when the text is another one', () => {
    const split = createBlockSplitter();
    split('# One\n\ntwo\n\nthree\n\nfour');
    expect(split('- a\n- b')).toEqual(['- a\n- b']);
  });

  test('keeps finished blocks as they are: a long stream stays linear', () => {
    const paragraph = 'word '.repeat(40).trimEnd();
    const split = createBlockSplitter();
    let text = '';
    let lexed = 0;
    const original = Lexer.prototype.blockTokens;
    Lexer.prototype.blockTokens = function (this: Lexer, source: string, ...rest: never[]) {
      lexed += source.length;
      return original.call(this, source, ...rest);
    };
    try {
      for (let index = 0; index < 200; index += 1) {
        text += `${paragraph}\n\n`;
        split(text);
      }
    } finally {
      Lexer.prototype.blockTokens = original;
    }
    // A full lex each time would read 100 times the text; a few paragraphs of tail are read again at each step.
    expect(lexed).toBeLessThan(text.length * 6);
  });
});
