import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { macReading } from '../../main/memory/reading.ts';
import { answer } from './answers.ts';
import {
  advance,
  availableShare,
  type Change,
  changed,
  GIB,
  type KernelLevel,
  type Mac,
  MIB,
  nextLevel,
  PAGE_BYTES,
  swapUsedBytes,
  workingSetBytes,
} from './model.ts';
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts';

const engine = { appPid: 5_000, enginePid: 5_001, gpuBytes: 11_516 * MIB + 60 * MIB };
const loaded = (mac: Mac): Mac => advance(changed(mac, { kind: 'engine', engine }), 3_000);

/** The scenario with the model loaded, second by second; steps count from the loading. */
function played(name: ScenarioName, seconds: number): readonly Mac[] {
  const { mac, steps }: Scenario = scenarios[name];
  const macs = [loaded(mac)];
  for (let second = 1; second <= seconds; second += 1) {
    let next = macs.at(-1) ?? mac;
    for (const step of steps) if (Math.ceil(step.seconds) === second) next = changed(next, step.change);
    macs.push(advance(next, 1_000));
  }
  return macs;
}
const swappedOutMiB = (mac: Mac): number => (mac.counters.swapOuts * PAGE_BYTES) / MIB;

describe('the level, as xnu changes it', () => {
  test.each<[KernelLevel, number, KernelLevel]>([
    [1, 0.51, 1],
    [1, 0.49, 2],
    [2, 0.59, 2],
    [2, 0.61, 1],
    [2, 0.35, 2],
    [2, 0.34, 4],
    [4, 0.39, 4],
    [4, 0.41, 2],
    [4, 0.61, 1],
    [1, 0.1, 4],
  ])('at level %i with %f available: level %i', (level, share, next) => {
    expect(nextLevel(level, share)).toBe(next);
  });
});

describe('scenarios do what their story says', () => {
  test('fits: green, nothing swapped', () => {
    const macs = played('fits', 60);
    expect(new Set(macs.map(({ level }) => level))).toEqual(new Set([1]));
    expect(swappedOutMiB(macs.at(-1) ?? loaded(scenarios.fits.mac))).toBe(0);
  });

  test('yellow but calm: yellow within seconds, for an hour, and not a page swapped', () => {
    const macs = played('yellow-but-calm', 3_600);
    expect(new Set(macs.slice(10).map(({ level }) => level))).toEqual(new Set([2]));
    expect(macs.every((mac) => swappedOutMiB(mac) === 0)).toBe(true);
  });

  test('the browser: swapping, then critical', () => {
    const macs = played('browser-eats-4-gb', 30);
    expect(macs.some(({ level }) => level === 4)).toBe(true);
    expect(swappedOutMiB(macs[30] ?? scenarios.fits.mac)).toBeGreaterThan(300);
  });

  test('memory needed elsewhere: critical, and given back it is green within five seconds', () => {
    const macs = played('memory-needed-elsewhere', 13);
    const last = macs[13] ?? scenarios.fits.mac;
    expect(last.level).toBe(4);
    const unloaded = advance(changed(last, { kind: 'engine', engine: null }), 5_000);
    expect(unloaded.level).toBe(1);
  });

  test('swap storm: it goes on swapping when nothing grows any more', () => {
    const macs = played('swap-storm', 120);
    const [before, after] = [macs[60], macs[120]];
    expect(swappedOutMiB(after ?? scenarios.fits.mac) - swappedOutMiB(before ?? scenarios.fits.mac)).toBeGreaterThan(
      10_000,
    );
  });

  test('what a program gives back is gone from swap too, and the rest comes back slowly where there is room', () => {
    const macs = played('browser-eats-4-gb', 20);
    const swapped = macs[20] ?? scenarios.fits.mac;
    expect(swapUsedBytes(swapped)).toBeGreaterThan(300 * MIB);
    const freed = changed(swapped, { kind: 'end', pid: 900 });
    expect(swapUsedBytes(freed)).toBeLessThan(swapUsedBytes(swapped) / 2);
    const unloaded = advance(changed(swapped, { kind: 'engine', engine: null }), 30_000);
    expect(swapUsedBytes(unloaded)).toBeLessThan(swapUsedBytes(swapped));
    expect(unloaded.counters.swapIns).toBeGreaterThan(0);
  });

  test('leaked wired memory stays until the restart', () => {
    const { mac } = scenarios['leaked-wired-memory'];
    const unloaded = changed(loaded(mac), { kind: 'engine', engine: null });
    expect(unloaded.leakedWiredBytes).toBe(6 * GIB);
    expect(changed(unloaded, { kind: 'reboot' }).leakedWiredBytes).toBe(0);
  });

  test('a reboot gives another boot id, macOS its own limit, and ends the apps', () => {
    const before = changed(loaded(scenarios.fits.mac), { kind: 'set-limit', limitMiB: 13_312 });
    const after = changed(before, { kind: 'reboot' });
    expect(after.bootId).not.toBe(before.bootId);
    expect(changed(after, { kind: 'reboot' }).bootId).not.toBe(after.bootId);
    expect([after.wiredLimitMiB, after.engine, after.level]).toEqual([0, null, 1]);
    expect(after.processes.some(({ app }) => app !== undefined)).toBe(false);
  });
});

test("Metal's working set, as recorded for 16 GB", () => {
  const { mac } = scenarios['fits-after-a-raise'];
  expect(Math.floor(workingSetBytes(mac) / MIB)).toBe(10_922);
  expect(workingSetBytes(scenarios['macos-26'].mac) / MIB).toBeCloseTo(12_124, -1);
  expect(workingSetBytes(changed(mac, { kind: 'set-limit', limitMiB: 13_312 }))).toBe(13_312 * MIB);
});

test('whatever happens, what is printed is a reading of a possible machine', () => {
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('grow' as const),
      command: fc.constantFrom('Google Chrome', 'Mail', 'nobody'),
      bytes: fc.integer({ min: -8 * GIB, max: 20 * GIB }),
      overSeconds: fc.integer({ min: 0, max: 20 }),
    }),
    fc.constantFrom<Change>(
      { kind: 'engine', engine },
      { kind: 'engine', engine: null },
      { kind: 'end', pid: 900 },
      { kind: 'churn', bytesPerSecond: 2 * GIB },
      { kind: 'reboot' },
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(change, fc.integer({ min: 0, max: 5_000 })), { maxLength: 12 }), (story) => {
      let mac: Mac = scenarios['leaked-wired-memory'].mac;
      for (const [next, ms] of story) {
        mac = advance(changed(mac, next), ms);
        expect(availableShare(mac)).toBeGreaterThanOrEqual(0);
        expect(swapUsedBytes(mac)).toBeGreaterThanOrEqual(0);
        const reading = macReading(
          answer(mac, 'sysctl', ['kern.memorystatus_vm_pressure_level', 'hw.memsize', 'vm.swapusage']).stdout,
          answer(mac, 'vm_stat', []).stdout,
        );
        expect(reading).not.toBeNull();
        expect(reading?.availableBytes).toBeLessThanOrEqual(mac.totalBytes);
      }
    }),
    { numRuns: 100 },
  );
});
