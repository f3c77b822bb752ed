/** Search over titles, messages and attachments: SQLite's full-text index where there is one, else plain comparison. */
import type { SearchHit } from '../../preload/contract.ts';
import { type Database, inTransaction } from './database.ts';
import { type Row, summaryFrom, textOf } from './rows.ts';
import { fullTextQuery, likePatterns, type Matching, snippetOf } from './search-query.ts';

export interface Search {
  readonly way: 'index' | 'plain';
  find(text: string, archivedToo: boolean): SearchHit[];
}

const MOST_HITS = 50;
/** One long conversation must not crowd out the others. */
const MOST_HITS_EACH = 3;
/** Looked through for them. */
const CANDIDATES = 150;

const TOKENS = `tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'", prefix='2 3'`;

// “spaced_out” is ours: see `spacedOut`. The views say what the index holds, for when it is made anew.
const INDEX = [
  // An answer is searched when it has ended: indexing it anew every second while it grows would cost for nothing.
  `CREATE VIEW searched_message AS
     SELECT seq, spaced_out(text) AS text FROM message WHERE role = 'user' OR status IS NOT NULL`,
  `CREATE VIEW searched_title AS SELECT seq, spaced_out(title) AS title FROM conversation`,
  `CREATE VIEW searched_attachment AS
     SELECT seq, spaced_out(name) AS name, spaced_out(text) AS text FROM attachment`,
  `CREATE VIRTUAL TABLE message_index USING fts5(text, content='searched_message', content_rowid='seq', ${TOKENS})`,
  `CREATE VIRTUAL TABLE title_index USING fts5(title, content='searched_title', content_rowid='seq', ${TOKENS})`,
  `CREATE VIRTUAL TABLE attachment_index
     USING fts5(name, text, content='searched_attachment', content_rowid='seq', ${TOKENS})`,
];
const TRIGGERS = [
  `CREATE TRIGGER message_indexed AFTER INSERT ON message WHEN new.role = 'user' OR new.status IS NOT NULL BEGIN
    INSERT INTO message_index (rowid, text) VALUES (new.seq, spaced_out(new.text));
  END`,
  `CREATE TRIGGER message_reindexed AFTER UPDATE OF text, status ON message BEGIN
    INSERT INTO message_index (message_index, rowid, text)
      SELECT 'delete', old.seq, spaced_out(old.text) WHERE old.role = 'user' OR old.status IS NOT NULL;
    INSERT INTO message_index (rowid, text)
      SELECT new.seq, spaced_out(new.text) WHERE new.role = 'user' OR new.status IS NOT NULL;
  END`,
  `CREATE TRIGGER message_unindexed AFTER DELETE ON message WHEN old.role = 'user' OR old.status IS NOT NULL BEGIN
    INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.seq, spaced_out(old.text));
  END`,
  `CREATE TRIGGER title_indexed AFTER INSERT ON conversation BEGIN
    INSERT INTO title_index (rowid, title) VALUES (new.seq, spaced_out(new.title));
  END`,
  `CREATE TRIGGER title_reindexed AFTER UPDATE OF title ON conversation BEGIN
    INSERT INTO title_index (title_index, rowid, title) VALUES ('delete', old.seq, spaced_out(old.title));
    INSERT INTO title_index (rowid, title) VALUES (new.seq, spaced_out(new.title));
  END`,
  `CREATE TRIGGER title_unindexed AFTER DELETE ON conversation BEGIN
    INSERT INTO title_index (title_index, rowid, title) VALUES ('delete', old.seq, spaced_out(old.title));
  END`,
  // An attachment is never changed.
  `CREATE TRIGGER attachment_indexed AFTER INSERT ON attachment BEGIN
    INSERT INTO attachment_index (rowid, name, text) VALUES (new.seq, spaced_out(new.name), spaced_out(new.text));
  END`,
  `CREATE TRIGGER attachment_unindexed AFTER DELETE ON attachment BEGIN
    INSERT INTO attachment_index (attachment_index, rowid, name, text)
      VALUES ('delete', old.seq, spaced_out(old.name), spaced_out(old.text));
  END`,
];
const INDEXES = ['message_index', 'title_index', 'attachment_index'] as const;

