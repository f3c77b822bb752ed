/**
 * Keeps the engine's process: performs what `state.ts` decides, hears what the process says, hands out answers.
 * The rules are elsewhere (`state`, `backoff`, `wedge`, `failure`); here are the process, the socket and the timers.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineState } from '../../preload/contract.ts';
import type { Log } from '../log/log.ts';
import { type EngineClient, type EngineSnapshot, ConnectionLost, EngineRefusal, createEngineClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import {
  type Engine,
  type EngineCalibration,
  type EngineMetrics,
  type EngineModel,
  type GenerationEvent,
  type GenerationRequest,
  EngineError,
  type CacheOperations,
  type PromptRequest,
  type ReadAhead,
  type SavedCache,
} from './engine.ts';
import { engineEnvironment } from './environment.ts';
import { type Breakage, type EngineReport, type Failure, explain } from './failure.ts';
import { type LogRing, createLineBudget, createLogRing } from './log-ring.ts';
import { type SlotPriority, Slot, turnOf } from './slot.ts';
import { type SocketFolder, SocketPathTooLong, makeSocketFolder } from './socket-folder.ts';
import type { Child, ChildExit, Spawner } from './spawner.ts';
import {
  type Effect,
  type Event,
  type State,
  deadlineOf,
  initialState,
  isOnItsWay,
  isUp,
  modelOf,
  step,
  toEngineState,
} from './state.ts';
import {
  type Watch,
  type WedgeLimits,
  WEDGE_LIMITS,
  check,
  onAnswerBytes,
  onGenerationEnd,
  onGenerationStart,
  onNews,
  onSnapshot,
  watchFrom,
} from './wedge.ts';

interface EngineCommand {
  /** Absolute path of the program. */
  readonly file: string;
  readonly args: readonly string[];
}

export interface SupervisorPorts {
  readonly spawner: Spawner;
  readonly log: Log;
  /** What runs a model behind a socket. */
  readonly command: (model: EngineModel, socketPath: string) => EngineCommand;
  /** The app's cache folder for the Hugging Face library; must exist. */
  readonly cacheFolder: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly makeSocketFolder?: () => SocketFolder;
  readonly wedgeLimits?: WedgeLimits;
  /**
   * Runs before every start by the user, not before restarts: the place for a memory check and the wired limit.
   * Returns why the model cannot be started, or null.
   */
  readonly prepare?: (model: EngineModel, signal: AbortSignal) => Promise<Failure | null>;
  /**
   * Runs before every restart of a broken engine: what the last process held may not have come back. Returns why it
   * must not be started again, or null. Resolves soon after the signal aborts.
   */
  readonly beforeRestart?: (signal: AbortSignal) => Promise<Failure | null>;
}

/** The Python engine. `bytecode: false` for an installed app, whose signature forbids new files inside it. */
export const pythonCommand =
  (
    pythonExecutable: string,
    { bytecode = true, promptCacheFolder }: { bytecode?: boolean; promptCacheFolder?: string } = {},
  ): SupervisorPorts['command'] =>
  (model, socketPath) => ({
    file: pythonExecutable,
    args: [
      ...['-I', ...(bytecode ? [] : ['-B']), '-m', 'headroom_engine'],
      ...['--model', model.folder, '--socket', socketPath],
      ...(promptCacheFolder === undefined ? [] : ['--cache-folder', promptCacheFolder]),
    ],
  });

export function createSupervisor(ports: SupervisorPorts): Engine & CacheOperations {
  return new Supervisor(ports);
}

/** How soon to look again for the socket of a process that has just begun. */
const CONNECT_RETRY_MS = 25;
/** The same after an event stream that had worked broke off. */
const RECONNECT_MS = 250;
const CHECK_EVERY_MS = 1_000;
/** How long a broken answer waits for the process's exit, which knows the reason. */
const CAUSE_WAIT_MS = 3_000;
const LOG_LINES_PER_SECOND = 50;

/** One process from spawn to exit. */
interface Run {
  readonly number: number;
  readonly child: Child;
  readonly client: EngineClient;
  readonly folder: SocketFolder;
  /** Aborted when the run is over or of no more use: ends its connections. */
  readonly over: AbortController;
  watch: Watch;
  connected: boolean;
  wasReady: boolean;
  reported: EngineReport | null;
  /** Why it ended or is being ended. */
  failure: Failure | null;
}

