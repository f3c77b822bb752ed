/**
 * What is done when memory gets short, step by step: a pure fold over the samples.
 *
 * ```
 *            yellow             swap-outs or slow decode       critical for 2 s      critical 8 s more
 *  calm ⇄ watching ────────────────► easing ───────────────► cancelled ───────────────► unloaded
 *    │  (only said)             ▲  (caches dropped, │     (answer ended, its       ▲ (model unloaded)
 *    └──── critical ────────────┘   no long prompts)│      text kept)             │
 *                                                   └── critical for 8 s, no answer to end
 *
 *  easing, cancelled ─► calm | watching             after 30 s of quiet
 *  unloaded ─► calm | watching                      the same, five minutes later, or when the user turns it on
 *  any ─► undone ─► calm                            the user overrules it for ten minutes
 * ```
 * Yellow alone does nothing to the user: with a 12 GB model on 16 GB it is the normal state, since wired pages do not
 * count in the kernel's ratio and the little that is left fills up. Green and slow has other causes than memory.
 */
import type { EngineState, MemorySample, ProtectionNumbers, ProtectionTrigger } from '../../preload/contract.ts';

/** A sample and what the engine did at the time. */
export interface ProtectionSample extends MemorySample {
  /** Null while it writes nothing. */
  readonly decodeTokensPerSecond: number | null;
  /** Weights are on their way into memory: others being swapped out is then what was asked for. */
  readonly isLoading: boolean;
}

export interface ProtectionPolicy {
  /** Swap-outs above this are trouble, below the second quiet. An app that is put away moves some MiB, once. */
  readonly swapOutBytesPerSecond: number;
  readonly quietSwapOutBytesPerSecond: number;
  /** Of the usual rate: below the first is trouble, from the second on quiet. */
  readonly slowDecodeShare: number;
  readonly quietDecodeShare: number;
  /** Swap-outs and a slow decode have to be seen in two samples within this. */
  readonly confirmWithinMs: number;
  /** The kernel has hysteresis of its own, so two samples are enough. */
  readonly criticalBeforeCancelMs: number;
  readonly criticalBeforeUnloadMs: number;
  readonly quietBeforeCalmMs: number;
  readonly normalBeforeCalmMs: number;
  /** No program brings an unloaded model back before: its own load would be what makes memory short again. */
  readonly leastUnloadedMs: number;
  /** How long an undo is respected. */
  readonly undoMs: number;
  /** Samples older than this, or further apart, do not belong together: the Mac slept, or nobody could read. */
  readonly longestGapMs: number;
}

const MIB = 1024 * 1024;

export const PROTECTION_POLICY: ProtectionPolicy = {
  swapOutBytesPerSecond: 8 * MIB,
  quietSwapOutBytesPerSecond: 1 * MIB,
  slowDecodeShare: 0.6,
  quietDecodeShare: 0.75,
  confirmWithinMs: 6_000,
  criticalBeforeCancelMs: 1_500,
  criticalBeforeUnloadMs: 8_000,
  quietBeforeCalmMs: 30_000,
  normalBeforeCalmMs: 10_000,
  leastUnloadedMs: 5 * 60_000,
  undoMs: 10 * 60_000,
  longestGapMs: 15_000,
};

interface Step {
  readonly sinceMs: number;
  readonly trigger: ProtectionTrigger;
  readonly because: ProtectionNumbers;
}

export type ProtectionStage =
  | { readonly kind: 'off' }
  | { readonly kind: 'calm' }
  | ({ readonly kind: 'watching' | 'easing' | 'cancelled' | 'unloaded' } & Step)
  | { readonly kind: 'undone'; readonly sinceMs: number; readonly untilMs: number };

export type ProtectionAction = 'drop-caches' | 'cancel' | 'unload';

export interface ProtectionInput {
  readonly policy: ProtectionPolicy;
  readonly isOn: boolean;
  /** Oldest first; the last minute is enough. */
  readonly samples: readonly ProtectionSample[];
  /** What this machine usually makes of this model, tokens a second. */
  readonly usualDecodeTokensPerSecond: number | null;
  readonly engine: EngineState['kind'];
  readonly nowMs: number;
}

export interface ProtectionVerdict {
  readonly stage: ProtectionStage;
  readonly actions: readonly ProtectionAction[];
}

