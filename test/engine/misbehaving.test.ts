import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { EngineError, type GenerationEvent } from '../../main/engine/engine.ts';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { WEDGE_LIMITS, type WedgeLimits } from '../../main/engine/wedge.ts';
import type { Behaviour } from './children/scripted-engine.ts';
import {
  type EngineUnderTest,
  type Setup,
  collect,
  engineUnderTest,
  isAlive,
  kinds,
  request,
  scripted,
  textOf,
  until,
} from './harness.ts';

/**
 * The product's bounds, shortened where the child stalls at once. Only there: the others are met while eight children
 * start beside each other.
 */
const shortened = (bounds: Partial<WedgeLimits>): Setup => ({ wedgeLimits: { ...WEDGE_LIMITS, ...bounds } });

let folder = '';
let modelFolder = '';
let otherFolder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hr-models-'));
  modelFolder = join(folder, 'model');
  otherFolder = join(folder, 'other');
  for (const each of [modelFolder, otherFolder]) {
    mkdirSync(each);
    writeFileSync(join(each, 'config.json'), '{}');
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Finished, and looked through for anything left, when the test is over. */
function withChild(
  onTestFinished: TestContext['onTestFinished'],
  behaviour: Behaviour,
  setup: Setup = {},
): EngineUnderTest {
  const under = engineUnderTest(scripted(behaviour), modelFolder, setup);
  onTestFinished(() => under.finish());
  return under;
}

const failureOf = (promise: Promise<unknown>): Promise<EngineError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (error instanceof EngineError) return error;
      throw error;
    },
  );

