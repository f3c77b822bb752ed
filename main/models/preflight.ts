/** What is looked at before a model is loaded, and whether loading it is fine, needs something first, or is no use. Pure. */
import type { FitPrediction, FitVerdict, FitWay, Preflight, PressureLevel } from '../../preload/contract.ts';
import { CACHE_FLUSH_SHARE, type WiredLimitReading, limitInForceMiB } from '../wired-limit/plan.ts';
import { mlxPeakBytes } from './fit.ts';
import { type Room, leavesBytes } from './verdict.ts';

export interface PreflightInput {
  readonly modelId: string;
  readonly verdict: FitVerdict;
  /** Null where nothing can be predicted. */
  readonly prediction: FitPrediction | null;
  readonly room: Room;
  readonly level: PressureLevel | null;
  /** On the disk that macOS swaps to; null when it is not known. */
  readonly diskFreeBytes: number | null;
}

const MIB = 1_048_576;
/** With less, macOS cannot grow its swap files and asks people to quit apps. */
const LEAST_DISK_BYTES = 4_000_000_000;

type Check = Preflight['checks'][number];

export function preflight(input: PreflightInput): Preflight {
  const { modelId, verdict } = input;
  const checks = [memoryCheck(input), workingSetCheck(input), pressureCheck(input), diskCheck(input)].filter(
    (check) => check !== null,
  );
  const ways = 'ways' in verdict ? verdict.ways : [];
  if (verdict.kind === 'not-on-this-mac') {
    return { modelId, verdict: 'no', message: verdict.message, checks, ways, canLoadAnyway: false };
  }
  const others = checks.filter(
    ({ name, isFine }) => !isFine && ((name === 'pressure' && !takesFreeOnly(input)) || name === 'disk'),
  );
  if (verdict.kind === 'works-if' || others.length > 0) {
    const message = [verdict.kind === 'works-if' ? verdict.message : '', ...others.map((check) => check.message)];
    // Slow, while apps are compressed and swapped; protection unloads it when the Mac gets into trouble.
    const canLoadAnyway = input.level !== 'critical';
    return {
      modelId,
      verdict: 'works-if',
      message: message.filter((each) => each !== '').join(' '),
      checks,
      ways: verdict.kind === 'works-if' ? ways : [],
      canLoadAnyway,
    };
  }
  return { modelId, verdict: 'go', message: verdict.message, checks, ways: ways.filter(isRaise), canLoadAnyway: true };
}

/** It takes nothing from anybody: pressure that others have made is no reason to keep it from who asks. */
function takesFreeOnly({ prediction, room: { availableBytes } }: PreflightInput): boolean {
  return prediction !== null && availableBytes !== null && prediction.peakBytes <= availableBytes;
}

const isRaise = ({ kind }: FitWay): boolean => kind === 'raise-limit';

function memoryCheck({ prediction, room, verdict }: PreflightInput): Check | null {
  if (prediction === null) return null;
  const left = leavesBytes(prediction, room);
  // The Mac is large enough; other apps have what it needs.
  const isCrowdedOut = verdict.kind === 'works-if' && verdict.ways.some(({ kind }) => kind === 'quit-apps');
  const available =
    room.availableBytes === null ? '' : ` ${memory(room.availableBytes + room.engineActiveBytes)} are free now.`;
  return {
    name: 'memory',
    isFine: left > 0 && !isCrowdedOut,
    message: `Takes up to ${memory(prediction.peakBytes)} of ${installedWords(room.memoryBytes)}${left > 0 ? ` and leaves ${memory(left)}` : ''}.${available}`,
  };
}

function workingSetCheck({ prediction, room: { wiredLimit } }: PreflightInput): Check | null {
  if (prediction === null || wiredLimit === null) return null;
  const limitMiB = limitInForceMiB(wiredLimit);
  const needMiB = Math.ceil(mlxPeakBytes(prediction) / MIB / CACHE_FLUSH_SHARE);
  return {
    name: 'working-set',
    isFine: limitMiB >= needMiB,
    message: `The GPU may keep ${mebibytes(limitMiB)}${whose(wiredLimit)}; the model wants ${mebibytes(needMiB)}.`,
  };
}

const whose = ({ settingMiB }: WiredLimitReading): string => (settingMiB === 0 ? ', macOS’s own choice' : '');

function pressureCheck({ level }: PreflightInput): Check | null {
  switch (level) {
    case null:
      return null;
    case 'normal':
      return { name: 'pressure', isFine: true, message: 'Memory pressure is at Normal.' };
    case 'warning':
      // With a large model this is the ordinary state and no reason to wait.
      return { name: 'pressure', isFine: true, message: 'Memory pressure is at Warning: other apps are compressed.' };
    case 'critical':
      return { name: 'pressure', isFine: false, message: 'Memory pressure is at Critical: quit something first.' };
  }
}

function diskCheck({ diskFreeBytes }: PreflightInput): Check | null {
  if (diskFreeBytes === null) return null;
  const isFine = diskFreeBytes >= LEAST_DISK_BYTES;
  return {
    name: 'disk',
    isFine,
    message: `The disk has ${gigabytes(diskFreeBytes)} free${isFine ? '.' : `, less than the ${gigabytes(LEAST_DISK_BYTES)} that swapping may need.`}`,
  };
}

/** A way in words, for where only text can be shown. */
function wayInWords(way: FitWay): string {
  switch (way.kind) {
    case 'quit-apps':
      return `quit ${way.apps.map(({ name, bytes }) => `${name} (${memory(bytes)})`).join(', ')}`;
    case 'raise-limit':
      return `raise the GPU’s limit to ${mebibytes(way.toMiB)}`;
    case 'smaller-context':
      return `set the context to ${way.tokens.toLocaleString('en-US')} tokens`;
    case 'other-model':
      return `use ${way.name} (${memory(way.peakBytes)})`;
  }
}

/** What can be done, as one sentence. */
export function waysInWords(ways: readonly FitWay[], canLoadAnyway: boolean): string {
  const all = [...ways.map(wayInWords), ...(canLoadAnyway ? ['load it anyway'] : [])];
  if (all.length === 0) return 'Choose a smaller model.';
  const sentence = all.length === 1 ? all.join('') : `${all.slice(0, -1).join(', ')}, or ${all.at(-1) ?? ''}`;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/** What lies on a disk is counted in 1,000s, memory in 1,024s, both as macOS and the window's numbers have them. */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
const memory = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
const mebibytes = (mebi: number): string => `${Math.round(mebi).toLocaleString('en-US')} MiB`;
const installedWords = (bytes: number): string => `${Math.round(bytes / 2 ** 30)} GB`;
