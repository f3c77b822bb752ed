/** Reads memory again and again while somebody wants to know. The rules are in sampling.ts and history.ts. */
import type { MemorySample } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import type { Log } from '../log/log.ts';
import { type CounterReading, ratePerSecond, withSample } from './history.ts';
import type { MemoryReading } from './reading.ts';
import { type Attention, nextSampleDelayMs } from './sampling.ts';

export interface MemoryMonitorPorts {
  /** One look at the machine; null when it could not be read. Never rejects. */
  read(): Promise<MemoryReading | null>;
  /** What the engine holds just now; null while it is off. */
  engineActiveBytes(): number | null;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MemoryMonitor {
  /** Every sample as it is made. Returns the unsubscribe function. */
  subscribe(listener: (sample: MemorySample) => void): () => void;
  /** The last ten minutes, oldest first. */
  history(): readonly MemorySample[];
  /** The newest reading with what the window is not shown; null before the first. */
  readonly lastReading: MemoryReading | null;
  setVisible(isVisible: boolean): void;
  setEngineOn(isOn: boolean): void;
  dispose(): void;
}

/**
 * One reading at a time: the timer for the next is set when the last has ended.
 *
 *  waiting ⇄ reading ─► disposed
 */
type Phase =
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'reading' }
  | { readonly kind: 'disposed' };

export function createMemoryMonitor(ports: MemoryMonitorPorts): MemoryMonitor {
  const { clock, log } = ports;
  const listeners = new Set<(sample: MemorySample) => void>();
  let attention: Attention = { isWindowVisible: false, isEngineOn: false };
  let history: readonly MemorySample[] = [];
  let lastReading: MemoryReading | null = null;
  let swappedOut: CounterReading | null = null;
  let lastStartedAtMs: number | null = null;
  let isReadable = true;
  let phase: Phase = { kind: 'waiting', cancel: () => {} };
  wait();

  function wait(): void {
    if (phase.kind === 'disposed') return;
    if (phase.kind === 'waiting') phase.cancel();
    const delayMs = nextSampleDelayMs(attention, lastStartedAtMs, clock.nowMs());
    phase = { kind: 'waiting', cancel: clock.after(delayMs, () => void sample()) };
  }

  async function sample(): Promise<void> {
    phase = { kind: 'reading' };
    const beganAtMs = clock.nowMs();
    lastStartedAtMs = beganAtMs;
    const reading = await ports.read();
    // TypeScript cannot know that dispose() may have come meanwhile.
    if ((phase as Phase).kind === 'disposed') return;
    if (reading !== null) take(reading, beganAtMs);
    if ((reading !== null) !== isReadable) {
      isReadable = reading !== null;
      log(isReadable ? 'info' : 'warn', `memory can ${isReadable ? 'be read again' : 'not be read'}`);
    }
    wait();
  }

  function take(reading: MemoryReading, atMs: number): void {
    const counter = reading.swapOutBytes === null ? null : { atMs, bytes: reading.swapOutBytes };
    const made: MemorySample = {
      atMs,
      level: reading.level,
      needle: reading.needle,
      totalBytes: reading.totalBytes,
      availableBytes: reading.availableBytes,
      wiredBytes: reading.wiredBytes,
      compressedBytes: reading.compressedBytes,
      swapUsedBytes: reading.swapUsedBytes,
      swapOutBytesPerSecond: ratePerSecond(swappedOut, counter),
      engineActiveBytes: ports.engineActiveBytes(),
      source: reading.source,
    };
    swappedOut = counter;
    lastReading = reading;
    history = withSample(history, made);
    for (const listener of listeners) {
      try {
        listener(made);
      } catch (error) {
        // One listener's fault is no reason to stop watching.
        log('error', `a listener of memory samples failed: ${String(error)}`);
      }
    }
  }

  function attend(change: Partial<Attention>): void {
    const before = attention;
    attention = { ...attention, ...change };
    const isSame = before.isWindowVisible === attention.isWindowVisible && before.isEngineOn === attention.isEngineOn;
    if (!isSame && phase.kind === 'waiting') wait();
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    history: () => history,
    get lastReading() {
      return lastReading;
    },
    setVisible: (isWindowVisible) => attend({ isWindowVisible }),
    setEngineOn: (isEngineOn) => attend({ isEngineOn }),
    dispose() {
      if (phase.kind === 'waiting') phase.cancel();
      phase = { kind: 'disposed' };
      listeners.clear();
    },
  };
}
