/**
 * The engine's life as a pure function: what happened, in which state, leads where, and what is to be done about it.
 *
 * ```
 *  off ─► preparing ─► starting ─► loading ─► ready ⇄ busy
 *   ▲        │            │           │         │     │
 *   │        │            ├───────────┴─────────┴─────┴─► ending (hangs: being killed)
 *   │        │            │ exit                             │ exit
 *   │        │            ▼                                  ▼
 *   │        │         waiting (backoff) ─► starting    waiting | failed
 *   │        └─► failed ◄── more than three restarts in ten minutes, or a cause that will not go away
 *   └── stopping ◄── stop, or start with another model, while a process lives
 * ```
 * Every attempt to run the process has its own number, `run`. What a child says after its run is over is ignored.
 */
import type { EngineState, FailureCause } from '../../preload/contract.ts';
import { nextRestart } from './backoff.ts';
import type { EngineMetrics, EngineModel } from './engine.ts';
import type { Failure } from './failure.ts';

/** How long an orderly stop may take before SIGKILL: the engine's own watchdog ends it after 8 s. */
export const STOP_GRACE_MS = 15_000;
/** The same for a process that hangs: it is not expected to manage, but a hard kill can leave wired memory behind. */
export const HANGING_GRACE_MS = 5_000;
/** SIGKILL again after this, as long as the process is there. */
const KILL_AGAIN_MS = 5_000;

/** The cause's own next step may promise a restart, which is no longer coming. */
const GIVEN_UP =
  'Close other apps, then turn the model on again. The log below says more; if it repeats, restart the computer.';

/** What every state of a living process carries. */
interface Live {
  readonly run: number;
  readonly model: EngineModel;
  readonly sinceMs: number;
  /** 1 for the first start, counted up by restarts. */
  readonly attempt: number;
  /** When the process was restarted, epoch milliseconds, oldest first. */
  readonly restartsMs: readonly number[];
}

export type State =
  | { readonly kind: 'off'; readonly run: number }
  | { readonly kind: 'preparing'; readonly run: number; readonly model: EngineModel; readonly sinceMs: number }
  | ({ readonly kind: 'starting' } & Live)
  | ({ readonly kind: 'loading'; readonly loadedBytes: number; readonly totalBytes: number } & Live)
  | ({ readonly kind: 'ready' } & Live)
  | ({ readonly kind: 'busy' } & Live)
  | ({ readonly kind: 'ending'; readonly deadlineMs: number; readonly failure: Failure } & Live)
  | ({ readonly kind: 'waiting'; readonly retryAtMs: number; readonly cause: FailureCause } & Omit<Live, 'sinceMs'>)
  | {
      readonly kind: 'stopping';
      readonly run: number;
      readonly sinceMs: number;
      readonly deadlineMs: number;
      /** The model to start when the process is gone. */
      readonly next: EngineModel | null;
    }
  | {
      readonly kind: 'failed';
      readonly run: number;
      readonly model: EngineModel;
      readonly cause: FailureCause;
      readonly logTail: readonly string[];
    };

export type Event =
  | { readonly kind: 'start'; readonly model: EngineModel }
  | { readonly kind: 'stop' }
  /** The checks before a start went well. */
  | { readonly kind: 'prepared'; readonly run: number }
  /** The checks failed, or no process came to be. */
  | { readonly kind: 'refused'; readonly run: number; readonly failure: Failure; readonly logTail: readonly string[] }
  | {
      readonly kind: 'reported';
      readonly run: number;
      readonly phase: EngineMetrics['phase'];
      readonly loadedBytes: number;
      readonly totalBytes: number;
    }
  | { readonly kind: 'generating'; readonly run: number; readonly running: boolean }
  /** The process lives but is of no use any more. */
  | { readonly kind: 'condemned'; readonly run: number; readonly failure: Failure }
  | { readonly kind: 'exited'; readonly run: number; readonly failure: Failure; readonly logTail: readonly string[] }
  /** Time has passed; `deadlineOf` says when this matters. */
  | { readonly kind: 'tick' };

export type Effect =
  | { readonly kind: 'prepare'; readonly run: number; readonly model: EngineModel }
  | { readonly kind: 'spawn'; readonly run: number; readonly model: EngineModel }
  /** SIGTERM to the process group. */
  | { readonly kind: 'terminate'; readonly run: number }
  /** SIGKILL to the process group. */
  | { readonly kind: 'kill'; readonly run: number }
  /** End every request, running or queued, because the user turned the engine off or to another model. */
  | { readonly kind: 'cancel-requests' };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const initialState: State = { kind: 'off', run: 0 };

