/** Whole conversations out of the store and into it: every branch, setting and number. */
import { randomUUID } from 'node:crypto';
import type { AnswerStatus, AnswerUsage, ConversationSettings, Effort } from '../../preload/contract.ts';
import { type Database, inTransaction } from './database.ts';
import {
  cutFrom,
  jsonOf,
  numberOrNull,
  type Row,
  settingsFrom,
  type StoredCut,
  summaryFrom,
  textOf,
  textOrNull,
} from './rows.ts';

export interface TransferredMessage {
  readonly id: string;
  /** Always a message before this one. */
  readonly parentId: string | null;
  readonly role: 'user' | 'assistant';
  readonly createdAtMs: number;
  readonly text: string;
  readonly attachments: readonly { readonly name: string; readonly language: string | null; readonly text: string }[];
  readonly effort: Effort | null;
  readonly model: string | null;
  readonly reasoning: string;
  readonly reasoningMs: number | null;
  readonly status: AnswerStatus | null;
  readonly usage: AnswerUsage | null;
  readonly cut: StoredCut | null;
}

export interface TransferredConversation {
  /** The id where it comes from. */
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly pinnedAtMs: number | null;
  readonly archivedAtMs: number | null;
  readonly toldDate: string | null;
  readonly settings: Partial<ConversationSettings>;
  /** Where the open path ends; null for the latest message. */
  readonly leafId: string | null;
  readonly messages: readonly TransferredMessage[];
}

export interface Transfer {
  /** Null when it is not there. */
  read(conversationId: string): TransferredConversation | null;
  /** Ids in the order of their making, behind the one with this number. */
  idsAfter(seq: number, limit: number): { readonly id: string; readonly seq: number }[];
  /** Whether this conversation came in before, or was made here. */
  isKnown(from: string, id: string): boolean;
  /**
   * Takes conversations in: all or none of them, also when the app is killed in between. They are written out of sight,
   * with pauses so that the app stays quick, and shown together.
   */
  take(from: string, conversations: readonly TransferredConversation[], nowMs: number): Promise<void>;
}

/** Rows written at once. */
const SLICE = 200;

const yieldToOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createTransfer(db: Database): Transfer {
  const selectConversation = db.prepare('SELECT * FROM conversation WHERE id = ? AND deleted_at_ms IS NULL');
  const selectMessages = db.prepare('SELECT * FROM message WHERE conversation_id = ? ORDER BY seq');
  const selectAttachments = db.prepare(
    `SELECT p.message_id, a.name, a.language, a.text
     FROM message m JOIN message_attachment p ON p.message_id = m.id JOIN attachment a ON a.id = p.attachment_id
     WHERE m.conversation_id = ? ORDER BY m.seq, p.position`,
  );
  const selectIds = db.prepare(
    'SELECT id, seq FROM conversation WHERE deleted_at_ms IS NULL AND seq > ? ORDER BY seq LIMIT ?',
  );
  const selectKnown = db.prepare('SELECT 1 FROM conversation WHERE deleted_at_ms IS NULL AND (id = ? OR origin = ?)');
  // Out of sight like a deleted one until everything is there; what a kill leaves behind goes the way of the deleted.
  const insertConversation = db.prepare(
    `INSERT INTO conversation (seq, id, title, created_at_ms, updated_at_ms, told_date, pinned_at_ms, archived_at_ms,
       settings, leaf_id, title_by, deleted_at_ms)
     VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM conversation), ?, ?, ?, ?, ?, ?, ?, ?, ?, 'import', ?)`,
  );
  const insertMessage = db.prepare(
    `INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text, effort, model, reasoning,
       reasoning_ms, status, usage, cut) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertAttachment = db.prepare(
    'INSERT INTO attachment (id, name, language, text, created_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const insertPlace = db.prepare('INSERT INTO message_attachment VALUES (?, ?, ?)');
  const freeOrigin = db.prepare('UPDATE conversation SET origin = NULL WHERE origin = ? AND deleted_at_ms IS NOT NULL');
  const reveal = db.prepare('UPDATE conversation SET deleted_at_ms = NULL, origin = ? WHERE id = ?');
  const discard = db.prepare('DELETE FROM conversation WHERE id = ?');
  const discardAttachment = db.prepare('DELETE FROM attachment WHERE id = ?');

  const originOf = (from: string, id: string): string => `${from}:${id}`;

  /** The rows of a conversation, one write each. */
  function* writes(
    conversation: TransferredConversation,
    id: string,
    nowMs: number,
    attachmentIds: string[],
  ): Generator<() => void> {
    const newIds = new Map(conversation.messages.map((message) => [message.id, randomUUID() as string]));
    const newId = (old: string | null): string | null => (old === null ? null : (newIds.get(old) ?? null));
    const settings = JSON.stringify(conversation.settings);
    const { title, createdAtMs, updatedAtMs, pinnedAtMs, archivedAtMs } = conversation;
    const toldDate = conversation.toldDate ?? new Date(createdAtMs).toISOString().slice(0, 10);
    const leaf = newId(conversation.leafId);
    yield () =>
      insertConversation.run(
        id,
        title,
        createdAtMs,
        updatedAtMs,
        toldDate,
        pinnedAtMs,
        archivedAtMs,
        settings,
        leaf,
        nowMs,
      );
    for (const message of conversation.messages) {
      yield () => {
        const messageId = newId(message.id);
        if (messageId === null) return;
        const isUser = message.role === 'user';
        insertMessage.run(
          messageId,
          id,
          newId(message.parentId),
          message.role,
          message.createdAtMs,
          message.text,
          isUser ? null : (message.effort ?? 'medium'),
          message.model,
          isUser ? null : message.reasoning,
          message.reasoningMs,
          isUser ? null : JSON.stringify(message.status ?? { kind: 'complete' }),
          message.usage === null ? null : JSON.stringify(message.usage),
          message.cut === null ? null : JSON.stringify(message.cut),
        );
        for (const [position, { name, language, text }] of message.attachments.entries()) {
          const attachmentId = randomUUID();
          attachmentIds.push(attachmentId);
          insertAttachment.run(attachmentId, name, language, text, message.createdAtMs);
          insertPlace.run(messageId, position, attachmentId);
        }
      };
    }
  }

  /** In transactions of some tens of milliseconds: each costs a wait for the disk, and the app has to stay quick. */
  const inSlices = async (all: Iterable<() => void>): Promise<void> => {
    let slice: (() => void)[] = [];
    const write = (): void => {
      inTransaction(db, () => {
        for (const each of slice) each();
      });
      slice = [];
    };
    for (const each of all) {
      slice.push(each);
      if (slice.length < SLICE) continue;
      write();
      await yieldToOthers();
    }
    if (slice.length > 0) write();
  };

  return {
    read(conversationId) {
      const row = selectConversation.get(conversationId);
      if (row === undefined) return null;
      const attached = new Map<string, { name: string; language: string | null; text: string }[]>();
      for (const each of selectAttachments.all(conversationId)) {
        const messageId = textOf(each['message_id']);
        const of = attached.get(messageId) ?? [];
        attached.set(messageId, of);
        of.push({ name: textOf(each['name']), language: textOrNull(each['language']), text: textOf(each['text']) });
      }
      return {
        ...summaryFrom(row),
        toldDate: textOf(row['told_date']),
        settings: settingsFrom(row),
        leafId: textOrNull(row['leaf_id']),
        messages: selectMessages
          .all(conversationId)
          .map((message) => transferred(message, attached.get(textOf(message['id'])) ?? [])),
      };
    },

    idsAfter: (seq, limit) =>
      selectIds.all(seq, limit).map((row) => ({ id: textOf(row['id']), seq: Number(row['seq']) })),

    isKnown: (from, id) => selectKnown.get(from === 'headroom' ? id : '', originOf(from, id)) !== undefined,

    async take(from, conversations, nowMs) {
      const written: { id: string; origin: string }[] = [];
      const attachmentIds: string[] = [];
      try {
        await inSlices(
          (function* () {
            for (const conversation of conversations) {
              const id = randomUUID();
              written.push({ id, origin: originOf(from, conversation.id) });
              yield* writes(conversation, id, nowMs, attachmentIds);
            }
          })(),
        );
        inTransaction(db, () => {
          for (const { id, origin } of written) {
            freeOrigin.run(origin);
            reveal.run(origin, id);
          }
        });
      } catch (error) {
        for (const { id } of written) discard.run(id);
        for (const id of attachmentIds) discardAttachment.run(id);
        throw error;
      }
    },
  };
}

function transferred(row: Row, attachments: TransferredMessage['attachments']): TransferredMessage {
  return {
    id: textOf(row['id']),
    parentId: textOrNull(row['parent_id']),
    role: row['role'] === 'user' ? 'user' : 'assistant',
    createdAtMs: Number(row['created_at_ms']),
    text: textOf(row['text']),
    attachments,
    effort: row['effort'] === null ? null : (row['effort'] as Effort),
    model: textOrNull(row['model']),
    reasoning: textOf(row['reasoning']),
    reasoningMs: numberOrNull(row['reasoning_ms']),
    // An answer under way has no status yet; in a file it is one that broke off.
    status: row['role'] === 'user' ? null : jsonOf<AnswerStatus>(row['status'], { kind: 'interrupted' }),
    usage: jsonOf<AnswerUsage | null>(row['usage'], null),
    cut: cutFrom(row),
  };
}
