import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { titleFromModel } from './title.ts';

describe('titleFromModel', () => {
  it.each([
    ['Wired limits on macOS', 'Wired limits on macOS'],
    ['**"Packing for Lisbon."**\n\nHope this helps', 'Packing for Lisbon'],
    ['Title: Names for a cat', 'Names for a cat'],
    ['# Überschrift', 'Überschrift'],
    ['猫の名前', '猫の名前'],
    ['', null],
    ['…', null],
    ['I think that a good title for this long conversation would be something about cats', null],
    ['x'.repeat(80), null],
  ])('%j → %j', (said, title) => expect(titleFromModel(said)).toBe(title));

  it('is one short line, whatever the model says', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (said) => {
        const title = titleFromModel(said);
        if (title !== null) expect(title).toMatch(/^[^\n]{2,60}$/u);
      }),
    );
  });
});
