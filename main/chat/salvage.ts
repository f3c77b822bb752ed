/** Opening the conversations also when their file is damaged: what can still be read is taken over into a new one. */
import { basename } from 'node:path';
import type { AppError } from '../../preload/contract.ts';
import { type Database, inTransaction, isSuspect, openAside, openDatabase, startAfresh } from './database.ts';
import { type Row, textOf } from './rows.ts';
import { isDamage } from './storage-fault.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

export interface Opened {
  readonly store: ConversationStore;
  /** Answers that were under way when the app last ended. */
  readonly interrupted: number;
  /** Set when the file was damaged: where it was kept, and how many messages could be read. */
  readonly salvaged: { readonly movedTo: string; readonly messages: number } | null;
}

/** What the user is told of it. */
export function salvageNotice({ movedTo, messages }: NonNullable<Opened['salvaged']>): AppError {
  const kept = messages === 1 ? '1 message' : `${messages.toLocaleString('en-US')} messages`;
  return {
    code: 'refused',
    message: `The file with the conversations was damaged. ${messages === 0 ? 'Nothing of it' : `${kept} of it`} could be read.`,
    nextStep: `It was kept as ${basename(movedTo)}. If there is a backup of it, put that in its place while Headroom is closed.`,
  };
}

/** Throws DatabaseTooNew, or the file system's error. */
export function openConversations(file: string): Opened {
  let movedTo: string | null = null;
  const db = openDatabase(file, (where) => (movedTo = where));
  try {
    if (movedTo === null) {
      if (isSuspect(file)) checkWhole(db);
      return { ...begun(db), salvaged: null };
    }
    return { ...begun(db), salvaged: { movedTo, messages: 0 } };
  } catch (error) {
    db.close();
    if (!isDamage(error)) throw error;
  }
  const fresh = startAfresh(file);
  const old = openAside(fresh.movedTo);
  try {
    salvage(old, fresh.db);
  } finally {
    closeQuietly(old);
  }
  const messages = Number(fresh.db.prepare('SELECT count(*) AS n FROM message').get()?.['n']);
  return { ...begun(fresh.db), salvaged: { movedTo: fresh.movedTo, messages } };
}

/** What the app's start reads and writes: damage there must be found before the app relies on the file. */
function begun(db: Database): Pick<Opened, 'store' | 'interrupted'> {
  const store = createConversationStore(db);
  const interrupted = store.markInterrupted();
  store.head();
  return { store, interrupted };
}

function checkWhole(db: Database): void {
  const found = textOf(db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
  if (found !== 'ok') throw new Error('database disk image is malformed');
}

function closeQuietly(db: Database): void {
  try {
    db.close();
  } catch {
    // It is damaged, and nothing was written to it.
  }
}

const TABLES = ['conversation', 'attachment', 'message', 'queued', 'draft', 'preset'] as const;

/** Copies every row that can be read, then mends what referred to rows that cannot. */
function salvage(from: Database, to: Database): void {
  to.exec('PRAGMA foreign_keys = OFF');
  inTransaction(to, () => {
    for (const table of TABLES) copy(from, to, table, rowsByNumber(from, table));
    copy(from, to, 'message_attachment', rowsFromBothEnds(from));
    mend(to);
  });
  to.exec('PRAGMA foreign_keys = ON');
}

function copy(from: Database, to: Database, table: string, rows: Iterable<Row>): void {
  const columnsOf = (db: Database): string[] =>
    db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => textOf(name));
  const known = new Set(columnsOf(from));
  const columns = columnsOf(to).filter((column) => known.has(column));
  if (columns.length === 0) return;
  const insert = to.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  for (const row of rows) {
    try {
      insert.run(...columns.map((column) => row[column] as string | number | null));
    } catch {
      // Noise that looked like a row.
    }
  }
}

/** Row numbers beyond this are noise. */
const MOST_ROWS = 2 ** 40;

/** In the order of their numbers. Where a page cannot be read, the first row behind it is searched for. */
function* rowsByNumber(db: Database, table: string): Generator<Row> {
  let next;
  try {
    next = db.prepare(`SELECT rowid AS row_number, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT 1`);
  } catch {
    return;
  }
  const find = next;
  /** Undefined: there is none. Null: it cannot be read. */
  const after = (number: number): Row | null | undefined => {
    try {
      const row = find.get(number);
      return row !== undefined && !(Number(row['row_number']) > number) ? null : row;
    } catch {
      return null;
    }
  };
  for (let last = 0; ; ) {
    let row = after(last);
    if (row === null) {
      let unreadable = last;
      let step = 1;
      while (row === null && last + step < MOST_ROWS) {
        row = after(last + step);
        if (row === null) unreadable = last + step;
        step *= 2;
      }
      // Between the two there may be rows that can be read: the first of them is found by halves.
      let readable = last + step / 2;
      while (row != null && readable - unreadable > 1) {
        const middle = Math.floor((readable + unreadable) / 2);
        const earlier = after(middle);
        if (earlier === null) unreadable = middle;
        else {
          readable = middle;
          row = earlier ?? row;
        }
      }
    }
    if (row === null || row === undefined) return;
    last = Number(row['row_number']);
    yield row;
  }
}

/** A table without row numbers: from its beginning as far as it goes, then from its end. */
function* rowsFromBothEnds(db: Database): Generator<Row> {
  for (const direction of ['ASC', 'DESC']) {
    try {
      yield* db.prepare(`SELECT * FROM message_attachment ORDER BY message_id ${direction}, position`).iterate();
      return;
    } catch {
      // As far as it went.
    }
  }
}

function mend(db: Database): void {
  // Its number is the row's own in a file of the first format.
  db.exec('UPDATE conversation SET seq = rowid WHERE seq IS NULL');
  const lost = db
    .prepare(
      `SELECT conversation_id AS id, min(created_at_ms) AS first_ms, max(created_at_ms) AS last_ms, min(seq) AS first_seq
       FROM message WHERE conversation_id NOT IN (SELECT id FROM conversation) GROUP BY conversation_id`,
    )
    .all();
  const insert = db.prepare(
    `INSERT INTO conversation (seq, id, title, created_at_ms, updated_at_ms, told_date)
     VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM conversation), ?,
       coalesce((SELECT substr(text, 1, 60) FROM message WHERE seq = ? AND trim(text) <> ''), 'Recovered'), ?, ?, ?)`,
  );
  for (const { id, first_ms: first, last_ms: last, first_seq: seq } of lost) {
    const toldDate = new Date(Number(first)).toISOString().slice(0, 10);
    insert.run(textOf(id), Number(seq), Number(first), Number(last), toldDate);
  }
  db.exec(`
    -- What hung on a lost message hangs on the one that was said before it.
    UPDATE message SET parent_id = (
        SELECT earlier.id FROM message earlier
        WHERE earlier.conversation_id = message.conversation_id AND earlier.seq < message.seq
        ORDER BY earlier.seq DESC LIMIT 1)
      WHERE parent_id IS NOT NULL AND parent_id NOT IN (SELECT id FROM message);
    UPDATE conversation SET leaf_id = NULL WHERE leaf_id NOT IN (SELECT id FROM message);
    DELETE FROM message_attachment
      WHERE message_id NOT IN (SELECT id FROM message) OR attachment_id NOT IN (SELECT id FROM attachment);
    DELETE FROM queued WHERE conversation_id NOT IN (SELECT id FROM conversation);
  `);
}
