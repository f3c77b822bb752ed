import { parseWhole } from './byte-size.ts';

export interface GpuStatistics {
  /** Null where this system leaves the key out. */
  readonly inUseBytes: number | null;
  /** May exceed the machine's memory. */
  readonly allocatedBytes: number | null;
  /** 0 to 100. A language model shows here, not under "Renderer". */
  readonly devicePercent: number | null;
}

const STATISTICS = /"PerformanceStatistics" = \{([^}]*)\}/;
const ENTRY = /"([^"]+)"=(\d{1,30})/g;

/** `ioreg -r -d 1 -w 0 -c IOAccelerator`. Order and presence of keys vary. Costly: never more often than every 5 s. */
export function parseIoreg(text: string): GpuStatistics | null {
  const [, body] = STATISTICS.exec(text) ?? [];
  if (body === undefined) return null;
  const entries = new Map<string, number | null>();
  for (const [, key, digits] of body.matchAll(ENTRY)) {
    if (key !== undefined && digits !== undefined) entries.set(key, parseWhole(digits));
  }
  const percent = entries.get('Device Utilization %') ?? null;
  return {
    inUseBytes: entries.get('In use system memory') ?? null,
    allocatedBytes: entries.get('Alloc system memory') ?? null,
    devicePercent: percent === null ? null : Math.min(100, percent),
  };
}
