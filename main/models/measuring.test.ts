import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { type EngineCalibration, EngineError, type EngineMetrics, type GenerationUsage } from '../engine/engine.ts';
import { type MeasuredLoads, openMeasuredLoads } from './measured-loads.ts';
import { type Measuring, REST_AFTER_WRITING_MS, REST_BEFORE_CALIBRATION_MS, createMeasuring } from './measuring.ts';
import { readModelShape } from './model-shape.ts';

const shape = readModelShape({ model_type: 'gpt_oss', num_hidden_layers: 24 });
const WEIGHTS = 12_000_000_000;
const calibration = {
  stepTokens: 512,
  halfChunkBytes: 1e7,
  firstChunkBytes: 2e7,
  secondChunkBytes: 3e7,
  decode: [],
};

const found: EngineCalibration = { ...calibration, tokensPerSecond: 250 };

class World {
  state: EngineState = { kind: 'off' };
  asked: number[] = [];
  answer: (signal: AbortSignal) => Promise<EngineCalibration | null> = async () => found;
  isShort = false;
  stepTokens = 512;
  told = 0;
  readonly measured: MeasuredLoads;
  readonly measuring: Measuring;
  #listener: (state: EngineState) => void = () => {};
  #timers: { atMs: number; callback: () => void }[] = [];
  #nowMs = 0;

  constructor(folder: string) {
    this.measured = openMeasuredLoads(join(folder, 'measured.json'), 'here', () => {});
    this.measuring = createMeasuring({
      engine: Object.defineProperty(
        {
          state: this.state,
          metrics: { versions: 'mlx 1', memory: { activeBytes: WEIGHTS + 5e6 } } as EngineMetrics,
          subscribe: (listener) => {
            this.#listener = listener;
            return () => {};
          },
          calibrate: (stepTokens: number, signal: AbortSignal) => {
            this.asked.push(stepTokens);
            return this.answer(signal);
          },
        },
        'state',
        { get: () => this.state },
      ),
      measured: this.measured,
      model: () => (shape === null ? null : { id: 'm', shape, weightsBytes: WEIGHTS }),
      stepTokens: () => this.stepTokens,
      isShort: () => this.isShort,
      learned: () => {
        this.told += 1;
      },
      clock: {
        nowMs: () => this.#nowMs,
        after: (delayMs, callback) => {
          const timer = { atMs: this.#nowMs + delayMs, callback };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((each) => each !== timer);
          };
        },
      },
      log: () => {},
    });
  }

  enter(kind: 'loading' | 'ready' | 'busy' | 'off'): void {
    this.state =
      kind === 'loading'
        ? { kind, sinceMs: 0, loadedBytes: 0, totalBytes: 1 }
        : kind === 'off'
          ? { kind }
          : { kind, sinceMs: 0 };
    this.#listener(this.state);
  }

  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { callback } of due) callback();
    await new Promise((resolve) => setImmediate(resolve));
  }

  load(): void {
    this.enter('loading');
    this.enter('ready');
  }
}

