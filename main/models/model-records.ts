/**
 * What is remembered of models: which ones the user added, what the hub said of them, and how far a transfer is meant
 * to go. What is really on the disk is looked up there, never here.
 */
import * as v from 'valibot';
import { readKeptAside, writeDurably } from '../durable-file.ts';
import { parsedJson } from '../plain-data.ts';
import { type Manifest, isRepositoryName, parseManifest } from './hub/manifest.ts';

/**
 * What the user wants of a model's files.
 *
 *   none ─► asked ─► running ─► done
 *             └────────┴──► paused | failed ─► running
 *
 * `asked`: the hub is to say what there is now; from `running` on it stays with that version. Both go on by themselves
 * when the app starts again; `paused` and `failed` wait for a click.
 */
type Transfer = 'none' | 'asked' | 'running' | 'paused' | 'failed' | 'done';

export interface RepositoryRecord {
  readonly repository: string;
  /** By name, by the user; the catalog's need no adding. */
  readonly isAdded: boolean;
  readonly licence: string | null;
  /** What is being fetched or was; null before the hub was asked. */
  readonly manifest: Manifest | null;
  /** config.json as the hub has it, for a verdict before the download. */
  readonly config: unknown;
  /** What is loaded of its weights, by their headers at the hub; null where they were not read. */
  readonly weightsBytes: number | null;
  readonly transfer: Transfer;
  /** The version whose files were all compared with their checksums and found right; null for none. */
  readonly checkedCommit: string | null;
  /** What the last check found wrong; null when nothing, or when none was made. */
  readonly damage: string | null;
  /** When that was; null when none was made. */
  readonly checkedAtMs: number | null;
}

export interface ModelRecords {
  repositories(): readonly RepositoryRecord[];
  repository(name: string): RepositoryRecord | null;
  /** Folders added by hand, in the order of adding. */
  folders(): readonly string[];
  change(name: string, change: Partial<Omit<RepositoryRecord, 'repository'>>): RepositoryRecord;
  forget(name: string): void;
  addFolder(folder: string): void;
  forgetFolder(folder: string): void;
}

const record = v.object({
  repository: v.pipe(v.string(), v.check(isRepositoryName)),
  isAdded: v.fallback(v.boolean(), false),
  licence: v.fallback(v.nullable(v.string()), null),
  manifest: v.fallback(v.nullable(v.pipe(v.unknown(), v.transform(manifestOrNull))), null),
  config: v.fallback(v.unknown(), null),
  weightsBytes: v.fallback(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), null),
  transfer: v.fallback(v.picklist(['none', 'asked', 'running', 'paused', 'failed', 'done']), 'none'),
  checkedCommit: v.fallback(v.nullable(v.string()), null),
  damage: v.fallback(v.nullable(v.string()), null),
  checkedAtMs: v.fallback(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), null),
});
const stored = v.object({ repositories: v.array(v.unknown()), folders: v.fallback(v.array(v.string()), []) });

function manifestOrNull(value: unknown): Manifest | null {
  if (value === null) return null;
  try {
    const { branch } = value as { readonly branch?: unknown };
    return { ...parseManifest(value), branch: typeof branch === 'string' ? branch : null };
  } catch {
    // It is asked for anew.
    return null;
  }
}

/** A damaged file is kept as `.damaged`: what is on the disk is found all the same. */
export function openModelRecords(file: string, onDamage: (movedTo: string) => void): ModelRecords {
  const read = readKeptAside(file, parse, onDamage);
  const repositories = new Map(read?.repositories.map((each) => [each.repository, each]));
  let folders = read?.folders ?? [];
  const save = (): void =>
    writeDurably(file, `${JSON.stringify({ repositories: [...repositories.values()], folders }, null, 1)}\n`);

  return {
    repositories: () => [...repositories.values()],
    repository: (name) => repositories.get(name) ?? null,
    folders: () => folders,
    change(name, change) {
      const before = repositories.get(name) ?? emptyRecord(name);
      const after = { ...before, ...change };
      repositories.set(name, after);
      save();
      return after;
    },
    forget(name) {
      if (repositories.delete(name)) save();
    },
    addFolder(folder) {
      if (folders.includes(folder)) return;
      folders = [...folders, folder];
      save();
    },
    forgetFolder(folder) {
      folders = folders.filter((each) => each !== folder);
      save();
    },
  };
}

const emptyRecord = (repository: string): RepositoryRecord => ({
  repository,
  isAdded: false,
  licence: null,
  manifest: null,
  config: null,
  weightsBytes: null,
  transfer: 'none',
  checkedCommit: null,
  damage: null,
  checkedAtMs: null,
});

function parse(
  text: string,
): { readonly repositories: readonly RepositoryRecord[]; readonly folders: readonly string[] } | null {
  const parsed = parsedJson(stored, text);
  if (parsed === null) return null;
  const repositories = parsed.repositories.flatMap((each) => {
    // One that cannot be read must not lose the others.
    const result = v.safeParse(record, each);
    return result.success ? [{ ...result.output, config: result.output.config ?? null }] : [];
  });
  return { repositories, folders: parsed.folders };
}
