/** The one file that knows node:sqlite: opening, migrating, and what to do with a damaged file. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { spacedOut } from './search-query.ts';
import { isDamage } from './storage-fault.ts';

export type Database = DatabaseSync;

export const FIRST_FORMAT = `CREATE TABLE conversation (
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
   CREATE INDEX message_under_way ON message (id) WHERE role = 'assistant' AND status IS NULL;`;

/** Migration n brings `user_version` from n to n + 1. Never edit one that has shipped: add another. */
const MIGRATIONS: readonly string[] = [
  FIRST_FORMAT,

  `-- a number that VACUUM leaves alone, for the search index and for paging
   ALTER TABLE conversation ADD COLUMN seq INTEGER;
   UPDATE conversation SET seq = rowid;
   CREATE UNIQUE INDEX conversation_by_seq ON conversation (seq);
   ALTER TABLE conversation ADD COLUMN pinned_at_ms INTEGER;
   ALTER TABLE conversation ADD COLUMN archived_at_ms INTEGER;
   -- deleted, and may still be taken back
   ALTER TABLE conversation ADD COLUMN deleted_at_ms INTEGER;
   -- JSON of what differs from the defaults in ConversationSettings
   ALTER TABLE conversation ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
   -- where the open path ends; NULL for the latest message
   ALTER TABLE conversation ADD COLUMN leaf_id TEXT;
   ALTER TABLE conversation ADD COLUMN title_by TEXT NOT NULL DEFAULT 'first-line'
     CHECK (title_by IN ('first-line', 'model', 'user', 'import'));
   -- an imported conversation is known by where it came from, so that a second import does not double it
   ALTER TABLE conversation ADD COLUMN origin TEXT;
   DROP INDEX conversation_by_update;
   CREATE INDEX conversation_listed ON conversation (updated_at_ms DESC, seq DESC)
     WHERE deleted_at_ms IS NULL AND archived_at_ms IS NULL AND pinned_at_ms IS NULL;
   CREATE INDEX conversation_pinned ON conversation (pinned_at_ms DESC) WHERE pinned_at_ms IS NOT NULL;
   CREATE INDEX conversation_archived ON conversation (updated_at_ms DESC, seq DESC) WHERE archived_at_ms IS NOT NULL;
   CREATE INDEX conversation_deleted ON conversation (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;
   CREATE UNIQUE INDEX conversation_by_origin ON conversation (origin) WHERE origin IS NOT NULL;
   ALTER TABLE message ADD COLUMN model TEXT;
   ALTER TABLE message ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
   -- JSON of {kind, summary}: this message and everything before it are not sent any more
   ALTER TABLE message ADD COLUMN cut TEXT;
   CREATE INDEX message_by_parent ON message (parent_id);
   CREATE TABLE attachment (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     language TEXT,
     text TEXT NOT NULL,
     tokens INTEGER,
     created_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE message_attachment (
     message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
     position INTEGER NOT NULL,
     attachment_id TEXT NOT NULL REFERENCES attachment (id),
     PRIMARY KEY (message_id, position)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX message_attachment_by_attachment ON message_attachment (attachment_id);
   CREATE TABLE queued (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
     created_at_ms INTEGER NOT NULL,
     text TEXT NOT NULL,
     effort TEXT NOT NULL,
     -- JSON array
     attachment_ids TEXT NOT NULL
   ) STRICT;
   CREATE INDEX queued_by_conversation ON queued (conversation_id, seq);
   CREATE TABLE draft (
     -- '' for a conversation that does not exist yet
     conversation_id TEXT PRIMARY KEY,
     text TEXT NOT NULL,
     attachment_ids TEXT NOT NULL
   ) STRICT;
   CREATE TABLE preset (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     system_text TEXT NOT NULL
   ) STRICT;`,
];

/** All or nothing. Not to be nested. */
export function inTransaction<T>(db: Database, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      db.exec('ROLLBACK');
    } catch {
      // A full disk has rolled it back already, and that is what should be told.
    }
    throw error;
  }
}

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
    const { db, movedTo } = startAfresh(file);
    onDamage(movedTo);
    return db;
  }
}

/** Moves a file aside and begins a new one. Nobody may have it open. */
export function startAfresh(file: string): { readonly db: Database; readonly movedTo: string } {
  const movedTo = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
  }
  rmSync(suspicion(file), { force: true });
  return { db: open(file), movedTo };
}

/** A file that was moved aside, as it is. */
export const openAside = (file: string): Database => new DatabaseSync(file);

const suspicion = (file: string): string => `${file}.suspect`;

/** Damage was met while the file was in use: the next start looks through all of it. */
export function suspect(db: Database): void {
  const file = db.location();
  if (file !== null) writeFileSync(suspicion(file), '');
}

/** Tells it once: a file that turns out whole is not looked through again. */
export function isSuspect(file: string): boolean {
  const was = existsSync(suspicion(file));
  rmSync(suspicion(file), { force: true });
  return was;
}

function open(file: string): Database {
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA journal_mode = WAL');
    // A message is acknowledged only when it would survive a power cut.
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA foreign_keys = ON');
    db.exec('PRAGMA busy_timeout = 2000');
    // The search's triggers call it at every write, so no connection may be without it.
    db.function('spaced_out', { deterministic: true }, (text) => spacedOut(String(text)));
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
