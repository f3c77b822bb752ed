/** Whether a model works on this machine, and what would make it work. Pure: numbers in, a verdict with numbers out. */
import type { FitPrediction, FitVerdict, FitWay, MemoryUser } from '../../preload/contract.ts';
import {
  CACHE_FLUSH_SHARE,
  type ModelNeed,
  type WiredLimitReading,
  limitInForceMiB,
  mostLimitMiB,
  plan,
} from '../wired-limit/plan.ts';
import { type StepRoom, mlxPeakBytes, RUNTIME_BYTES } from './fit.ts';

/** What there is to fit into. */
export interface Room {
  readonly memoryBytes: number;
  /** The GPU's limit as it is read; null where there is none. */
  readonly wiredLimit: WiredLimitReading | null;
  /** What the system keeps for itself whatever happens: wired memory before a model is loaded. */
  readonly wiredBeforeLoadBytes: number;
  readonly ownProcessesBytes: number;
  /** What can be had now without compressing anything; null when it is not known. */
  readonly availableBytes: number | null;
  /** What a loaded model holds at this moment: it comes back before another one is loaded. */
  readonly engineActiveBytes: number;
  /** What other apps use; only those that can quit are ever named. */
  readonly apps: readonly Pick<MemoryUser, 'name' | 'bytes' | 'canQuit' | 'isOurs'>[];
}

export interface Candidate {
  readonly prediction: FitPrediction;
  /** The same model at shorter contexts, rising. */
  readonly shorter: readonly FitPrediction[];
  /** Other models at the same context, best first. */
  readonly others: readonly { readonly modelId: string; readonly name: string; readonly prediction: FitPrediction }[];
  /** Null when nothing has to be downloaded. */
  readonly disk: { readonly neededBytes: number; readonly freeBytes: number | null } | null;
}

const MIB = 1_048_576;
const GIB = 1_024 * MIB;
/** Below this the Mac itself runs short: everything else is compressed and swapped at once. */
const LEAST_LEFT_BYTES = GIB;
/** What other apps hold shrinks to about a half when macOS compresses it. Nothing is counted on where it does not. */
const COMPRESSED_SHARE = 0.5;
/** Kept free on the disk beside a download: a full volume breaks more than Headroom. */
export const DISK_RESERVE_BYTES = GIB;

/** How the prediction looks to the wired limit's plan. */
export function needOf(prediction: FitPrediction): ModelNeed {
  const peakMiB = Math.ceil(mlxPeakBytes(prediction) / MIB);
  const isMeasured = prediction.prefillFrom === 'calibrated' || prediction.measuredLoads > 0;
  return {
    weightsMiB: Math.floor(prediction.weightsBytes / MIB),
    calibratedPeakMiB: isMeasured ? peakMiB : null,
    guessedPeakMiB: peakMiB,
  };
}

/** What is left for everything else at the peak. May be negative. */
export const leavesBytes = ({ peakBytes }: FitPrediction, room: Room): number =>
  room.memoryBytes - room.wiredBeforeLoadBytes - peakBytes - room.ownProcessesBytes;

/** How far a larger prefill step may take the peak. */
export function stepRoom(room: Room): StepRoom {
  const inMemory = room.memoryBytes - room.wiredBeforeLoadBytes - room.ownProcessesBytes - LEAST_LEFT_BYTES;
  if (room.wiredLimit === null) return { asIsBytes: inMemory, mostBytes: inMemory };
  const below = (limitMiB: number): number => limitMiB * MIB * CACHE_FLUSH_SHARE + RUNTIME_BYTES;
  return {
    asIsBytes: Math.min(inMemory, below(limitInForceMiB(room.wiredLimit))),
    mostBytes: Math.min(inMemory, below(mostLimitMiB(room.wiredLimit.memoryMiB))),
  };
}

type Judgement =
  | { readonly kind: 'fits' }
  | { readonly kind: 'raise'; readonly toMiB: number; readonly limitMiB: number }
  /** Fits into the machine, but not beside what runs on it now. */
  | { readonly kind: 'crowded'; readonly shortBytes: number; readonly toMiB: number | null }
  | { readonly kind: 'tight'; readonly leftBytes: number }
  | { readonly kind: 'too-large'; readonly leftBytes: number }
  | { readonly kind: 'over-limit'; readonly mostMiB: number }
  | { readonly kind: 'macos-too-old' };

