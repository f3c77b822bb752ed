/**
 * How hard memory is pressed: the level is the kernel's own verdict, the needle says how near the next one is.
 *
 * macOS compares A (free, speculative, active and inactive pages) with T = A + C (C: pages the compressor occupies) and
 * changes its level at A < 50 % and A < 34.3 % of T (xnu, vm_compressor.c and vm_pageout.c). Wired pages are in neither,
 * so a used-percentage says nothing. C / T therefore crosses 0.5 and 0.657 where the level changes.
 */
import { NEEDLE_CRITICAL, NEEDLE_WARNING, type PressureLevel } from '../../preload/contract.ts';

/** The value of `kern.memorystatus_vm_pressure_level`. */
export function macLevel(value: string | undefined): PressureLevel | null {
  switch (value) {
    case '1':
      return 'normal';
    case '2':
      return 'warning';
    case '4':
      return 'critical';
    default:
      return null;
  }
}

export function macNeedle(pages: { readonly available: number; readonly compressor: number }): number {
  const together = pages.available + pages.compressor;
  return together > 0 ? clamp(pages.compressor / together) : 0;
}

/**
 * Linux has no level. It says for what share of the last ten seconds some task waited for memory; from 10 % people
 * notice, at 40 % the machine is busy with paging (systemd-oomd kills at 60 %).
 */
const LINUX_WARNING_PERCENT = 10;
const LINUX_CRITICAL_PERCENT = 40;

export function linuxLevel(waitingPercent: number): PressureLevel {
  if (waitingPercent >= LINUX_CRITICAL_PERCENT) return 'critical';
  return waitingPercent >= LINUX_WARNING_PERCENT ? 'warning' : 'normal';
}

/** The same dial: the needle passes the two marks where the level changes. */
export function linuxNeedle(waitingPercent: number): number {
  const marks = [
    [0, 0],
    [LINUX_WARNING_PERCENT, NEEDLE_WARNING],
    [LINUX_CRITICAL_PERCENT, NEEDLE_CRITICAL],
    [100, 1],
  ] as const;
  let [fromPercent, fromNeedle]: readonly [number, number] = marks[0];
  for (const [percent, needle] of marks.slice(1)) {
    if (waitingPercent <= percent) {
      return clamp(fromNeedle + ((waitingPercent - fromPercent) / (percent - fromPercent)) * (needle - fromNeedle));
    }
    [fromPercent, fromNeedle] = [percent, needle];
  }
  return 1;
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
