import { expect, test } from 'vitest';
import { createReferenceCollector } from './references.ts';

test('links and footnotes are found wherever they are defined', () => {
  const collect = createReferenceCollector('a');
  const { links, footnotes } = collect([
    'see [x][Home] and this[^1]\n\n',
    '[home]: https://example.org "t"\n',
    '[^1]: Note',
  ]);
  expect(links).toEqual({ home: { href: 'https://example.org', title: 't' } });
  expect([...footnotes]).toEqual(['1']);
});

test('text that grows without defining anything changes nothing', () => {
  const collect = createReferenceCollector('a');
  const first = collect(['one\n\n', '[^1]: Note\n\n', 'two']);
  expect(collect(['one\n\n', '[^1]: Note\n\n', 'two and more'])).toBe(first);
  expect(collect(['one\n\n', '[^1]: Note\n\n', 'two\n\n', '[^2]: Another'])).not.toBe(first);
});
