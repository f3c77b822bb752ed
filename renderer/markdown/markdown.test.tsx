import fc from 'fast-check';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MirrorContext } from '../mirror/react.ts';
import { textRuns } from '../chat/find-ranges.ts';
import { Markdown } from './markdown.tsx';
import { shownText } from './shown-text.ts';

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);

// Random documents are drawn hundreds of times, and the machine may have other things to do.
describe('an answer as Markdown', { timeout: 60_000 }, () => {
  let host: HTMLElement;
  let root: ReturnType<typeof createRoot>;
  const complaints: unknown[] = [];

  beforeEach(() => {
    complaints.length = 0;
    vi.spyOn(console, 'error').mockImplementation((...what) => complaints.push(what));
    host = document.createElement('div');
    document.body.append(host);
    root = createRoot(host);
  });
  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  const draw = (text: string, isGrowing = false): void =>
    act(() =>
      root.render(
        // Links are not followed here.
        <MirrorContext value={{ openLink: () => undefined } as never}>
          <Markdown text={text} isGrowing={isGrowing} />
        </MirrorContext>,
      ),
    );
  /** A tree as text, without the order in which attributes came and without ids, which React counts. */
  const written = (node: Node): string => {
    if (!(node instanceof Element)) return node.textContent ?? '';
    const attributes = [...node.attributes].map(({ name, value }) => `${name}=${value}`).sort();
    return `<${node.tagName} ${attributes.join(' ')}>${[...node.childNodes].map(written).join('')}</>`.replace(
      /_r_\w+_/g,
      'ID',
    );
  };

  const piece = fc.oneof(
    fc.constantFrom(
      '# Title\n',
      'Plain **bold** and _thin_\n',
      '- item\n',
      '  - [x] task\n',
      '1. one\n',
      '> > quote\n',
      '```ts\nconst a = 1;\n',
      '```\n',
      '| a | b |\n| - | -: |\n| 1 | 2 |\n',
      '<script>alert(1)</script>\n',
      '\\[ x^2 \\]\n',
      'is \\( y \\) or $z$\n',
      'note[^1] [link](https://example.org) ![p](https://example.org/a.png)\n',
      '[^1]: What it **says**\n',
      'see [it][x]\n\n[x]: https://example.org\n',
      '\u001b[31m \u202e \u200b שלום\n',
      '\n',
      '\n\n',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  const documents = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));

  test('written piece by piece it ends as if drawn at once', () => {
    fc.assert(
      fc.property(
        documents,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
        (text, steps) => {
          for (let end = 0, turn = 0; end < text.length; turn += 1) {
            end = Math.min(text.length, end + (steps[turn % steps.length] ?? 1));
            draw(text.slice(0, end), true);
          }
          draw(text);
          const streamed = written(host);
          act(() => root.unmount());
          root = createRoot(host);
          draw(text);
          expect(written(host)).toBe(streamed);
          expect(host.querySelector('script, img, iframe, [onclick]')).toBeNull();
          expect(complaints).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('what can be found in a text is what its reader sees', () => {
    fc.assert(
      fc.property(documents, (text) => {
        draw(text);
        // A formula stays as it was written here, and is nothing to be found; neither is white space at a block's ends.
        const seen = textRuns(host).flatMap(({ text: run }) => run.split(/[\n\0]/));
        const found = shownText(text).flatMap((run) => run.split(/[\n\0]/));
        const words = (lines: readonly string[]) =>
          lines.map((line) => line.replaceAll('\u200b', '').trim()).filter((line) => line !== '');
        expect(words(found)).toEqual(words(seen));
      }),
      { numRuns: 120 },
    );
  });

  test.each([
    ['quotes in quotes', `${'>'.repeat(5_000)} deep`],
    ['lists in lists', Array.from({ length: 600 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n')],
    ['lists on one line', `${'- '.repeat(5_000)}x`],
    ['brackets', '['.repeat(7_900)],
    ['closed brackets', `${'['.repeat(3_900)}${']'.repeat(3_900)}`],
    ['links in links', '[a]('.repeat(1_900)],
    ['stars', '*a **b '.repeat(1_100)],
    ['backticks', Array.from({ length: 120 }, (_, n) => '`'.repeat(n)).join(' ')],
    ['underscores', '_a '.repeat(2_600)],
    ['formulas', '\\( '.repeat(2_500)],
    ['dollars', '$a '.repeat(2_500)],
    ['a list of four hundred items', '1. **Step** with `code`\n\n   ```ts\n   const a = 1;\n   ```\n'.repeat(400)],
    ['a paragraph of many lines', 'a line of _words_\n'.repeat(3_000)],
    ['a line of a megabyte', 'word '.repeat(200_000)],
    ['a word of a megabyte', 'x'.repeat(1_000_000)],
    ['a megabyte of code', `\`\`\`json\n${'{"a":1},'.repeat(120_000)}\n\`\`\``],
    ['a table of 3,000 rows', `| a |\n| - |\n${'| b |\n'.repeat(3_000)}`],
    ['tags', '<a '.repeat(2_600)],
    ['entities', '&#x1b;&lt;'.repeat(780)],
  ])('%s are shown, soon, and nothing else breaks', (_name, text) => {
    const started = performance.now();
    const words = `Before\n\n${text}\n\nAfter`;
    draw(words, true);
    draw(words);
    const tookMs = performance.now() - started;
    expect(complaints).toEqual([]);
    expect(host.textContent).toContain('Before');
    expect(host.textContent.length).toBeGreaterThan(text.length / 10);
    // Twice, in a document without layout; the bound is for what grows with the square of the text.
    expect(tookMs).toBeLessThan(10_000);
  });

  test('what cannot be drawn is shown as it was written, and only that', () => {
    const text = 'First **bold**\n\nA [link](https://example.org/x)\n\nThird _thin_';
    // A link needs the window around it, which is not there.
    act(() => root.render(<Markdown text={text} isGrowing={false} />));
    expect(complaints).not.toEqual([]);
    expect(host.querySelector('strong')?.textContent).toBe('bold');
    expect(host.querySelector('em')?.textContent).toBe('thin');
    expect(host.querySelector('a')).toBeNull();
    expect(host.textContent).toContain('A [link](https://example.org/x)');
  });
});