/**
 * Makes the index where there is none, or where it was made otherwise. A SQLite without it (another build of Node) must
 * still be able to write: there the triggers go, and the next one that has it builds the index anew.
 */
export function openSearch(db: Database, options: { hasIndex?: boolean } = {}): Search {
  if (!(options.hasIndex ?? knowsFullText(db))) {
    dropTriggers(db);
    return plainSearch(db);
  }
  const made = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').all();
  const definitions = new Set(made.map(({ sql }) => sql));
  if (![...INDEX, ...TRIGGERS].every((definition) => definitions.has(definition))) buildIndex(db);
  return indexSearch(db);
}

export function dropTriggers(db: Database): void {
  const triggers = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%indexed'`).all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${textOf(name)}`);
}

function buildIndex(db: Database): void {
  inTransaction(db, () => {
    dropTriggers(db);
    for (const index of INDEXES) db.exec(`DROP TABLE IF EXISTS ${index}`);
    const views = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'searched%'`).all();
    for (const { name } of views) db.exec(`DROP VIEW ${textOf(name)}`);
    for (const definition of [...INDEX, ...TRIGGERS]) db.exec(definition);
    for (const index of INDEXES) db.exec(`INSERT INTO ${index} (${index}) VALUES ('rebuild')`);
  });
}

/** The compile options tell it only where they were not left out: trying is sure. */
function knowsFullText(db: Database): boolean {
  try {
    db.exec('CREATE VIRTUAL TABLE temp.probe USING fts5(x); DROP TABLE temp.probe');
    return true;
  } catch {
    return false;
  }
}

const COLUMNS = `c.id, c.title, c.created_at_ms, c.updated_at_ms, c.pinned_at_ms, c.archived_at_ms`;
const SHOWN = `c.deleted_at_ms IS NULL AND (c.archived_at_ms IS NULL OR ?)`;

/** A place in a message, or in what is attached to it. */
const PLACE = `m.id AS message_id, m.seq AS said_seq, m.role, m.created_at_ms AS said_at_ms, ${COLUMNS}`;
const IN_ATTACHMENT = `a.id AS attachment_id, a.name AS attachment_name, ${PLACE}`;
const ATTACHED = `JOIN message_attachment p ON p.attachment_id = a.id JOIN message m ON m.id = p.message_id
  JOIN conversation c ON c.id = m.conversation_id`;

function indexSearch(db: Database): Search {
  // Latest first: what a person looks for was mostly said lately, and unlike a rank it needs no look at every match.
  const findMessages = db.prepare(
    `SELECT ${PLACE}
     FROM message_index JOIN message m ON m.seq = message_index.rowid JOIN conversation c ON c.id = m.conversation_id
     WHERE message_index MATCH ? AND ${SHOWN}
     ORDER BY message_index.rowid DESC LIMIT ${CANDIDATES}`,
  );
  const findAttachments = db.prepare(
    `SELECT ${IN_ATTACHMENT}
     FROM attachment_index JOIN attachment a ON a.seq = attachment_index.rowid ${ATTACHED}
     WHERE attachment_index MATCH ? AND ${SHOWN}
     ORDER BY attachment_index.rowid DESC LIMIT ${CANDIDATES}`,
  );
  const findTitles = db.prepare(
    `SELECT ${COLUMNS} FROM title_index JOIN conversation c ON c.seq = title_index.rowid
     WHERE title_index MATCH ? AND ${SHOWN}
     ORDER BY title_index.rowid DESC LIMIT ${MOST_HITS}`,
  );
  const shown = hitsShown(db);
  return {
    way: 'index',
    find(text, archivedToo) {
      const query = fullTextQuery(text);
      if (query === null) return [];
      const archived = archivedToo ? 1 : 0;
      const places = [...findMessages.all(query, archived), ...findAttachments.all(query, archived)];
      return shown(findTitles.all(query, archived), places, text, 'words');
    },
  };
}

function plainSearch(db: Database): Search {
  const shown = hitsShown(db);
  return {
    way: 'plain',
    find(text, archivedToo) {
      const patterns = likePatterns(text);
      if (patterns.length === 0) return [];
      const archived = archivedToo ? 1 : 0;
      const all = (column: string): string => patterns.map(() => `${column} LIKE ? ESCAPE '\\'`).join(' AND ');
      const titles = db
        .prepare(
          `SELECT ${COLUMNS} FROM conversation c WHERE ${SHOWN} AND ${all('c.title')}
           ORDER BY c.seq DESC LIMIT ${MOST_HITS}`,
        )
        .all(archived, ...patterns);
      const messages = db
        .prepare(
          `SELECT ${PLACE} FROM message m JOIN conversation c ON c.id = m.conversation_id
           WHERE ${SHOWN} AND (m.role = 'user' OR m.status IS NOT NULL) AND ${all('m.text')}
           ORDER BY m.seq DESC LIMIT ${CANDIDATES}`,
        )
        .all(archived, ...patterns);
      const attachments = db
        .prepare(
          `SELECT ${IN_ATTACHMENT} FROM attachment a ${ATTACHED}
           WHERE ${SHOWN} AND ${all("(a.name || ' ' || a.text)")}
           ORDER BY a.seq DESC LIMIT ${CANDIDATES}`,
        )
        .all(archived, ...patterns);
      return shown(titles, [...messages, ...attachments], text, 'parts');
    },
  };
}

/** The hits that are shown; only their texts are read, and not by SQLite's own snippet, which costs most of a search. */
function hitsShown(db: Database) {
  const selectText = db.prepare('SELECT text FROM message WHERE id = ?');
  const selectAttached = db.prepare('SELECT text FROM attachment WHERE id = ?');
  return (titles: readonly Row[], places: readonly Row[], query: string, matching: Matching): SearchHit[] => {
    const inTitles = titles.map((row): SearchHit => {
      const conversation = summaryFrom(row);
      const { title, updatedAtMs } = conversation;
      const highlighted = snippetOf(title, query, matching);
      return { conversation, messageId: null, attachment: null, role: null, createdAtMs: updatedAtMs, ...highlighted };
    });
    // An attachment that an edit took along belongs to several messages: the latest counts.
    const latest = [...places].sort((a, b) => Number(b['said_seq']) - Number(a['said_seq']));
    const attachmentsSeen = new Set<string>();
    const perConversation = new Map<string, number>();
    const few = latest.filter(({ id, attachment_id: attachmentId }) => {
      const known = `${textOf(id)} ${textOf(attachmentId)}`;
      if (attachmentId !== undefined && attachmentsSeen.has(known)) return false;
      attachmentsSeen.add(known);
      const count = (perConversation.get(textOf(id)) ?? 0) + 1;
      perConversation.set(textOf(id), count);
      return count <= MOST_HITS_EACH;
    });
    const inPlaces = few.slice(0, Math.max(0, MOST_HITS - inTitles.length)).map((row): SearchHit => {
      const messageId = textOf(row['message_id']);
      const attachmentId = row['attachment_id'] === undefined ? null : textOf(row['attachment_id']);
      const text = attachmentId === null ? selectText.get(messageId) : selectAttached.get(attachmentId);
      return {
        conversation: summaryFrom(row),
        messageId,
        attachment: attachmentId === null ? null : { id: attachmentId, name: textOf(row['attachment_name']) },
        role: row['role'] === 'user' ? 'user' : 'assistant',
        createdAtMs: Number(row['said_at_ms']),
        ...snippetOf(textOf(text?.['text']), query, matching),
      };
    });
    return [...inTitles, ...inPlaces];
  };
}
