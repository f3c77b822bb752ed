import { beforeEach, describe, expect, it } from 'vitest';
import type { EngineState, MemorySample, PressureLevel, ProtectionState, Settings } from '../../preload/contract.ts';
import type { EngineMetrics, GenerationUsage } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { type Guard, createGuard } from './guard.ts';
import type { WiredLeft } from './wired-left-file.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const WIRED_BEFORE = 2.4 * GIB;

/** A world of one Mac: samples come when `sample` says so, and what the guard does is written down. */
class World {
  nowMs = 1_000_000;
  settings: Pick<Settings, 'protection' | 'idleUnloadMinutes'> = { protection: 'on', idleUnloadMinutes: 5 };
  engineState: EngineState = { kind: 'off' };
  metrics: EngineMetrics | null = null;
  openAnswers = 0;
  wiredBytes = WIRED_BEFORE;
  /** Who wanted the last load. */
  loadedBy: 'window' | 'timer' | null = null;
  readonly done: string[] = [];
  readonly states: ProtectionState[] = [];
  readonly logged: string[] = [];
  readonly rates = new Map<string, readonly number[]>();
  #onSample: (sample: MemorySample) => void = () => {};
  #onState: (state: EngineState) => void = () => {};
  readonly guard: Guard;

  left: WiredLeft | null;

  constructor(left: WiredLeft | null = null) {
    this.left = left;
    const state = () => this.engineState;
    const metrics = () => this.metrics;
    this.guard = createGuard({
      engine: {
        get state() {
          return state();
        },
        get metrics() {
          return metrics();
        },
        subscribe: (listener) => {
          this.#onState = listener;
          return () => (this.#onState = () => {});
        },
        dropCaches: async () => void this.done.push('drop caches'),
      },
      monitor: {
        subscribe: (listener) => {
          this.#onSample = listener;
          return () => (this.#onSample = () => {});
        },
      },
      cancelAnswers: ({ message }) => {
        this.done.push(`cancel ${this.openAnswers}`);
        if (this.openAnswers > 0) this.logged.push(message);
        const count = this.openAnswers;
        this.openAnswers = 0;
        if (this.engineState.kind === 'busy') this.engine('ready');
        return count;
      },
      openAnswers: () => this.openAnswers,
      unload: async () => {
        this.done.push('unload');
        this.engine('stopping');
        this.wiredBytes = WIRED_BEFORE;
        this.engine('off');
      },
      load: (by) => {
        this.done.push('load');
        this.loadedBy = by;
        this.on();
      },
      settings: () => this.settings,
      modelKey: () => 'model',
      rates: { read: (key) => this.rates.get(key) ?? [], write: (key, rates) => void this.rates.set(key, rates) },
      wiredLeft: { read: () => this.left, write: (next) => (this.left = next) },
      publish: (state) => this.states.push(state),
      clock: { nowMs: () => this.nowMs },
      log: (level, message) => this.logged.push(`${level} ${message}`),
    });
  }

  engine(kind: 'off' | 'starting' | 'loading' | 'ready' | 'busy' | 'stopping' | 'waiting'): void {
    const cause = { code: 'exited', message: '', nextStep: '' };
    const times = {
      sinceMs: this.nowMs,
      deadlineMs: 0,
      attempt: 1,
      loadedBytes: 0,
      totalBytes: 1,
      retryAtMs: 0,
      cause,
    };
    this.engineState = kind === 'off' ? { kind } : { ...times, kind };
    this.#onState(this.engineState);
  }

  /** Loaded and ready. */
  on(): void {
    this.engine('starting');
    this.engine('loading');
    this.wiredBytes = WIRED_BEFORE + 11.3 * GIB;
    this.engine('ready');
  }

  answering(): void {
    this.openAnswers = 1;
    this.engine('busy');
  }

  sample(level: PressureLevel, { swapMiB = 0, afterMs = 2_000, tookMs = 0 } = {}): void {
    this.nowMs += afterMs;
    this.#onSample({
      atMs: this.nowMs - tookMs,
      level,
      needle: 0.6,
      totalBytes: 16 * GIB,
      availableBytes: GIB,
      wiredBytes: this.wiredBytes,
      compressedBytes: GIB,
      swapUsedBytes: 3.2 * GIB,
      swapOutBytesPerSecond: swapMiB * MIB,
      engineActiveBytes: null,
      source: 'macos',
    });
  }

