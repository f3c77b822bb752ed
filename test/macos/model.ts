/**
 * A small model of a Mac's memory: enough of it that the pressure level, the compressor and the swap move as they do on
 * the real thing. Pure: a Mac and a span of time in, a Mac out.
 *
 * Memory is wired (system, GPU, leaked), or pageable: P = total − wired. What programs hold is resident, compressed
 * (taking a share of P) or swapped. The kernel keeps some room for files; what does not fit is compressed, and once the
 * compressor takes more than 60 % of P it is written to swap, as fast as the disk allows (xnu: A < 40 % of T, T = P).
 */

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;
export const PAGE_BYTES = 16_384;

export type KernelLevel = 1 | 2 | 4;

export interface MacProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
  /** What `top` shows: resident, compressed and swapped together. */
  readonly bytes: number;
  /** Set for apps with windows. */
  readonly app?: {
    readonly name: string;
    readonly bundleId: string;
    /** What comes of asking it to quit. */
    readonly whenAsked: 'quits' | 'asks-about-unsaved-work' | 'hangs' | 'macos-denies';
  };
}

/** What becomes of the dialog for an administrator's password. */
type Prompt = 'allowed' | 'cancelled' | 'wrong-password' | 'sysctl-refuses';

/** Headroom's own processes, while the app runs. */
export interface EngineOnMac {
  readonly appPid: number;
  /** Null while the model is off. */
  readonly enginePid: number | null;
  /** Weights, caches and workspace, as wired for the GPU. */
  readonly gpuBytes: number;
}

export interface Mac {
  readonly totalBytes: number;
  readonly version: string;
  readonly build: string;
  readonly chip: string;
  readonly decimalMark: '.' | ',';
  /** Simulated epoch milliseconds. */
  readonly nowMs: number;
  readonly bootedAtMs: number;
  readonly bootId: string;
  readonly systemWiredBytes: number;
  readonly leakedWiredBytes: number;
  /** Stays wired when the engine's memory is given back. */
  readonly leaksWhenUnloaded: number;
  readonly processes: readonly MacProcess[];
  readonly engine: EngineOnMac | null;
  readonly wiredLimitMiB: number;
  readonly prompt: Prompt;
  /** Root's daemons, by label: what launchd has loaded, and what is switched off in Login Items. */
  readonly daemons: { readonly loaded: readonly string[]; readonly switchedOff: readonly string[] };
  /** Bytes a second that programs take from swap and push others out for, while anything is swapped. */
  readonly churnBytesPerSecond: number;
  /** Programs that grow, and until when. */
  readonly growths: readonly {
    readonly pid: number;
    readonly bytesPerSecond: number;
    readonly untilMs: number;
  }[];
  /** Uncompressed size of what is in the compressor, and of what is in swap. */
  readonly compressedBytes: number;
  readonly swappedBytes: number;
  readonly counters: {
    readonly compressions: number;
    readonly decompressions: number;
    readonly swapOuts: number;
    readonly swapIns: number;
  };
  readonly level: KernelLevel;
}

export type Change =
  /** A program takes (or, negative, gives back) memory, evenly over the time. */
  | { readonly kind: 'grow'; readonly command: string; readonly bytes: number; readonly overSeconds: number }
  | { readonly kind: 'start'; readonly process: MacProcess }
  | { readonly kind: 'end'; readonly pid: number }
  | { readonly kind: 'engine'; readonly engine: EngineOnMac | null }
  | { readonly kind: 'set-limit'; readonly limitMiB: number }
  | { readonly kind: 'prompt'; readonly prompt: Prompt }
  | { readonly kind: 'daemon'; readonly label: string; readonly isLoaded: boolean }
  /** The user's switch in System Settings › General › Login Items. */
  | { readonly kind: 'login-item'; readonly label: string; readonly isOn: boolean }
  | { readonly kind: 'churn'; readonly bytesPerSecond: number }
  /** A kernel panic and what follows: all programs end, the limit is macOS's own again. */
  | { readonly kind: 'reboot' };

/** What the compressor stores is this many times what it occupies. */
const COMPRESSION = 2.5;
/** Kept for files and for programs that are just running. */
const LEAST_RESIDENT_BYTES = 420 * MIB;
const COMPRESS_BYTES_PER_SECOND = 3 * GIB;
/** Of compressed data, to an SSD that does other work too. */
const SWAP_BYTES_PER_SECOND = 150 * MIB;
/** The compressor gives back what has room again, little by little: only what is touched. */
const RELAX_BYTES_PER_SECOND = 500 * MIB;
/** What is in swap comes back only when it is touched, and only where there is room. */
const BRING_BACK_BYTES_PER_SECOND = 8 * MIB;
const STEP_MS = 100;

