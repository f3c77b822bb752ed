/** The one file that knows node:sqlite: opening, migrating, and what to do with a damaged file. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Database = DatabaseSync;

/** Migration n brings `user_version` from n to n + 1. Never edit one that has shipped: add another. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE conversation (
     id TEXT PRIMARY KEY,
     title TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     updated_at_ms INTEGER NOT NULL,
     -- the day the model is told, fixed at the first message: a changing date would void the prompt cache at midnight
     told_date TEXT NOT NULL
   ) STRICT;
   CREATE INDEX conversation_by_update ON conversation (updated_at_ms DESC);
   CREATE TABLE message (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
     -- messages form a tree: an edited message or a regenerated answer is a sibling
     parent_id TEXT REFERENCES message (id),
     role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
     created_at_ms INTEGER NOT NULL,
     text TEXT NOT NULL,
     effort TEXT,
     reasoning TEXT,
     reasoning_ms INTEGER,
     -- JSON of AnswerStatus; NULL while the answer is under way
     status TEXT,
     -- JSON of AnswerUsage
     usage TEXT
   ) STRICT;
   CREATE INDEX message_by_conversation ON message (conversation_id, seq);
   CREATE INDEX message_under_way ON message (id) WHERE role = 'assistant' AND status IS NULL;`,
];

export class DatabaseTooNew extends Error {
  constructor(found: number) {
    super(`The conversations were written by a newer Headroom (format ${found}, this one knows ${MIGRATIONS.length}).`);
    this.name = 'DatabaseTooNew';
  }
}

/**
 * Opens, and migrates with a backup beside the file first. A file that is not a database is moved aside, never
 * deleted; `onDamage` learns where to. Throws DatabaseTooNew, or the file system's error.
 */
export function openDatabase(file: string, onDamage: (movedTo: string) => void): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return open(file);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const movedTo = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
    }
    onDamage(movedTo);
    return open(file);
  }
}

function open(file: string): Database {
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA journal_mode = WAL');
    // A message is acknowledged only when it would survive a power cut.
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA foreign_keys = ON');
    db.exec('PRAGMA busy_timeout = 2000');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    migrate(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: Database, file: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length) throw new DatabaseTooNew(version);
  if (version === MIGRATIONS.length) return;
  if (version > 0) {
    const backup = `${file}.before-format-${MIGRATIONS.length}`;
    rmSync(backup, { force: true });
    db.exec(`VACUUM INTO '${backup.replaceAll("'", "''")}'`);
  }
  for (const [from, sql] of MIGRATIONS.entries()) {
    if (from < version) continue;
    db.exec(`BEGIN; ${sql}; PRAGMA user_version = ${from + 1}; COMMIT`);
  }
}

function isDamage(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /not a database|malformed|corrupt/i.test(text);
}
