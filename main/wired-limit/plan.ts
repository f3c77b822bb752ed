/**
 * How far the GPU's wired limit has to be raised for a model, if at all. Pure arithmetic over readings.
 *
 * macOS lets the GPU keep a share of the memory wired (Metal's working set); `iogpu.wired_limit_mb` changes that share
 * until the next boot, 0 is macOS's own choice. A model that does not fit below it fails or crawls.
 */
import type { WiredLimitChoice, WiredLimitPlan, WiredLimitVerdict } from '../../preload/contract.ts';
import { OLDER_KNOB, commandToRun } from './command.ts';

/** MLX gives its buffer cache back on every allocation above this share of the limit: slow, so the peak stays below. */
export const CACHE_FLUSH_SHARE = 0.95;
/** Above this share the Mac itself runs short: prefill collapses, panics are reported. Nothing here goes further. */
const MOST_PERCENT = 85;
/** The helper accepts nothing below this share but 0: a tiny limit starves the window server. */
const LEAST_SHARE = 0.5;
/**
 * What a model needs above its weights before this machine has measured it: conversation cache, prefill, runtime. Chosen
 * so that gpt-oss-20b (11,516 MiB) on 16 GB gets 12,800 MiB: no MLX warning, 3.5 GiB left beside the limit.
 */
const UNCALIBRATED_ROOM_MIB = 644;
/** 13,312 MiB on 16 GB: what guides for this model tell people to set. */
const RECIPE = { memoryMiB: 16_384, limitMiB: 13_312 } as const;

/** MLX runs from here on. */
export const FIRST_MACOS = 14;
/** From here on MLX keeps its buffers resident (residency sets); before, the limit only bounds what may be allocated. */
const FIRST_MACOS_WITH_RESIDENCY = 15;
export interface WiredLimitReading {
  readonly memoryMiB: number;
  readonly macosMajor: number;
  /** `iogpu.wired_limit_mb` as read; 0 is macOS's own choice. */
  readonly settingMiB: number;
  /** Metal's working set as the engine last reported it under this setting, null when no engine has run yet. */
  readonly workingSetMiB: number | null;
  /** Values this app has set since boot: a setting that is none of them is another tool's. */
  readonly ourValuesMiB: readonly number[];
  /** Wired memory before a model is loaded: the system's own. */
  readonly wiredBeforeLoadMiB: number;
  /** Memory of the app's own processes without the model. */
  readonly ownProcessesMiB: number;
}

export interface ModelNeed {
  readonly weightsMiB: number;
  /** Peak by this machine's own measurements, null before the first. */
  readonly calibratedPeakMiB: number | null;
  /** By arithmetic, before there are measurements. Only counts where it is more than the usual room. */
  readonly guessedPeakMiB?: number;
}

export function plan(reading: WiredLimitReading, need: ModelNeed): WiredLimitPlan {
  const { memoryMiB, settingMiB, wiredBeforeLoadMiB, ownProcessesMiB } = reading;
  const peakMiB = Math.ceil(
    need.calibratedPeakMiB ?? Math.max(need.weightsMiB + UNCALIBRATED_ROOM_MIB, need.guessedPeakMiB ?? 0),
  );
  const needMiB = Math.ceil(peakMiB / CACHE_FLUSH_SHARE);
  const mostMiB = mostLimitMiB(memoryMiB);
  const [limitMiB, limitFrom] = limitInForce(reading);
  const leaves = (usedMiB: number) => Math.floor(memoryMiB - wiredBeforeLoadMiB - usedMiB - ownProcessesMiB);
  const choice = (name: WiredLimitChoice['name'], toMiB: number): WiredLimitChoice => ({
    name,
    limitMiB: toMiB,
    command: commandToRun(toMiB),
    leavesMiB: leaves(peakMiB),
    leavesFullyUsedMiB: leaves(toMiB),
  });
  const choices = (toMiB: number): readonly WiredLimitChoice[] => {
    const recipeFits = memoryMiB === RECIPE.memoryMiB && RECIPE.limitMiB > toMiB && RECIPE.limitMiB <= mostMiB;
    return recipeFits ? [choice('minimum', toMiB), choice('recipe', RECIPE.limitMiB)] : [choice('minimum', toMiB)];
  };

  const verdict = ((): WiredLimitVerdict => {
    if (reading.macosMajor < FIRST_MACOS) return { kind: 'macos-too-old', knob: OLDER_KNOB, knobUnit: 'bytes' };
    const isOthers = settingMiB > 0 && !reading.ourValuesMiB.includes(settingMiB);
    if (limitMiB >= needMiB) {
      if (isOthers) return { kind: 'respected-other-tool', aboveMost: settingMiB > mostMiB };
      return { kind: 'none-needed', by: settingMiB > 0 ? 'headroom' : 'macos' };
    }
    if (needMiB <= mostMiB) {
      // A need below half of the memory only comes up where another tool has set a smaller limit still.
      const toMiB = Math.max(needMiB, leastLimitMiB(memoryMiB));
      return { kind: 'raise', toMiB, choices: choices(toMiB) };
    }
    if (peakMiB > Math.max(mostMiB, limitMiB)) return { kind: 'ram-too-small', mostMiB };
    // As far as we go already, or further: whatever it lacks, raising is not the answer.
    if (limitMiB >= mostMiB) {
      return isOthers
        ? { kind: 'respected-other-tool', aboveMost: settingMiB > mostMiB }
        : { kind: 'none-needed', by: settingMiB > 0 ? 'headroom' : 'macos' };
    }
    return { kind: 'capped', toMiB: mostMiB, wouldLikeMiB: needMiB, choices: choices(mostMiB) };
  })();

  return {
    verdict,
    memoryMiB,
    limitMiB,
    limitFrom,
    peakMiB,
    peakFrom: need.calibratedPeakMiB === null ? 'estimated' : 'measured',
    needMiB,
    leavesMiB: leaves(peakMiB),
    canStartAnyway: reading.macosMajor >= FIRST_MACOS && need.weightsMiB <= limitMiB,
    keepsResident: reading.macosMajor >= FIRST_MACOS_WITH_RESIDENCY,
  };
}

