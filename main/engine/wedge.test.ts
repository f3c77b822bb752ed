import { describe, expect, it } from 'vitest';
import type { EngineMetrics } from './engine.ts';
import {
  type Watch,
  WEDGE_LIMITS,
  type Wedge,
  check,
  onAnswerBytes,
  onGenerationEnd,
  onGenerationStart,
  onNews,
  onSnapshot,
  watchFrom,
} from './wedge.ts';

type Request = NonNullable<EngineMetrics['request']>;

const metrics = (
  phase: EngineMetrics['phase'],
  request: Partial<Request> | null = null,
  loadedBytes = 0,
): EngineMetrics => ({
  phase,
  healthy: true,
  load: { loadedBytes, totalBytes: 100, seconds: null },
  memory: { activeBytes: 0, peakBytes: 0, cacheBytes: 0 },
  device: { name: '', memoryBytes: null, workingSetBytes: null },
  request:
    request === null
      ? null
      : {
          phase: 'prefill',
          promptTokens: 1_000,
          prefillDone: 0,
          prefillTotal: 1_000,
          generatedTokens: 0,
          idleSeconds: 0,
          ...request,
        },
  promptCache: { sequences: 0, bytes: 0, limitBytes: 0 },
});

/** Lets time pass in steps of a second, with the engine saying `say` at every step, until a verdict or the end. */
function pass(
  watch: Watch,
  seconds: number,
  say: (watch: Watch, nowMs: number, second: number) => Watch = (same) => same,
) {
  let nowMs = watch.checkedAtMs;
  let current = watch;
  for (let second = 1; second <= seconds; second += 1) {
    nowMs += 1_000;
    current = say(current, nowMs, second);
    const { watch: next, wedge } = check(current, nowMs, WEDGE_LIMITS);
    current = next;
    if (wedge !== null) return { wedge, second, watch: current };
  }
  return { wedge: null as Wedge | null, second: seconds, watch: current };
}

const ready = onSnapshot(watchFrom(0), metrics('ready'), 0);
const generating = onGenerationStart(ready, 0);

describe('wedge', () => {
  it('gives a start 90 s to say its first word', () => {
    expect(pass(watchFrom(0), 300)).toMatchObject({ wedge: 'no-start', second: 90 });
  });

  it('lets a load take any time while bytes arrive, and two minutes when they do not', () => {
    const loading = onSnapshot(watchFrom(0), metrics('loading'), 0);
    expect(
      pass(loading, 2_000, (watch, now, second) => onSnapshot(watch, metrics('loading', null, second), now)).wedge,
    ).toBeNull();
    expect(pass(loading, 2_000, (watch, now) => onSnapshot(watch, metrics('loading', null, 7), now))).toMatchObject({
      wedge: 'load',
      second: 121,
    });
  });

  it('leaves an idle engine alone for as long as it breathes', () => {
    expect(
      pass(ready, 3_600, (watch, now, second) => (second % 5 === 0 ? onNews(watch, now) : watch)).wedge,
    ).toBeNull();
    expect(pass(ready, 3_600)).toMatchObject({ wedge: 'unreachable', second: 60 });
  });

  it('knows a long prompt from silence: chunks that take 150 s each are fine', () => {
    const slow = (watch: Watch, now: number, second: number): Watch =>
      onSnapshot(
        watch,
        metrics('busy', { prefillDone: 512 * Math.floor(second / 150), idleSeconds: second % 150 }),
        now,
      );
    expect(pass(generating, 1_500, slow).wedge).toBeNull();
  });

  it('calls a prompt that stands still for three minutes a wedge, however healthy the engine says it is', () => {
    const still = (watch: Watch, now: number, second: number): Watch =>
      onSnapshot(watch, metrics('busy', { prefillDone: 512, idleSeconds: second }), now);
    expect(pass(generating, 600, still)).toMatchObject({ wedge: 'prefill', second: 180 });
  });

  it('waits no longer than a minute for the next token', () => {
    const decode = (watch: Watch, now: number, second: number): Watch =>
      onSnapshot(watch, metrics('busy', { phase: 'decode', generatedTokens: Math.min(second, 100) }), now);
    expect(pass(generating, 600, decode)).toMatchObject({ wedge: 'decode', second: 160 });
  });

  it('does not believe an engine that claims never to be idle while its counts stand still', () => {
    const claims = (watch: Watch, now: number): Watch =>
      onSnapshot(watch, metrics('busy', { phase: 'decode', generatedTokens: 5, idleSeconds: 0 }), now);
    expect(pass(generating, 600, claims)).toMatchObject({ wedge: 'decode', second: 61 });
  });

  it('counts idle time from before the event stream was taken up again', () => {
    const late = onSnapshot(
      generating,
      metrics('busy', { phase: 'decode', generatedTokens: 9, idleSeconds: 50 }),
      50_000,
    );
    expect(check(late, 60_000, WEDGE_LIMITS).wedge).toBeNull();
    const spoken = onNews({ ...late, checkedAtMs: 59_000 }, 60_000);
    expect(check(spoken, 60_000, WEDGE_LIMITS).wedge).toBe('decode');
  });

  it('calls an engine that never takes the request up a wedge', () => {
    expect(pass(generating, 600, (watch, now) => onSnapshot(watch, metrics('ready'), now))).toMatchObject({
      wedge: 'prefill',
      second: 180,
    });
  });

  it('takes bytes of the answer for progress', () => {
    const bytes = (watch: Watch, now: number): Watch => onNews(onAnswerBytes(watch, 'decode', now), now);
    expect(pass(generating, 600, bytes).wedge).toBeNull();
  });

  it('waits for nothing after the answer', () => {
    const after = onGenerationEnd(pass(generating, 170, (watch, now) => onNews(watch, now)).watch);
    const busyStill = (watch: Watch, now: number): Watch =>
      onSnapshot(watch, metrics('busy', { idleSeconds: 999 }), now);
    expect(pass(after, 600, busyStill).wedge).toBeNull();
  });

  it('does not hold our own sleep against the engine', () => {
    const asleepMs = 8 * 3_600_000;
    expect(check(ready, asleepMs, WEDGE_LIMITS).wedge).toBeNull();
    expect(check(generating, asleepMs, WEDGE_LIMITS).wedge).toBeNull();
    const awake = check(generating, asleepMs, WEDGE_LIMITS).watch;
    expect(pass(awake, 600, (watch, now) => onNews(watch, now))).toMatchObject({ wedge: 'prefill', second: 180 });
  });

  it('ends an engine that said it failed and lives on', () => {
    const failed = onSnapshot(ready, metrics('failed'), 0);
    expect(pass(failed, 60, (watch, now) => onSnapshot(watch, metrics('failed'), now))).toMatchObject({
      wedge: 'failed-but-alive',
      second: 10,
    });
  });
});