describe.concurrent('a well-behaved child', () => {
  it('is started, answers, counts, is stopped and leaves with 0', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-to-load');
    const { engine, model } = under;
    expect(engine.state).toEqual({ kind: 'off' });
    await engine.start(model);
    const loading = under.states.flatMap((state) => (state.kind === 'loading' ? [state.loadedBytes] : []));
    expect(loading.length).toBeGreaterThan(1);
    expect(loading).toEqual([...loading].sort((a, b) => a - b));
    const events = await collect(under);
    expect(events.filter((event) => event.kind === 'prefill').at(-1)).toMatchObject({ doneTokens: 1_000 });
    expect(textOf(events, 'reasoning')).toBe('The user says hi.');
    expect(textOf(events, 'content')).toBe('Hello! Grüße 🙂');
    expect(events.at(-1)).toMatchObject({ kind: 'finish', reason: 'stop', usage: { completionTokens: 9 } });
    expect(await engine.count(request('hi'), new AbortController().signal)).toBe(42);
    expect(engine.metrics?.device.name).toBe('scripted');
    await engine.stop();
    await engine.stop();
    expect(engine.metrics).toBeNull();
    expect(kinds(under)).toEqual(['preparing', 'starting', 'loading', 'ready', 'busy', 'ready', 'stopping', 'off']);
    expect(under.processes.map((child) => child.exit)).toEqual([{ exitCode: 0, signal: 0 }]);
  });

  it('sees a token in its environment, not in its arguments, and nothing else of ours', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well', {
      environment: { HOME: '/h', PATH: process.env['PATH'], SECRET: 'x' },
    });
    await under.engine.start(under.model);
    const child = under.processes[0];
    const token = child?.env['HEADROOM_ENGINE_TOKEN'] ?? '';
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(child?.args.join(' ')).not.toContain(token);
    expect(Object.keys(child?.env ?? {})).not.toContain('SECRET');
  });

  it('is one process, however often it is started', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-to-load');
    await Promise.all([under.engine.start(under.model), under.engine.start(under.model)]);
    await under.engine.start(under.model);
    expect(under.processes).toHaveLength(1);
  });

  it('gives way to another model', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well');
    const other = { folder: otherFolder, name: 'other' };
    await under.engine.start(under.model);
    await under.engine.start(other);
    expect(under.processes).toHaveLength(2);
    expect(under.processes[0]?.exit).toEqual({ exitCode: 0, signal: 0 });
    expect(under.processes[1]?.args).toContain(otherFolder);
    expect(kinds(under).slice(-5)).toEqual(['ready', 'stopping', 'preparing', 'starting', 'ready']);
  });

  it('asks before a restart, not before a start, and is not started again when it must not be', async ({
    onTestFinished,
  }) => {
    let asked = 0;
    const cause = { code: 'wired-left', message: 'Memory did not come back.', nextStep: 'Restart the computer.' };
    const under = withChild(onTestFinished, 'exits-after-ready', {
      beforeRestart: async () => {
        asked += 1;
        return asked < 2 ? null : { cause, retry: false };
      },
      speed: 5,
    });
    await under.engine.start(under.model);
    expect(asked).toBe(0);
    const failed = await under.reaches('failed');
    expect(failed).toMatchObject({ cause });
    expect(asked).toBe(2);
    expect(under.processes).toHaveLength(2);
  });

  it('can be turned off, and on again, while it waits to be restarted', async ({ onTestFinished }) => {
    let waits = 0;
    const under = withChild(onTestFinished, 'exits-after-ready', {
      beforeRestart: (signal) => {
        waits += 1;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
      },
    });
    await under.engine.start(under.model);
    await until(() => waits === 1);
    expect(under.engine.state.kind).toBe('starting');
    expect(under.processes).toHaveLength(1);
    await under.engine.stop();
    expect(under.engine.state.kind).toBe('off');
    expect(under.processes).toHaveLength(1);
    await under.engine.start(under.model);
    expect(under.processes).toHaveLength(2);
  });

  it('lets the last wish count when start and stop come in a hurry', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-to-load');
    const first = failureOf(under.engine.start(under.model));
    await under.reaches('loading');
    const stopping = under.engine.stop();
    const second = under.engine.start(under.model);
    expect((await first).code).toBe('stopped');
    await stopping;
    await second;
    expect(under.engine.state.kind).toBe('ready');
    expect(under.processes).toHaveLength(2);
  });

  it('can be stopped the moment it was forked', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-to-load');
    const unsubscribe = under.engine.subscribe((state) => {
      if (state.kind === 'starting') void under.engine.stop();
    });
    const startedMs = Date.now();
    await failureOf(under.engine.start(under.model));
    await under.engine.stop();
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    expect(under.engine.state.kind).toBe('off');
    unsubscribe();
  });

  it.for(['preparing', 'starting', 'loading', 'busy'] as const)(
    'can be stopped while %s',
    async (kind, { onTestFinished }) => {
      const under = withChild(onTestFinished, kind === 'busy' ? 'slow-in-prefill' : 'slow-to-load');
      const started = under.engine.start(under.model).then(
        () => null,
        (error: unknown) => error,
      );
      const asked = kind === 'busy' ? failureOf(collect(under)) : null;
      await under.reaches(kind);
      await under.engine.stop();
      expect(under.engine.state).toEqual({ kind: 'off' });
      if (asked === null) expect(await started).toMatchObject({ code: 'stopped' });
      else expect((await asked).code).toBe('stopped');
    },
  );
});

