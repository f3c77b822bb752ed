/**
 * How soon protection acts on the simulated Mac, with the real engine: from a step that makes memory short to what is
 * done about it, and how long a lent model keeps others waiting for its memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { GIB, type Mac, wiredBytes } from '../macos/model.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type AppShortOfMemory, appShortOfMemory } from '../memory/app-short-of-memory.ts';
import { type Bench, type Figure, median } from './figure.ts';

const ROUNDS = 3;
const LOOK_MS = 20;
/** Sentences that make a prompt of some 4,000 tokens. */
const WORDS = 560;

const aim = (value: number): Figure['aim'] => ({ at: 'most', value });

async function untilMac(app: AppShortOfMemory, is: (mac: Mac) => boolean): Promise<number> {
  for (const deadline = performance.now() + 60_000; !is(app.mac.mac()); ) {
    if (performance.now() > deadline) throw new Error(`never: ${String(is)}`);
    await sleep(LOOK_MS);
  }
  return performance.now();
}

async function loaded(): Promise<AppShortOfMemory> {
  const app = await appShortOfMemory(scenarios.fits);
  await app.window.call('engine.start', null);
  await app.engineBecomes('ready');
  return app;
}

/** Critical while answers are written one after the other: to the first thing done, and to the answer's end. */
async function critical(): Promise<{ easedMs: number; cancelledMs: number }> {
  const app = await loaded();
  try {
    const askOn = async (): Promise<void> => {
      await (await app.ask('Write a long story.')).final;
      await askOn();
    };
    // It ends with the refusal that follows the cancelled answer.
    askOn().catch(() => {});
    app.mac.change({ kind: 'grow', command: 'Google Chrome', bytes: 12 * GIB, overSeconds: 0.1 });
    const stepAtMs = await untilMac(app, ({ level }) => level === 4);
    const eased = app.step('easing').then(() => performance.now());
    const cancelled = app.step('cancelled').then(() => performance.now());
    return { easedMs: (await eased) - stepAtMs, cancelledMs: (await cancelled) - stepAtMs };
  } finally {
    await app.finish();
  }
}

/** Sends, and resolves with the time to the first token when the answer is final. */
async function firstTokenMs(app: AppShortOfMemory, conversationId: string | null, text: string): Promise<Answered> {
  const startedMs = performance.now();
  let firstMs = 0;
  const off = app.window.bridge.on('chat.delta', (delta) => {
    if (delta.text !== '' || delta.reasoning !== '') firstMs ||= performance.now() - startedMs;
  });
  const { conversation, final } = await app.ask(text, conversationId);
  const { usage, status } = await final;
  off();
  if (usage === null) throw new Error(`the answer did not come: ${JSON.stringify(status)}`);
  return { conversation, firstMs, promptTokens: usage.promptTokens };
}
interface Answered {
  readonly conversation: string;
  readonly firstMs: number;
  readonly promptTokens: number;
}

interface Lent {
  readonly returnedMs: number;
  /** The window is opened and a message sent at once: to its first token, in a conversation of about 4k tokens. */
  readonly backMs: number;
  /** The same while the model is loaded and knows the conversation. */
  readonly loadedMs: number;
}

/** Idle beyond the setting when another program needs 11 GB: from the kernel's warning to the memory given back. */
async function lent(): Promise<Lent> {
  const app = await loaded();
  try {
    await app.window.call('settings.update', { idleUnloadMinutes: 1 });
    const { conversation, promptTokens } = await firstTokenMs(app, null, 'The gauge is yellow. '.repeat(WORDS));
    const { firstMs: loadedMs } = await firstTokenMs(app, conversation, 'Why?');
    if (promptTokens < 3_000 || promptTokens > 4_500) throw new Error(`a conversation of ${promptTokens} tokens`);
    await sleep(61_000);
    app.mac.change({ kind: 'grow', command: 'Final Cut Pro', bytes: 11 * GIB, overSeconds: 8 });
    const warnedAtMs = await untilMac(app, ({ level }) => level >= 2);
    const returnedAtMs = await untilMac(app, (mac) => wiredBytes(mac) < 3 * GIB);
    // The 11 GB are put away again before the user comes back.
    app.mac.change({ kind: 'grow', command: 'Final Cut Pro', bytes: -11 * GIB, overSeconds: 0.1 });
    await untilMac(app, ({ level }) => level < 4);
    await sleep(3_000);
    const openedMs = performance.now();
    await app.window.call('engine.warm', null);
    const warmedMs = performance.now() - openedMs;
    const { firstMs } = await firstTokenMs(app, conversation, 'What do I do?');
    return { returnedMs: returnedAtMs - warnedAtMs, backMs: warmedMs + firstMs, loadedMs };
  } finally {
    await app.finish();
  }
}

const bench: Bench = async () => {
  const criticals = [];
  for (let i = 0; i < ROUNDS; i += 1) criticals.push(await critical());
  const { returnedMs, backMs, loadedMs } = await lent();
  const seconds = (values: readonly number[]): number => median(values) / 1_000;
  // Nothing is known of the Mac between two samples: the baseline is their distance.
  const baseline = { what: 'two seconds between samples', value: 2 };
  return [
    {
      name: 'critical to caches dropped',
      unit: 's',
      value: seconds(criticals.map(({ easedMs }) => easedMs)),
      baseline,
      compare: 'value',
      aim: null,
    },
    {
      name: 'critical to answer ended',
      unit: 's',
      value: seconds(criticals.map(({ cancelledMs }) => cancelledMs)),
      baseline,
      compare: 'value',
      aim: null,
    },
    {
      name: 'warning to memory returned, idle',
      unit: 's',
      value: returnedMs / 1_000,
      baseline,
      compare: 'value',
      aim: aim(5),
    },
    {
      name: 'opening the window to first token, lent, 4k',
      unit: 's',
      value: backMs / 1_000,
      baseline: { what: 'the same, not lent', value: loadedMs / 1_000 },
      compare: 'difference',
      aim: null,
    },
  ];
};

export default bench;
