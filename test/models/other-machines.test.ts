/** What the first window is told on machines that are not the ordinary 16 GB Mac; the whole app on a simulated one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AppState, ModelEntry } from '../../preload/contract.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import { GIB, type Mac } from '../macos/model.ts';
import { startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { startSimulatedMac } from '../macos/simulated-mac.ts';

/** Nobody answers there: these machines are offline. */
const NO_HUB = 'http://127.0.0.1:9';

let endings: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of endings.reverse()) await end();
  endings = [];
});

async function open(
  change: Partial<Mac>,
): Promise<{ window: NodeWindow; state: AppState; models: readonly ModelEntry[] }> {
  const home = mkdtempSync(join(tmpdir(), 'headroom-other-'));
  endings.push(() => rmSync(home, { recursive: true, force: true }));
  const quiet = scenarios['fits-after-a-raise'];
  const mac = await startSimulatedMac({ ...quiet, mac: { ...quiet.mac, ...change } });
  endings.push(() => mac.dispose());
  const app = startAppOnMac(mac.socketPath, home, [], { SIMULATED_HUB_URL: NO_HUB });
  endings.push(() => app.end('SIGTERM'));
  const window = openNodeWindow((await app.ready).url);
  endings.push(() => window.close());
  const state = await window.call('app.state', null);
  const { models } = await window.call('models.list', null);
  return { window, state, models };
}

test.each([
  ['an Intel Mac', { chip: 'Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz' }, /Intel processor/],
  ['macOS 13', { version: '13.6.9', build: '22G830' }, /macOS 13\.6\.9/],
])('%s: says why nothing can run, offers nothing, starts nothing', async (_name, change, words) => {
  const { window, state, models } = await open(change);
  expect(state.machine.cannotRun?.message).toMatch(words);
  expect(models.filter(({ isRecommended }) => isRecommended)).toEqual([]);
  expect(models.every(({ verdict }) => verdict.kind === 'not-on-this-mac')).toBe(true);
  await window.call('model.choose', { modelId: 'headroom-demo' });
  for (const anyway of [false, true]) {
    const start = await window.bridge.call('engine.start', { anyway });
    expect(start).toMatchObject({ ok: false, error: { code: 'refused', message: expect.stringMatching(words) } });
  }
});

test('8 GB: a small model is recommended', async () => {
  const { state, models } = await open({ totalBytes: 8 * GIB, chip: 'Apple M1' });
  expect(state.machine).toMatchObject({ chip: 'Apple M1', memoryBytes: 8 * GIB, cannotRun: null });
  expect(models.find(({ isRecommended }) => isRecommended)?.name).toBe('Qwen3 4B, 4-bit');
});

test('16 GB, offline: the list and its verdicts are there, and a download waits with words', async () => {
  const { window, models } = await open({});
  const recommended = models.find(({ isRecommended }) => isRecommended);
  expect(recommended).toMatchObject({ name: 'gpt-oss-20b', verdict: { kind: 'fits-after-raise' } });
  const waiting = new Promise<ModelEntry | undefined>((resolve) => {
    const stop = window.bridge.on('models.changed', (entries) => {
      const found = entries.find(({ id }) => id === recommended?.id);
      if (found?.presence.kind !== 'getting' || found.presence.download.kind !== 'waiting') return;
      stop();
      resolve(found);
    });
  });
  await window.call('models.download', { modelId: recommended?.id ?? '' });
  expect(await waiting).toMatchObject({ presence: { download: { cause: { code: 'offline' } } } });
});

test('64 GB: everything fits and nothing has to be raised', async () => {
  const { models } = await open({ totalBytes: 64 * GIB, chip: 'Apple M4 Max' });
  expect(models.map(({ verdict }) => verdict.kind).filter((kind) => kind !== 'fits')).toEqual([]);
});
