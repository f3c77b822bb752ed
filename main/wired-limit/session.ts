/**
 * Keeps the wired limit: performs what `state.ts` decides. Reads the limit, writes the journal, opens the one dialog,
 * watches the value while the user runs the command, and stands before every start of the engine.
 */
import type { WiredLimitAskedBy, WiredLimitPlan, WiredLimitState, WiredLimitWay } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import type { Failure } from '../engine/failure.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import type { Commands } from '../memory/commands.ts';
import { readMemory } from '../memory/reading.ts';
import { parseSwVers } from '../memory/sw-vers.ts';
import { parseSysctl } from '../memory/sysctl.ts';
import { KNOB, commandToRun } from './command.ts';
import type { Consent } from './consent.ts';
import type { ElevationOutcome, Elevator } from './elevator.ts';
import { type Journal, type JournalContent, type JournalEntry, entryFor, reconcile } from './journal.ts';
import {
  FIRST_MACOS,
  type ModelNeed,
  type WiredLimitReading,
  leastLimitMiB,
  mostLimitMiB,
  plan,
  refuseLimit,
} from './plan.ts';
import { type Effect, type Event, type State, initialState, step, toWiredLimitState } from './state.ts';
import { causeOfChange, causeOfPlan, refusalInWords } from './words.ts';

export interface WiredLimitPorts {
  readonly commands: Commands;
  readonly journal: Journal;
  readonly elevator: Elevator;
  readonly clock: Clock;
  readonly log: Log;
  /** What the chosen model takes, null when none is chosen. */
  readonly need: () => ModelNeed | null;
  /** Metal's working set under the present setting, null where it cannot be asked. */
  readonly askMetal: () => Promise<number | null>;
  /** False over SSH and without a login window: no dialog could appear, so the command itself is told. */
  readonly hasScreen: () => boolean;
  /** What the engine holds at this moment, to be taken off what is wired. */
  readonly engineActiveMiB: () => number;
  /** The app's own processes without the model. */
  readonly ownProcessesMiB: () => number;
  /** Ends every generation, keeping its text, and stops the engine. */
  readonly unloadEngine: () => Promise<void>;
  /** Starts the engine again if it runs, or at all when `evenIfOff`. */
  readonly startEngine: (options: { readonly evenIfOff: boolean }) => void;
}

export interface WiredLimit {
  readonly state: WiredLimitState;
  subscribe(listener: (state: WiredLimitState) => void): () => void;
  /** Reads anew. Null when this Mac cannot be read or no model is chosen. */
  plan(): Promise<WiredLimitPlan | null>;
  /** What a plan rests on, read anew, for any model. Null when this Mac cannot be read. Changes nothing. */
  reading(): Promise<WiredLimitReading | null>;
  /**
   * The engine's check before a start. When the limit does not do, the user is asked in the window and the start fails
   * with the reason: nothing here opens a dialog.
   */
  prepare(askedBy: WiredLimitAskedBy, need: ModelNeed): Promise<Failure | null>;
  /** Returns when it has begun. Throws AppFault (refused). */
  raise(consent: Consent, wanted: { readonly limitMiB: number; readonly by: WiredLimitWay }): Promise<void>;
  /**
   * Over SSH: what the model waits for, or what the last try was to set, is noted and watched for, without a click:
   * it opens nothing and changes nothing. The command to show; null when nothing is wanted.
   */
  watchByHand(): Promise<string | null>;
  /** Throws AppFault (refused) for a limit that this Mac should not have. */
  checkLimit(limitMiB: number): Promise<void>;
  /** "Put everything back": unloads, restores, verifies, clears the journal. Throws AppFault (refused). */
  restore(consent: Consent, by: WiredLimitWay): void;
  /** Not now; take the dialog away; understood. */
  cancel(): void;
  /** The next start goes without the raise that was asked for. Throws AppFault (refused) where the weights do not fit. */
  startAnyway(consent: Consent): void;
  /** Stops watching and takes an open dialog away. The limit stays as it is, and so does the journal. */
  dispose(): Promise<void>;
}

/** How often the value is read while the user runs the command. */
export const WATCH_EVERY_MS = 2_000;
const DISPOSE_WITHIN_MS = 2_000;