describe.concurrent('requests', () => {
  const never = new AbortController().signal;

  it('are refused while the engine is off', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well');
    expect((await failureOf(collect(under))).code).toBe('off');
    expect((await failureOf(under.engine.count(request('hi'), never))).code).toBe('off');
  });

  it('wait for an engine on its way, and for the slot', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-to-load');
    void under.engine.start(under.model);
    const [first, second] = await Promise.all([collect(under), collect(under)]);
    expect(first?.[0]).toEqual({ kind: 'waiting', for: 'engine', ahead: 0 });
    expect(second?.[0]).toEqual({ kind: 'waiting', for: 'slot', ahead: 1 });
    expect(second?.at(-1)?.kind).toBe('finish');
  });

  it('end when cancelled: in the queue, before the engine is ready, and in the answer; the slot is free again', async ({
    onTestFinished,
  }) => {
    const under = withChild(onTestFinished, 'slow-in-prefill');
    void under.engine.start(under.model);
    const early = new AbortController();
    const waiting = failureOf(collect(under, { signal: early.signal }));
    early.abort();
    expect((await waiting).code).toBe('aborted');
    await under.reaches('ready');

    const inAnswer = new AbortController();
    const inQueue = new AbortController();
    const answering = failureOf(collect(under, { signal: inAnswer.signal }));
    const queued = failureOf(collect(under, { signal: inQueue.signal }));
    await under.reaches('busy');
    inQueue.abort();
    expect((await queued).code).toBe('aborted');
    inAnswer.abort();
    expect((await answering).code).toBe('aborted');
    expect(under.engine.state.kind).toBe('ready');
    expect((await collect(under)).at(-1)?.kind).toBe('finish');
    expect((await failureOf(collect(under, { signal: AbortSignal.abort() }))).code).toBe('aborted');
  });

  it('free the slot when their reader walks away', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-in-prefill');
    await under.engine.start(under.model);
    for await (const event of under.engine.generate(request('hi'), { signal: never, priority: 'api' })) {
      expect(event.kind).toBe('prefill');
      break;
    }
    expect(under.engine.state.kind).toBe('ready');
    expect((await collect(under)).at(-1)?.kind).toBe('finish');
  });

  it('free engine and slot when cancelled although their reader never looks again', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'slow-in-prefill');
    await under.engine.start(under.model);
    const aborter = new AbortController();
    const options = { signal: aborter.signal, priority: 'api' } as const;
    const reading = under.engine.generate(request('hi'), options)[Symbol.asyncIterator]();
    await reading.next();
    expect(under.engine.state.kind).toBe('busy');
    aborter.abort();
    await under.reaches('ready');
    expect((await collect(under)).at(-1)?.kind).toBe('finish');
    expect((await failureOf(reading.next())).code).toBe('aborted');
  });

  it('do not make the engine look stuck when their reader is slow', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well', shortened({ decodeMs: 2_000, unreachableMs: 2_000 }));
    await under.engine.start(under.model);
    for await (const event of under.engine.generate(request('hi'), { signal: never, priority: 'api' })) {
      if (event.kind === 'reasoning') await new Promise((resolve) => setTimeout(resolve, 3_000));
      if (event.kind === 'finish') expect(event.reason).toBe('stop');
    }
    expect(under.processes).toHaveLength(1);
    expect(kinds(under)).not.toContain('waiting');
  });

  it('take the window’s turn before other programs’', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well');
    await under.engine.start(under.model);
    const order: string[] = [];
    const ask = async (name: string, priority: 'window' | 'api'): Promise<void> => {
      const events: GenerationEvent[] = [];
      for await (const event of under.engine.generate(request(name), { signal: never, priority })) events.push(event);
      order.push(name);
    };
    await Promise.all([ask('first', 'api'), ask('second', 'api'), ask('window', 'window')]);
    expect(order).toEqual(['first', 'window', 'second']);
  });
});

