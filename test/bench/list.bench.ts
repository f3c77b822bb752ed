/** What a conversation of 120 messages takes: memory beside the empty window, and frames while one scrolls through it. */
import { join } from 'node:path';
import { longConversation } from '../ui/answers.ts';
import { type BundleServer, serveBundle } from '../ui/bundle-server.ts';
import { type FakeScript, installFakeBridge } from '../ui/fake-bridge.ts';
import { states } from '../ui/states.ts';
import { type BenchHost, type BenchPage, chromiumHost, electronHost } from './bench-pages.ts';
import { armsIfAny } from './electron-arms.ts';
import { type Bench, type Figure, median } from './figure.ts';

const MESSAGES = 120;
const ROUNDS = 3;
/** From the end to the beginning, some 100 pixels a frame: a hard flick on a trackpad. */
const SCROLL_FRAMES = 900;
/** What a window does right after it has opened is done. */
const SETTLE_MS = 3_000;
/** What is kept for scrolling on has been given back. */
const REST_MS = 15_000;

const bridgeFor = (script: FakeScript): string => `(${installFakeBridge.toString()})(${JSON.stringify(script)})`;

async function openWindow(host: BenchHost, url: string, script: FakeScript): Promise<BenchPage> {
  const page = await host.open(url, bridgeFor(script));
  await page.evaluate(`new Promise((resolve) => {
    const look = () => document.querySelector('textarea') ? setTimeout(resolve, ${SETTLE_MS}) : setTimeout(look, 50);
    look();
  })`);
  return page;
}

/** Scrolls through the list, one step a frame; answers how long each frame took and how much was drawn at most. */
const SCROLL = `(async () => {
  const view = document.querySelector('[role="log"]');
  const times = [];
  let rows = 0;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  let last = await frame();
  for (let n = 0; n < ${SCROLL_FRAMES}; n += 1) {
    if (view !== null) {
      view.scrollTop = Math.max(0, view.scrollTop - view.scrollTop / (${SCROLL_FRAMES} - n));
      rows = Math.max(rows, view.querySelectorAll('[data-index]').length);
    }
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  // What was measured on the way may have moved the beginning.
  for (let n = 0; n < 60 && view !== null && view.scrollTop > 0; n += 1) {
    view.scrollTop -= 400;
    await frame();
  }
  return { times, rows, top: view === null ? 0 : view.scrollTop };
})()`;

interface Scrolled {
  readonly times: readonly number[];
  readonly rows: number;
  readonly top: number;
}

/** Frames that were due and did not come, of a hundred. The page's own pace is its usual frame. */
function droppedIn({ times }: Scrolled): number {
  const usualMs = median(times);
  const dropped = times.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / usualMs) - 1), 0);
  return (dropped * 100) / (times.length + dropped);
}

async function measure(host: BenchHost, url: string): Promise<Figure[]> {
  const memory = { empty: [] as number[], opened: [] as number[], scrolled: [] as number[] };
  const dropped = { empty: [] as number[], long: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const empty = await openWindow(host, url, states.ready);
    memory.empty.push(await empty.privateMiB());
    dropped.empty.push(droppedIn(await empty.evaluate<Scrolled>(SCROLL)));
    await empty.close();

    const long = await openWindow(host, url, longConversation(MESSAGES));
    memory.opened.push(await long.privateMiB());
    const scrolled = await long.evaluate<Scrolled>(SCROLL);
    if (scrolled.top !== 0) throw new Error(`scrolling ended ${scrolled.top} px below the beginning`);
    if (scrolled.rows > 40) throw new Error(`${scrolled.rows} of ${MESSAGES} messages were in the page at once`);
    dropped.long.push(droppedIn(scrolled));
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    memory.scrolled.push(await long.privateMiB());
    await long.close();
  }
  const emptyWindow = { what: 'empty window', value: median(memory.empty) };
  return [
    {
      name: `memory, ${MESSAGES} messages opened, ${host.name}`,
      unit: 'MiB',
      value: median(memory.opened),
      baseline: emptyWindow,
      compare: 'difference',
      aim: { at: 'most', value: 40 },
    },
    {
      name: `memory, ${MESSAGES} messages scrolled through, after 15 s of rest, ${host.name}`,
      unit: 'MiB',
      value: median(memory.scrolled),
      baseline: emptyWindow,
      compare: 'difference',
      aim: { at: 'most', value: 40 },
    },
    {
      name: `scrolling through ${MESSAGES} messages, dropped frames in 100, ${host.name}`,
      unit: '',
      value: median(dropped.long),
      baseline: { what: 'empty window', value: median(dropped.empty) },
      compare: 'difference',
      aim: { at: 'most', value: 1 },
    },
  ];
}

async function measureAt(host: BenchHost, server: BundleServer): Promise<Figure[]> {
  try {
    return await measure(host, server.url);
  } finally {
    await server.close();
  }
}

const bench: Bench = async () => {
  const arms = await armsIfAny();
  try {
    const figures = await measureAt(chromiumHost(), await serveBundle());
    if (arms === null) return figures;
    const lowered = await serveBundle(join(arms.headroom.appFolder, 'out', 'renderer'));
    return [...figures, ...(await measureAt(electronHost(arms), lowered))];
  } finally {
    await arms?.dispose();
  }
};

export default bench;
