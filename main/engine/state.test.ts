import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureCause } from '../../preload/contract.ts';
import { MAX_RESTARTS, RESTART_WINDOW_MS } from './backoff.ts';
import type { EngineModel } from './engine.ts';
import type { Failure } from './failure.ts';
import {
  type Effect,
  type Event,
  type State,
  HANGING_GRACE_MS,
  STOP_GRACE_MS,
  deadlineOf,
  hasProcess,
  initialState,
  isOnItsWay,
  modelOf,
  step,
  toEngineState,
} from './state.ts';

const modelA: EngineModel = { folder: '/models/a', name: 'A' };
const modelB: EngineModel = { folder: '/models/b', name: 'B' };
const cause: FailureCause = { code: 'exited', message: 'It broke.', nextStep: 'Wait.' };
const passing: Failure = { cause, retry: true };
const lasting: Failure = { cause, retry: false };
const logTail = ['last words'];
const T = 1_000_000;

const live = { run: 1, model: modelA, sinceMs: 0, attempt: 1, restartsMs: [] as number[] };
const states = {
  off: { kind: 'off', run: 1 },
  preparing: { kind: 'preparing', run: 1, model: modelA, sinceMs: 0 },
  starting: { kind: 'starting', ...live },
  loading: { kind: 'loading', ...live, loadedBytes: 1, totalBytes: 9 },
  ready: { kind: 'ready', ...live },
  busy: { kind: 'busy', ...live },
  ending: { kind: 'ending', ...live, deadlineMs: T + 1, failure: passing },
  waiting: { kind: 'waiting', run: 1, model: modelA, attempt: 2, restartsMs: [0], retryAtMs: T, cause },
  stopping: { kind: 'stopping', run: 1, sinceMs: 0, deadlineMs: T + 1, next: null },
  failed: { kind: 'failed', run: 1, model: modelA, cause, logTail },
} as const satisfies Record<State['kind'], State>;

const names = Object.keys(states) as State['kind'][];
const after = (kind: State['kind'], event: Event, now = T) => step(states[kind], event, now);
/** Where an event leads from every state, as `kind` or `kind!` when there are effects; `.` stays. */
const row = (event: Event): Record<string, string> =>
  Object.fromEntries(
    names.map((kind) => {
      const { state, effects } = after(kind, event);
      const to = state === states[kind] ? '.' : state.kind;
      return [kind, `${to}${effects.map((effect) => ` ${effect.kind}`).join('')}`];
    }),
  );
const report = (phase: Extract<Event, { kind: 'reported' }>['phase'], loadedBytes = 5): Event => ({
  kind: 'reported',
  run: 1,
  phase,
  loadedBytes,
  totalBytes: 9,
});