describe.concurrent('a child that', () => {
  it('exits at once is tried three times more, then given up, with its last words', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'exits-at-once', { speed: 10 });
    const error = await failureOf(under.engine.start(under.model));
    expect(error.code).toBe('failed');
    expect(error.message).toContain('exit code 3');
    expect(under.processes).toHaveLength(4);
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'exited' }, logTail: ['cannot go on'] });
    expect(under.states.flatMap((state) => (state.kind === 'starting' ? [state.attempt] : []))).toEqual([1, 2, 3, 4]);
    expect((await failureOf(collect(under))).code).toBe('failed');
    // The user may always try again, with three restarts anew.
    await failureOf(under.engine.start(under.model));
    expect(under.processes).toHaveLength(8);
  });

  it('exits after ready is restarted, and given up when it does not stop doing so', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'exits-after-ready', { speed: 10 });
    await under.engine.start(under.model);
    await under.reaches('waiting');
    await under.reaches('failed');
    expect(under.processes).toHaveLength(4);
    expect(kinds(under).filter((kind) => kind === 'ready')).toHaveLength(4);
  });

  it('never opens its socket is ended and restarted', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'never-opens-socket', shortened({ startMs: 1_500 }));
    void failureOf(under.engine.start(under.model));
    expect(await under.reaches('waiting')).toMatchObject({ cause: { code: 'start-timeout' } });
    await under.reaches('starting');
  });

  it('stalls while loading is ended and restarted', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'stalls-in-load', shortened({ loadMs: 1_500 }));
    void failureOf(under.engine.start(under.model));
    expect(await under.reaches('waiting')).toMatchObject({ cause: { code: 'load-stalled' } });
  });

  it.for([
    ['silent-in-prefill', 'prefill-stalled', { prefillMs: 1_500 }],
    ['silent-in-decode', 'decode-stalled', { decodeMs: 1_000 }],
    ['claims-progress', 'decode-stalled', { decodeMs: 1_000 }],
  ] as const)(
    'answers health but yields no tokens (%s) is restarted, and the request is told why',
    async ([behaviour, code, bounds], { onTestFinished }) => {
      const under = withChild(onTestFinished, behaviour, shortened(bounds));
      await under.engine.start(under.model);
      const error = await failureOf(collect(under));
      expect(error.code).toBe('failed');
      expect(error.message).toContain('stood still');
      const waiting = under.states.find((state) => state.kind === 'waiting');
      expect(waiting).toMatchObject({ cause: { code } });
      await under.reaches('ready');
      expect(under.processes).toHaveLength(2);
    },
  );

  it('reads a long prompt slowly is left alone', async ({ onTestFinished }) => {
    const prefillMs = 2_500;
    const under = withChild(onTestFinished, 'slow-in-prefill', shortened({ prefillMs }));
    await under.engine.start(under.model);
    const startedMs = Date.now();
    const events = await collect(under);
    expect(Date.now() - startedMs).toBeGreaterThan(prefillMs);
    expect(events.filter((event) => event.kind === 'prefill').length).toBeGreaterThanOrEqual(10);
    expect(under.processes).toHaveLength(1);
  });

  it('stops talking is ended and restarted', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'goes-unreachable', shortened({ unreachableMs: 1_500 }));
    await under.engine.start(under.model);
    expect(await under.reaches('waiting')).toMatchObject({ cause: { code: 'unreachable' } });
  });

  it('says that it failed and lives on is ended, with the reason it gave', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'fails-but-lives', shortened({ afterFailureMs: 500 }));
    await failureOf(under.engine.start(under.model));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'out-of-memory' } });
  });

  it('ignores SIGTERM is killed after its time of grace', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'ignores-sigterm', { speed: 10 });
    await under.engine.start(under.model);
    const startedMs = Date.now();
    await under.engine.stop();
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_400);
    expect(under.engine.state).toEqual({ kind: 'off' });
    expect(under.processes[0]?.exit).toMatchObject({ signal: 9 });
  });

  it.for(['stopped', 'killed'] as const)('has a grandchild takes it along when %s', async (how, { onTestFinished }) => {
    const under = withChild(onTestFinished, 'has-grandchild', { speed: 10 });
    await under.engine.start(under.model);
    const line = (): string | undefined => under.engine.logTail().find((each) => each.startsWith('grandchild '));
    await until(() => line() !== undefined);
    const grandchild = Number(line()?.split(' ')[1]);
    onTestFinished(() => {
      if (isAlive(grandchild)) process.kill(grandchild, 'SIGKILL');
    });
    expect(isAlive(grandchild)).toBe(true);
    if (how === 'stopped') await under.engine.stop();
    else {
      process.kill(under.processes[0]?.pid ?? 0, 'SIGKILL');
      await under.reaches('waiting');
    }
    await until(() => !isAlive(grandchild), 5_000);
  });

  it('dies in the middle of an answer fails that answer with the reason and comes back', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'dies-in-answer');
    await under.engine.start(under.model);
    const error = await failureOf(collect(under));
    expect(error).toMatchObject({ code: 'failed', message: 'The engine broke while it was working.' });
    await under.reaches('ready');
    expect(under.processes).toHaveLength(2);
  });

  it.for(['ends-without-done', 'talks-nonsense'] as const)(
    '%s has not answered',
    async (behaviour, { onTestFinished }) => {
      const under = withChild(onTestFinished, behaviour, { speed: 10 });
      await under.engine.start(under.model);
      expect((await failureOf(collect(under))).code).toBe('disconnected');
      expect(under.engine.state.kind).toBe('ready');
    },
  );
});