/** Called with every new sample. */
export function protect(before: ProtectionStage, input: ProtectionInput): ProtectionVerdict {
  const { policy, nowMs } = input;
  if (!input.isOn) return { stage: before.kind === 'off' ? before : { kind: 'off' }, actions: [] };
  if (before.kind === 'undone' && nowMs < before.untilMs && nowMs >= before.sinceMs) return stay(before);
  const stage: Exclude<ProtectionStage, { kind: 'off' | 'undone' }> =
    before.kind === 'off' || before.kind === 'undone' ? { kind: 'calm' } : before;
  const signs = read(input);
  // Nothing is done on old news.
  if (signs === null) return stay(stage);
  const enter = (
    kind: 'watching' | 'easing' | 'cancelled' | 'unloaded',
    trigger: ProtectionTrigger,
    ...actions: ProtectionAction[]
  ): ProtectionVerdict => ({ stage: { kind, sinceMs: nowMs, trigger, because: signs.numbers }, actions });
  const settle = (): ProtectionVerdict =>
    signs.numbers.level === 'normal' ? { stage: { kind: 'calm' }, actions: [] } : enter('watching', 'pressure');

  const holdsMemory = HOLDS_MEMORY.has(input.engine);
  const trouble = holdsMemory ? signs.trouble : null;
  switch (stage.kind) {
    case 'calm':
      if (trouble !== null) return enter('easing', trouble, 'drop-caches');
      return signs.numbers.level === 'normal' ? stay(stage) : enter('watching', 'pressure');
    case 'watching':
      if (trouble !== null) return enter('easing', trouble, 'drop-caches');
      return signs.normalForMs >= policy.normalBeforeCalmMs ? settle() : stay(stage);
    case 'easing':
    case 'cancelled': {
      const isBusy = input.engine === 'busy';
      const criticalHereMs = Math.min(signs.criticalForMs, nowMs - stage.sinceMs);
      if (!holdsMemory) break;
      // With nothing to cancel the model's turn comes after the same patience.
      if (criticalHereMs >= policy.criticalBeforeUnloadMs && !(stage.kind === 'easing' && isBusy)) {
        return enter('unloaded', 'still-critical', 'unload');
      }
      if (isBusy && signs.criticalForMs >= policy.criticalBeforeCancelMs) {
        // In `cancelled` it is the next answer, begun when things had become better for a moment.
        return stage.kind === 'easing' ? enter('cancelled', 'critical', 'cancel') : { stage, actions: ['cancel'] };
      }
      break;
    }
    case 'unloaded':
      break;
  }
  const hereMs = nowMs - stage.sinceMs;
  if (stage.kind === 'unloaded' && hereMs >= 0 && hereMs < policy.leastUnloadedMs) return stay(stage);
  const quietHereMs = Math.min(signs.quietForMs, hereMs);
  return quietHereMs >= policy.quietBeforeCalmMs ? settle() : stay(stage);
}

/** The user overrules it. */
export const undone = (policy: ProtectionPolicy, nowMs: number): ProtectionStage => ({
  kind: 'undone',
  sinceMs: nowMs,
  untilMs: nowMs + policy.undoMs,
});

/** States in which the engine has weights in memory, or is filling it with them. */
const HOLDS_MEMORY: ReadonlySet<EngineState['kind']> = new Set(['starting', 'loading', 'ready', 'busy']);

const stay = (stage: ProtectionStage): ProtectionVerdict => ({ stage, actions: [] });

interface Signs {
  readonly numbers: ProtectionNumbers;
  /** Why stage 1 is called for, if it is. */
  readonly trouble: ProtectionTrigger | null;
  /** How long, up to the last sample, it has been so. 0: not, or seen in the last sample only. */
  readonly criticalForMs: number;
  readonly normalForMs: number;
  readonly quietForMs: number;
}

function read({ policy, samples, usualDecodeTokensPerSecond: usual, nowMs }: ProtectionInput): Signs | null {
  const latest = samples.at(-1);
  if (latest === undefined || Math.abs(nowMs - latest.atMs) > policy.longestGapMs) return null;
  const isSlow = ({ decodeTokensPerSecond: rate }: ProtectionSample, share: number): boolean =>
    rate !== null && usual !== null && rate < usual * share;
  const confirmed = (holds: (sample: ProtectionSample) => boolean): boolean => {
    const previous = samples.at(-2);
    return (
      previous !== undefined &&
      latest.atMs - previous.atMs <= policy.confirmWithinMs &&
      !latest.isLoading &&
      !previous.isLoading &&
      holds(latest) &&
      holds(previous)
    );
  };
  const trouble = ((): ProtectionTrigger | null => {
    if (latest.level === 'critical') return 'critical';
    if (latest.level === 'normal') return null;
    if (confirmed((sample) => (sample.swapOutBytesPerSecond ?? 0) > policy.swapOutBytesPerSecond)) return 'swap-outs';
    return confirmed((sample) => isSlow(sample, policy.slowDecodeShare)) ? 'slow-decode' : null;
  })();
  return {
    numbers: numbersOf(latest, usual),
    trouble,
    criticalForMs: heldForMs(samples, policy.longestGapMs, (sample) => sample.level === 'critical'),
    normalForMs: heldForMs(samples, policy.longestGapMs, (sample) => sample.level === 'normal'),
    quietForMs: heldForMs(
      samples,
      policy.longestGapMs,
      (sample) =>
        sample.level !== 'critical' &&
        (sample.swapOutBytesPerSecond ?? 0) <= policy.quietSwapOutBytesPerSecond &&
        !isSlow(sample, policy.quietDecodeShare),
    ),
  };
}

export const numbersOf = (
  { level, needle, swapUsedBytes, swapOutBytesPerSecond, decodeTokensPerSecond }: ProtectionSample,
  usualDecodeTokensPerSecond: number | null,
): ProtectionNumbers => ({
  level,
  needle,
  swapUsedBytes,
  swapOutBytesPerSecond,
  decodeTokensPerSecond,
  usualDecodeTokensPerSecond,
});

/** From the first sample of the unbroken run at the end to the last. */
function heldForMs(
  samples: readonly ProtectionSample[],
  longestGapMs: number,
  holds: (sample: ProtectionSample) => boolean,
): number {
  const latest = samples.at(-1);
  if (latest === undefined) return 0;
  let firstAtMs = latest.atMs;
  for (const sample of samples.toReversed()) {
    if (!holds(sample) || firstAtMs - sample.atMs > longestGapMs || sample.atMs > firstAtMs) break;
    firstAtMs = sample.atMs;
  }
  return latest.atMs - firstAtMs;
}