function judge(prediction: FitPrediction, room: Room): Judgement {
  const limit = room.wiredLimit === null ? null : plan(room.wiredLimit, needOf(prediction));
  if (limit?.verdict.kind === 'macos-too-old') return { kind: 'macos-too-old' };
  const leftBytes = leavesBytes(prediction, room);
  if (leftBytes < 0) return { kind: 'too-large', leftBytes };
  if (limit?.verdict.kind === 'ram-too-small') return { kind: 'over-limit', mostMiB: limit.verdict.mostMiB };
  if (leftBytes < Math.min(LEAST_LEFT_BYTES, room.memoryBytes / 16)) return { kind: 'tight', leftBytes };
  const toMiB = limit !== null && 'toMiB' in limit.verdict ? limit.verdict.toMiB : null;
  const shortBytes = room.availableBytes === null ? 0 : prediction.peakBytes - roomNow(room, room.availableBytes);
  if (shortBytes > 0) return { kind: 'crowded', shortBytes, toMiB };
  return toMiB === null ? { kind: 'fits' } : { kind: 'raise', toMiB, limitMiB: limit?.limitMiB ?? 0 };
}

/** What a model could have at this moment: what is free, and on macOS half of what other apps hold. */
function roomNow(room: Room, availableBytes: number): number {
  const free = availableBytes + room.engineActiveBytes;
  if (room.wiredLimit === null) return free;
  const others = room.memoryBytes - room.wiredBeforeLoadBytes - room.ownProcessesBytes - free;
  return free + Math.max(0, others) * (1 - COMPRESSED_SHARE);
}

/** More than a system without anything running keeps wired on the largest machines measured: something has leaked. */
const UNUSUALLY_WIRED_BYTES = 5 * GIB;

function tooLargeWords(peakBytes: number, takes: string, room: Room): string {
  const installed = installedWords(room.memoryBytes);
  if (peakBytes + room.ownProcessesBytes > room.memoryBytes)
    return `It takes ${takes}, this ${machineWord(room)} has ${installed} for everything.`;
  const held = `It takes ${takes}; of this ${machineWord(room)}’s ${installed} the system holds ${memory(room.wiredBeforeLoadBytes)} in place.`;
  return room.wiredBeforeLoadBytes > UNUSUALLY_WIRED_BYTES ? `${held} A restart may give some of it back.` : held;
}

const works = ({ kind }: Judgement): boolean => kind === 'fits' || kind === 'raise';

