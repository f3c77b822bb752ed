/**
 * Watches memory and acts: performs what protection.ts, borrowed.ts and wired-baseline.ts decide, tells what was done
 * and lets the user overrule it.
 */
import type { EngineState, MemorySample, ProtectionState, ProtectionStep, Settings } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import type { Engine, GenerationUsage } from '../engine/engine.ts';
import type { Failure } from '../engine/failure.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { LENDING_POLICY, comesBack, lends } from './borrowed.ts';
import { type DecodeMark, currentRate, usualRate, withMark, withRate } from './decode-rate.ts';
import type { MemoryMonitor } from './monitor.ts';
import {
  PROTECTION_POLICY,
  type ProtectionAction,
  type ProtectionSample,
  type ProtectionStage,
  numbersOf,
  protect,
  undone,
} from './protection.ts';
import { ENDED_WORDS, type Words, promptRefusal, startRefusal, wiredLeftWords, wordsOf } from './protection-words.ts';
import { type Release, judgeRelease } from './wired-baseline.ts';
import type { WiredLeft, WiredLeftMemory } from './wired-left-file.ts';

/** While memory is short. A prompt of this length reads in some hundred MiB of workspace. */
const LONGEST_PROMPT_TOKENS = 2_000;
/** English text; others need more tokens, so this lets too much through rather than too little. */
const CHARACTERS_PER_TOKEN = 4;
const SAMPLES_KEPT_MS = 90_000;

/** The rates of whole answers, per model. */
export interface DecodeRates {
  read(modelKey: string): readonly number[];
  write(modelKey: string, rates: readonly number[]): void;
}