class Supervisor implements Engine, CacheOperations {
  readonly #ports: SupervisorPorts;
  readonly #clock: Clock;
  readonly #limits: WedgeLimits;
  readonly #slot = new Slot();
  readonly #listeners = new Set<(state: EngineState) => void>();
  readonly #changes = new Set<() => void>();
  #state: State = initialState;
  #projected: EngineState = toEngineState(initialState);
  #pending: Event[] = [];
  #stepping = false;
  #run: Run | null = null;
  #ring: LogRing = createLogRing();
  #metrics: EngineMetrics | null = null;
  /** Aborted when the user turns the engine off; a new one takes its place. */
  #off = new AbortController();
  #preparing = new AbortController();
  /** A restart that waits for the last process's memory. */
  #clearing: { readonly run: number; readonly abort: AbortController } | null = null;
  #cancelDeadline: (() => void) | null = null;
  #cancelCheck: (() => void) | null = null;
  #disposed = false;

  constructor(ports: SupervisorPorts) {
    this.#ports = ports;
    this.#clock = ports.clock ?? systemClock;
    this.#limits = ports.wedgeLimits ?? WEDGE_LIMITS;
  }

  get state(): EngineState {
    return this.#projected;
  }

  get metrics(): EngineMetrics | null {
    return this.#metrics;
  }

  logTail(): readonly string[] {
    return this.#ring.tail();
  }