// Alone, because a flood takes the processor from whatever runs beside it.
describe('a child that', () => {
  it.for(['floods', 'floods-without-newline'] as const)(
    '%s its terminal holds up nothing',
    async (behaviour, { onTestFinished }) => {
      const under = withChild(onTestFinished, behaviour);
      await under.engine.start(under.model);
      const heapBefore = process.memoryUsage().rss;
      for (const deadline = Date.now() + 2_000; Date.now() < deadline; ) {
        expect(textOf(await collect(under), 'content')).toBe('Hello! Grüße 🙂');
      }
      expect(process.memoryUsage().rss - heapBefore).toBeLessThan(200 * 2 ** 20);
      expect(under.engine.logTail().length).toBeLessThanOrEqual(200);
      expect(Math.max(...under.engine.logTail().map((line) => line.length), 0)).toBeLessThan(2_100);
      if (behaviour === 'floods') expect(under.engine.logTail()).toContain('flood of output');
      expect(under.logged.length).toBeLessThan(500);
      await under.engine.stop();
    },
  );
});

describe.concurrent('what cannot even start', () => {
  it('names a missing model folder', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well');
    const gone = { folder: join(folder, 'gone'), name: 'gone' };
    expect((await failureOf(under.engine.start(gone))).message).toContain(gone.folder);
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'model-missing' } });
    await failureOf(under.engine.start({ folder, name: 'empty' }));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'model-incomplete' } });
    expect(under.processes).toEqual([]);
  });

  it('names a missing Python', async ({ onTestFinished }) => {
    const under = withChild(onTestFinished, 'well', { command: () => ({ file: join(folder, 'python'), args: [] }) });
    expect((await failureOf(under.engine.start(under.model))).message).toContain(join(folder, 'python'));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'python-missing' } });
  });

  it('names a file that is no program', async ({ onTestFinished }) => {
    const file = join(folder, 'no-program');
    writeFileSync(file, 'x', { mode: 0o755 });
    const under = withChild(onTestFinished, 'well', { command: () => ({ file, args: [] }) });
    await failureOf(under.engine.start(under.model));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'python-missing' } });
  });

  it('names a temporary folder whose path is too long, and one that is not there', async ({ onTestFinished }) => {
    const deep = join(folder, 'x'.repeat(100));
    mkdirSync(deep);
    const under = withChild(onTestFinished, 'well', { makeSocketFolder: () => makeSocketFolder(deep) });
    const error = await failureOf(under.engine.start(under.model));
    expect(error.message).toContain('too long');
    expect(error.nextStep).toContain('TMPDIR');
    const nowhere = withChild(onTestFinished, 'well', {
      makeSocketFolder: () => makeSocketFolder(join(folder, 'nowhere')),
    });
    await failureOf(nowhere.engine.start(nowhere.model));
    expect(nowhere.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'socket-folder' } });
  });

  it('passes on why a start is refused beforehand', async ({ onTestFinished }) => {
    const cause = { code: 'no-memory', message: 'There is no room.', nextStep: 'Close something.' };
    const under = withChild(onTestFinished, 'well', { prepare: () => Promise.resolve({ cause, retry: false }) });
    expect(await failureOf(under.engine.start(under.model))).toMatchObject({ code: 'failed', message: cause.message });
    expect(under.processes).toEqual([]);
  });
});
