import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../engine/clock.ts';
import { createMemoryMonitor, type MemoryMonitor } from './monitor.ts';
import type { MemoryReading } from './reading.ts';

const GIB = 2 ** 30;
const quiet: MemoryReading = {
  source: 'macos',
  level: 'normal',
  needle: 0.2,
  totalBytes: 16 * GIB,
  availableBytes: 6 * GIB,
  wiredBytes: 2 * GIB,
  compressedBytes: GIB,
  swapUsedBytes: 0,
  swapOutBytes: 1_000_000n,
  wiredLimitMiB: 0,
  boot: { id: 'boot', startedAtMs: null },
};

/** One timer at a time is all the monitor may have. */
class HandClock implements Clock {
  now = 1_000_000;
  timers: { atMs: number; callback: () => void }[] = [];
  nowMs(): number {
    return this.now;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.now + delayMs, callback };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((other) => other !== timer));
  }
  async pass(ms: number): Promise<void> {
    const endMs = this.now + ms;
    for (;;) {
      const due = this.timers.find(({ atMs }) => atMs <= endMs);
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.now = Math.max(this.now, due.atMs);
      due.callback();
      for (let i = 0; i < 5; i += 1) await Promise.resolve();
    }
    this.now = endMs;
  }
}

let clock: HandClock;
let reads: number;
let answer: () => Promise<MemoryReading | null>;
let logged: string[];
let monitor: MemoryMonitor;

beforeEach(() => {
  clock = new HandClock();
  reads = 0;
  logged = [];
  answer = () => Promise.resolve(quiet);
  monitor = createMemoryMonitor({
    read: () => {
      reads += 1;
      return answer();
    },
    engineActiveBytes: () => 7,
    clock,
    log: (_, message) => void logged.push(message),
  });
});

describe('how often', () => {
  it('nobody looks: once in ten seconds', async () => {
    await clock.pass(60_000);
    expect(reads).toBe(7);
    expect(clock.timers).toHaveLength(1);
  });

  it('the window shows, or the model is on: once in two', async () => {
    await clock.pass(0);
    monitor.setVisible(true);
    await clock.pass(20_000);
    expect(reads).toBe(11);
    monitor.setVisible(false);
    monitor.setEngineOn(true);
    await clock.pass(20_000);
    expect(reads).toBe(21);
    monitor.setEngineOn(false);
    await clock.pass(20_000);
    expect(reads).toBe(23);
  });

  it('the window opens on an old reading: a new one at once', async () => {
    await clock.pass(5_000);
    monitor.setVisible(true);
    await clock.pass(0);
    expect(reads).toBe(2);
  });

  it('a slow reading is waited for, whatever is asked meanwhile', async () => {
    let finish: (reading: MemoryReading) => void = () => {};
    answer = () => new Promise((resolve) => (finish = resolve));
    await clock.pass(0);
    monitor.setVisible(true);
    monitor.setEngineOn(true);
    await clock.pass(60_000);
    expect(reads).toBe(1);
    expect(clock.timers).toHaveLength(0);
    finish(quiet);
    await clock.pass(0);
    expect(clock.timers).toHaveLength(1);
  });

  it('after a night asleep there is one reading, not five thousand', async () => {
    await clock.pass(0);
    monitor.setVisible(true);
    clock.now += 8 * 3_600_000;
    await clock.pass(0);
    expect(reads).toBe(2);
  });

  it('a clock set back an hour does not stop it', async () => {
    monitor.setVisible(true);
    await clock.pass(10_000);
    clock.now -= 3_600_000;
    // The timer in place is a monotonic one: it fires when it would have.
    for (const timer of clock.timers) timer.atMs -= 3_600_000;
    const before = reads;
    await clock.pass(10_000);
    expect(reads - before).toBeGreaterThanOrEqual(4);
    expect(monitor.history().every(({ atMs }) => atMs <= clock.now)).toBe(true);
  });
});

describe('what comes of it', () => {
  it('a sample with the rate of swapping and the engine share', async () => {
    monitor.setVisible(true);
    await clock.pass(0);
    expect(monitor.history()).toMatchObject([{ swapOutBytesPerSecond: null, engineActiveBytes: 7, level: 'normal' }]);
    answer = () => Promise.resolve({ ...quiet, level: 'critical', swapOutBytes: 5_000_000n });
    await clock.pass(2_000);
    expect(monitor.history().at(-1)).toMatchObject({ swapOutBytesPerSecond: 2_000_000, level: 'critical' });
    expect(monitor.lastReading?.boot?.id).toBe('boot');
  });

  it('what cannot be read is said once, and no sample is made up', async () => {
    answer = () => Promise.resolve(null);
    await clock.pass(60_000);
    expect(monitor.history()).toEqual([]);
    expect(logged).toEqual(['memory can not be read']);
    answer = () => Promise.resolve(quiet);
    await clock.pass(20_000);
    expect(logged).toEqual(['memory can not be read', 'memory can be read again']);
  });

  it('a listener that throws is logged, and neither the others nor the next sample suffer', async () => {
    let heard = 0;
    monitor.subscribe(() => {
      throw new Error('broken');
    });
    monitor.subscribe(() => (heard += 1));
    await clock.pass(10_000);
    expect(heard).toBe(2);
    expect(logged).toHaveLength(2);
  });

  it('disposed, it reads no more and tells nobody, also of a reading under way', async () => {
    let finish: (reading: MemoryReading) => void = () => {};
    answer = () => new Promise((resolve) => (finish = resolve));
    const heard: unknown[] = [];
    monitor.subscribe((sample) => heard.push(sample));
    await clock.pass(0);
    monitor.dispose();
    finish(quiet);
    await clock.pass(60_000);
    expect([reads, heard.length, clock.timers.length]).toEqual([1, 0, 0]);
  });
});
