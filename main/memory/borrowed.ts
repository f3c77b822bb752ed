/**
 * An idle model lends its memory. It is the first thing the system compresses and swaps, and when it is not in use there
 * is nothing to lose by unloading it. It comes back when the user opens the window or goes to the composer. Pure.
 */
import type { EngineState } from '../../preload/contract.ts';
import type { ProtectionSample } from './protection.ts';

export interface LendingPolicy {
  /** Unused for this long, it goes when others really need the memory: while others are swapped out, or at critical. */
  readonly urgentIdleMs: number;
  readonly urgentSwapOutBytesPerSecond: number;
  readonly longestGapMs: number;
}

export const LENDING_POLICY: LendingPolicy = {
  urgentIdleMs: 20_000,
  urgentSwapOutBytesPerSecond: 8 * 1024 * 1024,
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
  const idleMs = nowMs - input.lastUsedAtMs;
  const isUrgent =
    latest.level === 'critical' || (latest.swapOutBytesPerSecond ?? 0) > policy.urgentSwapOutBytesPerSecond;
  return idleMs >= (isUrgent ? Math.min(policy.urgentIdleMs, idleUnloadMinutes * 60_000) : idleUnloadMinutes * 60_000);
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
