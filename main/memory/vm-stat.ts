/** `vm_stat`: pages by label, and counters since boot. The column moved with macOS 26 and newer chips add lines. */

export interface VmStat {
  readonly pageBytes: number;
  /** Pages or events by the label without quotes, `Pages wired down`. Counters pass 2^53 in principle, hence bigint. */
  readonly counts: ReadonlyMap<string, bigint>;
}

const HEAD = /\(page size of (\d{1,7}) bytes\)/;
const LINE = /^"?([^":]+)"?:\s+(\d{1,30})\.\s*$/;

/** Null when the first line does not say the page size. Labels are matched whole: `non-tag wired` is not `wired down`. */
export function parseVmStat(text: string): VmStat | null {
  const [head = '', ...lines] = text.split('\n');
  const pageBytes = Number(HEAD.exec(head)?.[1] ?? 0);
  if (pageBytes === 0) return null;
  const counts = new Map<string, bigint>();
  for (const line of lines) {
    const [, label, digits] = LINE.exec(line) ?? [];
    if (label !== undefined && digits !== undefined) counts.set(label, BigInt(digits));
  }
  return { pageBytes, counts };
}
