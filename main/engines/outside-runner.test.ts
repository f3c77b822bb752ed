import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { type Clock, systemClock } from '../engine/clock.ts';
import { EngineError, type CacheOperations, type Engine, type GenerationEvent } from '../engine/engine.ts';
import type { Failure } from '../engine/failure.ts';
import { chooseEngine } from './engine-choice.ts';
import type { LoadOptions, Loss, OutsideEngine, OutsideModel } from './outside-engine.ts';
import { OutsideRunner, leastTokens } from './outside-runner.ts';

const model: OutsideModel = {
  id: 'ollama:tiny',
  engine: 'ollama',
  ref: 'tiny',
  name: 'tiny',
  sizeBytes: 1_000,
  weightsBytes: 900,
  config: null,
  maxContextTokens: 4_096,
  presence: 'here',
  lacks: [],
};
const asked = { folder: model.id, name: 'tiny' };
const request = {
  messages: [{ role: 'user' as const, content: 'a'.repeat(400) }],
  effort: 'low' as const,
  date: '2026-11-24',
  maxTokens: 10,
};
const finish: GenerationEvent = {
  kind: 'finish',
  reason: 'stop',
  usage: {
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: 1,
    reasoningTokens: 0,
    prefillTokensPerSecond: null,
    decodeTokensPerSecond: null,
  },
};

