/**
 * The page in which Markdown renderers are compared: one column, one text that grows, the end kept in view. Who draws the
 * text is the only difference.
 */
import '../../electron/shims/page.ts';
import { type ComponentType, useLayoutEffect, useSyncExternalStore } from 'react';
import { createRoot, type Root } from 'react-dom/client';

/** A renderer: the text so far, and whether more comes. */
export type Arm = ComponentType<{ readonly text: string; readonly isGrowing: boolean }>;

const arms = {
  headroom: () => import('./headroom-arm.tsx'),
  streamdown: () => import('./streamdown-arm.tsx'),
  'react-markdown': () => import('./react-markdown-arm.tsx'),
} satisfies Record<string, () => Promise<{ readonly default: Arm }>>;

export type ArmName = keyof typeof arms;

const TICK_MS = 50;

export interface StreamingPage {
  mount(name: ArmName, text: string): Promise<void>;
  /** Resolves when so many characters have been drawn, so many with each tick of 20 a second. */
  streamTo(end: number, charactersATick: number): Promise<{ readonly ticks: number; readonly lateMs: number }>;
  /** The text is complete. Resolves once everything has been drawn. */
  finish(): Promise<{ readonly longTasksMs: readonly number[]; readonly elements: number; readonly coloured: number }>;
  unmount(): void;
}

const rootElement = document.getElementById('root');
if (rootElement === null) throw new Error('index.html has no #root.');
const scroller: HTMLElement = rootElement;

let text = '';
let shown = 0;
let isGrowing = true;
let root: Root | null = null;
let wake = (): void => undefined;
let longTasksMs: number[] = [];

new PerformanceObserver((list) => longTasksMs.push(...list.getEntries().map(({ duration }) => duration))).observe({
  type: 'longtask',
});

const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const until = (atMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));

function Column({ Arm }: { readonly Arm: Arm }) {
  const length = useSyncExternalStore(
    (listener) => {
      wake = listener;
      return () => (wake = () => undefined);
    },
    () => (isGrowing ? shown : -1),
  );
  useLayoutEffect(() => {
    scroller.scrollTop = scroller.scrollHeight;
  });
  return (
    <div>
      <Arm text={text.slice(0, shown)} isGrowing={length !== -1} />
    </div>
  );
}

const page: StreamingPage = {
  async mount(name, whole) {
    const { default: Arm } = await arms[name]();
    text = whole;
    shown = 0;
    isGrowing = true;
    longTasksMs = [];
    root = createRoot(scroller);
    root.render(<Column Arm={Arm} />);
    await frame();
  },
  async streamTo(end, charactersATick) {
    let dueMs = performance.now();
    let ticks = 0;
    while (shown < Math.min(end, text.length)) {
      dueMs += TICK_MS;
      await until(dueMs);
      shown = Math.min(end, text.length, shown + charactersATick);
      ticks += 1;
      wake();
    }
    await frame();
    return { ticks, lateMs: performance.now() - dueMs };
  },
  async finish() {
    isGrowing = false;
    wake();
    await frame();
    // Formulas and colours may come later.
    await until(performance.now() + 1_000);
    return {
      longTasksMs,
      elements: scroller.querySelectorAll('*').length,
      coloured: scroller.querySelectorAll('pre span span').length,
    };
  },
  unmount() {
    root?.unmount();
  },
};

Object.assign(window, { streaming: page });
