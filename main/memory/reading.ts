/** One look at a Mac's memory: two short commands, run side by side. */
import type { MemorySource, PressureLevel } from '../../preload/contract.ts';
import { type Boot, bootFrom } from './boot.ts';
import { clampedNumber, parseWhole } from './byte-size.ts';
import type { Commands } from './commands.ts';
import { macLevel, macNeedle } from './pressure.ts';
import { parseSwapUsage } from './swap-usage.ts';
import { parseSysctl } from './sysctl.ts';
import { type VmStat, parseVmStat } from './vm-stat.ts';

/** What either system tells of its memory. Null: this system does not say. */
export interface MemoryReading {
  readonly source: MemorySource;
  readonly level: PressureLevel;
  /** 0 to 1; see pressure.ts. */
  readonly needle: number;
  readonly totalBytes: number;
  /** What can be had without compressing or swapping anything: free, purgeable, and cached files. */
  readonly availableBytes: number | null;
  readonly wiredBytes: number | null;
  /** What the compressor occupies, not what is stored in it. */
  readonly compressedBytes: number | null;
  readonly swapUsedBytes: number;
  /** Written to swap since boot. */
  readonly swapOutBytes: bigint | null;
  /** `iogpu.wired_limit_mb`; 0 is the system's own policy. */
  readonly wiredLimitMiB: number | null;
  readonly boot: Boot | null;
}

/** Names are kept in the answer: with -n a missing one would shift the lines. -i passes over what this macOS lacks. */
const SYSCTL_NAMES = [
  'kern.memorystatus_vm_pressure_level',
  'hw.memsize',
  'vm.swapusage',
  'iogpu.wired_limit_mb',
  'kern.bootsessionuuid',
  'kern.boottime',
] as const;

/** A reading is wanted every two seconds; one that takes longer than this is given up. */
const READING_TIMEOUT_MS = 5_000;

/** Null when the level, the size of memory or vm_stat's pages could not be read. Never rejects. */
export async function readMemory(commands: Commands): Promise<MemoryReading | null> {
  const options = { timeoutMs: READING_TIMEOUT_MS };
  const [sysctl, vmStat] = await Promise.all([
    commands.run('sysctl', ['-i', ...SYSCTL_NAMES], options),
    commands.run('vm_stat', [], options),
  ]);
  return macReading(sysctl.stdout, vmStat.stdout);
}

/** Pure: the texts of sysctl and vm_stat in, the reading out. */
export function macReading(sysctlText: string, vmStatText: string): MemoryReading | null {
  const { values } = parseSysctl(sysctlText);
  const level = macLevel(values.get('kern.memorystatus_vm_pressure_level'));
  const totalBytes = parseWhole(values.get('hw.memsize') ?? '');
  const vmStat = parseVmStat(vmStatText);
  const pages = vmStat === null ? null : pagesOf(vmStat);
  if (level === null || totalBytes === null || vmStat === null || pages === null) return null;

  const bytes = (label: string): number | null => {
    const count = vmStat.counts.get(label);
    return count === undefined ? null : clampedNumber(count * BigInt(vmStat.pageBytes));
  };
  const free = bytes('Pages free');
  const purgeable = bytes('Pages purgeable');
  const files = bytes('File-backed pages');
  const swapOuts = vmStat.counts.get('Swapouts');
  return {
    source: 'macos',
    level,
    needle: macNeedle(pages),
    totalBytes,
    availableBytes:
      free === null || purgeable === null || files === null ? null : Math.min(totalBytes, free + purgeable + files),
    wiredBytes: bytes('Pages wired down'),
    compressedBytes: bytes('Pages occupied by compressor'),
    swapUsedBytes: parseSwapUsage(values.get('vm.swapusage') ?? '')?.usedBytes ?? 0,
    swapOutBytes: swapOuts === undefined ? null : swapOuts * BigInt(vmStat.pageBytes),
    wiredLimitMiB: parseWhole(values.get('iogpu.wired_limit_mb') ?? ''),
    boot: bootFrom(values),
  };
}

/** vm_stat prints the free pages without the speculative ones, which is why they are added here. */
function pagesOf({ counts }: VmStat): { available: number; compressor: number } | null {
  let available = 0n;
  for (const label of ['Pages free', 'Pages speculative', 'Pages active', 'Pages inactive']) {
    const count = counts.get(label);
    if (count === undefined) return null;
    available += count;
  }
  const compressor = counts.get('Pages occupied by compressor');
  return compressor === undefined
    ? null
    : { available: clampedNumber(available), compressor: clampedNumber(compressor) };
}