let folder: string;
let world: World;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-measuring-'));
  world = new World(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const REST = REST_BEFORE_CALIBRATION_MS;

describe('a calibration', () => {
  it('is made once, when the model rests after its first load', async () => {
    world.load();
    await world.pass(REST - 1);
    expect(world.asked).toEqual([]);
    await world.pass(1);
    expect(world.asked).toEqual([512]);
    expect(world.measured.learned('m').calibration).toEqual(calibration);
    // The slider says how long a prompt takes before the first one was asked.
    expect(world.measured.learned('m').prefillRate).toBe(250);
    world.enter('off');
    world.load();
    await world.pass(REST);
    expect(world.asked).toEqual([512]);
  });

  it('waits while something is asked', async () => {
    world.load();
    await world.pass(REST - 1);
    world.enter('busy');
    await world.pass(60_000);
    expect(world.asked).toEqual([]);
    world.enter('ready');
    await world.pass(REST);
    expect(world.asked).toEqual([512]);
  });

  it('that was broken off is made later', async () => {
    world.answer = async () => null;
    world.load();
    await world.pass(REST);
    expect(world.measured.learned('m').calibration).toBeNull();
    world.answer = async () => found;
    await world.pass(REST);
    expect(world.measured.learned('m').calibration).toEqual(calibration);
  });

  it('that the engine refuses is not asked for again before the next load', async () => {
    world.answer = () => Promise.reject(new EngineError('bad-request', 'too short', ''));
    world.load();
    await world.pass(REST);
    world.enter('busy');
    world.enter('ready');
    await world.pass(REST);
    expect(world.asked).toEqual([512]);
    world.enter('off');
    world.load();
    await world.pass(REST);
    expect(world.asked).toEqual([512, 512]);
  });

  it('is not made while the Mac is short of memory', async () => {
    world.isShort = true;
    world.load();
    await world.pass(REST);
    expect(world.asked).toEqual([]);
    world.isShort = false;
    await world.pass(REST);
    expect(world.asked).toEqual([512]);
  });

  it('is made anew for another step', async () => {
    world.load();
    await world.pass(REST);
    world.stepTokens = 256;
    world.enter('busy');
    world.enter('ready');
    await world.pass(REST);
    expect(world.asked).toEqual([512, 256]);
  });

  it('ends when somebody begins to write, and waits until they have stopped for a while', async () => {
    world.answer = (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
    world.load();
    await world.pass(REST);
    expect(world.asked).toEqual([512]);
    world.measuring.userWrites();
    world.answer = async () => found;
    await world.pass(REST_AFTER_WRITING_MS - 1);
    world.measuring.userWrites();
    await world.pass(REST_AFTER_WRITING_MS - 1);
    expect(world.asked).toEqual([512]);
    await world.pass(1);
    expect(world.asked).toEqual([512, 512]);
    expect(world.measured.learned('m').calibration).toEqual(calibration);
  });

  it('is not begun after the end', async () => {
    world.load();
    world.measuring.dispose();
    await world.pass(REST);
    expect(world.asked).toEqual([]);
  });
});

describe('pairs', () => {
  const usage = (peakBytes: number, promptTokens = 1_000): GenerationUsage => ({
    promptTokens,
    cachedTokens: 0,
    completionTokens: 10,
    reasoningTokens: 0,
    prefillTokensPerSecond: 300,
    decodeTokensPerSecond: 20,
    memory: { peakBytes, keptBeforeBytes: 0, keptWhileWritingBytes: 25e6, prefillStepTokens: 512 },
  });

  it('a load counts by its weights, until an answer takes more', () => {
    world.load();
    expect(world.measured.learned('m').measured).toEqual({
      predictedBytes: WEIGHTS,
      measuredBytes: WEIGHTS + 5e6,
      loads: 1,
    });
    world.measuring.answered(usage(WEIGHTS + 300e6));
    const { measured, prefillRate } = world.measured.learned('m');
    expect(measured?.measuredBytes).toBe(WEIGHTS + 300e6);
    expect(measured?.loads).toBe(1);
    expect(prefillRate).toBe(300);
    world.enter('off');
    world.load();
    expect(world.measured.learned('m').measured?.loads).toBe(2);
    expect(world.told).toBeGreaterThan(2);
  });

  it('teach: what is told next time lies where it was measured', () => {
    for (let load = 0; load < 3; load += 1) {
      world.load();
      world.measuring.answered(usage(13_000_000_000));
      world.enter('off');
    }
    world.load();
    world.measuring.answered(usage(13_000_000_000));
    const { measured } = world.measured.learned('m');
    expect(Math.abs((measured?.predictedBytes ?? 0) / 13_000_000_000 - 1)).toBeLessThan(0.01);
  });
});
