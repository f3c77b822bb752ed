/** The product's own readings over real processes, with the simulated Mac behind them. */
import { afterEach, describe, expect, test } from 'vitest';
import { memoryHandlers } from '../../main/memory/handlers.ts';
import type { MemoryMonitor } from '../../main/memory/monitor.ts';
import { macReading, readMemory } from '../../main/memory/reading.ts';
import { GIB, MIB, swapUsedBytes } from './model.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import { directCommands, simulatedCommands } from './simulated-commands.ts';
import { type SimulatedMac, startSimulatedMac } from './simulated-mac.ts';

let mac: SimulatedMac | null = null;
afterEach(async () => {
  await mac?.dispose();
  mac = null;
});

async function on(name: ScenarioName, speed = 1) {
  mac = await startSimulatedMac(scenarios[name], { speed });
  return { mac, commands: simulatedCommands(mac.socketPath) };
}
const engine = { appPid: 5_000, enginePid: 5_001, gpuBytes: 11_600 * MIB };

test.each<[ScenarioName]>([['fits'], ['french-locale'], ['macos-26']])('a reading, %s', async (name) => {
  const { mac, commands } = await on(name);
  mac.change({ kind: 'engine', engine });
  mac.pass(3_000);
  const reading = await readMemory(commands);
  expect(reading).toMatchObject({
    source: 'macos',
    level: 'normal',
    totalBytes: 16 * GIB,
    wiredLimitMiB: name === 'macos-26' ? 0 : 13_312,
    boot: { id: scenarios[name].mac.bootId },
  });
  expect((reading?.wiredBytes ?? 0) / GIB).toBeCloseTo(2.43 + 11_600 / 1_024, 1);
  // A decimal comma is no reason to read what is swapped as none.
  expect((reading?.swapUsedBytes ?? 0) / MIB).toBeCloseTo(swapUsedBytes(mac.mac()) / MIB, 0);
  expect(reading?.swapUsedBytes === 0).toBe(name !== 'french-locale');
});

test('processes and the direct way print the same', async () => {
  const { mac, commands } = await on('macos-26');
  for (const [name, args] of [
    ['sysctl', ['-i', 'hw.memsize', 'no.such.name']],
    ['sysctl', ['no.such.name']],
    ['sw_vers', []],
    ['top', ['-l', '1']],
    ['footprint', ['-p', '1']],
    ['launchctl', ['print', 'system/app.headroom']],
  ] as const) {
    const { code, stdout, stderr } = await directCommands(mac).run(name, args);
    const same = (text: string): string => text.replace(/\d\d:\d\d:\d\d/, '');
    const run = await commands.run(name, args);
    expect({ ...run, stdout: same(run.stdout) }).toEqual({ code, stdout: same(stdout), stderr });
  }
});

test('a Mac that has gone away is no reading', async () => {
  const { mac: gone, commands } = await on('fits');
  await gone.dispose();
  mac = null;
  expect(await readMemory(commands)).toBeNull();
});

test('steps begin when what they wait for has come true, in simulated time', async () => {
  const { mac } = await on('browser-eats-4-gb');
  const chrome = (): number => mac.mac().processes.find(({ pid }) => pid === 900)?.bytes ?? 0;
  const before = chrome();
  mac.pass(60_000);
  expect(chrome()).toBe(before);
});

describe('who uses the memory', () => {
  const monitor = { history: () => [] } as unknown as MemoryMonitor;

  test('the engine counts with the app, and apps can be asked to quit', async () => {
    const { mac, commands } = await on('fits');
    mac.change({ kind: 'engine', engine });
    const handlers = memoryHandlers({ monitor, commands, isMac: true, ourPid: engine.appPid });
    const { apps } = await handlers['memory.apps'](null);
    expect(apps[0]).toMatchObject({ name: 'Headroom', isOurs: true, canQuit: false });
    expect((apps[0]?.bytes ?? 0) / GIB).toBeGreaterThan(11);
    expect(apps.find(({ name }) => name === 'Google Chrome')).toMatchObject({
      pid: 900,
      bytes: 680 * MIB,
      canQuit: true,
    });
    expect(apps.find(({ name }) => name === 'WindowServer')).toMatchObject({ canQuit: false });
  });

  test.each([
    [410, 'Mail', 'asked'],
    [620, 'Pages', 'refused'],
    [640, 'Final Cut Pro', 'refused'],
    [660, 'Notes', 'denied'],
    [410, 'Pages', 'gone'],
    [4_100, 'Mail', 'gone'],
  ])('asking process %i as %s to quit: %s', async (pid, name, outcome) => {
    const { mac, commands } = await on('fits');
    const handlers = memoryHandlers({ monitor, commands, isMac: true, ourPid: 1 });
    expect((await handlers['memory.quitApp']({ pid, name })).outcome).toBe(outcome);
    expect(mac.mac().processes.some((process) => process.pid === 410)).toBe(outcome !== 'asked');
  });
});

test('a day passes in seconds, and readings stay sound', async () => {
  const { mac } = await on('yellow-but-calm');
  mac.change({ kind: 'engine', engine });
  for (let hour = 0; hour < 24; hour += 1) {
    mac.pass(3_600_000);
    const sysctl = mac.answer('sysctl', ['kern.memorystatus_vm_pressure_level', 'hw.memsize', 'vm.swapusage']).stdout;
    expect(macReading(sysctl, mac.answer('vm_stat', []).stdout)).not.toBeNull();
  }
});
