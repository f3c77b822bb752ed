/** What a long answer costs the window while it streams in, beside the renderers that others use, in one harness. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { REPOSITORY } from '../electron/electron-at-hand.ts';
import { longAnswer } from '../ui/answers.ts';
import { type BundleServer, serveBundle } from '../ui/bundle-server.ts';
import { installFakeBridge } from '../ui/fake-bridge.ts';
import { states } from '../ui/states.ts';
import { type BenchHost, type BenchPage, chromiumHost, electronHost } from './bench-pages.ts';
import { armsIfAny } from './electron-arms.ts';
import { type Bench, type Figure, median } from './figure.ts';
import type { ArmName, StreamingPage } from './streaming/page.tsx';

/** Characters: some 6,000 tokens of four. */
const ANSWER_LENGTH = 24_000;
/** At 20 updates a second these are 120 tokens a second. */
const CHARACTERS_A_TICK = 24;
const TOKENS_1000 = 4_000;
/** What lies between the first and the last thousand tokens only has to be there. */
const IN_BETWEEN_A_TICK = 200;
const ROUNDS = 3;
/** Every part of the answer is in as much as the first and the last thousand tokens are compared by. */
const WARM_UP = 2_000;

async function buildPage(folder: string, target: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    configFile: false,
    logLevel: 'error',
    root: join(import.meta.dirname, 'streaming'),
    base: './',
    plugins: [react()],
    worker: { format: 'es' },
    build: { outDir: folder, target, cssTarget: target, chunkSizeWarningLimit: 5_000, assetsInlineLimit: 0 },
  });
  return folder;
}

/** Calls one of the page's functions. */
const call = <K extends keyof StreamingPage>(
  page: BenchPage,
  name: K,
  ...input: Parameters<StreamingPage[K]>
): Promise<Awaited<ReturnType<StreamingPage[K]>>> =>
  page.evaluate(`window.streaming.${name}(...${JSON.stringify(input)})`);

interface Cost {
  readonly scriptSeconds: number;
  readonly taskSeconds: number;
  readonly longTasksMs: readonly number[];
  readonly ticks: number;
}

/** One whole answer, in a page that has drawn nothing before. */
async function stream(host: BenchHost, url: string, arm: ArmName): Promise<Cost> {
  const page = await host.open(url);
  try {
    await call(page, 'mount', arm, longAnswer(ANSWER_LENGTH));
    const before = await page.spent();
    const { ticks } = await call(page, 'streamTo', ANSWER_LENGTH, CHARACTERS_A_TICK);
    const { longTasksMs, coloured } = await call(page, 'finish');
    const after = await page.spent();
    if (arm === 'headroom' && coloured < 100) throw new Error(`the code has no colours (${coloured} spans)`);
    return {
      scriptSeconds: after.scriptSeconds - before.scriptSeconds,
      taskSeconds: after.taskSeconds - before.taskSeconds,
      longTasksMs,
      ticks,
    };
  } finally {
    await page.close();
  }
}

/** Script of the first and the last thousand tokens of an answer, once everything that is loaded once has been. */
async function firstAndLast(host: BenchHost, url: string): Promise<{ first: number; last: number }> {
  const first: number[] = [];
  const last: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await host.open(url);
    const scriptOf = async (end: number): Promise<number> => {
      const before = await page.spent();
      await call(page, 'streamTo', end, CHARACTERS_A_TICK);
      return (await page.spent()).scriptSeconds - before.scriptSeconds;
    };
    try {
      await call(page, 'mount', 'headroom', longAnswer(WARM_UP, 500));
      await scriptOf(WARM_UP);
      await call(page, 'finish');
      await call(page, 'unmount');
      await call(page, 'mount', 'headroom', longAnswer(ANSWER_LENGTH));
      first.push(await scriptOf(TOKENS_1000));
      await call(page, 'streamTo', ANSWER_LENGTH - TOKENS_1000, IN_BETWEEN_A_TICK);
      last.push(await scriptOf(ANSWER_LENGTH));
    } finally {
      await page.close();
    }
  }
  return { first: median(first), last: median(last) };
}