  get kinds(): string[] {
    return this.states.map(({ kind }) => kind);
  }
}

const usage = (rate: number): GenerationUsage => ({
  promptTokens: 10,
  cachedTokens: 0,
  completionTokens: 100,
  reasoningTokens: 0,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: rate,
});
const refusalOf = (run: () => void): AppFault | null => {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof AppFault) return error;
    throw error;
  }
};

let world: World;
beforeEach(() => {
  world = new World();
});

describe('short of memory while answering', () => {
  beforeEach(() => {
    world.sample('normal');
    world.on();
    world.answering();
  });

  it('says yellow once and does nothing', () => {
    for (let i = 0; i < 100; i += 1) world.sample('warning');
    expect(world.kinds).toEqual(['watching']);
    expect(world.done).toEqual([]);
    expect(world.guard.promptRefusal(1_000_000)).toBeNull();
  });

  it('drops caches and takes no long prompts when others are swapped out', () => {
    world.sample('warning');
    world.sample('warning', { swapMiB: 30 });
    world.sample('warning', { swapMiB: 30 });
    expect(world.kinds).toEqual(['watching', 'easing']);
    expect(world.done).toEqual(['drop caches']);
    expect(world.guard.promptRefusal(8_000)).toBeNull();
    expect(world.guard.promptRefusal(8_004)?.message).toMatch(/2,001 tokens.*3\.2 GB are in swap, 30 MB more/);
    expect(world.states.at(-1)).toMatchObject({ because: { swapOutBytesPerSecond: 30 * MIB } });
    expect(world.logged.some((line) => /easing \(swap-outs\).*"swapOutBytesPerSecond":31457280/.test(line))).toBe(true);
  });

  it('ends the answer at critical, says why, and unloads when it stays so', () => {
    world.sample('critical');
    world.sample('critical');
    expect(world.done).toEqual(['drop caches', 'cancel 1']);
    expect(
      world.logged.some((line) => /Ended to keep the computer usable\. What had arrived was kept\./.test(line)),
    ).toBe(true);
    expect(world.guard.promptRefusal(1)?.message).toMatch(/no memory for an answer/);
    for (let i = 0; i < 3; i += 1) world.sample('critical');
    expect(world.done).not.toContain('unload');
    world.sample('critical');
    expect(world.done).toEqual(['drop caches', 'cancel 1', 'cancel 0', 'unload']);
    expect(world.kinds).toEqual(['easing', 'cancelled', 'unloaded']);
    // Not again while it is off, and each was told once.
    for (let i = 0; i < 5; i += 1) world.sample('critical');
    expect(world.done).toHaveLength(4);
    expect(world.states).toHaveLength(3);
  });

  it('does not load again for a program, and for the user only when it is no longer critical', () => {
    for (let i = 0; i < 6; i += 1) world.sample('critical');
    expect(world.kinds.at(-1)).toBe('unloaded');
    expect(refusalOf(() => world.guard.admitStart('user'))).toMatchObject({ code: 'refused' });
    expect(refusalOf(() => world.guard.admitStart('program'))).toMatchObject({ code: 'refused' });
    world.sample('warning');
    expect(refusalOf(() => world.guard.admitStart('program'))).not.toBeNull();
    expect(refusalOf(() => world.guard.admitStart('user'))).toBeNull();
    expect(world.guard.promptRefusal(100_000)).toBeNull();
    world.on();
    expect(world.kinds.at(-1)).toBe('calm');
  });

  it('is overruled by the user: loads again and keeps its hands off for ten minutes', () => {
    for (let i = 0; i < 6; i += 1) world.sample('critical');
    world.guard.undo();
    expect(world.done.at(-1)).toBe('load');
    expect(world.loadedBy).toBe('window');
    expect(world.guard.state).toMatchObject({ kind: 'undone', untilMs: world.nowMs + 600_000 });
    world.answering();
    const before = world.done.length;
    for (let i = 0; i < 299; i += 1) world.sample('critical');
    expect(world.done).toHaveLength(before);
    for (let i = 0; i < 3; i += 1) world.sample('critical');
    expect(world.done.slice(before)).toEqual(['drop caches', 'cancel 1']);
  });

  it('is switched off by the setting', () => {
    world.settings = { ...world.settings, protection: 'off' };
    world.guard.review();
    for (let i = 0; i < 20; i += 1) world.sample('critical');
    expect(world.kinds).toEqual(['off']);
    expect(world.done).toEqual([]);
  });

  it('sees a slow decode against what this machine usually does', () => {
    for (const rate of [40, 42, 41]) world.guard.answered(usage(rate));
    const decode = (generatedTokens: number): void => {
      world.metrics = {
        request: { phase: 'decode', promptTokens: 1, prefillDone: 1, prefillTotal: 1, generatedTokens, idleSeconds: 0 },
      } as EngineMetrics;
      world.sample('warning');
    };
    for (const tokens of [0, 80, 160, 240]) decode(tokens);
    expect(world.kinds).toEqual(['watching']);
    for (const tokens of [260, 280, 300, 320]) decode(tokens);
    expect(world.states.at(-1)).toMatchObject({ kind: 'easing', trigger: 'slow-decode' });
    expect(world.states.at(-1)).toMatchObject({ because: { usualDecodeTokensPerSecond: 41 } });
    // What is made now is not the usual.
    world.guard.answered(usage(3));
    expect(world.rates.get('model')).toEqual([40, 42, 41]);
  });
});

