import { parseWhole } from './byte-size.ts';

export interface MemoryPressureReport {
  readonly totalBytes: number;
  /** 4096 from an Intel or Rosetta build. */
  readonly pageBytes: number;
  /** Share of all pages that are neither wired nor compressed: low with a model loaded, whatever the pressure. */
  readonly freePercent: number;
}

const HEAD = /^The system has (\d{1,20}) \(\d{1,20} pages with a page size of (\d{1,7})\)\.\s*$/m;
const FREE = /^System-wide memory free percentage: (\d{1,3})%\s*$/m;

/** `memory_pressure` or `memory_pressure -Q`. Never call it with -l or -p: those allocate memory. */
export function parseMemoryPressure(text: string): MemoryPressureReport | null {
  const [, total, page] = HEAD.exec(text) ?? [];
  const [, free] = FREE.exec(text) ?? [];
  if (total === undefined || page === undefined || free === undefined) return null;
  const totalBytes = parseWhole(total);
  return totalBytes === null ? null : { totalBytes, pageBytes: Number(page), freePercent: Math.min(100, Number(free)) };
}
