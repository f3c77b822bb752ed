/** Which saved prompt caches stay, and whether another may be written. Pure. */

export interface SavedEntry {
  /** The conversation. */
  readonly key: string;
  /** Name in the caches folder, without its ending. */
  readonly file: string;
  /** Folder of the model that made it. */
  readonly model: string;
  readonly bytes: number;
  readonly tokens: number;
  readonly sha256: string;
  readonly usedAtMs: number;
}

export interface WrittenToday {
  /** YYYY-MM-DD, local. */
  readonly day: string;
  readonly bytes: number;
}

export interface ShelfLimits {
  /** All files together. */
  readonly totalBytes: number;
  /** Writing wears the disk. */
  readonly dailyBytes: number;
  /** Free space that is not touched. */
  readonly freeDiskBytes: number;
  /** Reading so few tokens again is quicker than reading a file. */
  readonly fewestTokens: number;
}

const GiB = 1024 ** 3;
/** Room for the longest conversation there can be (gpt-oss-20b at 131,072 tokens: 3.0 GiB) and some others. */
export const SHELF_LIMITS: ShelfLimits = {
  totalBytes: 4 * GiB,
  dailyBytes: 16 * GiB,
  freeDiskBytes: 10 * GiB,
  fewestTokens: 256,
};

/** Why nothing is written now; null when it may be. `expectedBytes`: at most so much. */
export function refusalToSave(
  { expectedBytes, freeBytes, written }: { expectedBytes: number; freeBytes: number; written: WrittenToday },
  today: string,
  limits: ShelfLimits,
): string | null {
  if (expectedBytes > limits.totalBytes) return 'it is larger than all of them may be';
  if (freeBytes - expectedBytes < limits.freeDiskBytes) return 'the disk is short';
  const already = written.day === today ? written.bytes : 0;
  return already + expectedBytes > limits.dailyBytes ? 'enough was written today' : null;
}

export const withWritten = (written: WrittenToday, bytes: number, today: string): WrittenToday => ({
  day: today,
  bytes: (written.day === today ? written.bytes : 0) + bytes,
});

/** The newest first for as long as there is room; one for each conversation and model. The others are to be deleted. */
export function tidied(
  entries: readonly SavedEntry[],
  limits: ShelfLimits,
): { readonly kept: readonly SavedEntry[]; readonly dropped: readonly SavedEntry[] } {
  const kept: SavedEntry[] = [];
  const dropped: SavedEntry[] = [];
  let bytes = 0;
  for (const entry of entries.toSorted((a, b) => b.usedAtMs - a.usedAtMs)) {
    const isKnown = kept.some(({ key, model }) => key === entry.key && model === entry.model);
    if (isKnown || bytes + entry.bytes > limits.totalBytes) dropped.push(entry);
    else {
      kept.push(entry);
      bytes += entry.bytes;
    }
  }
  return { kept, dropped };
}
