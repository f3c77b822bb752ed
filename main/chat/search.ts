/** Search over titles and messages: SQLite's full-text index where it is compiled in, plain comparison where not. */
import type { SearchHit } from '../../preload/contract.ts';
import type { Database } from './database.ts';
import { type Row, summaryFrom, textOf } from './rows.ts';
import { fullTextQuery, likePatterns, type Matching, needsPlainSearch, snippetOf } from './search-query.ts';

export interface Search {
  readonly way: 'index' | 'plain';
  find(text: string, archivedToo: boolean): SearchHit[];
}

const MOST_HITS = 50;
/** One long conversation must not crowd out the others. */
const MOST_HITS_EACH = 3;
/** Looked through for them. */
const CANDIDATES = 150;

const INDEX = `
  -- An answer is searched when it has ended: indexing it anew every second while it grows would cost for nothing.
  CREATE VIEW searched_message AS SELECT seq, text FROM message WHERE role = 'user' OR status IS NOT NULL;
  CREATE VIRTUAL TABLE message_index USING fts5(text, content='searched_message', content_rowid='seq',
    tokenize='unicode61 remove_diacritics 2', prefix='2 3');
  CREATE VIRTUAL TABLE title_index USING fts5(title, content='conversation', content_rowid='seq',
    tokenize='unicode61 remove_diacritics 2', prefix='2 3');
  INSERT INTO message_index (message_index) VALUES ('rebuild');
  INSERT INTO title_index (title_index) VALUES ('rebuild');
`;
const TRIGGERS = `
  CREATE TRIGGER message_indexed AFTER INSERT ON message WHEN new.role = 'user' OR new.status IS NOT NULL BEGIN
    INSERT INTO message_index (rowid, text) VALUES (new.seq, new.text);
  END;
  CREATE TRIGGER message_reindexed AFTER UPDATE OF text, status ON message BEGIN
    INSERT INTO message_index (message_index, rowid, text)
      SELECT 'delete', old.seq, old.text WHERE old.role = 'user' OR old.status IS NOT NULL;
    INSERT INTO message_index (rowid, text)
      SELECT new.seq, new.text WHERE new.role = 'user' OR new.status IS NOT NULL;
  END;
  CREATE TRIGGER message_unindexed AFTER DELETE ON message WHEN old.role = 'user' OR old.status IS NOT NULL BEGIN
    INSERT INTO message_index (message_index, rowid, text) VALUES ('delete', old.seq, old.text);
  END;
  CREATE TRIGGER title_indexed AFTER INSERT ON conversation BEGIN
    INSERT INTO title_index (rowid, title) VALUES (new.seq, new.title);
  END;
  CREATE TRIGGER title_reindexed AFTER UPDATE OF title ON conversation BEGIN
    INSERT INTO title_index (title_index, rowid, title) VALUES ('delete', old.seq, old.title);
    INSERT INTO title_index (rowid, title) VALUES (new.seq, new.title);
  END;
  CREATE TRIGGER title_unindexed AFTER DELETE ON conversation BEGIN
    INSERT INTO title_index (title_index, rowid, title) VALUES ('delete', old.seq, old.title);
  END;
`;
const TRIGGER_NAMES = [
  'message_indexed',
  'message_reindexed',
  'message_unindexed',
  'title_indexed',
  'title_reindexed',
  'title_unindexed',
];

/**
 * Makes the index where there is none. A SQLite without it (another build of Node) must still be able to write: there
 * the triggers go, and the next one that has it builds the index anew.
 */
export function openSearch(db: Database, options: { hasIndex?: boolean } = {}): Search {
  if (!(options.hasIndex ?? knowsFullText(db))) {
    for (const name of TRIGGER_NAMES) db.exec(`DROP TRIGGER IF EXISTS ${name}`);
    return plainSearch(db);
  }
  const triggers = Number(
    db.prepare(`SELECT count(*) AS n FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%indexed'`).get()?.['n'],
  );
  if (triggers !== TRIGGER_NAMES.length) {
    for (const name of TRIGGER_NAMES) db.exec(`DROP TRIGGER IF EXISTS ${name}`);
    db.exec(
      `BEGIN; DROP TABLE IF EXISTS message_index; DROP TABLE IF EXISTS title_index; DROP VIEW IF EXISTS searched_message;
       ${INDEX} ${TRIGGERS} COMMIT`,
    );
  }
  return indexSearch(db);
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

function indexSearch(db: Database): Search {
  // Latest first: what a person looks for was mostly said lately, and unlike a rank it needs no look at every match.
  const findMessages = db.prepare(
    `SELECT m.id AS message_id, m.role, m.created_at_ms AS said_at_ms, ${COLUMNS}
     FROM message_index JOIN message m ON m.seq = message_index.rowid JOIN conversation c ON c.id = m.conversation_id
     WHERE message_index MATCH ? AND ${SHOWN}
     ORDER BY message_index.rowid DESC LIMIT ${CANDIDATES}`,
  );
  const findTitles = db.prepare(
    `SELECT ${COLUMNS} FROM title_index JOIN conversation c ON c.seq = title_index.rowid
     WHERE title_index MATCH ? AND ${SHOWN}
     ORDER BY title_index.rowid DESC LIMIT ${MOST_HITS}`,
  );
  const plain = plainSearch(db);
  const shown = hitsShown(db);
  return {
    way: 'index',
    find(text, archivedToo) {
      if (needsPlainSearch(text)) return plain.find(text, archivedToo);
      const query = fullTextQuery(text);
      if (query === null) return [];
      const archived = archivedToo ? 1 : 0;
      return shown(findTitles.all(query, archived), findMessages.all(query, archived), text, 'words');
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
          `SELECT m.id AS message_id, m.role, m.created_at_ms AS said_at_ms, ${COLUMNS}
           FROM message m JOIN conversation c ON c.id = m.conversation_id
           WHERE ${SHOWN} AND (m.role = 'user' OR m.status IS NOT NULL) AND ${all('m.text')}
           ORDER BY m.seq DESC LIMIT ${CANDIDATES}`,
        )
        .all(archived, ...patterns);
      return shown(titles, messages, text, 'parts');
    },
  };
}

/** The hits that are shown; only their texts are read, and not by SQLite's own snippet, which costs most of a search. */
function hitsShown(db: Database) {
  const selectText = db.prepare('SELECT text FROM message WHERE id = ?');
  return (titles: readonly Row[], messages: readonly Row[], query: string, matching: Matching): SearchHit[] => {
    const inTitles = titles.map((row): SearchHit => {
      const conversation = summaryFrom(row);
      const { title, updatedAtMs } = conversation;
      const highlighted = snippetOf(title, query, matching);
      return { conversation, messageId: null, role: null, createdAtMs: updatedAtMs, ...highlighted };
    });
    const perConversation = new Map<string, number>();
    const few = messages.filter(({ id }) => {
      const count = (perConversation.get(textOf(id)) ?? 0) + 1;
      perConversation.set(textOf(id), count);
      return count <= MOST_HITS_EACH;
    });
    const inMessages = few.slice(0, Math.max(0, MOST_HITS - inTitles.length)).map((row): SearchHit => {
      const messageId = textOf(row['message_id']);
      return {
        conversation: summaryFrom(row),
        messageId,
        role: row['role'] === 'user' ? 'user' : 'assistant',
        createdAtMs: Number(row['said_at_ms']),
        ...snippetOf(textOf(selectText.get(messageId)?.['text']), query, matching),
      };
    });
    return [...inTitles, ...inMessages];
  };
}