export interface GuardPorts {
  readonly engine: Pick<Engine, 'state' | 'metrics' | 'subscribe' | 'dropCaches'>;
  readonly monitor: Pick<MemoryMonitor, 'subscribe'>;
  /** Ends every answer; its text stays, with this reason. Returns how many there were. */
  cancelAnswers(reason: Words): number;
  /** Answers under way or waiting. */
  openAnswers(): number;
  /** Graceful; resolves when the process is gone. */
  unload(): Promise<void>;
  /** Turns the chosen model on: after a click, or by itself because somebody looks again. */
  load(by: 'window' | 'timer'): void;
  settings(): Pick<Settings, 'protection' | 'idleUnloadMinutes'>;
  /** The chosen model; null for none. */
  modelKey(): string | null;
  readonly rates: DecodeRates;
  /** What an earlier run of the app has found to stay wired. */
  readonly wiredLeft: WiredLeftMemory;
  publish(state: ProtectionState): void;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

export interface Guard {
  readonly state: ProtectionState;
  /** Throws AppFault when the model is not to be loaded now. */
  admitStart(by: 'user' | 'program'): void;
  /** Why a prompt of this length is not taken now; null when it is. */
  promptRefusal(characters: number): Words | null;
  /** The model is asked, or somebody is about to. */
  used(): void;
  /** An answer was finished. */
  answered(usage: GenerationUsage): void;
  /** Somebody looks at the window: a lent model comes back. */
  warm(): void;
  /** The user turned the model off: it does not come back by itself. */
  turnedOff(): void;
  /** The user overrules protection for a while; what was unloaded is loaded. */
  undo(): void;
  /** Settings have changed. */
  review(): void;
  /**
   * Before a broken engine is started again: waits until its wired memory has come back. The failure says that it has
   * not and will not.
   */
  clearToRestart(signal: AbortSignal): Promise<Failure | null>;
  dispose(): void;
}

type Left = Extract<ProtectionState, { kind: 'wired-left' }>;

export function createGuard(ports: GuardPorts): Guard {
  const { engine, clock, log } = ports;
  let stage: ProtectionStage = { kind: 'calm' };
  let lent: ProtectionStep | null = null;
  const earlier = ports.wiredLeft.read();
  let left: Left | null = earlier === null ? null : leftState(earlier);
  let samples: readonly ProtectionSample[] = [];
  let marks: readonly DecodeMark[] = [];
  let lastUsedAtMs = clock.nowMs();
  let engineKind: EngineState['kind'] = engine.state.kind;
  let baselineBytes: number | null = null;
  /** When the process ended whose wired memory is still waited for. */
  let exitedAtMs: number | null = null;
  const releaseWaiters = new Set<(release: Release) => void>();
  let published: ProtectionState = left ?? { kind: 'calm' };

  const usual = (): number | null => {
    const key = ports.modelKey();
    return key === null ? null : usualRate(ports.rates.read(key));
  };

  const numbersNow = () => {
    const latest = samples.at(-1);
    return latest === undefined ? null : numbersOf(latest, usual());
  };

  const project = (): ProtectionState => {
    if (left !== null) return left;
    if (lent !== null) return { kind: 'lent', ...lent };
    switch (stage.kind) {
      case 'off':
      case 'calm':
      case 'undone':
        return stage;
      case 'watching':
      case 'easing':
      case 'cancelled':
      case 'unloaded':
        return { ...stage, ...wordsOf(stage.kind, stage.trigger, stage.because) };
    }
  };

  /** Tells what has changed, once. */
  const tell = (): void => {
    const state = project();
    if (state.kind === published.kind && sinceOf(state) === sinceOf(published)) return;
    published = state;
    log(state.kind === 'calm' || state.kind === 'watching' ? 'info' : 'warn', `protection: ${forLog(state)}`);
    ports.publish(state);
  };

  const perform = (actions: readonly ProtectionAction[]): void => {
    for (const action of actions) {
      if (action === 'drop-caches') {
        engine.dropCaches().then(
          () => log('info', 'protection: caches are dropped'),
          (error: unknown) => log('warn', `protection: caches stayed: ${String(error)}`),
        );
        continue;
      }
      const ended = ports.cancelAnswers({
        message: ENDED_WORDS,
        nextStep: 'Close apps you do not need, then ask again.',
      });
      if (ended > 0) log('warn', `protection: ended ${ended} answers`);
      if (action === 'unload') unload();
    }
  };

  const unload = (): void => {
    const askedAtMs = clock.nowMs();
    ports.unload().then(
      () => log('info', `protection: unloaded in ${clock.nowMs() - askedAtMs} ms`),
      (error: unknown) => log('error', `protection: the model could not be unloaded: ${String(error)}`),
    );
  };

  const decide = (): void => {
    const nowMs = clock.nowMs();
    const { protection, idleUnloadMinutes } = ports.settings();
    const verdict = protect(stage, {
      policy: PROTECTION_POLICY,
      isOn: protection === 'on',
      samples,
      usualDecodeTokensPerSecond: usual(),
      engine: engine.state.kind,
      nowMs,
    });
    stage = verdict.stage;
    perform(verdict.actions);
    // After a cancelled answer protection goes on by itself; overruled, nothing is taken.
    const mayLend = stage.kind !== 'undone' && stage.kind !== 'cancelled' && stage.kind !== 'unloaded';
    const numbers = numbersNow();
    const lending = {
      policy: LENDING_POLICY,
      idleUnloadMinutes,
      engine: engine.state.kind,
      openAnswers: ports.openAnswers(),
      lastUsedAtMs,
      samples,
      nowMs,
    };
    if (mayLend && numbers !== null && lends(lending)) {
      lent = { sinceMs: nowMs, trigger: 'idle', because: numbers, ...wordsOf('lent', 'idle', numbers) };
      unload();
    }
    tell();
  };

  const forgetLeft = (): void => {
    if (left !== null) ports.wiredLeft.write(null);
    left = null;
  };

  const judge = ({ wiredBytes, atMs }: MemorySample): void => {
    if (left !== null) {
      const release = judgeRelease({ baselineBytes: left.baselineBytes, wiredBytes, sinceExitMs: Infinity });
      if (release.kind === 'released') forgetLeft();
      return;
    }
    if (exitedAtMs === null) {
      // The process does not exist or has loaded nothing yet.
      if (BEFORE_LOAD.has(engine.state.kind)) baselineBytes = wiredBytes;
      return;
    }
    // It began while the process was there, or even before that had loaded anything.
    if (atMs < exitedAtMs) return;
    const release = judgeRelease({ baselineBytes, wiredBytes, sinceExitMs: atMs - exitedAtMs });
    if (release.kind === 'pending') return;
    exitedAtMs = null;
    if (release.kind === 'left') {
      const found = { sinceMs: atMs, leftBytes: release.leftBytes, baselineBytes: release.baselineBytes };
      left = leftState(found);
      ports.wiredLeft.write(found);
    }
    for (const settle of [...releaseWaiters]) settle(release);
  };

  const offMonitor = ports.monitor.subscribe((sample) => {
    const request = engine.metrics?.request ?? null;
    marks =
      request?.phase === 'decode'
        ? withMark(marks, { atMs: clock.nowMs(), generatedTokens: request.generatedTokens })
        : [];
    const made: ProtectionSample = {
      ...sample,
      decodeTokensPerSecond: currentRate(marks),
      isLoading: engine.state.kind === 'starting' || engine.state.kind === 'loading',
    };
    samples = [...samples.filter(({ atMs }) => atMs < sample.atMs && atMs >= sample.atMs - SAMPLES_KEPT_MS), made];
    judge(sample);
    decide();
  });

  const offEngine = engine.subscribe(({ kind }) => {
    const before = engineKind;
    engineKind = kind;
    if (HAD_MEMORY.has(before) && (kind === 'off' || kind === 'waiting' || kind === 'failed' || kind === 'preparing')) {
      exitedAtMs = clock.nowMs();
    }
    if (kind === 'loading') exitedAtMs = null;
    if (kind === 'ready') used();
    if (kind === 'starting' || kind === 'loading') {
      lent = null;
      if (stage.kind === 'unloaded') stage = { kind: 'calm' };
    }
    tell();
  });

  function used(): void {
    lastUsedAtMs = clock.nowMs();
  }

  return {
    get state() {
      return published;
    },

    admitStart(by) {
      const refusal = startRefusal(published, numbersNow(), by);
      if (refusal !== null) throw new AppFault('refused', refusal.message, refusal.nextStep);
    },

    promptRefusal: (characters) =>
      promptRefusal(published, numbersNow(), Math.ceil(characters / CHARACTERS_PER_TOKEN), LONGEST_PROMPT_TOKENS),

    used,

    answered(usage) {
      used();
      const key = ports.modelKey();
      // What is made while memory is short is not the usual.
      if (key === null || (stage.kind !== 'calm' && stage.kind !== 'watching')) return;
      const before = ports.rates.read(key);
      const after = withRate(before, usage);
      if (after !== before) ports.rates.write(key, after);
    },

    warm() {
      used();
      // There is no room for it: the banner says so, and looking is no reason to say it again.
      if (left !== null) return;
      if (comesBack({ isLent: lent !== null, engine: engine.state.kind, latest: samples.at(-1) ?? null }))
        ports.load('timer');
    },

    turnedOff() {
      lent = null;
      tell();
    },

    undo() {
      const bringsBack = lent !== null || stage.kind === 'unloaded';
      log('info', `protection: overruled by the user, was ${published.kind}`);
      if (stage.kind !== 'off') stage = undone(PROTECTION_POLICY, clock.nowMs());
      lent = null;
      forgetLeft();
      used();
      tell();
      if (bringsBack) ports.load('window');
    },

    review: decide,

    clearToRestart(signal) {
      if (baselineBytes === null || exitedAtMs === null) return Promise.resolve(null);
      return new Promise((resolve) => {
        const settle = (release: Release): void => {
          releaseWaiters.delete(settle);
          signal.removeEventListener('abort', abandon);
          resolve(release.kind === 'left' ? failureOf(release.leftBytes) : null);
        };
        const abandon = (): void => settle({ kind: 'unknown' });
        releaseWaiters.add(settle);
        signal.addEventListener('abort', abandon);
        if (signal.aborted) abandon();
      });
    },

    dispose() {
      offMonitor();
      offEngine();
      for (const settle of [...releaseWaiters]) settle({ kind: 'unknown' });
    },
  };
}

const leftState = (found: WiredLeft): Left => ({ kind: 'wired-left', ...found, ...wiredLeftWords(found.leftBytes) });

const BEFORE_LOAD: ReadonlySet<EngineState['kind']> = new Set(['off', 'failed', 'preparing', 'starting']);
const HAD_MEMORY: ReadonlySet<EngineState['kind']> = new Set(['loading', 'ready', 'busy', 'stopping']);

const failureOf = (leftBytes: number): Failure => ({
  cause: { code: 'wired-left', ...wiredLeftWords(leftBytes) },
  retry: false,
});

const sinceOf = (state: ProtectionState): number | null => ('sinceMs' in state ? state.sinceMs : null);

function forLog(state: ProtectionState): string {
  switch (state.kind) {
    case 'off':
    case 'calm':
      return state.kind;
    case 'undone':
      return `overruled until ${new Date(state.untilMs).toISOString()}`;
    case 'wired-left':
      return `${state.leftBytes} bytes stay wired above the ${state.baselineBytes} before the load`;
    case 'watching':
    case 'easing':
    case 'cancelled':
    case 'unloaded':
    case 'lent':
      return `${state.kind} (${state.trigger}) because ${JSON.stringify(state.because)}`;
  }
}