export const wiredBytes = (mac: Mac): number =>
  mac.systemWiredBytes + mac.leakedWiredBytes + (mac.engine?.gpuBytes ?? 0);
export const pageableBytes = (mac: Mac): number => Math.max(256 * MIB, mac.totalBytes - wiredBytes(mac));
export const compressorBytes = (mac: Mac): number => mac.compressedBytes / COMPRESSION;
/** On disk, swap holds compressed data. */
export const swapUsedBytes = (mac: Mac): number => mac.swappedBytes / COMPRESSION;
export const demandBytes = (mac: Mac): number => mac.processes.reduce((sum, { bytes }) => sum + bytes, 0);

/** A ÷ T of the kernel: the share of pageable memory that the compressor does not occupy. */
export const availableShare = (mac: Mac): number => Math.max(0, 1 - compressorBytes(mac) / pageableBytes(mac));

/** Metal's recommended working set: the limit when one is set, else macOS's own share (2/3, from macOS 26 on 74 %). */
export function workingSetBytes(mac: Mac): number {
  if (mac.wiredLimitMiB > 0) return mac.wiredLimitMiB * MIB;
  return Math.floor(mac.totalBytes * (Number(mac.version.split('.')[0]) >= 26 ? 0.74 : 2 / 3));
}

/** Rising and falling marks of the kernel (xnu, RAM above 3 GB): it does not flap. */
export function nextLevel(level: KernelLevel, share: number): KernelLevel {
  if (share < 0.343) return 4;
  if (level === 4) return share > 0.4 ? (share > 0.6 ? 1 : 2) : 4;
  if (level === 2) return share > 0.6 ? 1 : 2;
  return share < 0.5 ? 2 : 1;
}

export function advance(mac: Mac, ms: number): Mac {
  let now = mac;
  for (let left = ms; left > 0; left -= STEP_MS) now = tick(now, Math.min(STEP_MS, left) / 1_000);
  return now;
}

function tick(before: Mac, seconds: number): Mac {
  const mac = withoutFreed(grown(before, seconds), demandBytes(before));
  const room = pageableBytes(mac);
  const demand = demandBytes(mac);

  // What must leave plain memory for everything to have its place, if nothing were swapped.
  const inCore = Math.max(0, demand - mac.swappedBytes);
  const wanted = Math.min(inCore, Math.max(0, (inCore + LEAST_RESIDENT_BYTES - room) / (1 - 1 / COMPRESSION)));
  const compressed = approach(
    Math.min(mac.compressedBytes, inCore),
    wanted,
    COMPRESS_BYTES_PER_SECOND * seconds,
    RELAX_BYTES_PER_SECOND * seconds,
  );

  // A < 40 % of T: the compressor's contents go to swap.
  const excess = Math.max(0, compressed - 0.6 * room * COMPRESSION);
  const swappedOut = Math.min(excess, SWAP_BYTES_PER_SECOND * COMPRESSION * seconds);
  const roomLeft = Math.max(0, room - LEAST_RESIDENT_BYTES - inCore);
  const touched = (BRING_BACK_BYTES_PER_SECOND + mac.churnBytesPerSecond) * seconds;
  const broughtBack = Math.min(mac.swappedBytes, roomLeft, touched);
  const stillSwapped = mac.swappedBytes - broughtBack;
  // What finds room stays; the rest pushes others out.
  const churned = Math.min(stillSwapped, mac.churnBytesPerSecond * seconds, touched - broughtBack);

  const pages = (bytes: number): number => bytes / PAGE_BYTES;
  const { counters } = mac;
  const next: Mac = {
    ...mac,
    nowMs: mac.nowMs + seconds * 1_000,
    compressedBytes: compressed - swappedOut,
    swappedBytes: stillSwapped + swappedOut,
    counters: {
      compressions: counters.compressions + pages(Math.max(0, compressed - mac.compressedBytes) + churned),
      decompressions: counters.decompressions + pages(Math.max(0, mac.compressedBytes - compressed) + churned),
      swapOuts: counters.swapOuts + pages((swappedOut + churned) / COMPRESSION),
      swapIns: counters.swapIns + pages((churned + broughtBack) / COMPRESSION),
    },
  };
  return { ...next, level: nextLevel(mac.level, availableShare(next)) };
}

