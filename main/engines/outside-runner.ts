/**
 * Makes of an engine that others made one like the bundled one: the same states, the same queue for one slot, the same
 * errors. One that was started here and died is started again by the bundled engine's rule and limits; a server that
 * others started is theirs to restart.
 */
import type { EngineState } from '../../preload/contract.ts';
import { nextRestart } from '../engine/backoff.ts';
import type { Clock } from '../engine/clock.ts';
import {
  type Engine,
  EngineError,
  type EngineMetrics,
  type EngineModel,
  type GenerationEvent,
  type GenerationRequest,
  type PromptRequest,
} from '../engine/engine.ts';
import type { Failure } from '../engine/failure.ts';
import { Slot, turnOf } from '../engine/slot.ts';
import type { Log } from '../log/log.ts';
import {
  type LoadOptions,
  type Loss,
  type OutsideEngine,
  type OutsideModel,
  outsideMetrics,
} from './outside-engine.ts';

export interface OutsideRunnerPorts {
  /** The engine and the model behind an id. Rejects with EngineError where either is gone. */
  readonly find: (id: string, signal: AbortSignal) => Promise<{ engine: OutsideEngine; model: OutsideModel }>;
  /** Runs before every load: memory and wired limit. Returns why the model cannot be loaded, or null. */
  readonly prepare: (model: EngineModel, signal: AbortSignal) => Promise<Failure | null>;
  /** Runs before every restart; see the supervisor's port of this name. */
  readonly beforeRestart?: (signal: AbortSignal) => Promise<Failure | null>;
  readonly contextTokens: (model: OutsideModel) => number;
  /** What the GPU may hold now; null where nothing limits it. */
  readonly gpuLimitBytes: () => Promise<number | null>;
  readonly clock: Clock;
  readonly log: Log;
}

/** macOS takes a good part of a second to look at every process, and what these engines hold changes little. */
const FOOTPRINT_EVERY_MS = 10_000;
const CODE = 'outside-engine';
const STARTED_AGAIN = 'Nothing to do: it is started again. If this repeats, look at the log.';
const NEVER = new AbortController().signal;
const STOP_SHOWN_MS = 15_000;
/** Ollama and LM Studio say nothing while they read a prompt, and a long one takes minutes. */
const SILENCE_MS = 10 * 60_000;

interface Loaded {
  readonly engine: OutsideEngine;
  readonly model: OutsideModel;
  readonly options: LoadOptions;
}

type State =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting'; readonly model: EngineModel }
  | ({ readonly kind: 'on' } & Loaded)
  /** It broke and is started again soon; `cancel` takes that back. */
  | { readonly kind: 'waiting'; readonly model: EngineModel; readonly cancel: () => void }
  | { readonly kind: 'stopping'; readonly done: Promise<void> }
  | { readonly kind: 'failed'; readonly model: EngineModel };

export class OutsideRunner implements Engine {
  readonly #ports: OutsideRunnerPorts;
  readonly #slot = new Slot();
  readonly #listeners = new Set<(state: EngineState) => void>();
  readonly #changes = new Set<() => void>();
  #inner: State = { kind: 'off' };
  #shown: EngineState = { kind: 'off' };
  #metrics: EngineMetrics | null = null;
  #starting: { readonly folder: string; readonly done: Promise<void> } | null = null;
  /** Aborted when the model is turned off; a new one takes its place. */
  #off = new AbortController();
  #cancelFootprint: (() => void) | null = null;
  /** Epoch times, oldest first. A click begins anew. */
  #restartsMs: readonly number[] = [];
  #tail: () => readonly string[] = () => [];

  constructor(ports: OutsideRunnerPorts) {
    this.#ports = ports;
  }

  get state(): EngineState {
    return this.#shown;
  }

  get metrics(): EngineMetrics | null {
    return this.#metrics;
  }