describe('lent memory', () => {
  beforeEach(() => {
    world.sample('normal');
    world.on();
    for (let i = 0; i < 149; i += 1) world.sample('normal');
  });

  it('goes with the first yellow after five idle minutes, and comes back when somebody looks', () => {
    expect(world.done).toEqual([]);
    world.sample('warning');
    expect(world.done).toEqual(['unload']);
    expect(world.guard.state).toMatchObject({ kind: 'lent', trigger: 'idle', because: { level: 'warning' } });
    world.guard.warm();
    expect(world.done).toEqual(['unload', 'load']);
    expect(world.loadedBy).toBe('timer');
    expect(world.guard.state.kind).not.toBe('lent');
    world.guard.warm();
    expect(world.done).toEqual(['unload', 'load']);
  });

  it('stays away while it is critical, and loads when a message is sent', () => {
    world.sample('critical');
    expect(world.done).toEqual(['drop caches', 'unload']);
    world.sample('critical');
    world.guard.warm();
    expect(world.done).not.toContain('load');
    expect(refusalOf(() => world.guard.admitStart('user'))).toBeNull();
    expect(refusalOf(() => world.guard.admitStart('program'))?.message).toMatch(/no memory to load/);
    world.sample('warning');
    expect(refusalOf(() => world.guard.admitStart('program'))).toBeNull();
  });

  it('is not what follows a cancelled answer: that is unloaded', () => {
    world.answering();
    world.sample('critical');
    world.sample('critical');
    for (let i = 0; i < 4; i += 1) world.sample('critical');
    expect(world.kinds).toEqual(['easing', 'cancelled', 'unloaded']);
  });

  it('does not come back after the user has turned it off', () => {
    world.sample('warning');
    world.guard.turnedOff();
    world.guard.warm();
    expect(world.done).toEqual(['unload']);
  });

  it('is not taken from a window that was just opened', () => {
    world.guard.warm();
    world.sample('warning');
    expect(world.done).toEqual([]);
  });

  it('is not lent again for ten minutes after an undo', () => {
    world.sample('warning');
    world.guard.undo();
    expect(world.done).toEqual(['unload', 'load']);
    for (let i = 0; i < 290; i += 1) world.sample('warning');
    expect(world.done).toEqual(['unload', 'load']);
  });
});

