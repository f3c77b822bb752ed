import { parseByteSize } from './byte-size.ts';

export interface SwapUsage {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

const USAGE = /total = (\S+)\s+used = (\S+)\s+free = \S+/;

/** The value of `vm.swapusage`; the decimal mark is a comma where sysctl ran in the user's locale. */
export function parseSwapUsage(text: string): SwapUsage | null {
  const [, total, used] = USAGE.exec(text) ?? [];
  if (total === undefined || used === undefined) return null;
  const totalBytes = parseByteSize(total);
  const usedBytes = parseByteSize(used);
  return totalBytes === null || usedBytes === null ? null : { totalBytes, usedBytes };
}