export function step(state: State, event: Event, nowMs: number): Step {
  switch (event.kind) {
    case 'start':
      return start(state, event.model, nowMs);
    case 'stop':
      return stop(state, nowMs);
    case 'tick':
      return tick(state, nowMs);
    case 'prepared': {
      if (event.run !== state.run || state.kind !== 'preparing') return same(state);
      const { run, model } = state;
      return {
        state: { kind: 'starting', run, model, sinceMs: nowMs, attempt: 1, restartsMs: [] },
        effects: [{ kind: 'spawn', run, model }],
      };
    }
    case 'refused':
      if (event.run !== state.run || (state.kind !== 'preparing' && state.kind !== 'starting')) return same(state);
      return { state: failed(state, event.failure.cause, event.logTail), effects: [] };
    case 'reported':
      return event.run === state.run ? reported(state, event, nowMs) : same(state);
    case 'generating':
      if (event.run !== state.run) return same(state);
      if (state.kind === 'ready' && event.running) return to({ ...state, kind: 'busy', sinceMs: nowMs });
      if (state.kind === 'busy' && !event.running) return to({ ...state, kind: 'ready', sinceMs: nowMs });
      return same(state);
    case 'condemned': {
      if (event.run !== state.run || !isUp(state)) return same(state);
      const { run, model, attempt, restartsMs } = state;
      return {
        state: {
          kind: 'ending',
          run,
          model,
          attempt,
          restartsMs,
          sinceMs: nowMs,
          deadlineMs: nowMs + HANGING_GRACE_MS,
          failure: event.failure,
        },
        effects: [{ kind: 'terminate', run }],
      };
    }
    case 'exited':
      return event.run === state.run ? exited(state, event.failure, event.logTail, nowMs) : same(state);
  }
}

function start(state: State, model: EngineModel, nowMs: number): Step {
  switch (state.kind) {
    case 'off':
    case 'failed':
      return prepare(state.run + 1, model, nowMs);
    case 'preparing':
    case 'waiting':
      return state.model.folder === model.folder ? same(state) : prepare(state.run + 1, model, nowMs);
    case 'stopping':
      return to({ ...state, next: model });
    case 'starting':
    case 'loading':
    case 'ready':
    case 'busy':
    case 'ending':
      return state.model.folder === model.folder ? same(state) : stopping(state, model, nowMs);
  }
}

function stop(state: State, nowMs: number): Step {
  switch (state.kind) {
    case 'off':
      return same(state);
    case 'failed':
    case 'preparing':
    case 'waiting':
      return { state: { kind: 'off', run: state.run }, effects: [{ kind: 'cancel-requests' }] };
    case 'stopping':
      // What a later start had queued up is cancelled with it.
      return state.next === null
        ? same(state)
        : { state: { ...state, next: null }, effects: [{ kind: 'cancel-requests' }] };
    case 'starting':
    case 'loading':
    case 'ready':
    case 'busy':
    case 'ending':
      return stopping(state, null, nowMs);
  }
}

function stopping(state: State, next: EngineModel | null, nowMs: number): Step {
  const { run } = state;
  return {
    state: { kind: 'stopping', run, sinceMs: nowMs, deadlineMs: nowMs + STOP_GRACE_MS, next },
    effects: [{ kind: 'cancel-requests' }, { kind: 'terminate', run }],
  };
}

function tick(state: State, nowMs: number): Step {
  const deadlineMs = deadlineOf(state);
  if (deadlineMs === null || nowMs < deadlineMs) return same(state);
  switch (state.kind) {
    case 'waiting': {
      const { model, attempt, restartsMs } = state;
      const run = state.run + 1;
      return {
        state: { kind: 'starting', run, model, sinceMs: nowMs, attempt, restartsMs },
        effects: [{ kind: 'spawn', run, model }],
      };
    }
    case 'stopping':
    case 'ending':
      return {
        state: { ...state, deadlineMs: nowMs + KILL_AGAIN_MS },
        effects: [{ kind: 'kill', run: state.run }],
      };
    default:
      return same(state);
  }
}

function reported(state: State, event: Extract<Event, { kind: 'reported' }>, nowMs: number): Step {
  if (state.kind !== 'starting' && state.kind !== 'loading') return same(state);
  const { run, model, attempt, restartsMs } = state;
  const live = { run, model, attempt, restartsMs };
  switch (event.phase) {
    case 'loading': {
      const { loadedBytes, totalBytes } = event;
      if (state.kind === 'loading' && state.loadedBytes === loadedBytes && state.totalBytes === totalBytes) {
        return same(state);
      }
      const sinceMs = state.kind === 'loading' ? state.sinceMs : nowMs;
      return to({ kind: 'loading', ...live, sinceMs, loadedBytes, totalBytes });
    }
    case 'ready':
    case 'busy':
      // `busy` is ours to say: it follows from our own generation, not from the engine's winding down of a last one.
      return to({ kind: 'ready', ...live, sinceMs: nowMs });
    case 'starting':
    case 'stopping':
    case 'failed':
      // The exit, which follows these last two, decides.
      return same(state);
  }
}