  subscribe(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ── On and off ──────────────────────────────────────────────────────────────────────────────────

  async start(model: EngineModel): Promise<void> {
    if (this.#disposed) throw turnedOff();
    this.#dispatch({ kind: 'start', model });
    const off = this.#off.signal;
    for (;;) {
      const state = this.#state;
      if (off.aborted || modelOf(state)?.folder !== model.folder) {
        throw state.kind === 'failed' && state.model.folder === model.folder ? brokenBy(state.cause) : stopped();
      }
      if (state.kind === 'ready' || state.kind === 'busy') return;
      await this.#change([off]);
    }
  }

  async stop(): Promise<void> {
    this.#dispatch({ kind: 'stop' });
    while (this.#state.kind === 'stopping') await this.#change([]);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.stop();
    this.#listeners.clear();
  }

  // ── Answers ─────────────────────────────────────────────────────────────────────────────────────

  async *generate(
    request: GenerationRequest,
    { signal, priority, atTurn }: { signal: AbortSignal; priority: SlotPriority; atTurn?: () => Promise<void> },
  ): AsyncGenerator<GenerationEvent> {
    const off = this.#off.signal;
    const ended = AbortSignal.any([signal, off]);
    this.#refuse(signal, off);
    const ticket = this.#slot.enter(priority);
    // At once, and not when the reader looks next: a program that hung up may never do so.
    ended.addEventListener('abort', ticket.release, { once: true });
    try {
      yield* turnOf(ticket, ended, () => this.#refuse(signal, off));
      if (this.#ready() === null) yield { kind: 'waiting', for: 'engine', ahead: 0 };
      let run = this.#ready();
      while (run === null) {
        this.#refuse(signal, off);
        await this.#change([ended]);
        run = this.#ready();
      }
      this.#refuse(signal, off);
      if (atTurn !== undefined) {
        await atTurn();
        this.#refuse(signal, off);
      }
      yield* this.#answer(run, request, signal, off);
    } finally {
      ended.removeEventListener('abort', ticket.release);
      ticket.release();
    }
  }

  async *#answer(
    run: Run,
    request: GenerationRequest,
    signal: AbortSignal,
    off: AbortSignal,
  ): AsyncGenerator<GenerationEvent> {
    const ended = AbortSignal.any([signal, off, run.over.signal]);
    let busy = true;
    run.watch = onGenerationStart(run.watch, this.#clock.nowMs());
    this.#dispatch({ kind: 'generating', run: run.number, running: true });
    const onEnd = (): void => {
      if (!busy) return;
      busy = false;
      run.watch = onGenerationEnd(run.watch);
      this.#dispatch({ kind: 'generating', run: run.number, running: false });
    };
    const onBytes = (awaiting: 'prefill' | 'decode'): void => {
      run.watch = onAnswerBytes(run.watch, awaiting, this.#clock.nowMs());
    };
    try {
      let finished = false;
      for await (const event of run.client.chat(request, { signal: ended, onBytes, onEnd })) {
        finished = event.kind === 'finish';
        yield event;
      }
      if (!finished) throw new ConnectionLost('cancelled');
    } catch (error) {
      throw await this.#explained(error, run, signal, off);
    } finally {
      onEnd();
    }
  }

  async count(request: PromptRequest, signal: AbortSignal): Promise<number> {
    const off = this.#off.signal;
    this.#refuse(signal, off);
    // The tokenizer answers before the weights are loaded. A process that is on its way out is nobody to ask.
    while (this.#run === null || !this.#run.connected || this.#state.kind === 'stopping') {
      await this.#change([signal, off]);
      this.#refuse(signal, off);
    }
    const run = this.#run;
    try {
      return await run.client.count(request, AbortSignal.any([signal, off, run.over.signal]));
    } catch (error) {
      throw await this.#explained(error, run, signal, off);
    }
  }

  async dropCaches(): Promise<void> {
    const run = this.#ready();
    if (run === null) return;
    const off = this.#off.signal;
    try {
      await run.client.dropCaches(AbortSignal.any([off, run.over.signal]));
    } catch (error) {
      // What has ended has no caches left.
      if (!off.aborted && !run.over.signal.aborted) throw await this.#explained(error, run, off, off);
    }
  }

  async calibrate(stepTokens: number, signal: AbortSignal): Promise<EngineCalibration | null> {
    const run = this.#ready();
    if (run === null || this.#slot.length > 0) return null;
    const off = this.#off.signal;
    try {
      return await run.client.calibrate(stepTokens, AbortSignal.any([signal, off, run.over.signal]));
    } catch (error) {
      if (signal.aborted || off.aborted || run.over.signal.aborted) return null;
      // Something else was asked meanwhile, or is being done.
      if (error instanceof EngineRefusal && (error.status === 503 || error.status === 409)) return null;
      throw await this.#explained(error, run, signal, off);
    }
  }

  // ── The prompt cache ────────────────────────────────────────────────────────────────────────────

  readAhead(request: PromptRequest & { readonly cacheKey?: string }, signal: AbortSignal): Promise<ReadAhead | null> {
    // An answer that waits would be refused, or break it off at once.
    if (this.#slot.length > 0) return Promise.resolve(null);
    return this.#tried(
      (client, ended) => client.readAhead(request, ended),
      () => null,
      signal,
    );
  }

  saveCache(
    cache: { readonly file: string; readonly key: string },
    signal: AbortSignal,
  ): Promise<SavedCache | 'gone' | null> {
    return this.#tried<SavedCache | 'gone' | null>(
      (client, ended) => client.saveCache(cache, ended),
      (refusal) => (refusal?.code === 'not_cached' ? 'gone' : null),
      signal,
    );
  }

  loadCache(
    cache: { readonly file: string; readonly key: string; readonly sha256: string },
    signal: AbortSignal,
  ): Promise<'loaded' | 'refused' | 'not-now'> {
    return this.#tried<'loaded' | 'refused' | 'not-now'>(
      async (client, ended) => {
        await client.loadCache(cache, ended);
        return 'loaded';
      },
      (refusal) => (refusal?.code === 'bad_cache' || refusal?.code === 'not_found' ? 'refused' : 'not-now'),
      signal,
    );
  }

  forgetCache(key: string): Promise<void> {
    return this.#tried(
      (client, ended) => client.forgetCache(key, ended),
      () => undefined,
      this.#off.signal,
    );
  }

  /** Nobody waits for these, so whatever is in the way is no error. */
  async #tried<T>(
    ask: (client: EngineClient, ended: AbortSignal) => Promise<T>,
    otherwise: (refusal: EngineRefusal | null) => T,
    signal: AbortSignal,
  ): Promise<T> {
    const run = this.#ready();
    if (run === null) return otherwise(null);
    try {
      return await ask(run.client, AbortSignal.any([signal, this.#off.signal, run.over.signal]));
    } catch (error) {
      if (error instanceof EngineRefusal) return otherwise(error);
      if (error instanceof ConnectionLost) return otherwise(null);
      throw error;
    }
  }

  #ready(): Run | null {
    return this.#state.kind === 'ready' || this.#state.kind === 'busy' ? this.#run : null;
  }

  /** Throws when there is no point in waiting any longer. */
  #refuse(signal: AbortSignal, off: AbortSignal): void {
    if (signal.aborted) throw aborted();
    if (off.aborted) throw stopped();
    const state = this.#state;
    if (state.kind === 'failed') throw brokenBy(state.cause);
    if (!isUp(state) && !isOnItsWay(state)) throw turnedOff();
  }

  /** What ended a request, in the order in which people would name it. */
  async #explained(error: unknown, run: Run, signal: AbortSignal, off: AbortSignal): Promise<unknown> {
    if (signal.aborted) return aborted();
    if (off.aborted) return stopped();
    if (error instanceof EngineRefusal && error.status < 500 && error.status !== 401 && error.code !== 'busy') {
      return new EngineError('bad-request', error.message, 'Change the request.');
    }
    if (!(error instanceof ConnectionLost) && !(error instanceof EngineRefusal)) return error;
    if (run.failure === null) await this.#causeOf(run, [signal, off]);
    if (signal.aborted) return aborted();
    if (off.aborted) return stopped();
    if (run.failure !== null) return brokenBy(run.failure.cause);
    this.#ports.log('warn', `engine: an answer broke off: ${error.message}`);
    return error instanceof EngineRefusal
      ? new EngineError('failed', `The engine refused: ${error.message}`, TRY_AGAIN)
      : new EngineError('disconnected', 'The answer broke off, the engine gave no reason.', TRY_AGAIN);
  }

  async #causeOf(run: Run, signals: readonly AbortSignal[]): Promise<void> {
    const tooLong = new AbortController();
    const cancel = this.#clock.after(CAUSE_WAIT_MS, () => tooLong.abort());
    while (run.failure === null && !tooLong.signal.aborted && !signals.some((signal) => signal.aborted)) {
      await this.#change([...signals, tooLong.signal]);
    }
    cancel();
  }

  // ── State ───────────────────────────────────────────────────────────────────────────────────────

  #dispatch(event: Event): void {
    this.#pending.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) this.#step(next);
    } finally {
      this.#stepping = false;
    }
  }

