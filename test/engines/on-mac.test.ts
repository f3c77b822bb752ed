/**
 * llama.cpp with gpt-oss-20b on a simulated 16 GB Mac: the same look before loading, the same consented raise as for the
 * bundled engine, and without the raise experts that stay with the CPU.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WiredLimitState } from '../../preload/contract.ts';
import { gptOss20bHeader } from './gpt-oss-header.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';

let home: string;
let file: string;
let mac: SimulatedMac;
let app: AppOnMac;
let window: NodeWindow;
let limits: WiredLimitState[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'headroom-llama-mac-'));
  mkdirSync(join(home, 'gguf'));
  file = join(home, 'gguf', 'gpt-oss-20b-mxfp4.gguf');
  writeFileSync(file, gptOss20bHeader());
  mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
  app = startAppOnMac(mac.socketPath, join(home, 'data'), [], {
    LLAMA_SERVER: join(import.meta.dirname, 'stand-in-llama-server.mjs'),
    LLAMA_MODELS: join(home, 'gguf'),
    OLLAMA_HOST: '127.0.0.1:1',
    LM_STUDIO_HOST: '127.0.0.1:1',
  });
  window = openNodeWindow((await app.ready).url);
  limits = [];
  window.bridge.on('wiredLimit.state', (state) => limits.push(state));
  const { models } = await window.call('models.list', null);
  const entry = models.find(({ engineName }) => engineName === 'llama.cpp');
  // The simulated Mac counts every model of another size as gpt-oss-20b at its peak.
  expect(['fits-after-raise', 'works-if']).toContain(entry?.verdict.kind);
  await window.call('model.choose', { modelId: entry?.id ?? '' });
});
afterEach(async () => {
  window.close();
  await app.end('SIGTERM');
  await mac.dispose();
  rmSync(home, { recursive: true, force: true });
});

const engineIs = (kind: string) =>
  expect.poll(async () => (await window.call('app.state', null)).engine, { timeout: 10_000 }).toMatchObject({ kind });
const started = (): string[] => JSON.parse(readFileSync(`${file}.args`, 'utf8')) as string[];

async function untilAsked(): Promise<void> {
  await window.call('engine.start', { anyway: true });
  await expect.poll(() => limits.at(-1)?.kind, { timeout: 30_000 }).toBe('asking');
  expect(mac.mac().wiredLimitMiB).toBe(0);
}

it('asks before it raises the limit, starts with everything on the GPU, and puts it back', async () => {
  await untilAsked();
  const asking = limits.at(-1);
  const limitMiB = asking?.kind === 'asking' && asking.plan.verdict.kind === 'raise' ? asking.plan.verdict.toMiB : 0;
  await window.call('wiredLimit.raise', { limitMiB, by: 'prompt' });
  await engineIs('ready');
  expect(mac.mac().wiredLimitMiB).toBe(limitMiB);
  expect(started()).not.toContain('--n-cpu-moe');
  expect(started().join(' ')).toContain('--n-gpu-layers 999 --cache-ram 256');

  await window.call('wiredLimit.restore', { by: 'prompt' });
  await engineIs('off');
  await expect.poll(() => mac.mac().wiredLimitMiB, { timeout: 30_000 }).toBe(0);
});

it('leaves experts with the CPU when it is started without the raise', async () => {
  await untilAsked();
  await window.call('wiredLimit.startAnyway', null);
  await engineIs('ready');
  expect(mac.mac().wiredLimitMiB).toBe(0);
  const args = started();
  const layers = Number(args[args.indexOf('--n-cpu-moe') + 1]);
  expect(layers).toBeGreaterThan(0);
  expect(layers).toBeLessThan(12);
});