function exited(state: State, failure: Failure, logTail: readonly string[], nowMs: number): Step {
  switch (state.kind) {
    case 'stopping':
      // An exit while stopping is never a crash, whatever its code.
      return state.next === null ? to({ kind: 'off', run: state.run }) : prepare(state.run + 1, state.next, nowMs);
    case 'starting':
    case 'loading':
    case 'ready':
    case 'busy':
      return broken(state, failure, logTail, nowMs);
    case 'ending':
      return broken(state, state.failure, logTail, nowMs);
    case 'off':
    case 'preparing':
    case 'waiting':
    case 'failed':
      return same(state);
  }
}

function broken(state: Live, { cause, retry }: Failure, logTail: readonly string[], nowMs: number): Step {
  if (!retry) return to(failed(state, cause, logTail));
  const verdict = nextRestart(state.restartsMs, nowMs);
  if (verdict.kind === 'give-up') {
    const message = `${cause.message} It was restarted ${state.restartsMs.length} times and broke again.`;
    return to(failed(state, { ...cause, message, nextStep: GIVEN_UP }, logTail));
  }
  const { run, model } = state;
  return to({
    kind: 'waiting',
    run,
    model,
    attempt: verdict.number + 1,
    restartsMs: verdict.restartsMs,
    retryAtMs: nowMs + verdict.delayMs,
    cause,
  });
}

const failed = (
  { run, model }: { run: number; model: EngineModel },
  cause: FailureCause,
  logTail: readonly string[],
): State => ({ kind: 'failed', run, model, cause, logTail });

const prepare = (run: number, model: EngineModel, nowMs: number): Step => ({
  state: { kind: 'preparing', run, model, sinceMs: nowMs },
  effects: [{ kind: 'prepare', run, model }],
});

const same = (state: State): Step => ({ state, effects: [] });
const to = same;

/** A process that should be working. */
export const isUp = (state: State): state is Extract<State, { kind: 'starting' | 'loading' | 'ready' | 'busy' }> =>
  state.kind === 'starting' || state.kind === 'loading' || state.kind === 'ready' || state.kind === 'busy';

/** A process may exist in this state; in the others none does. */
export const hasProcess = (state: State): boolean =>
  isUp(state) || state.kind === 'ending' || state.kind === 'stopping';

/** Requests may wait for the engine in this state: it is on its way to ready. */
export const isOnItsWay = (state: State): boolean => {
  switch (state.kind) {
    case 'preparing':
    case 'starting':
    case 'loading':
    case 'ending':
    case 'waiting':
      return true;
    case 'stopping':
      return state.next !== null;
    case 'off':
    case 'ready':
    case 'busy':
    case 'failed':
      return false;
  }
};

/** The model the engine runs or will run. */
export const modelOf = (state: State): EngineModel | null => {
  switch (state.kind) {
    case 'off':
    case 'failed':
      return null;
    case 'stopping':
      return state.next;
    default:
      return state.model;
  }
};

/** When a `tick` has something to do, epoch milliseconds. */
export const deadlineOf = (state: State): number | null => {
  switch (state.kind) {
    case 'waiting':
      return state.retryAtMs;
    case 'stopping':
    case 'ending':
      return state.deadlineMs;
    default:
      return null;
  }
};

/** What the rest of the app sees. */
export function toEngineState(state: State): EngineState {
  switch (state.kind) {
    case 'off':
      return { kind: 'off' };
    case 'preparing':
    case 'ready':
    case 'busy':
      return { kind: state.kind, sinceMs: state.sinceMs };
    case 'starting':
      return { kind: 'starting', sinceMs: state.sinceMs, attempt: state.attempt };
    case 'loading':
      return {
        kind: 'loading',
        sinceMs: state.sinceMs,
        loadedBytes: state.loadedBytes,
        totalBytes: state.totalBytes,
      };
    case 'ending':
      return {
        kind: 'waiting',
        attempt: state.attempt + 1,
        retryAtMs: state.deadlineMs,
        cause: state.failure.cause,
      };
    case 'waiting':
      return { kind: 'waiting', attempt: state.attempt, retryAtMs: state.retryAtMs, cause: state.cause };
    case 'stopping':
      return { kind: 'stopping', sinceMs: state.sinceMs, deadlineMs: state.deadlineMs };
    case 'failed':
      return { kind: 'failed', cause: state.cause, logTail: state.logTail };
  }
}
