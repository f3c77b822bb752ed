/** What the app adds between the window and the engine: to the first token, to the rate, and from the switch on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFolder } from '../engine/fixtures.ts';
import { startHeadless } from '../headless/headless-process.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import { startEngineByHand } from './engine-by-hand.ts';
import { type Bench, median } from './figure.ts';

const ROUNDS = 15;
const STARTS = 5;
const PROMPT = 'Write a long story.';

/** Sends in a new conversation; resolves when the answer is final. */
function ask(window: NodeWindow, text: string): Promise<{ firstTokenMs: number; tokensPerSecond: number }> {
  return new Promise((resolve, reject) => {
    const sentAtMs = performance.now();
    let firstAtMs = 0;
    let lastAtMs = 0;
    let answerId: string | null = null;
    const offDelta = window.bridge.on('chat.delta', (delta) => {
      if (delta.text === '' && delta.reasoning === '') return;
      lastAtMs = performance.now();
      firstAtMs ||= lastAtMs;
    });
    const offMessage = window.bridge.on('chat.message', (message) => {
      if (message.role !== 'assistant' || message.id !== answerId || message.status.kind === 'queued') return;
      offDelta();
      offMessage();
      if (message.usage === null) reject(new Error(`the answer ended as ${message.status.kind}`));
      else {
        resolve({
          firstTokenMs: firstAtMs - sentAtMs,
          tokensPerSecond: ((message.usage.completionTokens - 1) * 1_000) / (lastAtMs - firstAtMs),
        });
      }
    });
    window
      .call('chat.send', { conversationId: null, text, effort: 'low' })
      .then((turn) => (answerId = turn.assistant.id), reject);
  });
}

const becomes = (window: NodeWindow, kind: 'ready' | 'off'): Promise<void> =>
  new Promise((resolve, reject) => {
    const off = window.bridge.on('engine.state', (state) => {
      if (state.kind === 'failed') reject(new Error(state.cause.message));
      if (state.kind !== kind) return;
      off();
      resolve();
    });
  });

const bench: Bench = async () => {
  const home = await mkdtemp(join(tmpdir(), 'headroom-bench-'));
  const host = startHeadless(home, ['--model', modelFolder]);
  const window = openNodeWindow((await host.ready()).url);
  try {
    // From the switch to the first token, each start beside one by hand.
    const switched: number[] = [];
    const byHandStarts: number[] = [];
    for (let i = 0; i < STARTS; i += 1) {
      const startedMs = performance.now();
      const ready = becomes(window, 'ready');
      await window.call('engine.start', null);
      await ready;
      const readyMs = performance.now() - startedMs;
      // Asked the moment it is ready: on to first token is the two together.
      switched.push(readyMs + (await ask(window, 'hi')).firstTokenMs);
      const off = becomes(window, 'off');
      await window.call('engine.stop', null);
      await off;

      const handStartedMs = performance.now();
      const byHand = await startEngineByHand();
      await byHand.ready();
      const handReadyMs = performance.now() - handStartedMs;
      byHandStarts.push(handReadyMs + (await byHand.ask('hi', 50)).firstTokenMs);
      await byHand.end();
    }

    // Answers, alternating between the two paths, each with its own engine and a warm prompt cache.
    const byHand = await startEngineByHand();
    await byHand.ready();
    const through: { firstTokenMs: number; tokensPerSecond: number }[] = [];
    const direct: { firstTokenMs: number; tokensPerSecond: number }[] = [];
    await ask(window, PROMPT);
    await byHand.ask(PROMPT, 4_096);
    for (let i = 0; i < ROUNDS; i += 1) {
      direct.push(await byHand.ask(PROMPT, 4_096));
      through.push(await ask(window, PROMPT));
    }
    await byHand.end();

    const of = (list: typeof through, key: 'firstTokenMs' | 'tokensPerSecond'): number =>
      median(list.map((r) => r[key]));
    return [
      {
        name: 'switch on to first token',
        unit: 'ms',
        value: median(switched),
        baseline: { what: 'engine started by hand', value: median(byHandStarts) },
        compare: 'difference',
        aim: { at: 'most', value: 300 },
      },
      {
        name: 'first token through window and main',
        unit: 'ms',
        value: of(through, 'firstTokenMs'),
        baseline: { what: 'engine asked directly', value: of(direct, 'firstTokenMs') },
        compare: 'difference',
        aim: { at: 'most', value: 5 },
      },
      {
        name: 'rate through window and main',
        unit: 'tok/s',
        value: of(through, 'tokensPerSecond'),
        baseline: { what: 'engine asked directly', value: of(direct, 'tokensPerSecond') },
        compare: 'ratio',
        aim: { at: 'least', value: 0.98 },
      },
    ];
  } finally {
    window.close();
    await host.end();
    await rm(home, { recursive: true, force: true });
  }
};

export default bench;
