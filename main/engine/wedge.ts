/**
 * When a living engine counts as hanging. A pure fold: marks of what was heard, and a verdict over them.
 *
 * A long prompt is silent for a long time and that is fine: silence is measured from the last progress of any kind
 * (bytes of the answer, prefill or decode counts, the engine's own `idle_seconds`), against a bound that depends on
 * what is being waited for. An engine that reports itself healthy but makes no progress hangs all the same (mlx-lm
 * #1834, #1493); what it says about its health is not asked.
 */
import type { EngineMetrics } from './engine.ts';

export interface WedgeLimits {
  /** From spawn to the first report. The first start after an installation checks every library's signature. */
  readonly startMs: number;
  /** Without progress while the weights load. */
  readonly loadMs: number;
  /** Without progress while a prompt is read: one chunk on a Mac that swaps. Also covers the winding down before it. */
  readonly prefillMs: number;
  /** Without progress while tokens are made. */
  readonly decodeMs: number;
  /** Without any word on the event stream, which speaks every 5 s. */
  readonly unreachableMs: number;
  /** The engine said that it failed and yet lives; it may take its 8 s to free its memory. */
  readonly afterFailureMs: number;
}

export const WEDGE_LIMITS: WedgeLimits = {
  startMs: 90_000,
  loadMs: 120_000,
  prefillMs: 180_000,
  decodeMs: 60_000,
  unreachableMs: 60_000,
  afterFailureMs: 10_000,
};

type Awaiting = 'start' | 'load' | 'prefill' | 'decode' | 'nothing' | 'end';

export interface Watch {
  readonly awaiting: Awaiting;
  /** The engine's counts at the last progress. */
  readonly counts: string;
  readonly progressAtMs: number;
  /** Last word on the event stream. */
  readonly newsAtMs: number;
  readonly checkedAtMs: number;
  /** True while we want an answer from the engine. */
  readonly generating: boolean;
}

export type Wedge = 'no-start' | 'load' | 'prefill' | 'decode' | 'unreachable' | 'failed-but-alive';

export const watchFrom = (nowMs: number): Watch => ({
  awaiting: 'start',
  counts: '',
  progressAtMs: nowMs,
  newsAtMs: nowMs,
  checkedAtMs: nowMs,
  generating: false,
});

/** A snapshot from `/events`. */
export function onSnapshot(watch: Watch, metrics: EngineMetrics, nowMs: number): Watch {
  const { phase, load, request } = metrics;
  if (phase === 'failed') {
    return watch.awaiting === 'end' ? watch : { ...watch, newsAtMs: nowMs, awaiting: 'end', progressAtMs: nowMs };
  }
  if (phase === 'starting' || phase === 'loading') {
    const counts = `load ${load.loadedBytes}`;
    const moved = watch.awaiting !== 'load' || counts !== watch.counts;
    return { ...watch, newsAtMs: nowMs, awaiting: 'load', counts, progressAtMs: moved ? nowMs : watch.progressAtMs };
  }
  if (!watch.generating) return { ...watch, newsAtMs: nowMs, awaiting: 'nothing' };
  if (request === null) {
    // Not taken up yet, or already done: only bytes of the answer count as progress.
    return { ...watch, newsAtMs: nowMs, awaiting: watch.awaiting === 'decode' ? 'decode' : 'prefill' };
  }
  const counts = `${request.phase} ${request.prefillDone} ${request.generatedTokens}`;
  // Seen for the first time, but it may have stood still for a while. The same counts seen again are no progress,
  // whatever `idle_seconds` says.
  const seenAtMs = nowMs - 1_000 * request.idleSeconds;
  const progressAtMs = counts === watch.counts ? watch.progressAtMs : Math.max(watch.progressAtMs, seenAtMs);
  return { ...watch, newsAtMs: nowMs, awaiting: request.phase, counts, progressAtMs };
}

/** A comment on the event stream: the engine breathes. */
export const onNews = (watch: Watch, nowMs: number): Watch => ({ ...watch, newsAtMs: nowMs });

export const onGenerationStart = (watch: Watch, nowMs: number): Watch => ({
  ...watch,
  generating: true,
  awaiting: 'prefill',
  counts: '',
  progressAtMs: nowMs,
});

export const onGenerationEnd = (watch: Watch): Watch => ({ ...watch, generating: false, awaiting: 'nothing' });

/** Bytes of the answer: tokens (decode), or a comment while the prompt is read. */
export const onAnswerBytes = (watch: Watch, awaiting: 'prefill' | 'decode', nowMs: number): Watch => ({
  ...watch,
  awaiting,
  progressAtMs: nowMs,
});

/** A gap between two checks means that we slept (lid closed), not the engine: it is not held against it. */
const OUR_SLEEP_MS = 5_000;

/** To be called about every second. */
export function check(watch: Watch, nowMs: number, limits: WedgeLimits): { watch: Watch; wedge: Wedge | null } {
  const gapMs = nowMs - watch.checkedAtMs;
  const lostMs = gapMs > OUR_SLEEP_MS || gapMs < 0 ? gapMs : 0;
  const next: Watch = {
    ...watch,
    checkedAtMs: nowMs,
    progressAtMs: Math.min(nowMs, watch.progressAtMs + lostMs),
    newsAtMs: Math.min(nowMs, watch.newsAtMs + lostMs),
  };
  return { watch: next, wedge: verdict(next, nowMs, limits) };
}

function verdict(watch: Watch, nowMs: number, limits: WedgeLimits): Wedge | null {
  const stillMs = nowMs - watch.progressAtMs;
  switch (watch.awaiting) {
    case 'start':
      return stillMs >= limits.startMs ? 'no-start' : null;
    case 'end':
      return stillMs >= limits.afterFailureMs ? 'failed-but-alive' : null;
    case 'load':
      // Loading may hold the interpreter for long: its progress counts, not its talk.
      return stillMs >= limits.loadMs ? 'load' : null;
    case 'prefill':
      if (stillMs >= limits.prefillMs) return 'prefill';
      break;
    case 'decode':
      if (stillMs >= limits.decodeMs) return 'decode';
      break;
    case 'nothing':
      break;
  }
  return nowMs - watch.newsAtMs >= limits.unreachableMs ? 'unreachable' : null;
}
