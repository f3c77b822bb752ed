/**
 * An idle model lends its memory. It is the first thing the system compresses and swaps, and when it is not in use there
 * is nothing to lose by unloading it. It comes back when the user opens the window or goes to the composer. Pure.
 */
import type { EngineState } from '../../preload/contract.ts';
import type { ProtectionSample } from './protection.ts';

export interface LendingPolicy {
  /** Unused for this long, it goes when others really need the memory: while they are swapped out … */
  readonly swapOutIdleMs: number;
  readonly swapOutBytesPerSecond: number;
  /** … or at critical. */
  readonly criticalIdleMs: number;
  readonly longestGapMs: number;
}

export const LENDING_POLICY: LendingPolicy = {
  swapOutIdleMs: 20_000,
  swapOutBytesPerSecond: 8 * 1024 * 1024,
  criticalIdleMs: 5_000,
  longestGapMs: 15_000,
};

export interface LendingInput {
  readonly policy: LendingPolicy;
  /** The user's setting; 0: never. */
  readonly idleUnloadMinutes: number;
  readonly engine: EngineState['kind'];
  /** Answers under way or waiting for their turn, the window's and other programs'. */
  readonly openAnswers: number;
  /** When the model was last asked, wanted or loaded. */
  readonly lastUsedAtMs: number;
  readonly samples: readonly ProtectionSample[];
  readonly nowMs: number;
}

/** Whether to unload now. Never while anything is answered or loads. */
export function lends(input: LendingInput): boolean {
  const { policy, idleUnloadMinutes, nowMs } = input;
  const latest = input.samples.at(-1);
  if (idleUnloadMinutes === 0 || input.engine !== 'ready' || input.openAnswers > 0) return false;
  if (latest === undefined || Math.abs(nowMs - latest.atMs) > policy.longestGapMs || latest.level === 'normal') {
    return false;
  }
  const settingMs = idleUnloadMinutes * 60_000;
  const isSwapping = (latest.swapOutBytesPerSecond ?? 0) > policy.swapOutBytesPerSecond;
  const neededMs =
    latest.level === 'critical'
      ? policy.criticalIdleMs
      : isSwapping
        ? Math.min(policy.swapOutIdleMs, settingMs)
        : settingMs;
  return nowMs - input.lastUsedAtMs >= neededMs;
}

/**
 * Whether a lent model comes back because somebody looks at the window. Looking is not asking: while the level is
 * critical it stays away until a message is sent.
 */
export function comesBack({
  isLent,
  engine,
  latest,
}: {
  readonly isLent: boolean;
  readonly engine: EngineState['kind'];
  readonly latest: ProtectionSample | null;
}): boolean {
  return isLent && (engine === 'off' || engine === 'stopping') && latest?.level !== 'critical';
}