/** Memory that a program gives back is gone from the compressor and from swap too, in proportion. */
function withoutFreed(mac: Mac, demandBefore: number): Mac {
  const share = demandBefore > 0 ? Math.min(1, demandBytes(mac) / demandBefore) : 1;
  if (share === 1) return mac;
  return { ...mac, compressedBytes: mac.compressedBytes * share, swappedBytes: mac.swappedBytes * share };
}

function grown(mac: Mac, seconds: number): Mac {
  if (mac.growths.length === 0) return mac;
  const added = new Map<number, number>();
  for (const { pid, bytesPerSecond } of mac.growths) {
    added.set(pid, (added.get(pid) ?? 0) + bytesPerSecond * seconds);
  }
  return {
    ...mac,
    processes: mac.processes.map((process) => ({
      ...process,
      bytes: Math.max(0, process.bytes + (added.get(process.pid) ?? 0)),
    })),
    growths: mac.growths.filter(({ untilMs }) => untilMs > mac.nowMs + seconds * 1_000),
  };
}

function approach(from: number, to: number, mostUp: number, mostDown: number): number {
  return to > from ? Math.min(to, from + mostUp) : Math.max(to, from - mostDown);
}

export function changed(mac: Mac, change: Change): Mac {
  switch (change.kind) {
    case 'grow': {
      const process = mac.processes.find(({ command }) => command === change.command);
      if (process === undefined) return mac;
      const seconds = Math.max(0.1, change.overSeconds);
      const growth = {
        pid: process.pid,
        bytesPerSecond: change.bytes / seconds,
        untilMs: mac.nowMs + seconds * 1_000,
      };
      return { ...mac, growths: [...mac.growths, growth] };
    }
    case 'start':
      return { ...mac, processes: [...mac.processes, change.process] };
    case 'end':
      return withoutProcess(mac, change.pid);
    case 'engine':
      return withEngine(mac, change.engine);
    case 'set-limit':
      return { ...mac, wiredLimitMiB: change.limitMiB };
    case 'prompt':
      return { ...mac, prompt: change.prompt };
    case 'daemon':
      return withDaemon(mac, change.label, change.isLoaded, mac.daemons.switchedOff.includes(change.label));
    case 'login-item':
      return withDaemon(mac, change.label, change.isOn, !change.isOn);
    case 'churn':
      return { ...mac, churnBytesPerSecond: change.bytesPerSecond };
    case 'reboot':
      return rebooted(mac);
  }
}

function withDaemon(mac: Mac, label: string, isLoaded: boolean, isSwitchedOff: boolean): Mac {
  const others = (labels: readonly string[]): readonly string[] => labels.filter((other) => other !== label);
  const { loaded, switchedOff } = mac.daemons;
  return {
    ...mac,
    daemons: {
      loaded: isLoaded ? [...others(loaded), label] : others(loaded),
      switchedOff: isSwitchedOff ? [...others(switchedOff), label] : others(switchedOff),
    },
  };
}

function withoutProcess(mac: Mac, pid: number): Mac {
  const gone = new Set([pid]);
  // Parents come before their children.
  for (const process of mac.processes) if (gone.has(process.parentPid)) gone.add(process.pid);
  const left: Mac = {
    ...mac,
    processes: mac.processes.filter((process) => !gone.has(process.pid)),
    growths: mac.growths.filter((growth) => !gone.has(growth.pid)),
  };
  return withoutFreed(left, demandBytes(mac));
}

function withEngine(mac: Mac, engine: EngineOnMac | null): Mac {
  const wasLoaded = (mac.engine?.gpuBytes ?? 0) > 0;
  const isLoaded = (engine?.gpuBytes ?? 0) > 0;
  const leaked = wasLoaded && !isLoaded ? Math.min(mac.leaksWhenUnloaded, mac.engine?.gpuBytes ?? 0) : 0;
  return { ...mac, engine, leakedWiredBytes: mac.leakedWiredBytes + leaked };
}

function rebooted(mac: Mac): Mac {
  const boots = Number.parseInt(mac.bootId.slice(-4), 16) + 1;
  return {
    ...mac,
    bootId: `${mac.bootId.slice(0, -4)}${boots.toString(16).toUpperCase().padStart(4, '0')}`,
    bootedAtMs: mac.nowMs,
    // What starts by itself: everything but apps and what belongs to them.
    processes: mac.processes.filter(({ parentPid, app }) => app === undefined && parentPid <= 1),
    growths: [],
    engine: null,
    wiredLimitMiB: 0,
    leakedWiredBytes: 0,
    churnBytesPerSecond: 0,
    compressedBytes: 0,
    swappedBytes: 0,
    counters: { compressions: 0, decompressions: 0, swapOuts: 0, swapIns: 0 },
    level: 1,
  };
}