/** What the GPU may keep as things are. */
export const limitInForceMiB = (reading: WiredLimitReading): number => limitInForce(reading)[0];
/** The most this app ever sets: 85 % of the memory. */
export const mostLimitMiB = (memoryMiB: number): number => Math.floor((memoryMiB * MOST_PERCENT) / 100);
/** The least this app ever raises to. */
export const leastLimitMiB = (memoryMiB: number): number => Math.ceil(memoryMiB * LEAST_SHARE);

/** Whether a value asked for by the window may be set: in range, and more than what is in force. */
export type LimitRefusal = 'not-an-integer' | 'below-half' | 'above-85-percent' | 'would-lower';

export function refuseLimit(limitMiB: number, memoryMiB: number, settingMiB: number): LimitRefusal | null {
  if (!Number.isSafeInteger(limitMiB)) return 'not-an-integer';
  if (limitMiB < leastLimitMiB(memoryMiB)) return 'below-half';
  if (limitMiB > mostLimitMiB(memoryMiB)) return 'above-85-percent';
  if (limitMiB < settingMiB) return 'would-lower';
  return null;
}

function limitInForce(reading: WiredLimitReading): [number, WiredLimitPlan['limitFrom']] {
  if (reading.settingMiB > 0) return [reading.settingMiB, 'setting'];
  if (reading.workingSetMiB !== null) return [Math.floor(reading.workingSetMiB), 'metal'];
  return [recordedDefaultMiB(reading.memoryMiB, reading.macosMajor), 'recorded'];
}

/** macOS's own choice as Macs reported it, share of the memory; there is no rule behind it that anybody has found. */
const recordedShares: readonly { readonly memoryMiB: number; readonly untilMacos15: number; readonly later: number }[] =
  [
    { memoryMiB: 8_192, untilMacos15: 2 / 3, later: 2 / 3 },
    { memoryMiB: 16_384, untilMacos15: 2 / 3, later: 12_124.2 / 16_384 },
    { memoryMiB: 32_768, untilMacos15: 2 / 3, later: 24.96 / 32 },
    { memoryMiB: 65_536, untilMacos15: 0.75, later: 53_084.2 / 65_536 },
    { memoryMiB: 131_072, untilMacos15: 0.75, later: 107.5 / 128 },
  ];

/**
 * Only until Metal has been asked. Between recorded sizes the next smaller one's share is taken: shares grow with the
 * memory, so this errs towards asking.
 */
function recordedDefaultMiB(memoryMiB: number, macosMajor: number): number {
  const known = recordedShares.findLast((each) => each.memoryMiB <= memoryMiB) ?? recordedShares[0];
  if (known === undefined) return 0;
  return Math.floor(memoryMiB * (macosMajor <= 15 ? known.untilMacos15 : known.later));
}
