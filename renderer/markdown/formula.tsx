import type * as KatexModule from 'katex';
import { memo, useEffect, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import styles from './formula.module.css';

type Katex = Pick<typeof KatexModule, 'render'>;

/** A formula longer than this is nobody's, and is shown as it was written. */
const MAX_LENGTH = 4_000;
/** Formulas kept as they were drawn, for when their message comes back into view. */
const MAX_KEPT = 200;

/** Ends a formula whose own end has not been written yet: it is shown as text until then. */
export const UNFINISHED = '\u0003';

let katex: Katex | null = null;
let isAskedFor = false;
const waiting = new Set<() => void>();
const drawn = new Map<string, Node | null>();

/** KaTeX is larger than the rest of the window and comes with the first formula. */
function askForKatex(): void {
  if (isAskedFor) return;
  isAskedFor = true;
  void import('katex').then(
    (loaded) => {
      katex = loaded;
      for (const wake of waiting) wake();
    },
    // Without it formulas stay as they were written; the next one asks again.
    () => (isAskedFor = false),
  );
}

function subscribe(wake: () => void): () => void {
  waiting.add(wake);
  return () => waiting.delete(wake);
}

/** The formula as MathML, or null when it is none. KaTeX builds nodes one by one: no text becomes markup. */
function draw({ render }: Katex, tex: string, isDisplay: boolean): Node | null {
  const key = `${isDisplay}${tex}`;
  let node = drawn.get(key);
  if (node === undefined) {
    node = null;
    try {
      const holder = document.createElement('span');
      render(tex, holder, {
        output: 'mathml',
        displayMode: isDisplay,
        throwOnError: true,
        strict: 'ignore',
        trust: false,
        maxExpand: 200,
        maxSize: 20,
      });
      node = holder.firstChild;
    } catch {
      // Not a formula that KaTeX knows.
    }
    const [oldest] = drawn.keys();
    if (drawn.size >= MAX_KEPT && oldest !== undefined) drawn.delete(oldest);
    drawn.set(key, node);
  }
  return node?.cloneNode(true) ?? null;
}

/** A formula, or what was written when it is not finished, not one, or not drawable yet. */
export const Formula = memo(function Formula({
  tex,
  isDisplay,
}: {
  readonly tex: string;
  readonly isDisplay: boolean;
}) {
  const host = useRef<HTMLSpanElement>(null);
  const isFinished = !tex.endsWith(UNFINISHED) && tex.length <= MAX_LENGTH;
  const available = useSyncExternalStore(subscribe, () => katex);
  useEffect(() => {
    if (isFinished) askForKatex();
  }, [isFinished]);
  useLayoutEffect(() => {
    const span = host.current;
    if (span === null) return;
    const node = isFinished && available !== null ? draw(available, tex, isDisplay) : null;
    span.dataset['drawn'] = String(node !== null);
    span.replaceChildren(node ?? tex.replace(UNFINISHED, ''));
    delete span.dataset['wide'];
    span.removeAttribute('tabindex');
    if (node === null) return;
    // What is wider than the column scrolls, and what scrolls must be reachable by keyboard. Measured when the frame is
    // laid out anyway.
    const frame = requestAnimationFrame(() => {
      const column = span.parentElement?.closest<HTMLElement>('p, li, td, th, div, h3, h4, blockquote');
      const width = isDisplay ? span.scrollWidth : span.offsetWidth;
      if (width <= (isDisplay ? span.clientWidth : (column?.clientWidth ?? Infinity))) return;
      span.dataset['wide'] = 'true';
      span.tabIndex = 0;
    });
    return () => cancelAnimationFrame(frame);
  }, [available, tex, isDisplay, isFinished]);
  return <span ref={host} className={isDisplay ? styles.display : styles.inline} data-formula="" />;
});
