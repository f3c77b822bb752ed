/**
 * The folder of saved prompt caches: which file is whose, how much was written today, what is deleted for room. What
 * stands in the files is the conversations, so only the user may read them, and backups leave them out.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { readIfThere, writeDurably } from '../durable-file.ts';
import { localDate } from '../local-date.ts';
import type { Log } from '../log/log.ts';
import {
  SHELF_LIMITS,
  type SavedEntry,
  type ShelfLimits,
  type WrittenToday,
  refusalToSave,
  tidied,
  withWritten,
} from './cache-rules.ts';
import type { SavedCache } from './engine.ts';

export interface CacheShelf {
  readonly folder: string;
  /** The newest one of this conversation, made by this model. */
  find(key: string, model: string): SavedEntry | null;
  /** A name for a file to be written now, or null and a line in the log. `expectedBytes`: at most so much. */
  place(tokens: number, expectedBytes: number): string | null;
  /** It was written. */
  put(place: { readonly file: string; readonly key: string; readonly model: string }, saved: SavedCache): void;
  used(entry: SavedEntry): void;
  /** It is of no use. */
  drop(entry: SavedEntry): void;
  /** The conversation is gone, or all of them that are not kept. */
  forget(key: string): void;
  keepOnly(isKept: (key: string) => boolean): void;
}

export interface ShelfPorts {
  readonly folder: string;
  readonly log: Log;
  readonly limits?: ShelfLimits;
  readonly nowMs?: () => number;
  readonly freeBytes?: (folder: string) => number;
}

const ENDING = '.safetensors';
const INDEX = 'index.json';
/** Its first words are what backup and cleaning programs look for (bford.info/cachedir). */
const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n# Saved prompt caches: they can be made again.\n';

const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const indexSchema = v.object({
  written: v.object({ day: v.string(), bytes: count }),
  entries: v.array(
    v.object({
      key: v.string(),
      file: v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/)),
      model: v.string(),
      bytes: count,
      tokens: count,
      sha256: v.string(),
      usedAtMs: count,
    }),
  ),
});

export function openCacheShelf({
  folder,
  log,
  limits = SHELF_LIMITS,
  nowMs = Date.now,
  freeBytes = freeBytesAt,
}: ShelfPorts): CacheShelf {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'CACHEDIR.TAG'), CACHE_TAG, { mode: 0o600 });
  const indexFile = join(folder, INDEX);
  let { entries, written }: { entries: readonly SavedEntry[]; written: WrittenToday } = readIndex(indexFile, log);

  const pathOf = (file: string): string => join(folder, `${file}${ENDING}`);
  const remove = (path: string): void => {
    try {
      rmSync(path, { force: true });
    } catch (error) {
      log('warn', `a saved prompt cache could not be deleted: ${String(error)}`);
    }
  };
  const keep = (next: readonly SavedEntry[]): void => {
    const { kept, dropped } = tidied(next, limits);
    for (const gone of [...dropped, ...entries.filter((old) => !next.includes(old))]) {
      if (!kept.some(({ file }) => file === gone.file)) remove(pathOf(gone.file));
    }
    entries = kept;
    try {
      writeDurably(indexFile, `${JSON.stringify({ written, entries })}\n`);
    } catch (error) {
      log('warn', `the list of saved prompt caches could not be saved: ${String(error)}`);
    }
  };

  const sizeOf = (file: string): number | null => {
    const about = statSync(pathOf(file), { throwIfNoEntry: false });
    return about === undefined ? null : about.size;
  };
  // A crash may have left a file without its line, or a line without its file.
  keep(entries.filter(({ file, bytes }) => sizeOf(file) === bytes));
  const known = new Set([INDEX, 'CACHEDIR.TAG', ...entries.map(({ file }) => `${file}${ENDING}`)]);
  for (const name of readdirSync(folder)) if (!known.has(name)) remove(join(folder, name));

  return {
    folder,
    find: (key, model) => entries.find((entry) => entry.key === key && entry.model === model) ?? null,

    place(tokens, expectedBytes) {
      if (tokens < limits.fewestTokens) return null;
      const today = localDate(nowMs());
      const asked = { expectedBytes, freeBytes: freeBytes(folder), written };
      const refusal = refusalToSave(asked, today, limits);
      if (refusal === null) return randomBytes(12).toString('hex');
      log('info', `a prompt cache is not saved: ${refusal}`);
      return null;
    },

    put({ file, key, model }, { tokens, bytes, sha256 }) {
      written = withWritten(written, bytes, localDate(nowMs()));
      const others = entries.filter((entry) => entry.key !== key || entry.model !== model);
      keep([...others, { key, file, model, bytes, tokens, sha256, usedAtMs: nowMs() }]);
    },

    used(entry) {
      keep(entries.map((each) => (each.file === entry.file ? { ...each, usedAtMs: nowMs() } : each)));
    },
    drop: (entry) => keep(entries.filter(({ file }) => file !== entry.file)),
    forget(key) {
      if (entries.some((entry) => entry.key === key)) keep(entries.filter((entry) => entry.key !== key));
    },
    keepOnly(isKept) {
      if (entries.some(({ key }) => !isKept(key))) keep(entries.filter(({ key }) => isKept(key)));
    },
  };
}

/** None where nobody can say: then nothing is written. */
function freeBytesAt(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function readIndex(file: string, log: Log): v.InferOutput<typeof indexSchema> {
  try {
    const text = readIfThere(file);
    if (text !== null) return v.parse(indexSchema, JSON.parse(text));
  } catch (error) {
    log('info', `the list of saved prompt caches begins anew: ${error instanceof Error ? error.name : 'unreadable'}`);
  }
  return { written: { day: '', bytes: 0 }, entries: [] };
}