describe('transitions', () => {
  it('start: from rest prepares; the same model again changes nothing', () => {
    expect(row({ kind: 'start', model: modelA })).toEqual({
      off: 'preparing prepare',
      preparing: '.',
      starting: '.',
      loading: '.',
      ready: '.',
      busy: '.',
      ending: '.',
      waiting: '.',
      stopping: 'stopping',
      failed: 'preparing prepare',
    });
  });

  it('start with another model: ends the first one before', () => {
    expect(row({ kind: 'start', model: modelB })).toEqual({
      off: 'preparing prepare',
      preparing: 'preparing prepare',
      starting: 'stopping cancel-requests terminate',
      loading: 'stopping cancel-requests terminate',
      ready: 'stopping cancel-requests terminate',
      busy: 'stopping cancel-requests terminate',
      ending: 'stopping cancel-requests terminate',
      waiting: 'preparing prepare',
      stopping: 'stopping',
      failed: 'preparing prepare',
    });
    const { state } = after('busy', { kind: 'start', model: modelB });
    expect(modelOf(state)).toEqual(modelB);
    expect(step(state, { kind: 'exited', run: 1, failure: lasting, logTail }, T).state).toMatchObject({
      kind: 'preparing',
      model: modelB,
      run: 2,
    });
  });

  it('stop', () => {
    expect(row({ kind: 'stop' })).toEqual({
      off: '.',
      preparing: 'off cancel-requests',
      starting: 'stopping cancel-requests terminate',
      loading: 'stopping cancel-requests terminate',
      ready: 'stopping cancel-requests terminate',
      busy: 'stopping cancel-requests terminate',
      ending: 'stopping cancel-requests terminate',
      waiting: 'off cancel-requests',
      stopping: '.',
      failed: 'off cancel-requests',
    });
    expect(after('ready', { kind: 'stop' }).state).toMatchObject({ deadlineMs: T + STOP_GRACE_MS });
  });

  it('exited: a passing cause is tried again, a lasting one fails, and while stopping it is no crash', () => {
    const again = { starting: 'waiting', loading: 'waiting', ready: 'waiting', busy: 'waiting', ending: 'waiting' };
    const rest = { off: '.', preparing: '.', waiting: '.', stopping: 'off', failed: '.' };
    expect(row({ kind: 'exited', run: 1, failure: passing, logTail })).toEqual({ ...rest, ...again });
    expect(row({ kind: 'exited', run: 1, failure: lasting, logTail })).toEqual({
      ...rest,
      starting: 'failed',
      loading: 'failed',
      ready: 'failed',
      busy: 'failed',
      // Ending has its own cause: why it was condemned, not how it died.
      ending: 'waiting',
    });
  });

  it('reported', () => {
    const still = Object.fromEntries(names.map((kind) => [kind, '.']));
    expect(row(report('starting'))).toEqual(still);
    expect(row(report('loading'))).toEqual({ ...still, starting: 'loading', loading: 'loading' });
    expect(row(report('ready'))).toEqual({ ...still, starting: 'ready', loading: 'ready' });
    expect(row(report('busy'))).toEqual({ ...still, starting: 'ready', loading: 'ready' });
    expect(row(report('stopping'))).toEqual(still);
    expect(row(report('failed'))).toEqual(still);
    expect(row(report('loading', 1))['loading']).toBe('.');
  });

  it('tick', () => {
    const still = Object.fromEntries(names.map((kind) => [kind, '.']));
    expect(row({ kind: 'tick' })).toEqual({ ...still, waiting: 'starting spawn' });
    expect(after('stopping', { kind: 'tick' }, T + 1).effects).toEqual([{ kind: 'kill', run: 1 }]);
    expect(after('ending', { kind: 'tick' }, T + 1).effects).toEqual([{ kind: 'kill', run: 1 }]);
    expect(after('waiting', { kind: 'tick' }, T - 1).state).toBe(states.waiting);
  });

  it('the rest', () => {
    const still = Object.fromEntries(names.map((kind) => [kind, '.']));
    expect(row({ kind: 'prepared', run: 1 })).toEqual({ ...still, preparing: 'starting spawn' });
    expect(row({ kind: 'refused', run: 1, failure: lasting, logTail })).toEqual({
      ...still,
      preparing: 'failed',
      starting: 'failed',
    });
    expect(row({ kind: 'generating', run: 1, running: true })).toEqual({ ...still, ready: 'busy' });
    expect(row({ kind: 'generating', run: 1, running: false })).toEqual({ ...still, busy: 'ready' });
    const condemned = 'ending terminate';
    expect(row({ kind: 'condemned', run: 1, failure: passing })).toEqual({
      ...still,
      starting: condemned,
      loading: condemned,
      ready: condemned,
      busy: condemned,
    });
    expect(after('busy', { kind: 'condemned', run: 1, failure: passing }).state).toMatchObject({
      deadlineMs: T + HANGING_GRACE_MS,
    });
  });

  it('ignores what another run says', () => {
    for (const run of [0, 2]) {
      expect(new Set(Object.values(row({ kind: 'exited', run, failure: lasting, logTail })))).toEqual(new Set(['.']));
      expect(new Set(Object.values(row({ ...report('ready'), run } as Event)))).toEqual(new Set(['.']));
      expect(new Set(Object.values(row({ kind: 'condemned', run, failure: lasting })))).toEqual(new Set(['.']));
      expect(new Set(Object.values(row({ kind: 'prepared', run })))).toEqual(new Set(['.']));
    }
  });

  it('gives up after three restarts and says so', () => {
    const worn: State = { ...states.busy, restartsMs: [T - 3, T - 2, T - 1] };
    const { state } = step(worn, { kind: 'exited', run: 1, failure: passing, logTail }, T);
    expect(state).toMatchObject({ kind: 'failed', logTail, cause: { code: 'exited' } });
    expect(toEngineState(state)).toMatchObject({
      cause: { message: 'It broke. It was restarted 3 times and broke again.' },
    });
  });

  it('shows every state to the app with that state’s own data only', () => {
    for (const kind of names) {
      const shown = toEngineState(states[kind]);
      expect(shown.kind).toBe(kind === 'ending' ? 'waiting' : kind);
      expect(Object.keys(shown)).not.toContain('run');
      expect(Object.keys(shown)).not.toContain('model');
    }
  });
});

// ── Any story at all ──────────────────────────────────────────────────────────────────────────────

/** A world that does what the effects say, with at most one process, as the supervisor does it. */
interface World {
  state: State;
  now: number;
  /** The run of the living process. */
  alive: number | null;
  preparing: number | null;
  spawned: number[];
  spawnedAt: number[];
}

