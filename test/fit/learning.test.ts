/** The app learns from the real engine: a calibration when the model rests, a pair for every load and answer. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFinal } from '../../preload/answer-status.ts';
import { pythonCommand } from '../../main/engine/supervisor.ts';
import { engineUnderTest, request } from '../engine/harness.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';
import { type HeadlessProcess, startHeadless } from '../headless/headless-process.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';

describe('the app', () => {
  let home: string;
  let host: HeadlessProcess;
  let window: NodeWindow;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'headroom-learning-'));
    host = startHeadless(home, ['--model', modelFolder]);
    window = openNodeWindow((await host.ready()).url);
  });
  afterAll(async () => {
    window.close();
    expect(await host.end()).toBe(0);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  const entry = async () => {
    const { models } = await window.call('models.list', null);
    const found = models.find(({ isToy }) => isToy);
    if (found === undefined) throw new Error('no demo model in the list');
    return found;
  };

  it('says "default" before, "calibrated" after, and keeps what it learned', async () => {
    expect((await entry()).prediction?.prefillFrom).toBe('default');
    expect((await entry()).measured).toBeNull();
    await window.call('engine.start', null);
    await expect.poll(async () => (await entry()).measured?.loads, { timeout: 30_000 }).toBe(1);
    await expect
      .poll(async () => (await entry()).prediction?.prefillFrom, { timeout: 60_000, interval: 200 })
      .toBe('calibrated');

    const { assistant } = await window.call('chat.send', { conversationId: null, text: 'Hello', effort: 'low' });
    await expect
      .poll(
        async () => {
          const { messages } = await window.call('chat.open', { conversationId: assistant.conversationId });
          const last = messages.at(-1);
          return last?.role === 'assistant' && isFinal(last.status);
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    const { measured } = await entry();
    expect(measured?.loads).toBe(1);
    const off = Math.abs((measured?.predictedBytes ?? 0) / (measured?.measuredBytes ?? 1) - 1);
    // Of some three MB; what MLX takes beside the chunks is a tenth of that here, and nothing beside a real model.
    expect(off).toBeLessThan(0.15);

    const stored = JSON.parse(await readFile(join(home, 'measured-loads.json'), 'utf8')) as {
      models: Record<string, { calibrations: { versions: string }[] }>;
    };
    expect(stored.models['headroom-demo']?.calibrations[0]?.versions).toMatch(/^mlx \d.*mlx-lm \d/);
  });
});

describe('the engine', () => {
  it('never keeps an answer waiting for a calibration longer than its chunk in work', async () => {
    const under = engineUnderTest(pythonCommand(pythonExecutable), modelFolder);
    try {
      await under.engine.start(under.model);
      const idle = await firstTokenMs(under);
      const calibrating = under.engine.calibrate(512, new AbortController().signal);
      await new Promise((resolve) => setTimeout(resolve, 150));
      const busy = await firstTokenMs(under);
      // Broken off, or over already on a fast machine: either way nobody waited for the rest of it.
      const found = await calibrating;
      expect(found === null || found.stepTokens === 512).toBe(true);
      const began = performance.now();
      await under.engine.calibrate(512, new AbortController().signal);
      const wholeMs = performance.now() - began;
      expect(busy).toBeLessThan(idle + wholeMs);
      console.log(
        `first token ${Math.round(idle)} ms idle, ${Math.round(busy)} ms while calibrating (${Math.round(wholeMs)} ms in all)`,
      );
      expect(await under.engine.calibrate(128, new AbortController().signal)).toMatchObject({ stepTokens: 128 });
    } finally {
      await under.finish();
    }
  });
});

async function firstTokenMs(under: ReturnType<typeof engineUnderTest>): Promise<number> {
  const began = performance.now();
  let first: number | null = null;
  for await (const event of under.engine.generate(request('hi'), {
    signal: new AbortController().signal,
    priority: 'window',
  })) {
    if (event.kind === 'content' || event.kind === 'reasoning') first ??= performance.now();
  }
  return (first ?? Number.NaN) - began;
}