  subscribe(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  logTail(): readonly string[] {
    return this.#tail();
  }

  async start(model: EngineModel): Promise<void> {
    if (this.#starting?.folder === model.folder) return this.#starting.done;
    if (this.#inner.kind === 'on' && this.#inner.model.id === model.folder) return;
    // Whoever asks while it waits for its restart gets that.
    if (this.#inner.kind === 'waiting' && this.#inner.model.folder === model.folder) return this.#untilOn();
    if (this.#inner.kind !== 'off' && this.#inner.kind !== 'failed') await this.stop();
    this.#restartsMs = [];
    await this.#starts(model, this.#load(model, this.#off.signal));
  }

  async #untilOn(): Promise<void> {
    const off = this.#off.signal;
    while (this.#inner.kind !== 'on') {
      this.#refuse(NEVER, off);
      await this.#change(off);
    }
  }

  /** Whoever starts or stops meanwhile finds it on its way. */
  async #starts(model: EngineModel, done: Promise<void>): Promise<void> {
    const starting = { folder: model.folder, done };
    this.#starting = starting;
    try {
      await done;
    } finally {
      if (this.#starting === starting) this.#starting = null;
    }
  }

  /** These engines take their context when they load: a ceiling that was raised since needs another load. */
  async #reload({ engine, model }: Loaded): Promise<void> {
    const asked = { folder: model.id, name: model.name };
    const off = this.#off.signal;
    this.#cancelFootprint?.();
    this.#set({ kind: 'starting', model: asked }, { kind: 'preparing', sinceMs: this.#ports.clock.nowMs() });
    await this.#starts(
      asked,
      engine.unload(model).then(() => this.#load(asked, off)),
    );
  }

  async #load(asked: EngineModel, off: AbortSignal): Promise<void> {
    this.#set({ kind: 'starting', model: asked }, { kind: 'preparing', sinceMs: this.#ports.clock.nowMs() });
    const beganMs = this.#ports.clock.nowMs();
    let found: { engine: OutsideEngine; model: OutsideModel } | null = null;
    try {
      const refused = await this.#ports.prepare(asked, off);
      if (refused !== null) throw new EngineError('failed', refused.cause.message, refused.cause.nextStep);
      if (off.aborted) throw stopped();
      found = await this.#ports.find(asked.folder, off);
      const { engine, model } = found;
      this.#tail = () => engine.logTail();
      const options = {
        contextTokens: this.#ports.contextTokens(model),
        gpuLimitBytes: await this.#ports.gpuLimitBytes(),
      };
      if (off.aborted) throw stopped();
      const totalBytes = model.weightsBytes ?? model.sizeBytes ?? 0;
      this.#show({ kind: 'loading', sinceMs: this.#ports.clock.nowMs(), loadedBytes: 0, totalBytes });
      await engine.load(model, options, off, (loss) => this.#lost(asked, model, loss));
      if (off.aborted) {
        await engine.unload(model);
        throw stopped();
      }
      const seconds = (this.#ports.clock.nowMs() - beganMs) / 1_000;
      const bytes = (await engine.footprintBytes(model)) ?? totalBytes;
      if (off.aborted) throw stopped();
      this.#metrics = outsideMetrics(bytes, bytes, { loadedBytes: totalBytes, totalBytes, seconds }, false);
      this.#set({ kind: 'on', engine, model, options }, { kind: 'ready', sinceMs: this.#ports.clock.nowMs() });
      this.#watchFootprint();
      this.#ports.log('info', `engine: ready in ${engine.name}`);
    } catch (error) {
      if (off.aborted) throw stopped();
      const told = error instanceof EngineError ? error : unforeseen(error);
      this.#fail(asked, { message: told.message, nextStep: told.nextStep });
      throw told;
    }
  }

  async stop(): Promise<void> {
    const before = this.#inner;
    if (before.kind === 'stopping') return before.done;
    this.#off.abort();
    this.#off = new AbortController();
    this.#cancelFootprint?.();
    this.#cancelFootprint = null;
    if (before.kind === 'off') return;
    const starting = this.#starting?.done;
    const nowMs = this.#ports.clock.nowMs();
    const done = (async () => {
      if (before.kind === 'on') await before.engine.unload(before.model);
      if (before.kind === 'waiting') before.cancel();
      await starting?.catch(() => undefined);
      this.#metrics = null;
      this.#set({ kind: 'off' }, { kind: 'off' });
    })();
    this.#set({ kind: 'stopping', done }, { kind: 'stopping', sinceMs: nowMs, deadlineMs: nowMs + STOP_SHOWN_MS });
    await done;
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.#listeners.clear();
  }

  async *generate(
    request: GenerationRequest,
    { signal, priority, atTurn }: Parameters<Engine['generate']>[1],
  ): AsyncGenerator<GenerationEvent> {
    const off = this.#off.signal;
    const ended = AbortSignal.any([signal, off]);
    this.#refuse(signal, off);
    const ticket = this.#slot.enter(priority);
    // At once, and not when the reader looks next: a program that hung up may never do so.
    ended.addEventListener('abort', ticket.release, { once: true });
    try {
      yield* turnOf(ticket, ended, () => this.#refuse(signal, off));
      if (this.#inner.kind !== 'on') yield { kind: 'waiting', for: 'engine', ahead: 0 };
      while (this.#inner.kind !== 'on') {
        this.#refuse(signal, off);
        await this.#change(ended);
      }
      if (this.#ports.contextTokens(this.#inner.model) > this.#inner.options.contextTokens) {
        const before = this.#inner;
        yield { kind: 'waiting', for: 'engine', ahead: 0 };
        await this.#reload(before);
        this.#refuse(signal, off);
        if (this.#inner.kind !== 'on') throw stopped();
      }
      const loaded = this.#inner;
      if (atTurn !== undefined) {
        await atTurn();
        this.#refuse(signal, off);
      }
      yield* this.#answer(loaded, request, signal, off);
    } finally {
      ended.removeEventListener('abort', ticket.release);
      ticket.release();
    }
  }

  async *#answer(
    { engine, model, options }: Loaded,
    request: GenerationRequest,
    signal: AbortSignal,
    off: AbortSignal,
  ): AsyncGenerator<GenerationEvent> {
    // Also when the reader goes away without a word: closing the connection is what stops the engine.
    const gone = new AbortController();
    const ended = AbortSignal.any([signal, off, gone.signal]);
    let isSilent = false;
    let cancelSilence: () => void = () => undefined;
    const heard = (): void => {
      cancelSilence();
      cancelSilence = this.#ports.clock.after(SILENCE_MS, () => {
        isSilent = true;
        gone.abort();
      });
    };
    this.#show({ kind: 'busy', sinceMs: this.#ports.clock.nowMs() });
    try {
      heard();
      for await (const event of engine.chat(model, request, options, ended)) {
        // A reader that takes its time is no silence of the engine's.
        cancelSilence();
        yield event;
        heard();
      }
      this.#refuse(signal, off);
      if (isSilent) {
        throw new EngineError('failed', `${engine.name} has said nothing for ten minutes.`, `Restart ${engine.name}.`);
      }
    } catch (error) {
      if (signal.aborted) throw aborted();
      if (off.aborted) throw stopped();
      throw error;
    } finally {
      cancelSilence();
      gone.abort();
      if (this.#inner.kind === 'on') this.#show({ kind: 'ready', sinceMs: this.#ports.clock.nowMs() });
    }
  }

  async count(request: PromptRequest, signal: AbortSignal): Promise<number> {
    return (await this.counted(request, signal)) ?? guessedTokens(request);
  }

  /** By the engine's own tokenizer; null where it has none to ask. */
  async counted(request: PromptRequest, signal: AbortSignal): Promise<number | null> {
    const off = this.#off.signal;
    this.#refuse(signal, off);
    const ended = AbortSignal.any([signal, off]);
    while (this.#inner.kind !== 'on') {
      await this.#change(ended);
      this.#refuse(signal, off);
    }
    const { engine, model } = this.#inner;
    try {
      return await engine.count(model, request, ended);
    } catch (error) {
      this.#refuse(signal, off);
      throw error;
    }
  }

  /** What another program keeps is its own affair. */
  dropCaches(): Promise<void> {
    return Promise.resolve();
  }

  calibrate(): Promise<null> {
    return Promise.resolve(null);
  }

  // ── State ───────────────────────────────────────────────────────────────────────────────────────

  #lost(asked: EngineModel, model: OutsideModel, loss: Loss): void {
    if (this.#inner.kind !== 'on' || this.#inner.model.id !== model.id) return;
    this.#cancelFootprint?.();
    const nowMs = this.#ports.clock.nowMs();
    const verdict = loss.mayRestart === true ? nextRestart(this.#restartsMs, nowMs) : null;
    if (verdict?.kind === 'restart') {
      this.#restartsMs = verdict.restartsMs;
      this.#metrics = null;
      this.#ports.log('warn', `engine: ${loss.message} It is started again`);
      const cancel = this.#ports.clock.after(verdict.delayMs, () => void this.#restart(asked));
      const cause = { code: CODE, message: loss.message, nextStep: STARTED_AGAIN };
      const retryAtMs = nowMs + verdict.delayMs;
      this.#set(
        { kind: 'waiting', model: asked, cancel },
        { kind: 'waiting', attempt: verdict.number + 1, retryAtMs, cause },
      );
      return;
    }
    const again = verdict === null ? '' : ` It was restarted ${this.#restartsMs.length} times and ended again.`;
    this.#fail(asked, { message: loss.message + again, nextStep: loss.nextStep });
  }

  async #restart(asked: EngineModel): Promise<void> {
    const off = this.#off.signal;
    const again = async (): Promise<void> => {
      const refused = (await this.#ports.beforeRestart?.(off)) ?? null;
      if (off.aborted) throw stopped();
      if (refused === null) return this.#load(asked, off);
      this.#fail(asked, refused.cause);
    };
    // Its failure is the state's; whoever waits for the engine reads it there.
    await this.#starts(asked, again()).catch(() => undefined);
  }

  #fail(asked: EngineModel, { message, nextStep }: Loss): void {
    this.#metrics = null;
    this.#ports.log('error', `engine: failed: ${message}`);
    const cause = { code: CODE, message, nextStep };
    this.#set({ kind: 'failed', model: asked }, { kind: 'failed', cause, logTail: this.#tail() });
  }

  /** Throws when there is no point in waiting any longer. */
  #refuse(signal: AbortSignal, off: AbortSignal): void {
    if (signal.aborted) throw aborted();
    if (off.aborted) throw stopped();
    const shown = this.#shown;
    if (shown.kind === 'failed') throw new EngineError('failed', shown.cause.message, shown.cause.nextStep);
    if (this.#inner.kind === 'off' || this.#inner.kind === 'stopping') {
      throw new EngineError('off', 'The model is off.', 'Turn the model on.');
    }
  }

  #watchFootprint(): void {
    this.#cancelFootprint?.();
    this.#cancelFootprint = this.#ports.clock.after(FOOTPRINT_EVERY_MS, () => void this.#readFootprint());
  }

  async #readFootprint(): Promise<void> {
    const before = this.#inner;
    if (before.kind !== 'on') return;
    const bytes = await before.engine.footprintBytes(before.model);
    if (this.#inner !== before) return;
    if (bytes !== null && this.#metrics !== null) {
      const peakBytes = Math.max(bytes, this.#metrics.memory.peakBytes);
      this.#metrics = outsideMetrics(bytes, peakBytes, this.#metrics.load, this.#shown.kind === 'busy');
    }
    this.#watchFootprint();
  }

  #set(inner: State, shown: EngineState): void {
    this.#inner = inner;
    this.#show(shown);
  }

  #show(shown: EngineState): void {
    this.#shown = shown;
    for (const change of [...this.#changes]) change();
    for (const listener of [...this.#listeners]) {
      try {
        listener(shown);
      } catch (error) {
        this.#ports.log('error', `engine: a listener threw: ${String(error)}`);
      }
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#changes.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#changes.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

/** A token is some four characters of English; for showing, never for refusing. */
const CHARACTERS_A_TOKEN = 4;
/** The longest token of gpt-oss's vocabulary (128 spaces): fewer tokens than this cannot be. */
const MOST_CHARACTERS_A_TOKEN = 128;

const characters = ({ messages }: PromptRequest): number =>
  messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);

const guessedTokens = (request: PromptRequest): number => Math.ceil(characters(request) / CHARACTERS_A_TOKEN);
/** What a prompt takes at the very least: what is refused by it is certain not to fit. */
export const leastTokens = (request: PromptRequest): number => Math.ceil(characters(request) / MOST_CHARACTERS_A_TOKEN);

const aborted = (): EngineError => new EngineError('aborted', 'The request was cancelled.', 'Send it again.');
const stopped = (): EngineError =>
  new EngineError('stopped', 'The model was turned off.', 'Turn the model on and send it again.');
const unforeseen = (error: unknown): EngineError =>
  new EngineError('failed', `The engine could not be started: ${String(error)}`, 'Try again.');
