/** The same reading on Linux, from the texts of three files under /proc. Pure. */
import { clampedNumber, parseWhole } from './byte-size.ts';
import { linuxLevel, linuxNeedle } from './pressure.ts';
import type { MemoryReading } from './reading.ts';

export interface LinuxMemoryFiles {
  /** /proc/meminfo */
  readonly meminfo: string;
  /** /proc/pressure/memory; null where the kernel has none. */
  readonly pressure: string | null;
  /** /proc/vmstat; null when it cannot be read. */
  readonly vmstat: string | null;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string | null;
  readonly pageBytes: number;
}

/** Below this share of available memory tasks begin to wait, where the kernel does not say how long they do. */
const SCARCE_SHARE = 0.1;

/** Null when /proc/meminfo does not say how much memory there is. */
export function linuxReading(files: LinuxMemoryFiles): MemoryReading | null {
  const sizes = new Map<string, number>();
  for (const [, name, kib] of files.meminfo.matchAll(/^([A-Za-z_()]+):\s+(\d{1,18}) kB$/gm)) {
    if (name !== undefined && kib !== undefined) sizes.set(name, clampedNumber(BigInt(kib) * 1024n));
  }
  const totalBytes = sizes.get('MemTotal');
  if (totalBytes === undefined || totalBytes === 0) return null;
  const availableBytes = sizes.get('MemAvailable') ?? null;
  const waitingPercent = waitingIn(files.pressure) ?? supposedWaiting(availableBytes, totalBytes);
  const swappedOut = parseWhole(/^pswpout (\d{1,20})$/m.exec(files.vmstat ?? '')?.[1] ?? '');
  const bootId = files.bootId?.trim() ?? '';
  return {
    source: 'linux',
    level: linuxLevel(waitingPercent),
    needle: linuxNeedle(waitingPercent),
    totalBytes,
    availableBytes,
    // Linux counts pages of graphics drivers nowhere, and what is locked is no more than a few.
    wiredBytes: null,
    compressedBytes: sizes.get('Zswap') ?? null,
    swapUsedBytes: Math.max(0, (sizes.get('SwapTotal') ?? 0) - (sizes.get('SwapFree') ?? 0)),
    swapOutBytes: swappedOut === null ? null : BigInt(swappedOut) * BigInt(files.pageBytes),
    wiredLimitMiB: null,
    boot: bootId === '' ? null : { id: bootId, startedAtMs: null },
  };
}

/** Share of the last ten seconds in which some task waited for memory, 0 to 100. */
function waitingIn(pressure: string | null): number | null {
  const [, percent] = /^some avg10=(\d{1,3}(?:\.\d{1,4})?) /m.exec(pressure ?? '') ?? [];
  return percent === undefined ? null : Math.min(100, Number(percent));
}

/** Ten per cent of waiting when a tenth is left, forty when half of that is. */
function supposedWaiting(availableBytes: number | null, totalBytes: number): number {
  const share = availableBytes === null ? 1 : availableBytes / totalBytes;
  return share > SCARCE_SHARE ? 0 : 10 + 60 * (1 - share / SCARCE_SHARE);
}