  #step(event: Event): void {
    const before = this.#state;
    const { state, effects } = step(before, event, this.#clock.nowMs());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (state === before) return;
    this.#projected = toEngineState(state);
    this.#armDeadline();
    this.#logChange(before, state);
    for (const change of [...this.#changes]) change();
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#projected);
      } catch (error) {
        this.#ports.log('error', `engine: a listener threw: ${String(error)}`);
      }
    }
  }

  /** Resolves at the next state change, or when a signal aborts. */
  #change(signals: readonly AbortSignal[]): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#changes.delete(done);
        for (const signal of signals) signal.removeEventListener('abort', done);
        resolve();
      };
      if (signals.some((signal) => signal.aborted)) return resolve();
      this.#changes.add(done);
      for (const signal of signals) signal.addEventListener('abort', done);
    });
  }

  #armDeadline(): void {
    this.#cancelDeadline?.();
    const deadlineMs = deadlineOf(this.#state);
    this.#cancelDeadline =
      deadlineMs === null
        ? null
        : this.#clock.after(Math.max(1, deadlineMs - this.#clock.nowMs()), () => {
            this.#dispatch({ kind: 'tick' });
            // A timer may fire a moment early by the wall clock.
            if (deadlineOf(this.#state) === deadlineMs) this.#armDeadline();
          });
  }

  #logChange(before: State, after: State): void {
    if (before.kind === after.kind) return;
    switch (after.kind) {
      case 'waiting':
      case 'ending':
        this.#ports.log(
          'warn',
          `engine: ${after.kind}: ${(after.kind === 'ending' ? after.failure.cause : after.cause).message}`,
        );
        return;
      case 'failed':
        this.#ports.log('error', `engine: failed (${after.cause.code}): ${after.cause.message}`);
        return;
      case 'ready':
      case 'busy':
        if (before.kind === 'ready' || before.kind === 'busy') return;
        break;
      default:
    }
    this.#ports.log('info', `engine: ${after.kind}`);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'prepare':
        void this.#prepare(effect.run, effect.model);
        return;
      case 'spawn':
        if (this.#ports.beforeRestart !== undefined && isRestart(this.#state)) {
          void this.#respawn(effect.run, effect.model, this.#ports.beforeRestart);
        } else {
          this.#spawn(effect.run, effect.model);
        }
        return;
      case 'terminate':
        this.#end(effect.run, 'SIGTERM');
        return;
      case 'kill':
        this.#end(effect.run, 'SIGKILL');
        return;
      case 'cancel-requests':
        this.#preparing.abort();
        this.#off.abort();
        this.#off = new AbortController();
        return;
    }
  }

  // ── The process ─────────────────────────────────────────────────────────────────────────────────

  async #prepare(run: number, model: EngineModel): Promise<void> {
    this.#preparing.abort();
    const preparing = new AbortController();
    this.#preparing = preparing;
    let failure: Failure | null;
    try {
      failure = checkModel(model) ?? (await this.#ports.prepare?.(model, preparing.signal)) ?? null;
    } catch (error) {
      failure = explain({ kind: 'spawn', detail: String(error) });
    }
    // Never within the step that asked for it: whoever called start() sees `preparing` first.
    await Promise.resolve();
    if (preparing.signal.aborted) return;
    this.#dispatch(failure === null ? { kind: 'prepared', run } : { kind: 'refused', run, failure, logTail: [] });
  }

  /** Until the process exists, `terminate` ends the wait for it. */
  async #respawn(number: number, model: EngineModel, beforeRestart: NonNullable<SupervisorPorts['beforeRestart']>) {
    const clearing = new AbortController();
    this.#clearing = { run: number, abort: clearing };
    let failure: Failure | null;
    try {
      failure = await beforeRestart(clearing.signal);
    } catch (error) {
      failure = explain({ kind: 'spawn', detail: String(error) });
    }
    this.#clearing = null;
    if (clearing.signal.aborted) {
      const ended = explain({ kind: 'spawn', detail: 'turned off before it was started again' });
      this.#dispatch({ kind: 'exited', run: number, failure: ended, logTail: [] });
    } else if (failure === null) {
      this.#spawn(number, model);
    } else {
      this.#dispatch({ kind: 'refused', run: number, failure, logTail: this.#ring.tail() });
    }
  }

  #spawn(number: number, model: EngineModel): void {
    this.#ring = createLogRing();
    this.#metrics = null;
    let folder: SocketFolder | null = null;
    try {
      folder = (this.#ports.makeSocketFolder ?? makeSocketFolder)();
      const { socketPath } = folder;
      const { file, args } = this.#ports.command(model, socketPath);
      accessSync(file, constants.X_OK);
      const token = randomBytes(32).toString('hex');
      const env = engineEnvironment(this.#ports.environment ?? process.env, {
        token,
        cacheFolder: this.#ports.cacheFolder,
      });
      const ring = this.#ring;
      const budget = createLineBudget(LOG_LINES_PER_SECOND);
      const child = this.#ports.spawner.spawn(
        { file, args, env, folder: '/' },
        {
          onOutput: (piece) => this.#noteLines(ring.write(piece), budget),
          onExit: (exit) => {
            this.#noteLines(ring.end(), budget);
            this.#exited(run, exit);
          },
        },
      );
      const run: Run = {
        number,
        child,
        client: createEngineClient({ socketPath, token }),
        folder,
        over: new AbortController(),
        watch: watchFrom(this.#clock.nowMs()),
        connected: false,
        wasReady: false,
        reported: null,
        failure: null,
      };
      this.#run = run;
      void this.#listen(run);
      this.#check(run);
    } catch (error) {
      folder?.remove();
      const failure = explain(spawnBreakage(error));
      this.#dispatch({ kind: 'refused', run: number, failure, logTail: [] });
    }
  }

  #noteLines(lines: readonly string[], budget: ReturnType<typeof createLineBudget>): void {
    for (const line of lines) {
      const skipped = budget.admit(this.#clock.nowMs());
      if (skipped === null) continue;
      if (skipped > 0) this.#ports.log('warn', `engine: ${skipped} lines of output left out`);
      this.#ports.log('info', `engine: | ${line}`);
    }
  }

  #end(number: number, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#clearing?.run === number) return this.#clearing.abort.abort();
    const run = this.#run;
    if (run === null || run.number !== number) return;
    if (this.#state.kind === 'ending') run.failure ??= this.#state.failure;
    run.over.abort();
    run.child.signalGroup(signal);
  }

  #exited(run: Run, { exitCode, signal }: ChildExit): void {
    const tail = this.#ring.tail();
    run.failure ??= explain({
      kind: 'exit',
      exitCode,
      signal,
      wasReady: run.wasReady,
      tail,
      reported: run.reported,
    });
    run.over.abort();
    run.folder.remove();
    if (this.#run === run) {
      this.#run = null;
      this.#metrics = null;
      this.#cancelCheck?.();
      this.#cancelCheck = null;
    }
    this.#dispatch({ kind: 'exited', run: run.number, failure: run.failure, logTail: tail });
  }

  /** Follows the event stream for as long as the run lasts; it may break and be taken up again. */
  async #listen(run: Run): Promise<void> {
    const { signal } = run.over;
    while (!signal.aborted) {
      try {
        await run.client.watch(
          {
            onSnapshot: (snapshot) => this.#heard(run, snapshot),
            onComment: () => {
              run.watch = onNews(run.watch, this.#clock.nowMs());
            },
          },
          signal,
        );
      } catch (error) {
        if (run.connected && !signal.aborted) this.#ports.log('info', `engine: events broke off: ${String(error)}`);
      }
      await this.#pause(run.connected ? RECONNECT_MS : CONNECT_RETRY_MS, signal);
    }
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(delayMs, done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  #heard(run: Run, { metrics, error }: EngineSnapshot): void {
    if (run.over.signal.aborted) return;
    const first = !run.connected;
    run.connected = true;
    run.reported = error ?? run.reported;
    run.wasReady ||= metrics.phase === 'ready' || metrics.phase === 'busy';
    run.watch = onSnapshot(run.watch, metrics, this.#clock.nowMs());
    this.#metrics = metrics;
    const { loadedBytes, totalBytes } = metrics.load;
    this.#dispatch({ kind: 'reported', run: run.number, phase: metrics.phase, loadedBytes, totalBytes });
    // Counting waits for the first word, which need not change the state.
    if (first) for (const change of [...this.#changes]) change();
  }

  #check(run: Run): void {
    this.#cancelCheck = this.#clock.after(CHECK_EVERY_MS, () => {
      if (this.#run !== run) return;
      const { watch, wedge } = check(run.watch, this.#clock.nowMs(), this.#limits);
      run.watch = watch;
      if (wedge !== null) {
        const failure = explain({ kind: 'wedge', wedge, reported: run.reported } satisfies Breakage);
        this.#dispatch({ kind: 'condemned', run: run.number, failure });
      }
      if (!run.over.signal.aborted) this.#check(run);
    });
  }
}

function checkModel({ folder }: EngineModel): Failure | null {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return explain({ kind: 'no-model', folder });
  if (!statSync(join(folder, 'config.json'), { throwIfNoEntry: false })) return explain({ kind: 'no-config', folder });
  return null;
}

const isRestart = (state: State): boolean => state.kind === 'starting' && state.attempt > 1;

function spawnBreakage(error: unknown): Breakage {
  if (error instanceof SocketPathTooLong) return { kind: 'socket-path', path: error.path, bytes: error.bytes };
  const { syscall, path, message } = error as NodeJS.ErrnoException;
  if (syscall === 'access') return { kind: 'no-python', path: path ?? '' };
  if (syscall === 'mkdtemp') return { kind: 'socket-folder', detail: message };
  return { kind: 'spawn', detail: message };
}

// ── Errors ────────────────────────────────────────────────────────────────────────────────────────

const TRY_AGAIN = 'Send it again.';
const brokenBy = ({ message, nextStep }: { message: string; nextStep: string }): EngineError =>
  new EngineError('failed', message, nextStep);
const aborted = (): EngineError => new EngineError('aborted', 'The request was cancelled.', TRY_AGAIN);
export const stopped = (): EngineError =>
  new EngineError('stopped', 'The model was turned off.', 'Turn the model on and send it again.');
const turnedOff = (): EngineError => new EngineError('off', 'The model is off.', 'Turn the model on.');
