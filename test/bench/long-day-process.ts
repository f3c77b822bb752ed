/**
 * A day of watching and protecting on a simulated Mac, without waiting for them: the clock is turned by hand.
 * Prints the heap after collection for every half hour. With `alone` the Mac runs without anybody watching it.
 */
import type { EngineState } from '../../preload/contract.ts';
import type { Clock } from '../../main/engine/clock.ts';
import { createGuard } from '../../main/memory/guard.ts';
import { createMemoryMonitor } from '../../main/memory/monitor.ts';
import { macReading } from '../../main/memory/reading.ts';
import { answer } from '../macos/answers.ts';
import { advance, changed, GIB, type Mac, MIB } from '../macos/model.ts';
import { scenarios } from '../macos/scenarios.ts';

const HOURS = 24;
const STEP_MS = 1_000;
const isAlone = process.argv[2] === 'alone';
const collect = (globalThis as unknown as { gc: () => void }).gc;

let mac: Mac = scenarios.fits.mac;
const startMs = mac.nowMs;

let timers: readonly { readonly atMs: number; readonly callback: () => void }[] = [];
const clock: Clock = {
  nowMs: () => mac.nowMs,
  after(delayMs, callback) {
    const timer = { atMs: mac.nowMs + delayMs, callback };
    timers = [...timers, timer];
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
};

let state: EngineState = { kind: 'off' };
const engineListeners = new Set<(state: EngineState) => void>();
const counts = { samples: 0, told: 0, unloads: 0, answers: 0 };

function engineIs(next: EngineState): void {
  state = next;
  const isOn = next.kind !== 'off';
  const gpuBytes = isOn ? 11_576 * MIB : 0;
  mac = changed(mac, { kind: 'engine', engine: { appPid: 5_000, enginePid: isOn ? 5_001 : null, gpuBytes } });
  for (const listener of engineListeners) listener(next);
}

const monitor = createMemoryMonitor({
  read: () =>
    Promise.resolve(
      macReading(
        answer(mac, 'sysctl', ['-i', 'kern.memorystatus_vm_pressure_level', 'hw.memsize', 'vm.swapusage']).stdout,
        answer(mac, 'vm_stat', []).stdout,
      ),
    ),
  engineActiveBytes: () => (state.kind === 'off' ? null : 11_576 * MIB),
  clock,
  log: () => {},
});
const guard = createGuard({
  engine: {
    get state() {
      return state;
    },
    metrics: null,
    subscribe(listener) {
      engineListeners.add(listener);
      return () => engineListeners.delete(listener);
    },
    dropCaches: () => Promise.resolve(),
  },
  monitor,
  cancelAnswers: () => 0,
  openAnswers: () => (state.kind === 'busy' ? 1 : 0),
  unload: () => {
    counts.unloads += 1;
    engineIs({ kind: 'off' });
    return Promise.resolve();
  },
  load: () => engineIs({ kind: 'ready', sinceMs: mac.nowMs }),
  settings: () => ({ protection: 'on', idleUnloadMinutes: 5 }),
  modelKey: () => 'gpt-oss-20b',
  rates: { read: () => [], write: () => {} },
  wiredLeft: { read: () => null, write: () => {} },
  publish: () => (counts.told += 1),
  clock,
  log: () => {},
});
monitor.subscribe(() => (counts.samples += 1));
engineListeners.add(({ kind }) => monitor.setEngineOn(kind !== 'off'));
if (isAlone) {
  guard.dispose();
  monitor.dispose();
}

/** A working day: a question every three minutes, and every twenty the browser takes 3 GiB for five. */
function live(second: number): void {
  if (second % 1_200 === 60) mac = changed(mac, grow(3));
  if (second % 1_200 === 360) mac = changed(mac, grow(-3));
  if (second % 180 === 0) {
    if (state.kind === 'off') tryToLoad();
    if (state.kind === 'ready') engineIs({ kind: 'busy', sinceMs: mac.nowMs });
  }
  if (second % 180 === 20 && state.kind === 'busy') {
    counts.answers += 1;
    engineIs({ kind: 'ready', sinceMs: mac.nowMs });
  }
}

function tryToLoad(): void {
  try {
    guard.admitStart('user');
    engineIs({ kind: 'ready', sinceMs: mac.nowMs });
  } catch {
    // Memory is short: asked again with the next question.
  }
}

const grow = (gib: number) => ({ kind: 'grow', command: 'Google Chrome', bytes: gib * GIB, overSeconds: 20 }) as const;

const heaps: { readonly hour: number; readonly bytes: number }[] = [];
for (let second = 0; second <= HOURS * 3_600; second += STEP_MS / 1_000) {
  live(second);
  mac = advance(mac, STEP_MS);
  for (const { atMs, callback } of timers) {
    if (atMs > mac.nowMs) continue;
    timers = timers.filter((timer) => timer.callback !== callback);
    callback();
  }
  // Readings are promises.
  for (let i = 0; i < 6; i += 1) await Promise.resolve();
  if (second > 0 && second % 1_800 === 0) {
    collect();
    heaps.push({ hour: (mac.nowMs - startMs) / 3_600_000, bytes: process.memoryUsage().heapUsed });
  }
}
process.stdout.write(`${JSON.stringify({ heaps, counts })}\n`);