/** Where MLX does not run, or there is no limit to raise. */
export function noWiredLimit(why: string): WiredLimit {
  const refuse = (): never => {
    throw new AppFault('refused', `There is no wired limit to change: ${why}.`, 'Nothing needs to be done.');
  };
  return {
    state: { kind: 'not-needed', why },
    subscribe: () => () => {},
    plan: () => Promise.resolve(null),
    reading: () => Promise.resolve(null),
    prepare: () => Promise.resolve(null),
    raise: refuse,
    watchByHand: () => Promise.resolve(null),
    checkLimit: refuse,
    restore: refuse,
    cancel: () => {},
    startAnyway: refuse,
    dispose: () => Promise.resolve(),
  };
}

/** Reads the limit and what an earlier run left before it returns. Never opens a dialog. */
export async function openWiredLimit(ports: WiredLimitPorts): Promise<WiredLimit> {
  const session = new Session(ports);
  await session.look({ isFirst: true, need: null });
  return session;
}

/** What one reading of the Mac says about the limit. */
interface Found {
  readonly settingMiB: number;
  readonly memoryMiB: number;
  readonly wiredMiB: number;
  readonly bootId: string;
  readonly macosMajor: number;
  /** When in the session's life it was taken. */
  readonly turn: number;
}

class Session implements WiredLimit {
  readonly #ports: WiredLimitPorts;
  readonly #listeners = new Set<(state: WiredLimitState) => void>();
  #state: State = initialState;
  #projected: WiredLimitState = toWiredLimitState(initialState);
  #macosMajor: number | null = null;
  /** Metal's word on macOS's own choice; it changes only with macOS. */
  #defaultMiB: number | null = null;
  /** Aborted to take the dialog away or to stop watching. */
  #waiting = new AbortController();
  /** Effects under way: dispose waits for them. */
  readonly #running = new Set<Promise<void>>();
  #goesWithout = false;
  #wroteJournal = false;
  /** Counts the changes of state. */
  #turn = 0;
  /** Found while planning; told at the next look. Reading has moved the file away already. */
  #damaged: JournalContent | null = null;
  #disposed = false;

  constructor(ports: WiredLimitPorts) {
    this.#ports = ports;
  }

  get state(): WiredLimitState {
    return this.#projected;
  }

