/** A run of text that belongs together on the page, and the nodes it is made of. */
export interface TextRun {
  readonly text: string;
  readonly nodes: readonly { readonly node: Text; readonly start: number }[];
}

/** What a match cannot reach across. A piece of code is one of the spans that a code block consists of. */
const BLOCKS = 'p, li, td, th, h3, h4, blockquote, div, pre > code > span';
const SKIPPED = '[data-find-skip]';
const GAP = '\0';

/** The text that can be found under an element, as `shownText` gives it for a message that is not on the page. */
export function textRuns(root: Element): readonly TextRun[] {
  const runs: { text: string; nodes: { node: Text; start: number }[] }[] = [];
  let block: Element | null = null;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node instanceof Element && node.matches(SKIPPED) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element: Element | null = node instanceof Element ? node : node.parentElement;
    const isFormula = node instanceof Element && node.hasAttribute('data-formula');
    const isBreak = node instanceof Element && node.tagName === 'BR';
    if (node instanceof Element && !isFormula && !isBreak) continue;
    if (node instanceof Text && element?.closest('[data-formula]') !== null) continue;
    const here = element?.closest(BLOCKS) ?? root;
    if (here !== block) {
      runs.push({ text: '', nodes: [] });
      block = here;
    }
    const run = runs.at(-1);
    if (run === undefined) continue;
    if (node instanceof Text) {
      run.nodes.push({ node, start: run.text.length });
      run.text += node.data;
    } else run.text += isBreak ? '\n' : GAP;
  }
  return runs;
}

/** The places of what is looked for under an element, in their order, and not more of them than `most`. */
export function rangesIn(root: Element, matcher: RegExp, most: number): Range[] {
  const ranges: Range[] = [];
  for (const { text, nodes } of textRuns(root)) {
    for (const match of text.matchAll(matcher)) {
      if (ranges.length >= most) return ranges;
      const from = nodes.findLast(({ start }) => start <= match.index);
      const end = match.index + match[0].length;
      const to = nodes.findLast(({ start }) => start < end);
      if (from === undefined || to === undefined) continue;
      const range = document.createRange();
      range.setStart(from.node, match.index - from.start);
      range.setEnd(to.node, Math.min(end - to.start, to.node.length));
      ranges.push(range);
    }
  }
  return ranges;
}