/** Does as it is told; answers wait for `say`. */
function scripted() {
  const calls: string[] = [];
  const loads: LoadOptions[] = [];
  let lose: (loss: Loss) => void = () => undefined;
  let mayLoad: Promise<void> = Promise.resolve();
  let wake: (() => void) | null = null;
  const said: (GenerationEvent | Error)[] = [];
  const engine: OutsideEngine = {
    kind: 'ollama',
    name: 'Ollama',
    detect: () => Promise.reject(new Error('nobody looks here')),
    models: () => Promise.resolve([model]),
    async load(_model, options, signal, onLoss) {
      calls.push('load');
      loads.push(options);
      lose = onLoss;
      await mayLoad;
      signal.throwIfAborted();
    },
    async unload() {
      calls.push('unload');
    },
    async *chat(_model, _request, _options, signal) {
      calls.push('chat');
      signal.addEventListener('abort', () => wake?.());
      for (;;) {
        const next = said.shift();
        if (signal.aborted) {
          calls.push('cut');
          return;
        }
        if (next instanceof Error) throw next;
        if (next !== undefined) {
          yield next;
          if (next.kind === 'finish') return;
          continue;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    count: () => Promise.resolve(null),
    footprintBytes: () => Promise.resolve(1_234),
    logTail: () => ['its last line'],
  };
  return {
    engine,
    calls,
    loads,
    say(...events: (GenerationEvent | Error)[]) {
      said.push(...events);
      wake?.();
    },
    lose: (loss: Loss) => lose(loss),
    holdLoad() {
      let release: () => void = () => undefined;
      mayLoad = new Promise<void>((resolve) => (release = resolve));
      return release;
    },
  };
}

function runner(
  script: ReturnType<typeof scripted>,
  around: {
    prepare?: () => Promise<Failure | null>;
    beforeRestart?: () => Promise<Failure | null>;
    clock?: Clock;
    contextTokens?: () => number;
  } = {},
) {
  const states: EngineState['kind'][] = [];
  const made = new OutsideRunner({
    find: () => Promise.resolve({ engine: script.engine, model }),
    prepare: around.prepare ?? (() => Promise.resolve(null)),
    ...(around.beforeRestart === undefined ? {} : { beforeRestart: around.beforeRestart }),
    contextTokens: around.contextTokens ?? (() => 2_048),
    gpuLimitBytes: () => Promise.resolve(7),
    clock: around.clock ?? systemClock,
    log: () => {},
  });
  made.subscribe(({ kind }) => states.push(kind));
  return { made, states };
}

const options = () => ({ signal: new AbortController().signal, priority: 'window' as const });
async function all(events: AsyncIterable<GenerationEvent>): Promise<GenerationEvent['kind'][]> {
  const kinds: GenerationEvent['kind'][] = [];
  for await (const { kind } of events) kinds.push(kind);
  return kinds;
}

describe('an engine of others', () => {
  it('goes through the same states as the bundled one, and back', async () => {
    const script = scripted();
    const { made, states } = runner(script);
    await made.start(asked);
    expect(script.loads).toEqual([{ contextTokens: 2_048, gpuLimitBytes: 7 }]);
    expect(made.metrics?.memory.activeBytes).toBe(1_234);
    script.say({ kind: 'content', text: 'a' }, finish);
    expect(await all(made.generate(request, options()))).toEqual(['content', 'finish']);
    await made.stop();
    expect(states).toEqual(['preparing', 'loading', 'ready', 'busy', 'ready', 'stopping', 'off']);
    expect(script.calls).toEqual(['load', 'chat', 'unload']);
    expect(made.metrics).toBeNull();
    await expect(all(made.generate(request, options()))).rejects.toMatchObject({ code: 'off' });
  });

  it('loads nothing that the look before loading forbids', async () => {
    const script = scripted();
    const refusal = { cause: { code: 'preflight', message: 'Too large.', nextStep: 'Quit apps.' }, retry: false };
    const { made } = runner(script, { prepare: () => Promise.resolve(refusal) });
    await expect(made.start(asked)).rejects.toThrow('Too large.');
    expect(made.state).toMatchObject({ kind: 'failed', cause: { message: 'Too large.', nextStep: 'Quit apps.' } });
    expect(script.calls).toEqual([]);
    await made.stop();
    expect(made.state.kind).toBe('off');
  });

  it('is loaded again when the ceiling was raised since, and not when it was lowered', async () => {
    const script = scripted();
    let contextTokens = 2_048;
    const { made } = runner(script, { contextTokens: () => contextTokens });
    await made.start(asked);
    contextTokens = 1_024;
    script.say(finish);
    await all(made.generate(request, options()));
    contextTokens = 4_096;
    script.say(finish);
    expect(await all(made.generate(request, options()))).toEqual(['waiting', 'finish']);
    expect(script.loads.map((load) => load.contextTokens)).toEqual([2_048, 4_096]);
    expect(script.calls).toEqual(['load', 'chat', 'unload', 'load', 'chat']);
    await made.dispose();
  });

  it('serves one at a time, the window first', async () => {
    const script = scripted();
    const { made } = runner(script);
    await made.start(asked);
    const order: string[] = [];
    const ask = async (name: string, priority: 'window' | 'api') => {
      await all(made.generate(request, { ...options(), priority }));
      order.push(name);
    };
    const asking = [ask('first', 'api'), ask('program', 'api'), ask('window', 'window')];
    await expect.poll(() => script.calls.filter((call) => call === 'chat').length).toBe(1);
    for (let i = 0; i < 3; i += 1) {
      script.say(finish);
      await expect.poll(() => order.length).toBe(i + 1);
    }
    await Promise.all(asking);
    expect(order).toEqual(['first', 'window', 'program']);
    await made.dispose();
  });

  it('waits for the model that is being loaded, and one turned off meanwhile says so', async () => {
    const script = scripted();
    const release = script.holdLoad();
    const { made } = runner(script);
    const starting = made.start(asked);
    const answer = all(made.generate(request, options()));
    await expect.poll(() => made.state.kind).toBe('loading');
    const stopping = made.stop();
    release();
    await expect(starting).rejects.toMatchObject({ code: 'stopped' });
    await expect(answer).rejects.toMatchObject({ code: 'stopped' });
    await stopping;
    expect(made.state.kind).toBe('off');
  });

  it('gives memory back also when it was turned off at the last moment of loading', async () => {
    const script = scripted();
    let loaded: () => void = () => undefined;
    const loading = new Promise<void>((resolve) => (loaded = resolve));
    // It does not look at the signal any more: the model is in memory.
    script.engine.load = async () => {
      script.calls.push('load');
      await loading;
    };
    const { made } = runner(script);
    const starting = made.start(asked);
    await expect.poll(() => script.calls).toEqual(['load']);
    const stopping = made.stop();
    loaded();
    await expect(starting).rejects.toMatchObject({ code: 'stopped' });
    await stopping;
    expect(script.calls).toEqual(['load', 'unload']);
  });

  it('cuts the connection when the reader goes away, and is ready for the next', async () => {
    const script = scripted();
    const { made } = runner(script);
    await made.start(asked);
    script.say({ kind: 'content', text: 'a' });
    for await (const event of made.generate(request, options())) {
      expect(event.kind).toBe('content');
      break;
    }
    expect(made.state.kind).toBe('ready');
    const stop = new AbortController();
    const answer = all(made.generate(request, { signal: stop.signal, priority: 'api' }));
    await expect.poll(() => made.state.kind).toBe('busy');
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    expect(script.calls).toContain('cut');
    await made.dispose();
  });

  it('that ends by itself has failed, with its last lines, and can be started again', async () => {
    const script = scripted();
    const { made } = runner(script);
    await made.start(asked);
    script.say(new EngineError('disconnected', 'The answer broke off.', 'Send it again.'));
    await expect(all(made.generate(request, options()))).rejects.toMatchObject({ code: 'disconnected' });
    script.lose({ message: 'It ended.', nextStep: 'Turn it on.' });
    expect(made.state).toMatchObject({ kind: 'failed', cause: { message: 'It ended.' }, logTail: ['its last line'] });
    await expect(all(made.generate(request, options()))).rejects.toThrow('It ended.');
    await made.start(asked);
    expect(made.state.kind).toBe('ready');
    await made.dispose();
  });

  describe('that was started here and died', () => {
    const died = { message: 'It died.', nextStep: 'Look at the log.', mayRestart: true };
    /** Time that passes when it is told to. */
    function handClock() {
      let nowMs = 1_000_000;
      const timers: { atMs: number; callback: () => void }[] = [];
      const clock: Clock = {
        nowMs: () => nowMs,
        after: (delayMs, callback) => {
          const timer = { atMs: nowMs + delayMs, callback };
          timers.push(timer);
          return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
        },
      };
      const pass = async (ms: number): Promise<void> => {
        nowMs += ms;
        for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
          timers.splice(timers.indexOf(timer), 1);
          timer.callback();
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      };
      return { clock, pass };
    }

    it('is started again by the bundled engine’s rule, three times in ten minutes', async () => {
      const { clock, pass } = handClock();
      const script = scripted();
      const { made } = runner(script, { clock });
      await made.start(asked);
      for (const [number, delayMs] of [500, 2_000, 8_000].entries()) {
        script.lose(died);
        expect(made.state).toMatchObject({ kind: 'waiting', attempt: number + 2, cause: { message: 'It died.' } });
        await pass(delayMs - 1);
        expect(made.state.kind).toBe('waiting');
        await pass(1);
        expect(made.state.kind).toBe('ready');
      }
      script.lose(died);
      expect(made.state).toMatchObject({
        kind: 'failed',
        cause: { message: 'It died. It was restarted 3 times and ended again.', nextStep: 'Look at the log.' },
      });
      // A click begins anew.
      await made.start(asked);
      script.lose(died);
      expect(made.state.kind).toBe('waiting');
      await made.dispose();
    });

    it('is waited for by whoever asks meanwhile, and turned off by whoever turns it off', async () => {
      const { clock, pass } = handClock();
      const script = scripted();
      const { made } = runner(script, { clock });
      await made.start(asked);
      script.lose(died);
      const answer = all(made.generate(request, options()));
      const started = made.start(asked);
      await pass(500);
      script.say(finish);
      expect(await answer).toEqual(['waiting', 'finish']);
      await started;
      script.lose(died);
      await made.stop();
      await pass(60_000);
      expect(made.state.kind).toBe('off');
      expect(script.calls.filter((call) => call === 'load')).toHaveLength(2);
    });

    it('stays down where the memory of the one before has not come back', async () => {
      const { clock, pass } = handClock();
      const script = scripted();
      const refusal = { cause: { code: 'left', message: 'Memory is lost.', nextStep: 'Restart.' }, retry: false };
      const { made } = runner(script, { clock, beforeRestart: () => Promise.resolve(refusal) });
      await made.start(asked);
      script.lose(died);
      await pass(500);
      expect(made.state).toMatchObject({ kind: 'failed', cause: { message: 'Memory is lost.' } });
      await expect(all(made.generate(request, options()))).rejects.toThrow('Memory is lost.');
    });
  });

  it('that says nothing for ten minutes is not waited for any longer', async () => {
    const timers: { delayMs: number; callback: () => void }[] = [];
    const clock: Clock = {
      nowMs: () => 0,
      after: (delayMs, callback) => {
        const timer = { delayMs, callback };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    };
    const script = scripted();
    const { made } = runner(script, { clock });
    await made.start(asked);
    const answer = all(made.generate(request, options()));
    await expect.poll(() => made.state.kind).toBe('busy');
    timers.find(({ delayMs }) => delayMs === 600_000)?.callback();
    await expect(answer).rejects.toThrow('Ollama has said nothing for ten minutes.');
    expect(made.state.kind).toBe('ready');
  });

  it('shows a guess where it cannot count, and refuses only by what is certain', async () => {
    const { made } = runner(scripted());
    await made.start(asked);
    expect(await made.count(request, options().signal)).toBe(100);
    expect(await made.counted(request, options().signal)).toBeNull();
    expect(leastTokens(request)).toBe(4);
    await made.dispose();
  });
});

describe('one of two engines', () => {
  /** As much of the bundled engine as is looked at here. */
  function bundledEngine() {
    const listeners = new Set<(state: EngineState) => void>();
    const calls: string[] = [];
    let state: EngineState = { kind: 'off' };
    let ending: Promise<void> = Promise.resolve();
    const set = (next: EngineState): void => {
      state = next;
      for (const listener of listeners) listener(next);
    };
    const engine = {
      get state() {
        return state;
      },
      metrics: null,
      subscribe: (listener: (state: EngineState) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async start() {
        calls.push('start');
        set({ kind: 'ready', sinceMs: 0 });
      },
      async stop() {
        if (state.kind === 'off') return;
        calls.push('stop');
        set({ kind: 'stopping', sinceMs: 0, deadlineMs: 1 });
        await ending;
        set({ kind: 'off' });
      },
      async *generate() {
        calls.push('generate');
        yield finish;
      },
      count: () => Promise.resolve(11),
      dropCaches: () => Promise.resolve(),
      calibrate: () => Promise.resolve(null),
      logTail: () => ['bundled'],
      dispose: () => Promise.resolve(),
      readAhead: () => Promise.resolve(null),
      saveCache: () => Promise.resolve({ tokens: 1, bytes: 1, sha256: '' }),
      loadCache: () => Promise.resolve('loaded' as const),
      forgetCache: () => Promise.resolve(),
    } satisfies Engine & CacheOperations;
    return { engine, calls, holdStop: (until: Promise<void>) => void (ending = until) };
  }

  it('starts at once where nothing runs: who asks next finds it on its way', async () => {
    const bundled = bundledEngine();
    const script = scripted();
    const choice = chooseEngine(bundled.engine, runner(script).made);
    const starting = choice.start(asked);
    expect(choice.state.kind).toBe('preparing');
    script.say(finish);
    expect(await all(choice.generate(request, options()))).toEqual(['waiting', 'finish']);
    await starting;
    await choice.dispose();
  });

  it('begins when the other has given its memory back, and meanwhile lets ask', async () => {
    const bundled = bundledEngine();
    const script = scripted();
    const choice = chooseEngine(bundled.engine, runner(script).made);
    const states: string[] = [];
    choice.subscribe(({ kind }) => states.push(kind));
    await choice.start({ folder: '/models/a', name: 'a' });
    let release: () => void = () => undefined;
    bundled.holdStop(new Promise<void>((resolve) => (release = resolve)));
    const starting = choice.start(asked);
    const answer = all(choice.generate(request, options()));
    const count = choice.certainCount(request, options().signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(script.calls).toEqual([]);
    release();
    await starting;
    script.say(finish);
    expect(await answer).toContain('finish');
    expect(await count).toBe(4);
    expect(states).toEqual(['ready', 'stopping', 'off', 'preparing', 'loading', 'ready', 'busy', 'ready']);
    expect(bundled.calls).toEqual(['start', 'stop']);
    await choice.dispose();
  });

  it('a stop overtakes a change that waits', async () => {
    const bundled = bundledEngine();
    const script = scripted();
    const choice = chooseEngine(bundled.engine, runner(script).made);
    await choice.start({ folder: '/models/a', name: 'a' });
    let release: () => void = () => undefined;
    bundled.holdStop(new Promise<void>((resolve) => (release = resolve)));
    const starting = choice.start(asked);
    const stopping = choice.stop();
    release();
    await expect(starting).rejects.toMatchObject({ code: 'stopped' });
    await stopping;
    expect(choice.state.kind).toBe('off');
    expect(script.calls).toEqual([]);
  });

  it('has prompt caches only where the bundled one runs', async () => {
    const choice = chooseEngine(bundledEngine().engine, runner(scripted()).made);
    await choice.start({ folder: '/models/a', name: 'a' });
    const cache = { file: 'a', key: 'a' };
    expect(await choice.saveCache(cache, options().signal)).not.toBeNull();
    expect(await choice.certainCount(request, options().signal)).toBe(11);
    await choice.start(asked);
    expect(await choice.saveCache(cache, options().signal)).toBeNull();
    expect(await choice.loadCache({ file: 'a', key: 'a', sha256: '' }, options().signal)).toBe('not-now');
    await choice.dispose();
  });
});