describe('what stays wired', () => {
  const killed = (state: 'off' | 'waiting', leftBytes: number): void => {
    world.sample('normal');
    world.on();
    world.sample('normal');
    world.wiredBytes = WIRED_BEFORE + leftBytes;
    world.engine(state);
  };

  it('is not mentioned when it came back', () => {
    killed('off', 0.5 * GIB);
    for (let i = 0; i < 20; i += 1) world.sample('normal');
    expect(world.kinds).toEqual([]);
  });

  it('is not judged by a reading that began before the model was there', () => {
    killed('off', WIRED_BEFORE);
    killed('off', 0);
    world.sample('normal', { tookMs: 3_000 });
    world.wiredBytes = WIRED_BEFORE + 4 * GIB;
    for (let i = 0; i < 8; i += 1) world.sample('normal');
    expect(world.kinds).toEqual(['wired-left']);
  });

  it('is said when it did not, stops starts, and ends when it comes back after all', () => {
    killed('off', 11 * GIB);
    for (let i = 0; i < 7; i += 1) world.sample('normal');
    expect(world.kinds).toEqual([]);
    world.sample('normal');
    expect(world.guard.state).toMatchObject({ kind: 'wired-left', leftBytes: 11 * GIB, baselineBytes: WIRED_BEFORE });
    expect(refusalOf(() => world.guard.admitStart('user'))?.message).toMatch(/11\.0 GB/);
    world.wiredBytes = WIRED_BEFORE;
    world.sample('normal');
    expect(world.guard.state.kind).toBe('calm');
    expect(refusalOf(() => world.guard.admitStart('user'))).toBeNull();
  });

  it('is known to the next run of the app, which never saw what was there before', () => {
    killed('off', 11 * GIB);
    for (let i = 0; i < 8; i += 1) world.sample('normal');
    world.guard.dispose();
    const next = new World(world.left);
    expect(next.guard.state).toMatchObject({ kind: 'wired-left', leftBytes: 11 * GIB, baselineBytes: WIRED_BEFORE });
    next.wiredBytes = WIRED_BEFORE + 11 * GIB;
    next.sample('normal');
    expect(refusalOf(() => next.guard.admitStart('user'))?.message).toMatch(/11\.0 GB/);
    next.wiredBytes = WIRED_BEFORE;
    next.sample('normal');
    expect(next.guard.state.kind).toBe('calm');
    expect(next.left).toBeNull();
  });

  it('is not looked for in a model that was turned on again at once', () => {
    killed('off', 11.3 * GIB);
    world.sample('normal');
    world.on();
    for (let i = 0; i < 20; i += 1) world.sample('normal');
    expect(world.kinds).toEqual([]);
  });

  it('holds a restart until it is back', async () => {
    killed('waiting', 11 * GIB);
    world.engine('starting');
    let cleared: unknown = 'waiting';
    void world.guard.clearToRestart(new AbortController().signal).then((failure) => (cleared = failure));
    world.sample('normal');
    await Promise.resolve();
    expect(cleared).toBe('waiting');
    world.wiredBytes = WIRED_BEFORE;
    world.sample('normal');
    await new Promise((resolve) => setImmediate(resolve));
    expect(cleared).toBeNull();
  });

  it('forbids a restart when it will not come back', async () => {
    killed('waiting', 11 * GIB);
    world.engine('starting');
    const cleared = world.guard.clearToRestart(new AbortController().signal);
    for (let i = 0; i < 8; i += 1) world.sample('normal');
    expect(await cleared).toMatchObject({ retry: false, cause: { code: 'wired-left' } });
  });

  it('does not hold a restart where wired memory is not known, nor one that was turned off', async () => {
    world.on();
    world.engine('waiting');
    expect(await world.guard.clearToRestart(new AbortController().signal)).toBeNull();
    killed('waiting', 11 * GIB);
    const off = new AbortController();
    const cleared = world.guard.clearToRestart(off.signal);
    off.abort();
    expect(await cleared).toBeNull();
  });
});