type Happening =
  | { readonly do: 'start'; readonly model: EngineModel }
  | { readonly do: 'stop' | 'prepared' | 'refused' | 'die' | 'die-for-good' | 'condemn' | 'begin' | 'end' | 'late' }
  | { readonly do: 'say'; readonly phase: Extract<Event, { kind: 'reported' }>['phase'] }
  | { readonly do: 'wait'; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(modelA, modelB).map((model) => ({ do: 'start', model }) as const) },
  {
    weight: 10,
    arbitrary: fc
      .constantFrom(
        'stop' as const,
        'prepared' as const,
        'prepared' as const,
        'refused' as const,
        'die' as const,
        'die' as const,
        'die-for-good' as const,
        'condemn' as const,
        'begin' as const,
        'end' as const,
        'late' as const,
      )
      .map((name) => ({ do: name })),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('starting' as const, 'loading' as const, 'ready' as const, 'busy' as const, 'failed' as const)
      .map((phase) => ({ do: 'say' as const, phase })),
  },
  { weight: 6, arbitrary: fc.nat({ max: 20_000 }).map((ms) => ({ do: 'wait' as const, ms })) },
);

function eventOf(world: World, next: Happening): Event | null {
  const { run } = world.state;
  switch (next.do) {
    case 'start':
      return { kind: 'start', model: next.model };
    case 'stop':
      return { kind: 'stop' };
    case 'prepared':
      return world.preparing === null ? null : { kind: 'prepared', run: world.preparing };
    case 'refused':
      return world.preparing === null ? null : { kind: 'refused', run: world.preparing, failure: lasting, logTail };
    case 'die':
    case 'die-for-good':
      return world.alive === null
        ? null
        : { kind: 'exited', run: world.alive, failure: next.do === 'die' ? passing : lasting, logTail };
    case 'condemn':
      return { kind: 'condemned', run, failure: passing };
    case 'begin':
    case 'end':
      return { kind: 'generating', run, running: next.do === 'begin' };
    case 'say':
      return world.alive === null
        ? null
        : { kind: 'reported', run: world.alive, phase: next.phase, loadedBytes: world.now % 10, totalBytes: 9 };
    case 'late':
      return { kind: 'exited', run: run - 1, failure: lasting, logTail };
    case 'wait':
      return { kind: 'tick' };
  }
}

function perform(world: World, effect: Effect): void {
  switch (effect.kind) {
    case 'prepare':
      world.preparing = effect.run;
      return;
    case 'spawn':
      expect(world.alive).toBeNull();
      expect(world.spawned).not.toContain(effect.run);
      world.alive = effect.run;
      world.spawned.push(effect.run);
      world.spawnedAt.push(world.now);
      return;
    case 'terminate':
    case 'kill':
      expect(effect.run).toBe(world.alive);
      return;
    case 'cancel-requests':
      return;
  }
}

it('holds together whatever happens', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 120 }), (story) => {
      const world: World = { state: initialState, now: T, alive: null, preparing: null, spawned: [], spawnedAt: [] };
      let restartedByItself: number[] = [];
      for (const next of story) {
        if (next.do === 'wait') world.now += next.ms;
        const event = eventOf(world, next);
        if (event === null) continue;
        const before = world.state;
        if (event.kind === 'exited' && event.run === world.alive) world.alive = null;
        if (event.kind === 'prepared' || event.kind === 'refused') world.preparing = null;
        const { state, effects } = step(before, event, world.now);
        world.state = state;
        for (const effect of effects) perform(world, effect);

        // A process lives exactly in the states that say so.
        expect(hasProcess(state)).toBe(world.alive !== null);
        if (world.alive !== null) expect(state.run).toBe(world.alive);
        // An exit while stopping is never a crash.
        if (before.kind === 'stopping' && event.kind === 'exited' && event.run === before.run) {
          expect(['off', 'preparing']).toContain(state.kind);
        }
        // Starting again what is on or on its way changes nothing.
        if (event.kind === 'start' && modelOf(before)?.folder === event.model.folder && before.kind !== 'stopping') {
          expect(state).toBe(before);
        }
        // After a start something is on its way or on; after a stop nothing is.
        if (event.kind === 'start') expect(isOnItsWay(state) || ['ready', 'busy'].includes(state.kind)).toBe(true);
        if (event.kind === 'stop') expect(['off', 'stopping']).toContain(state.kind);
        if (event.kind === 'stop') expect(modelOf(state)).toBeNull();
        // Restarts that nobody asked for: at most three in ten minutes.
        if (event.kind === 'start' || event.kind === 'stop') restartedByItself = [];
        if (before.kind === 'waiting' && state.kind === 'starting') {
          restartedByItself = [...restartedByItself, world.now].filter((at) => world.now - at < RESTART_WINDOW_MS);
          expect(restartedByItself.length).toBeLessThanOrEqual(MAX_RESTARTS);
        }
        // Whatever waits has a time at which it goes on.
        if (['waiting', 'stopping', 'ending'].includes(state.kind)) expect(deadlineOf(state)).not.toBeNull();
      }
    }),
    { numRuns: 500 },
  );
});