/** The same answer through the whole window: bridge, mirror, list and all. */
async function streamInWindow(host: BenchHost, url: string): Promise<number> {
  const pieces = longAnswer(ANSWER_LENGTH).match(new RegExp(`[\\s\\S]{1,${CHARACTERS_A_TICK}}`, 'g')) ?? [];
  const script = { ...states.ready, reply: { reasoning: [], text: pieces, pieceMs: 50 } };
  const page = await host.open(url, `(${installFakeBridge.toString()})(${JSON.stringify(script)})`);
  try {
    await page.evaluate(`new Promise((resolve) => {
      const look = () => document.querySelector('textarea') ? resolve(null) : setTimeout(look, 50);
      look();
    })`);
    const before = await page.spent();
    // As a person would: React hears of a value only when it comes by an event.
    await page.evaluate(`(() => {
      const field = document.querySelector('textarea');
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(field, 'Tell me all.');
      field.dispatchEvent(new Event('input', { bubbles: true }));
      setTimeout(() => field.form.requestSubmit(), 50);
      return null;
    })()`);
    await page.evaluate(`new Promise((resolve) => {
      const look = () => document.querySelector('[data-testid="answer"][data-status="complete"]')
        ? resolve(null) : setTimeout(look, 200);
      look();
    })`);
    return (await page.spent()).scriptSeconds - before.scriptSeconds;
  } finally {
    await page.close();
  }
}

async function measure(host: BenchHost, url: string, windowUrl: string): Promise<Figure[]> {
  const ours = await stream(host, url, 'headroom');
  const streamdown = await stream(host, url, 'streamdown');
  const reactMarkdown = await stream(host, url, 'react-markdown');
  const { first, last } = await firstAndLast(host, url);
  const inWindow = await streamInWindow(host, windowUrl);
  const script = (baseline: Figure['baseline'], aim: number, compare: 'value' | 'ratio'): Figure => ({
    name: `streaming 24,000 characters, script, ${host.name}`,
    unit: 's',
    value: ours.scriptSeconds,
    baseline,
    compare,
    aim: { at: 'most', value: aim },
  });
  return [
    script(null, 3, 'value'),
    script({ what: 'streamdown', value: streamdown.scriptSeconds }, 1, 'ratio'),
    script({ what: 'react-markdown', value: reactMarkdown.scriptSeconds }, 1, 'ratio'),
    {
      name: `streaming through the whole window, script, ${host.name}`,
      unit: 's',
      value: inWindow,
      baseline: { what: 'the renderer alone', value: ours.scriptSeconds },
      compare: 'value',
      aim: { at: 'most', value: 3 },
    },
    {
      name: `streaming, tasks over 50 ms in 100 updates, ${host.name}`,
      unit: '',
      value: (ours.longTasksMs.length * 100) / ours.ticks,
      baseline: { what: 'streamdown', value: (streamdown.longTasksMs.length * 100) / streamdown.ticks },
      compare: 'value',
      aim: { at: 'most', value: 1 },
    },
    {
      name: `streaming, longest task, ${host.name}`,
      unit: 'ms',
      value: Math.max(0, ...ours.longTasksMs),
      baseline: { what: 'streamdown', value: Math.max(0, ...streamdown.longTasksMs) },
      compare: 'value',
      aim: null,
    },
    {
      name: `streaming, whole main thread, ${host.name}`,
      unit: 's',
      value: ours.taskSeconds,
      baseline: { what: 'streamdown', value: streamdown.taskSeconds },
      compare: 'ratio',
      aim: null,
    },
    {
      name: `streaming, last 1,000 tokens, ${host.name}`,
      unit: 's',
      value: last,
      baseline: { what: 'first 1,000 tokens', value: first },
      compare: 'ratio',
      aim: { at: 'most', value: 1.3 },
    },
  ];
}

const bench: Bench = async () => {
  const folder = join(REPOSITORY, 'out', 'bench', 'streaming');
  const arms = await armsIfAny();
  const servers: BundleServer[] = [];
  const serve = async (built?: string): Promise<string> => {
    const server = await serveBundle(built);
    servers.push(server);
    return server.url;
  };
  try {
    const url = await serve(await buildPage(join(folder, 'current'), 'chrome140'));
    const figures = await measure(chromiumHost(), url, await serve());
    if (arms === null) return figures;
    const loweredUrl = await serve(await buildPage(join(folder, 'electron'), 'chrome108'));
    const loweredWindow = await serve(join(arms.headroom.appFolder, 'out', 'renderer'));
    return [...figures, ...(await measure(electronHost(arms), loweredUrl, loweredWindow))];
  } finally {
    for (const server of servers) await server.close();
    await arms?.dispose();
  }
};

export default bench;
