/** The whole headless app on the simulated Mac, with the real engine: what the window hears, and sudden ends. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MemorySample, WiredLimitState } from '../../preload/contract.ts';
import { type NodeWindow, openNodeWindow } from '../headless/node-window.ts';
import { GIB, wiredBytes } from './model.ts';
import { type AppOnMac, startAppOnMac } from './running-app.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from './simulated-mac.ts';

let home: string;
let mac: SimulatedMac;
let app: AppOnMac;
let window: NodeWindow;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'headroom-on-mac-'));
});
afterEach(async () => {
  window.close();
  await app.end('SIGTERM');
  await mac.dispose();
  rmSync(home, { recursive: true, force: true });
});

async function begin(name: ScenarioName): Promise<void> {
  mac = await startSimulatedMac(scenarios[name]);
  await open();
}

async function open(): Promise<void> {
  app = startAppOnMac(mac.socketPath, home);
  window = openNodeWindow((await app.ready).url);
  await window.call('app.state', null);
}

function sampleThat(is: (sample: MemorySample) => boolean): Promise<MemorySample> {
  return new Promise((resolve) => {
    const stop = window.bridge.on('memory.sample', (sample) => {
      if (!is(sample)) return;
      stop();
      resolve(sample);
    });
  });
}

/** The state the wired limit comes to rest in, once it has been seen to move. */
function wiredLimitThat(is: (state: WiredLimitState) => boolean): Promise<WiredLimitState> {
  return new Promise((resolve) => {
    const stop = window.bridge.on('wiredLimit.state', (state) => {
      if (!is(state)) return;
      stop();
      resolve(state);
    });
  });
}

test('loading the model shows as 11.2 GiB more wired, and unloading gives them back', async () => {
  await begin('fits');
  const before = await sampleThat(() => true);
  expect((before.wiredBytes ?? 0) / GIB).toBeCloseTo(2.43, 1);
  expect(before).toMatchObject({ source: 'macos', level: 'normal', totalBytes: 16 * GIB, engineActiveBytes: null });

  await window.call('engine.start', null);
  const during = await sampleThat(({ wiredBytes }) => (wiredBytes ?? 0) > 13 * GIB);
  expect((during.engineActiveBytes ?? 0) / GIB).toBeCloseTo(11.25, 0);
  const { apps } = await window.call('memory.apps', null);
  expect(apps[0]).toMatchObject({ name: 'Headroom', isOurs: true });
  expect(mac.mac().level).toBe(1);

  await window.call('engine.stop', null);
  const after = await sampleThat(({ wiredBytes }) => (wiredBytes ?? 0) < 3 * GIB);
  expect(after.engineActiveBytes).toBeNull();

  const { samples } = await window.call('memory.history', null);
  const times = samples.map(({ atMs }) => atMs);
  expect(times.length).toBeGreaterThan(2);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('killed without warning, the app leaves nothing wired and nothing running', async () => {
  await begin('fits');
  await window.call('engine.start', null);
  await sampleThat(({ wiredBytes }) => (wiredBytes ?? 0) > 13 * GIB);
  await app.end('SIGKILL');
  // The Mac hears of it when the connection breaks off.
  await expect.poll(() => wiredBytes(mac.mac()) / GIB).toBeCloseTo(2.43, 1);
});

test('the model needs a raise: asked, granted, loaded; a panic resets it, and the next start says so without a dialog', async () => {
  await begin('fits-after-a-raise');
  const asking = wiredLimitThat(({ kind }) => kind === 'asking');
  await window.call('engine.start', null);
  await asking;
  expect(mac.mac().wiredLimitMiB).toBe(0);

  const loaded = sampleThat(({ wiredBytes }) => (wiredBytes ?? 0) > 13 * GIB);
  await window.call('wiredLimit.raise', { limitMiB: 12_800, by: 'prompt' });
  await loaded;
  expect(mac.mac().wiredLimitMiB).toBe(12_800);

  window.close();
  await app.end('SIGKILL');
  mac.change({ kind: 'reboot' });
  const changes: string[] = [];
  mac.onChange(({ kind }) => changes.push(kind));
  await open();
  const { state } = await window.call('wiredLimit.plan', null);
  expect(state).toMatchObject({ kind: 'idle', settingMiB: 0, note: { code: 'reset-by-reboot' } });
  expect(changes).not.toContain('set-limit');
});

test('over SSH: the command is printed once, run in another shell, seen, and the model loads; the journal leads back', async () => {
  mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
  app = startAppOnMac(mac.socketPath, home, [], { SSH_CONNECTION: '192.0.2.7 50022 192.0.2.1 22' });
  window = openNodeWindow((await app.ready).url);
  const { api, key } = await app.ready;
  const ask = async (): Promise<string> => {
    const response = await fetch(`${api}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 }),
    });
    return response.text();
  };
  // Who asks is told too; nobody is asked for a password.
  const [command = '', wanted] = /sudo \/usr\/sbin\/sysctl -w iogpu\.wired_limit_mb=(\d+)/.exec(await ask()) ?? [];
  const wantedMiB = Number(wanted);
  expect(wantedMiB).toBeGreaterThan(12_500);
  await expect.poll(app.stderr, { timeout: 10_000 }).toContain(command);
  expect(await ask()).toContain(command);
  expect(mac.mac().wiredLimitMiB).toBe(0);

  const run = (limitMiB: number): Promise<unknown> =>
    promisify(execFile)(
      join(import.meta.dirname, 'bin', 'sysctl'),
      ['-w', `iogpu.wired_limit_mb=${limitMiB}`],
      // As sudo would run it.
      {
        env: {
          SIMULATED_MAC_NODE: process.execPath,
          SIMULATED_MAC_SOCKET: mac.socketPath,
          SIMULATED_MAC_ROOT: '1',
        },
      },
    );
  // Mistyped first: said, and watched on.
  await run(11_800);
  await expect.poll(app.stderr, { timeout: 10_000 }).toContain('The limit is 11,800 MiB now; that is not');
  // Once for each thing that happened, however often the model is asked for.
  expect(app.stderr().split(`\n  ${command}\n`)).toHaveLength(3);

  const loaded = sampleThat(({ wiredBytes }) => (wiredBytes ?? 0) > 13 * GIB);
  await run(wantedMiB);
  await loaded;
  expect(app.stderr()).toContain(`The limit is ${wantedMiB.toLocaleString('en-US')} MiB now, and the model starts.`);

  window.close();
  await app.end('SIGKILL');
  await open();
  const { state } = await window.call('wiredLimit.plan', null);
  expect(state).toMatchObject({ kind: 'raised', settingMiB: wantedMiB, fromEarlierRun: true });
});

test('the dialog is cancelled: nothing is changed, and the window is told', async () => {
  await begin('cancelled-prompt');
  const asking = wiredLimitThat(({ kind }) => kind === 'asking');
  await window.call('engine.start', null);
  await asking;
  const trouble = wiredLimitThat(({ kind }) => kind === 'trouble' || kind === 'raised');
  await window.call('wiredLimit.raise', { limitMiB: 12_800, by: 'prompt' });
  expect(await trouble).toMatchObject({ kind: 'trouble', during: 'raise', settingMiB: 0 });
  expect(mac.mac().wiredLimitMiB).toBe(0);
});