/** Null stands for a model whose config cannot be understood. */
export function verdictOf(candidate: Candidate | null, room: Room): FitVerdict {
  if (candidate === null) {
    return {
      kind: 'unknown',
      message: 'Its config cannot be understood, so what it takes is not known before it is tried.',
    };
  }
  const { prediction, disk } = candidate;
  const judgement = judge(prediction, room);
  const takes = `${memory(prediction.peakBytes)} at ${contextWords(prediction.contextTokens)}`;
  switch (judgement.kind) {
    case 'macos-too-old':
      return { kind: 'not-on-this-mac', message: 'It needs macOS 14 or newer.', ways: [] };
    case 'too-large':
      return {
        kind: 'not-on-this-mac',
        message: tooLargeWords(prediction.peakBytes, takes, room),
        ways: [...shorterWays(candidate, room), ...otherWays(candidate, room)],
      };
    case 'over-limit':
      return {
        kind: 'not-on-this-mac',
        message: `It takes ${takes}, the GPU should never keep more than ${mebibytes(judgement.mostMiB)} of ${installedWords(room.memoryBytes)}.`,
        ways: [...shorterWays(candidate, room), ...otherWays(candidate, room)],
      };
    case 'tight':
      return {
        kind: 'works-if',
        message: `It takes ${takes} and would leave ${memory(judgement.leftBytes)} for everything else.`,
        ways: [...shorterWays(candidate, room), ...otherWays(candidate, room)],
      };
    case 'crowded': {
      const raise =
        judgement.toMiB === null ? '' : ` The GPU’s limit has to be raised to ${mebibytes(judgement.toMiB)} too.`;
      return {
        kind: 'works-if',
        message: `It takes ${takes}; with what runs now ${memory(judgement.shortBytes)} are missing.${raise}`,
        ways: [...quitWays(judgement.shortBytes, room), ...shorterWays(candidate, room), ...otherWays(candidate, room)],
      };
    }
    case 'fits':
    case 'raise':
  }
  if (disk !== null && disk.freeBytes !== null && disk.freeBytes < disk.neededBytes + DISK_RESERVE_BYTES) {
    return {
      kind: 'works-if',
      message: `The download needs ${gigabytes(disk.neededBytes)} of disk, ${gigabytes(disk.freeBytes)} are free: make room first.`,
      ways: [],
    };
  }
  const leaves = memory(leavesBytes(prediction, room));
  if (judgement.kind === 'fits') return { kind: 'fits', message: `Takes ${takes}, leaves ${leaves}.` };
  return {
    kind: 'fits-after-raise',
    message: `Takes ${takes}, leaves ${leaves}. The GPU may keep ${mebibytes(judgement.limitMiB)}: the limit has to be raised to ${mebibytes(judgement.toMiB)}.`,
    toMiB: judgement.toMiB,
    ways: [
      { kind: 'raise-limit', toMiB: judgement.toMiB },
      ...shorterWays(candidate, room, ({ kind }) => kind === 'fits'),
      ...otherWays(candidate, room, ({ kind }) => kind === 'fits'),
    ],
  };
}

// ── Ways ──────────────────────────────────────────────────────────────────────────────────────────

/** The fewest and biggest apps whose end makes enough room; none when all of them together would not. */
function quitWays(shortBytes: number, room: Room): readonly FitWay[] {
  // On macOS half of what an app holds was counted on already.
  const gain = room.wiredLimit === null ? 1 : COMPRESSED_SHARE;
  const biggestFirst = room.apps
    .filter(({ canQuit, isOurs }) => canQuit && !isOurs)
    .toSorted((a, b) => b.bytes - a.bytes);
  let freed = 0;
  const enough = biggestFirst.findIndex(({ bytes }) => {
    freed += bytes;
    return freed * gain >= shortBytes;
  });
  if (enough === -1) return [];
  const apps = biggestFirst.slice(0, enough + 1).map(({ name, bytes }) => ({ name, bytes }));
  return [{ kind: 'quit-apps', apps, freesBytes: freed }];
}

/** The longest shorter context that works. */
function shorterWays({ prediction, shorter }: Candidate, room: Room, isEnough = works): readonly FitWay[] {
  const found = shorter.findLast(
    (each) => each.contextTokens < prediction.contextTokens && isEnough(judge(each, room)),
  );
  return found === undefined ? [] : [{ kind: 'smaller-context', tokens: found.contextTokens }];
}

/** The best other model that takes less and works. */
function otherWays({ prediction, others }: Candidate, room: Room, isEnough = works): readonly FitWay[] {
  const found = others.find(
    (each) => each.prediction.peakBytes < prediction.peakBytes && isEnough(judge(each.prediction, room)),
  );
  if (found === undefined) return [];
  return [{ kind: 'other-model', modelId: found.modelId, name: found.name, peakBytes: found.prediction.peakBytes }];
}

// ── Words ─────────────────────────────────────────────────────────────────────────────────────────

/** What lies on a disk is counted in 1,000s, memory in 1,024s, both as macOS and the window's numbers have them. */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
const memory = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GB`;
const mebibytes = (mebi: number): string => `${mebi.toLocaleString('en-US')} MiB`;
const installedWords = (bytes: number): string => `${Math.round(bytes / GIB)} GB`;
const machineWord = ({ wiredLimit }: Room): string => (wiredLimit === null ? 'computer' : 'Mac');
const contextWords = (tokens: number): string =>
  tokens % 1_024 === 0 ? `${tokens / 1_024}k tokens` : `${tokens.toLocaleString('en-US')} tokens`;