  subscribe(listener: (state: WiredLimitState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async plan(): Promise<WiredLimitPlan | null> {
    const need = this.#ports.need();
    const found = await this.#findSteady();
    // An open question stays open; everything else is brought up to date.
    if (found !== null && this.#state.kind !== 'asking') this.#look(found, { isFirst: false, need: null });
    return need === null || found === null ? null : this.#planFor(found, need);
  }

  async prepare(askedBy: WiredLimitAskedBy, need: ModelNeed): Promise<Failure | null> {
    const goesWithout = this.#goesWithout;
    this.#goesWithout = false;
    for (;;) {
      if (this.#state.kind === 'working') {
        const { during, by, toMiB } = this.#state;
        return { cause: causeOfChange(during, by === 'myself' ? commandToRun(toMiB) : null), retry: false };
      }
      const found = await this.#findSteady();
      // A Mac that cannot be read is no reason to refuse: the engine has its own words for running out of memory.
      if (found === null) return null;
      const made = await this.#planFor(found, need);
      // Asking Metal takes a while, too.
      if (found.turn !== this.#turn) continue;
      return this.#judge(found, made, { askedBy, goesWithout });
    }
  }

  #judge(
    found: Found,
    made: WiredLimitPlan,
    start: { readonly askedBy: WiredLimitAskedBy; readonly goesWithout: boolean },
  ): Failure | null {
    const wantsRaise = made.verdict.kind === 'raise' || made.verdict.kind === 'capped';
    if (wantsRaise && start.goesWithout && made.canStartAnyway) {
      this.#look(found, { isFirst: false, need: null });
      return null;
    }
    const need = wantsRaise ? { plan: made, askedBy: start.askedBy } : null;
    this.#look(found, { isFirst: false, need });
    switch (made.verdict.kind) {
      case 'none-needed':
      case 'respected-other-tool':
        return null;
      case 'raise':
      case 'capped':
      case 'ram-too-small':
      case 'macos-too-old':
        return { cause: causeOfPlan(made, { canAsk: this.#ports.hasScreen() }), retry: false };
    }
  }

  async raise(consent: Consent, wanted: { readonly limitMiB: number; readonly by: WiredLimitWay }): Promise<void> {
    this.#spend(consent);
    const { limitMiB, by } = wanted;
    const found = await this.#findAllowed(limitMiB);
    this.#refuseWhileWorking();
    this.#dispatch({ kind: 'raise', by, fromMiB: found.settingMiB, toMiB: limitMiB });
  }

  async watchByHand(): Promise<string | null> {
    const wanted = wantedOf(this.#state);
    if (wanted === null || this.#disposed) return null;
    const found = await this.#findSteady();
    // While it was read somebody else may have answered.
    if (found === null || wantedOf(this.#state) !== wanted) return null;
    this.#dispatch({ kind: 'raise', by: 'myself', fromMiB: found.settingMiB, toMiB: wanted });
    return commandToRun(wanted);
  }

  async checkLimit(limitMiB: number): Promise<void> {
    await this.#findAllowed(limitMiB);
  }

  async #findAllowed(limitMiB: number): Promise<Found> {
    const found = await this.#findSteady();
    if (found === null) {
      throw new AppFault('refused', 'The limit of this Mac cannot be read.', 'Try again in a moment.');
    }
    const { memoryMiB, settingMiB } = found;
    const refusal = refuseLimit(limitMiB, memoryMiB, settingMiB);
    if (refusal !== null) {
      const bounds = { leastMiB: leastLimitMiB(memoryMiB), mostMiB: mostLimitMiB(memoryMiB), settingMiB };
      throw new AppFault('refused', ...refusalInWords(refusal, bounds));
    }
    return found;
  }

  restore(consent: Consent, by: WiredLimitWay): void {
    this.#spend(consent);
    this.#refuseWhileWorking();
    const before = this.#state;
    this.#dispatch({ kind: 'restore', by });
    if (this.#state === before) {
      throw new AppFault('refused', 'There is nothing to put back.', 'The limit is as it was before Headroom.');
    }
  }

  cancel(): void {
    this.#dispatch({ kind: 'cancel' });
  }

  startAnyway(consent: Consent): void {
    this.#spend(consent);
    const { state } = this;
    if (state.kind !== 'asking' || !state.plan.canStartAnyway) {
      throw new AppFault(
        'refused',
        'Without a higher limit the model’s weights do not fit.',
        'Raise the limit, or choose a smaller model.',
      );
    }
    this.#goesWithout = true;
    this.#dispatch({ kind: 'cancel' });
    this.#ports.startEngine({ evenIfOff: true });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#waiting.abort();
    // sudo-prompt's dialog cannot be taken away; it may outlive us, the journal knows of it.
    const late = new AbortController();
    const pause = this.#pause(DISPOSE_WITHIN_MS, late.signal);
    await Promise.race([Promise.all(this.#running), pause]);
    late.abort();
    this.#listeners.clear();
  }

  /** Reads and compares; `look` of an unreadable Mac says so. */
  async look(asked: Pick<Extract<Event, { kind: 'looked' }>, 'isFirst' | 'need'>): Promise<void> {
    const found = await this.#findSteady();
    if (found === null) this.#dispatch({ kind: 'unreadable', detail: `sysctl ${KNOB} gave no answer` });
    else if (found.macosMajor < FIRST_MACOS) this.#dispatch({ kind: 'not-needed', why: 'MLX needs macOS 14 or newer' });
    else this.#look(found, asked);
  }

  #look(found: Found, asked: Pick<Extract<Event, { kind: 'looked' }>, 'isFirst' | 'need'>): void {
    const { settingMiB, bootId } = found;
    let left;
    try {
      left = reconcile(this.#readJournal(), settingMiB, bootId);
      this.#damaged = null;
    } catch (error) {
      // The file is there and cannot be opened. Nothing is known, so nothing is claimed.
      this.#ports.log('error', `wired limit: the journal cannot be opened: ${String(error)}`);
      return;
    }
    this.#dispatch({ kind: 'looked', settingMiB, left, wroteJournal: this.#wroteJournal, ...asked });
  }

  #spend(consent: Consent): void {
    if (!consent.spend()) {
      throw new AppFault('refused', 'This takes a click of its own.', 'Click again.');
    }
  }

  #refuseWhileWorking(): void {
    if (this.#disposed) throw new AppFault('refused', 'Headroom is quitting.', 'Open it again.');
    if (this.#state.kind === 'working') {
      throw new AppFault('refused', 'The limit is being changed already.', 'Answer the macOS dialog, or cancel it.');
    }
    if (this.#state.kind === 'not-needed') {
      throw new AppFault('refused', `There is no wired limit to change: ${this.#state.why}.`, 'Nothing to do.');
    }
  }

  // ── Readings ────────────────────────────────────────────────────────────────────────────────────

  /**
   * A reading that began before a change and ends after it would be taken for a change back, and the journal be cleared
   * for it. So the state must have stood still while it was taken.
   */
  async #findSteady(): Promise<Found | null> {
    for (;;) {
      const turn = this.#turn;
      const found = await this.#find(turn);
      if (turn === this.#turn) return found;
    }
  }

  async #find(turn: number): Promise<Found | null> {
    const [reading, macosMajor] = await Promise.all([readMemory(this.#ports.commands), this.#macos()]);
    if (reading === null || reading.boot === null || macosMajor === null) return null;
    // Before macOS 14 the limit has another name, which is nobody's business here.
    const settingMiB = reading.wiredLimitMiB ?? (macosMajor < FIRST_MACOS ? 0 : null);
    if (settingMiB === null) return null;
    const MiB = 1_048_576;
    const wiredMiB = reading.wiredBytes === null ? TYPICAL_WIRED_MIB : Math.round(reading.wiredBytes / MiB);
    return {
      settingMiB,
      memoryMiB: Math.floor(reading.totalBytes / MiB),
      wiredMiB,
      bootId: reading.boot.id,
      macosMajor,
      turn,
    };
  }

  async #macos(): Promise<number | null> {
    if (this.#macosMajor !== null) return this.#macosMajor;
    const { stdout } = await this.#ports.commands.run('sw_vers', []);
    this.#macosMajor = parseSwVers(stdout)?.major ?? null;
    return this.#macosMajor;
  }

  async reading(): Promise<WiredLimitReading | null> {
    const found = await this.#find(this.#turn);
    return found === null ? null : this.#readingOf(found);
  }

  #readingOf(found: Found): WiredLimitReading {
    const ports = this.#ports;
    const journal = this.#readJournalQuietly();
    return {
      memoryMiB: found.memoryMiB,
      macosMajor: found.macosMajor,
      settingMiB: found.settingMiB,
      workingSetMiB: this.#defaultMiB,
      ourValuesMiB: journal?.bootId === found.bootId ? journal.ourValuesMiB : [],
      wiredBeforeLoadMiB: Math.max(0, found.wiredMiB - ports.engineActiveMiB()),
      ownProcessesMiB: ports.ownProcessesMiB(),
    };
  }

  async #planFor(found: Found, need: ModelNeed): Promise<WiredLimitPlan> {
    const reading = this.#readingOf(found);
    const made = plan(reading, need);
    // Metal's own word costs a process; it is worth it only where recorded values would make us ask, or nearly.
    if (made.limitFrom !== 'recorded' || made.needMiB < found.memoryMiB / 2) return made;
    this.#defaultMiB = await this.#ports.askMetal();
    return this.#defaultMiB === null ? made : plan({ ...reading, workingSetMiB: this.#defaultMiB }, need);
  }

  #readJournal(): JournalContent {
    const content = this.#ports.journal.read();
    if (content.kind === 'damaged') this.#damaged = content;
    return content.kind === 'none' && this.#damaged !== null ? this.#damaged : content;
  }

  #readJournalQuietly(): JournalEntry | null {
    try {
      const content = this.#readJournal();
      return content.kind === 'entry' ? content.entry : null;
    } catch {
      return null;
    }
  }

  async #readSetting(): Promise<number | null> {
    const { stdout } = await this.#ports.commands.run('sysctl', [KNOB]);
    const value = parseSysctl(stdout).values.get(KNOB) ?? '';
    return /^\d{1,9}$/.test(value) ? Number(value) : null;
  }

  // ── State ───────────────────────────────────────────────────────────────────────────────────────

  #dispatch(event: Event): void {
    const { state, effects } = step(this.#state, event);
    if (state !== this.#state) this.#turn += 1;
    this.#state = state;
    const projected = toWiredLimitState(state);
    // Inner steps (journal, dialog) look the same from outside.
    if (JSON.stringify(projected) !== JSON.stringify(this.#projected)) {
      this.#projected = projected;
      this.#logChange();
      for (const listener of [...this.#listeners]) listener(projected);
    }
    for (const effect of effects) this.#perform(effect);
  }

  #logChange(): void {
    const now = this.#projected;
    switch (now.kind) {
      case 'trouble':
        this.#ports.log('warn', `wired limit: ${now.cause.code}: ${now.cause.message}`);
        return;
      case 'raising':
      case 'restoring':
      case 'verifying':
        this.#ports.log('info', `wired limit: ${now.kind} ${now.fromMiB} -> ${now.toMiB} MiB`);
        return;
      case 'idle':
      case 'raised':
        this.#ports.log('info', `wired limit: ${now.kind}, ${now.settingMiB} MiB`);
        return;
      case 'asking':
        this.#ports.log('info', `wired limit: asking the user (${now.askedBy}), ${now.plan.needMiB} MiB needed`);
        return;
      case 'not-needed':
        this.#ports.log('info', `wired limit: not needed: ${now.why}`);
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'write-journal':
        this.#run(() => this.#writeJournal(effect.fromMiB, effect.toMiB));
        return;
      case 'write-lost-journal':
        this.#run(() => this.#writeLostJournal(effect.settingMiB));
        return;
      case 'mark-journal':
        try {
          this.#ports.journal.write(effect.entry);
        } catch (error) {
          this.#ports.log('warn', `wired limit: the journal could not be marked: ${String(error)}`);
        }
        return;
      case 'clear-journal':
        try {
          this.#ports.journal.clear();
        } catch (error) {
          // It says where the limit already is; the next start finds it so and tries again.
          this.#ports.log('warn', `wired limit: the journal could not be cleared: ${String(error)}`);
        }
        return;
      case 'unload':
        this.#run(async () => {
          await this.#ports.unloadEngine();
          this.#dispatch({ kind: 'unloaded' });
        });
        return;
      case 'read':
        this.#run(async () => {
          const settingMiB = await this.#readSetting();
          if (settingMiB === null) this.#dispatch({ kind: 'unreadable', detail: `sysctl ${KNOB} gave no answer` });
          else this.#dispatch({ kind: 'read', settingMiB });
        });
        return;
      case 'elevate':
        this.#waiting = new AbortController();
        this.#run(async () => {
          const outcome = await this.#ports.elevator.setLimitMiB(effect.toMiB, this.#waiting.signal);
          this.#dispatch({ kind: 'elevated', outcome });
        });
        return;
      case 'watch':
        this.#waiting = new AbortController();
        this.#run(async () => {
          const outcome = await this.#watch(effect.fromMiB, this.#waiting.signal);
          this.#dispatch({ kind: 'elevated', outcome });
        });
        return;
      case 'stop-waiting':
        this.#waiting.abort();
        return;
      case 'start-engine':
        if (!this.#disposed) this.#ports.startEngine({ evenIfOff: effect.evenIfOff });
        return;
    }
  }

  /** An effect that throws is a bug; it must not leave the state hanging either. */
  #run(effect: () => Promise<void>): void {
    const running = effect().catch((error: unknown) => {
      this.#ports.log(
        'error',
        `wired limit: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      this.#dispatch({ kind: 'unreadable', detail: 'Headroom made a mistake, see the log' });
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  async #writeJournal(fromMiB: number, toMiB: number): Promise<void> {
    const { journal, commands, clock } = this.#ports;
    try {
      const boot = (await readMemory(commands))?.boot ?? null;
      if (boot === null) throw new Error('the boot session could not be read');
      const content = journal.read();
      const before = content.kind === 'entry' ? content.entry : null;
      const entry = entryFor(before, { currentMiB: fromMiB, toMiB, bootId: boot.id, nowMs: clock.nowMs() });
      journal.write(entry);
      this.#wroteJournal = true;
      this.#dispatch({ kind: 'journaled', originalMiB: entry.originalMiB });
    } catch (error) {
      this.#dispatch({ kind: 'journal-failed', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  async #writeLostJournal(settingMiB: number): Promise<void> {
    const { journal, commands, clock } = this.#ports;
    const boot = (await readMemory(commands))?.boot ?? null;
    if (boot === null) return;
    journal.write({
      originalMiB: 0,
      ourValuesMiB: [settingMiB],
      bootId: boot.id,
      atMs: clock.nowMs(),
      seenBack: false,
    });
  }

  async #watch(fromMiB: number, signal: AbortSignal): Promise<ElevationOutcome> {
    while (!signal.aborted) {
      const settingMiB = await this.#readSetting();
      // Whatever it is now: waiting on would leave the user alone with a mistyped number.
      if (settingMiB !== null && settingMiB !== fromMiB) return { kind: 'done' };
      await this.#pause(WATCH_EVERY_MS, signal);
    }
    return { kind: 'cancelled' };
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#ports.clock.after(delayMs, done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}

/** The limit that a refused start, or a raise that came to nothing, is about. */
function wantedOf(state: State): number | null {
  if (state.kind === 'trouble') return state.during === 'raise' ? state.wantedMiB : null;
  if (state.kind !== 'asking') return null;
  const { verdict } = state.plan;
  return verdict.kind === 'raise' || verdict.kind === 'capped' ? verdict.toMiB : null;
}

/** Wired by a 16 GB Mac without a model, where vm_stat does not say. */
const TYPICAL_WIRED_MIB = 2_488;
