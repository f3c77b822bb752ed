/** Messages that wait for the answer before them, and what was being written. Both outlive the app. */
import { randomUUID } from 'node:crypto';
import type { Attachment, Draft, Effort, QueuedMessage } from '../../preload/contract.ts';
import type { Database } from './database.ts';
import { idsFrom, type Row, textOf } from './rows.ts';

export interface QueueStore {
  of(conversationId: string): QueuedMessage[];
  get(queuedId: string): QueuedMessage | null;
  add(message: {
    conversationId: string;
    text: string;
    effort: Effort;
    attachmentIds: readonly string[];
    nowMs: number;
  }): void;
  remove(queuedId: string): void;
}

export interface DraftStore {
  /** `null`: of a conversation that does not exist yet. */
  get(conversationId: string | null): Draft | null;
  put(conversationId: string | null, text: string, attachmentIds: readonly string[]): void;
  forget(conversationId: string | null): void;
}

type LookUp = (ids: readonly string[]) => Attachment[] | null;

export function createQueueStore(db: Database, attachments: LookUp): QueueStore {
  const selectOf = db.prepare('SELECT * FROM queued WHERE conversation_id = ? ORDER BY seq');
  const select = db.prepare('SELECT * FROM queued WHERE id = ?');
  const insert = db.prepare(
    'INSERT INTO queued (id, conversation_id, created_at_ms, text, effort, attachment_ids) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM queued WHERE id = ?');
  const from = (row: Row): QueuedMessage => ({
    id: textOf(row['id']),
    conversationId: textOf(row['conversation_id']),
    createdAtMs: Number(row['created_at_ms']),
    text: textOf(row['text']),
    effort: row['effort'] as Effort,
    attachments: attachments(idsFrom(row['attachment_ids'])) ?? [],
  });
  return {
    of: (conversationId) => selectOf.all(conversationId).map(from),
    get(queuedId) {
      const row = select.get(queuedId);
      return row === undefined ? null : from(row);
    },
    add({ conversationId, text, effort, attachmentIds, nowMs }) {
      insert.run(randomUUID(), conversationId, nowMs, text, effort, JSON.stringify(attachmentIds));
    },
    remove: (queuedId) => void remove.run(queuedId),
  };
}

export function createDraftStore(db: Database, attachments: LookUp): DraftStore {
  const select = db.prepare('SELECT * FROM draft WHERE conversation_id = ?');
  const upsert = db.prepare(
    `INSERT INTO draft VALUES (?, ?, ?)
     ON CONFLICT (conversation_id) DO UPDATE SET text = excluded.text, attachment_ids = excluded.attachment_ids`,
  );
  const remove = db.prepare('DELETE FROM draft WHERE conversation_id = ?');
  return {
    get(conversationId) {
      const row = select.get(conversationId ?? '');
      if (row === undefined) return null;
      return { text: textOf(row['text']), attachments: attachments(idsFrom(row['attachment_ids'])) ?? [] };
    },
    put(conversationId, text, attachmentIds) {
      upsert.run(conversationId ?? '', text, JSON.stringify(attachmentIds));
    },
    forget: (conversationId) => void remove.run(conversationId ?? ''),
  };
}
