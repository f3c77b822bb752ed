/** Files and long pasted texts that go with messages. One may belong to several messages: an edit takes it along. */
import { randomUUID } from 'node:crypto';
import type { Attachment } from '../../preload/contract.ts';
import { languageOf } from './attachment-kind.ts';
import type { Database } from './database.ts';
import { type Row, numberOrNull, textOf, textOrNull } from './rows.ts';

export interface AttachmentStore {
  add(input: { name: string; text: string; tokens: number | null; nowMs: number }): Attachment;
  /** In the order asked for; null when one of them is not there. */
  get(ids: readonly string[]): Attachment[] | null;
  text(id: string): string | null;
  setTokens(id: string, tokens: number): void;
  /** With their texts, in their order. */
  ofMessage(messageId: string): { readonly name: string; readonly language: string | null; readonly text: string }[];
  /** By message, of one conversation. */
  ofConversation(conversationId: string): Map<string, Attachment[]>;
  put(messageId: string, ids: readonly string[]): void;
  /** Removes what no message, draft or queued message has. */
  purge(beforeMs: number): void;
}

const PREVIEW_LINES = 4;
const PREVIEW_LENGTH = 400;
/** Lines are counted in SQL: the text of a large attachment is read only when it is unfolded. */
const COLUMNS = `a.id, a.name, a.language, a.tokens, length(a.text) AS characters,
  length(a.text) - length(replace(a.text, char(10), '')) + 1 AS lines, substr(a.text, 1, ${PREVIEW_LENGTH}) AS start`;

export function createAttachmentStore(db: Database): AttachmentStore {
  const insert = db.prepare(
    'INSERT INTO attachment (id, name, language, text, tokens, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const select = db.prepare(`SELECT ${COLUMNS} FROM attachment a WHERE a.id = ?`);
  const selectText = db.prepare('SELECT text FROM attachment WHERE id = ?');
  const update = db.prepare('UPDATE attachment SET tokens = ? WHERE id = ?');
  const selectOfMessage = db.prepare(
    `SELECT a.name, a.language, a.text FROM message_attachment p JOIN attachment a ON a.id = p.attachment_id
     WHERE p.message_id = ? ORDER BY p.position`,
  );
  const selectOfConversation = db.prepare(
    `SELECT p.message_id, ${COLUMNS}
     FROM message m JOIN message_attachment p ON p.message_id = m.id JOIN attachment a ON a.id = p.attachment_id
     WHERE m.conversation_id = ? ORDER BY m.seq, p.position`,
  );
  const insertPlace = db.prepare('INSERT INTO message_attachment VALUES (?, ?, ?)');
  const deleteUnused = db.prepare(
    `DELETE FROM attachment WHERE created_at_ms < ?
       AND NOT EXISTS (SELECT 1 FROM message_attachment p WHERE p.attachment_id = attachment.id)
       AND NOT EXISTS (SELECT 1 FROM queued q, json_each(q.attachment_ids) e WHERE e.value = attachment.id)
       AND NOT EXISTS (SELECT 1 FROM draft d, json_each(d.attachment_ids) e WHERE e.value = attachment.id)`,
  );
  const get = (ids: readonly string[]): Attachment[] | null => {
    const found = ids.flatMap((id) => {
      const row = select.get(id);
      return row === undefined ? [] : [attachmentFrom(row)];
    });
    return found.length === ids.length ? found : null;
  };

  return {
    add({ name, text, tokens, nowMs }) {
      const id = randomUUID();
      insert.run(id, name, languageOf(name), text, tokens, nowMs);
      const added = get([id])?.[0];
      if (added === undefined) throw new Error('an attachment just added is not there');
      return added;
    },
    get,
    text(id) {
      const row = selectText.get(id);
      return row === undefined ? null : textOf(row['text']);
    },
    setTokens: (id, tokens) => void update.run(tokens, id),
    ofMessage: (messageId) =>
      selectOfMessage.all(messageId).map((row) => ({
        name: textOf(row['name']),
        language: textOrNull(row['language']),
        text: textOf(row['text']),
      })),
    ofConversation(conversationId) {
      const byMessage = new Map<string, Attachment[]>();
      for (const row of selectOfConversation.all(conversationId)) {
        const messageId = textOf(row['message_id']);
        const known = byMessage.get(messageId);
        if (known === undefined) byMessage.set(messageId, [attachmentFrom(row)]);
        else known.push(attachmentFrom(row));
      }
      return byMessage;
    },
    put(messageId, ids) {
      for (const [position, id] of ids.entries()) insertPlace.run(messageId, position, id);
    },
    purge: (beforeMs) => void deleteUnused.run(beforeMs),
  };
}

const attachmentFrom = (row: Row): Attachment => ({
  id: textOf(row['id']),
  name: textOf(row['name']),
  language: textOrNull(row['language']),
  characters: Number(row['characters']),
  lines: Number(row['lines']),
  tokens: numberOrNull(row['tokens']),
  preview: textOf(row['start']).split('\n').slice(0, PREVIEW_LINES).join('\n'),
});
