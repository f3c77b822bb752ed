/**
 * What the wired limit was before we touched it. Written and synced before anything changes, cleared last: whenever the
 * app dies, the next start knows the way back.
 */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { readIfThere, writeDurably } from '../durable-file.ts';
import { parsedJson } from '../plain-data.ts';

export interface JournalEntry {
  /** The setting before our first change since boot; 0 is macOS's own choice. */
  readonly originalMiB: number;
  /** Every value we have set, or were about to set, since then; the last is the newest. */
  readonly ourValuesMiB: readonly number[];
  /** `kern.bootsessionuuid`: the setting does not outlive a boot. */
  readonly bootId: string;
  readonly atMs: number;
  /**
   * A later run found the limit at its original. Kept, because the dialog of the run that died may still be open; but
   * a value that is neither is no business of ours any more.
   */
  readonly seenBack: boolean;
}

export type JournalContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'entry'; readonly entry: JournalEntry }
  /** Could not be understood; kept as `keptAs`. */
  | { readonly kind: 'damaged'; readonly keptAs: string };

export interface Journal {
  read(): JournalContent;
  /** Durable when it returns. Throws the file system's error: then nothing may be changed. */
  write(entry: JournalEntry): void;
  /** Durable when it returns. */
  clear(): void;
}

const MiB = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(16_777_216));
const stored = v.object({
  version: v.literal(1),
  originalMiB: MiB,
  ourValuesMiB: v.pipe(v.array(MiB), v.minLength(1), v.maxLength(1_000)),
  bootId: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  atMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  seenBack: v.boolean(),
});

export function parseJournal(text: string): JournalEntry | null {
  const parsed = parsedJson(stored, text);
  if (parsed === null) return null;
  const { originalMiB, ourValuesMiB, bootId, atMs, seenBack } = parsed;
  return { originalMiB, ourValuesMiB, bootId, atMs, seenBack };
}

/** The entry for a change to `toMiB`: the original of this boot stays the original, however often we change. */
export function entryFor(
  before: JournalEntry | null,
  change: { readonly currentMiB: number; readonly toMiB: number; readonly bootId: string; readonly nowMs: number },
): JournalEntry {
  const { currentMiB, toMiB, bootId, nowMs } = change;
  if (before !== null && before.bootId === bootId && before.ourValuesMiB.includes(currentMiB)) {
    const others = before.ourValuesMiB.filter((valueMiB) => valueMiB !== toMiB);
    return { ...before, ourValuesMiB: [...others, toMiB], seenBack: false };
  }
  // Another tool has changed it since, or we have restored it: what is there now is what to come back to.
  return { originalMiB: currentMiB, ourValuesMiB: [toMiB], bootId, atMs: nowMs, seenBack: false };
}

// ── Reconciling ───────────────────────────────────────────────────────────────────────────────────

/** What an earlier run left behind. What becomes of the journal, `state.ts` says. */
export type Reconciliation =
  | { readonly kind: 'nothing' }
  /** We had raised it; the boot since then has reset it. */
  | { readonly kind: 'reset-by-reboot' }
  /** After a boot there is a setting nevertheless: a daemon's, ours for keeping it over boots or another tool's. */
  | { readonly kind: 'set-at-boot'; readonly currentMiB: number }
  /** The change never happened, or was taken back before the journal could be cleared; or its dialog is still open. */
  | { readonly kind: 'at-original'; readonly entry: JournalEntry }
  /** Seen back at its original before; what is there now is another tool's. */
  | { readonly kind: 'not-ours' }
  /** Still raised by an earlier run: putting it back is offered. */
  | { readonly kind: 'still-raised'; readonly currentMiB: number; readonly entry: JournalEntry }
  /** Neither the original nor ours: another tool has been here. Its value stays until the user decides. */
  | {
      readonly kind: 'changed-by-other-tool';
      readonly currentMiB: number;
      readonly entry: JournalEntry;
    }
  /** The way back is lost with the journal; macOS's own choice, 0, is always a good one. */
  | { readonly kind: 'damaged'; readonly currentMiB: number; readonly keptAs: string };

export function reconcile(journal: JournalContent, currentMiB: number, bootId: string): Reconciliation {
  switch (journal.kind) {
    case 'none':
      return { kind: 'nothing' };
    case 'damaged':
      return { kind: 'damaged', currentMiB, keptAs: journal.keptAs };
    case 'entry': {
      const { entry } = journal;
      if (entry.bootId !== bootId) {
        return currentMiB === 0 ? { kind: 'reset-by-reboot' } : { kind: 'set-at-boot', currentMiB };
      }
      if (currentMiB === entry.originalMiB) return { kind: 'at-original', entry };
      if (entry.ourValuesMiB.includes(currentMiB)) return { kind: 'still-raised', currentMiB, entry };
      return entry.seenBack ? { kind: 'not-ours' } : { kind: 'changed-by-other-tool', currentMiB, entry };
    }
  }
}

// ── The file ──────────────────────────────────────────────────────────────────────────────────────

/** A journal in this file. Its folder is made when the first entry is written. */
export function openJournal(file: string, nowMs: () => number = Date.now): Journal {
  return {
    read() {
      const text = readIfThere(file);
      if (text === null) return { kind: 'none' };
      const entry = parseJournal(text);
      if (entry !== null) return { kind: 'entry', entry };
      // Never over an older one: each may be the only trace of how it was.
      const keptAs = `${file}.damaged-${nowMs()}`;
      renameSync(file, keptAs);
      return { kind: 'damaged', keptAs };
    },
    write(entry) {
      writeDurably(file, `${JSON.stringify({ version: 1, ...entry }, null, 2)}\n`);
      syncFolder(dirname(file));
    },
    clear() {
      try {
        unlinkSync(file);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
        throw error;
      }
      syncFolder(dirname(file));
    },
  };
}

/** A rename or an unlink is durable only when its folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
