/** Conversations on disk. Every write is durable when it returns. */
import { randomUUID } from 'node:crypto';
import type {
  AnswerStatus,
  AnswerUsage,
  AssistantMessage,
  ContextCut,
  Conversation,
  ConversationSettings,
  ConversationSummary,
  Effort,
  Message,
  UserMessage,
} from '../../preload/contract.ts';
import { type AttachmentStore, createAttachmentStore } from './attachments.ts';
import { type Database, inTransaction, suspect } from './database.ts';
import { createPresetStore, type PresetStore } from './presets.ts';
import { createDraftStore, createQueueStore, type DraftStore, type QueueStore } from './queue.ts';
import {
  cutFrom,
  messageFrom,
  type Row,
  settingsFrom,
  type StoredCut,
  summaryFrom,
  textOf,
  textOrNull,
} from './rows.ts';
import { openSearch, type Search } from './search.ts';
import { createTransfer, type Transfer } from './transfer.ts';
import { branchesOf, latestLeaf, pathTo } from './tree.ts';

/** What is written of an answer while it runs and when it ends. */
export interface AnswerText {
  readonly text: string;
  readonly reasoning: string;
  readonly reasoningMs: number | null;
}

export interface Turn {
  readonly conversation: ConversationSummary;
  readonly user: UserMessage;
  readonly assistant: AssistantMessage;
}

interface NewTurn {
  readonly conversationId: string | null;
  /** Left out: at the end of the open path. An edit hangs on what its original hung on. */
  readonly parentId?: string | null;
  readonly text: string;
  readonly attachmentIds?: readonly string[];
  readonly effort: Effort;
  readonly model: string | null;
  /** Of a conversation that begins. */
  readonly settings?: Partial<ConversationSettings>;
  /** The queued message this was: it leaves the queue in the same transaction. */
  readonly queuedId?: string;
  readonly nowMs: number;
  readonly toldDate: string;
}

export type StoredConversation = Omit<Conversation, 'isSummarising'>;

type TitleBy = 'first-line' | 'model' | 'user' | 'import';

export interface ConversationStore {
  /** What is pinned, latest pin first, then the latest hundred. */
  head(): ConversationSummary[];
  /** Pages, latest first; the first one of those not archived begins with what is pinned. */
  page(input: { archived: boolean; after: string | null }): {
    conversations: ConversationSummary[];
    next: string | null;
  };
  summary(conversationId: string): ConversationSummary | null;
  /** Null also for a deleted one. */
  open(conversationId: string): StoredConversation | null;
  message(messageId: string): Message | null;
  /** The day this conversation's model is told (YYYY-MM-DD). */
  toldDate(conversationId: string): string | null;
  /** Adds a user message and its empty answer in one transaction. Null when the conversation does not exist. */
  addTurn(turn: NewTurn): Turn | null;
  /** Another empty answer to the same message; the open path leads there. */
  addAnswer(input: {
    conversationId: string;
    parentId: string;
    effort: Effort;
    model: string | null;
    nowMs: number;
  }): AssistantMessage;
  /** An answer that ended goes on. */
  reopen(messageId: string, nowMs: number): void;
  /** The open path leads through this message from now on. */
  openBranch(messageId: string): void;
  /** Saves what an answer has so far. */
  flush(messageId: string, answer: AnswerText): void;
  finish(messageId: string, answer: AnswerText, status: AnswerStatus, usage: AnswerUsage | null): void;
  /** Changes how an ended answer stands: a paused one was left at that. */
  settle(messageId: string, status: AnswerStatus): void;
  /** After a crash: what was under way becomes interrupted. Returns how many. */
  markInterrupted(): number;
  /** False when the user has named it meanwhile and `by` is not the user. */
  rename(conversationId: string, title: string, by: TitleBy): boolean;
  titleBy(conversationId: string): TitleBy | null;
  pin(conversationId: string, pinnedAtMs: number | null): void;
  archive(conversationId: string, archivedAtMs: number | null): void;
  configure(conversationId: string, settings: Partial<ConversationSettings>): void;
  /** `afterMessageId` and everything before it are not sent any more; null takes every cut of the path back. */
  cut(conversationId: string, cut: (StoredCut & { afterMessageId: string }) | null): void;
  remove(conversationId: string, nowMs: number): boolean;
  /** Null when it is not there any more. */
  takeBack(conversationId: string): ConversationSummary | null;
  /** Deletes for good what was deleted before. */
  purge(deletedBeforeMs: number): number;
  readonly attachments: AttachmentStore;
  readonly queue: QueueStore;
  readonly drafts: DraftStore;
  readonly presets: PresetStore;
  readonly search: Search;
  readonly transfer: Transfer;
  /** Damage was met: the next start looks through the whole file. */
  suspectDamage(): void;
  close(): void;
}

const TITLE_LENGTH = 60;
const PAGE_SIZE = 100;

/** The first line of the first message, cut at a word. */
export function titleFrom(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ').trim() ?? '';
  if (line.length <= TITLE_LENGTH) return line === '' ? 'New conversation' : line;
  const cut = line.slice(0, TITLE_LENGTH);
  const space = cut.lastIndexOf(' ');
  return `${(space > TITLE_LENGTH / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

export function createConversationStore(db: Database): ConversationStore {
  const search = openSearch(db);
  const attachments = createAttachmentStore(db);
  const queue = createQueueStore(db, (ids) => attachments.get(ids));
  const drafts = createDraftStore(db, (ids) => attachments.get(ids));
  const selectPinned = db.prepare(
    `SELECT * FROM conversation WHERE pinned_at_ms IS NOT NULL AND deleted_at_ms IS NULL AND archived_at_ms IS NULL
     ORDER BY pinned_at_ms DESC`,
  );
  const pageOf = (where: string) =>
    db.prepare(
      `SELECT * FROM conversation WHERE ${where} AND (updated_at_ms, seq) < (?, ?)
       ORDER BY updated_at_ms DESC, seq DESC LIMIT ${PAGE_SIZE}`,
    );
  const selectPage = pageOf('deleted_at_ms IS NULL AND archived_at_ms IS NULL AND pinned_at_ms IS NULL');
  const selectArchivedPage = pageOf('archived_at_ms IS NOT NULL AND deleted_at_ms IS NULL');
  const selectConversation = db.prepare('SELECT * FROM conversation WHERE id = ? AND deleted_at_ms IS NULL');
  const selectMessages = db.prepare('SELECT * FROM message WHERE conversation_id = ? ORDER BY seq');
  const selectNodes = db.prepare('SELECT id, parent_id FROM message WHERE conversation_id = ? ORDER BY seq');
  const selectMessage = db.prepare(
    `SELECT m.* FROM message m JOIN conversation c ON c.id = m.conversation_id
     WHERE m.id = ? AND c.deleted_at_ms IS NULL`,
  );
  const insertConversation = db.prepare(
    `INSERT INTO conversation (seq, id, title, created_at_ms, updated_at_ms, told_date, settings)
     VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM conversation), ?, ?, ?, ?, ?, ?)`,
  );
  const touch = db.prepare(
    'UPDATE conversation SET updated_at_ms = ?, archived_at_ms = NULL, leaf_id = ? WHERE id = ?',
  );
  const insertMessage = db.prepare(
    `INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text, effort, reasoning, model)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const updateText = db.prepare(
    'UPDATE message SET text = ?, reasoning = ?, reasoning_ms = ? WHERE id = ? AND status IS NULL',
  );
  const updateFinal = db.prepare(
    'UPDATE message SET text = ?, reasoning = ?, reasoning_ms = ?, status = ?, usage = ? WHERE id = ? AND status IS NULL',
  );
  const updateReopened = db.prepare(
    `UPDATE message SET status = NULL, attempt = attempt + 1 WHERE id = ? AND role = 'assistant'`,
  );
  const updateStatus = db.prepare('UPDATE message SET status = ? WHERE id = ? AND status IS NOT NULL');
  const updateCut = db.prepare('UPDATE message SET cut = ? WHERE id = ?');
  const interruptLeftovers = db.prepare(
    `UPDATE message SET status = '{"kind":"interrupted"}' WHERE role = 'assistant' AND status IS NULL`,
  );
  const updateTitle = db.prepare('UPDATE conversation SET title = ?, title_by = ? WHERE id = ?');
  const updatePin = db.prepare('UPDATE conversation SET pinned_at_ms = ? WHERE id = ?');
  const updateArchive = db.prepare('UPDATE conversation SET archived_at_ms = ?, pinned_at_ms = NULL WHERE id = ?');
  const updateSettings = db.prepare('UPDATE conversation SET settings = ? WHERE id = ?');
  const updateLeaf = db.prepare('UPDATE conversation SET leaf_id = ? WHERE id = ?');
  const updateDeleted = db.prepare('UPDATE conversation SET deleted_at_ms = ? WHERE id = ? AND deleted_at_ms IS NULL');
  const updateUndeleted = db.prepare('UPDATE conversation SET deleted_at_ms = NULL WHERE id = ?');
  const deleteForGood = db.prepare('DELETE FROM conversation WHERE deleted_at_ms < ?');
  const deleteDrafts = db.prepare(
    `DELETE FROM draft WHERE conversation_id IN (SELECT id FROM conversation WHERE deleted_at_ms < ?)`,
  );

  const nodesOf = (conversationId: string): { id: string; parentId: string | null }[] =>
    selectNodes.all(conversationId).map((row) => ({ id: textOf(row['id']), parentId: textOrNull(row['parent_id']) }));

  const leafOf = (row: Row, nodes: readonly { id: string }[]): string | null => {
    const chosen = textOrNull(row['leaf_id']);
    return chosen !== null && nodes.some(({ id }) => id === chosen) ? chosen : (nodes.at(-1)?.id ?? null);
  };

  const addAnswer: ConversationStore['addAnswer'] = ({ conversationId, parentId, effort, model, nowMs }) => {
    const assistant: AssistantMessage = {
      role: 'assistant',
      id: randomUUID(),
      conversationId,
      parentId,
      createdAtMs: nowMs,
      effort,
      model,
      attempt: 1,
      text: '',
      reasoning: '',
      reasoningMs: null,
      status: { kind: 'queued' },
      usage: null,
    };
    insertMessage.run(assistant.id, conversationId, parentId, 'assistant', nowMs, '', effort, '', model);
    touch.run(nowMs, assistant.id, conversationId);
    return assistant;
  };

  const settingsText = (settings: Partial<ConversationSettings>): string =>
    JSON.stringify(
      Object.fromEntries(
        Object.entries(settings).filter(([, value]) => value !== null && value !== undefined && value !== ''),
      ),
    );

  const page = (
    archived: boolean,
    after: string | null,
  ): { conversations: ConversationSummary[]; next: string | null } => {
    const [updatedAtMs, seq] = after === null ? [Number.MAX_SAFE_INTEGER, 0] : after.split('.').map(Number);
    const rows = (archived ? selectArchivedPage : selectPage).all(updatedAtMs ?? 0, seq ?? 0);
    const last = rows.at(-1);
    return {
      conversations: rows.map(summaryFrom),
      next:
        last === undefined || rows.length < PAGE_SIZE
          ? null
          : `${Number(last['updated_at_ms'])}.${Number(last['seq'])}`,
    };
  };
  const pinned = (): ConversationSummary[] => selectPinned.all().map(summaryFrom);
  const summary = (conversationId: string): ConversationSummary | null => {
    const row = selectConversation.get(conversationId);
    return row === undefined ? null : summaryFrom(row);
  };

  return {
    head: () => [...pinned(), ...page(false, null).conversations],

    page({ archived, after }) {
      const { conversations, next } = page(archived, after);
      return { conversations: after === null && !archived ? [...pinned(), ...conversations] : conversations, next };
    },

    summary,

    open(conversationId) {
      const row = selectConversation.get(conversationId);
      if (row === undefined) return null;
      const nodes = selectMessages
        .all(conversationId)
        .map((each) => ({ id: textOf(each['id']), parentId: textOrNull(each['parent_id']), row: each }));
      const leaf = leafOf(row, nodes);
      const path = leaf === null ? [] : pathTo(nodes, leaf);
      const attached = attachments.ofConversation(conversationId);
      return {
        ...summaryFrom(row),
        messages: path.map(({ id, row: message }) => messageFrom(message, attached.get(id))),
        branches: branchesOf(nodes, path),
        settings: settingsFrom(row),
        queued: queue.of(conversationId),
        draft: drafts.get(conversationId),
        cut: cutOf(path),
      };
    },

    message(messageId) {
      const row = selectMessage.get(messageId);
      if (row === undefined) return null;
      return messageFrom(row, attachments.ofConversation(textOf(row['conversation_id'])).get(messageId));
    },

    toldDate(conversationId) {
      const row = selectConversation.get(conversationId);
      return row === undefined ? null : textOf(row['told_date']);
    },

    addTurn: (turn) =>
      inTransaction(db, () => {
        const { text, effort, model, nowMs, attachmentIds = [] } = turn;
        let { conversationId, parentId } = turn;
        if (conversationId === null) {
          conversationId = randomUUID();
          parentId = null;
          const settings = settingsText(turn.settings ?? {});
          const titled = text.trim() === '' ? (attachments.get(attachmentIds)?.[0]?.name ?? '') : text;
          insertConversation.run(conversationId, titleFrom(titled), nowMs, nowMs, turn.toldDate, settings);
          drafts.forget(null);
        } else {
          const row = selectConversation.get(conversationId);
          if (row === undefined) return null;
          if (parentId === undefined) parentId = leafOf(row, nodesOf(conversationId));
          // An edit leaves alone what was being written at the end.
          if (turn.parentId === undefined && turn.queuedId === undefined) drafts.forget(conversationId);
        }
        const user: UserMessage = {
          role: 'user',
          id: randomUUID(),
          conversationId,
          parentId: parentId ?? null,
          createdAtMs: nowMs,
          text,
          attachments: attachments.get(attachmentIds) ?? [],
        };
        insertMessage.run(user.id, conversationId, user.parentId, 'user', nowMs, text, null, null, null);
        attachments.put(
          user.id,
          user.attachments.map(({ id }) => id),
        );
        const assistant = addAnswer({ conversationId, parentId: user.id, effort, model, nowMs });
        if (turn.queuedId !== undefined) queue.remove(turn.queuedId);
        const conversation = summary(conversationId);
        if (conversation === null) throw new Error('a conversation just written is not there');
        return { conversation, user, assistant };
      }),

    addAnswer: (input) => inTransaction(db, () => addAnswer(input)),

    reopen(messageId, nowMs) {
      inTransaction(db, () => {
        updateReopened.run(messageId);
        const row = selectMessage.get(messageId);
        if (row !== undefined) touch.run(nowMs, messageId, textOf(row['conversation_id']));
      });
    },

    openBranch(messageId) {
      const row = selectMessage.get(messageId);
      if (row === undefined) return;
      const conversationId = textOf(row['conversation_id']);
      updateLeaf.run(latestLeaf(nodesOf(conversationId), messageId), conversationId);
    },

    flush(messageId, answer) {
      updateText.run(answer.text, answer.reasoning, answer.reasoningMs, messageId);
    },

    finish(messageId, answer, status, usage) {
      const usageJson = usage === null ? null : JSON.stringify(usage);
      updateFinal.run(answer.text, answer.reasoning, answer.reasoningMs, JSON.stringify(status), usageJson, messageId);
    },

    settle: (messageId, status) => void updateStatus.run(JSON.stringify(status), messageId),
    markInterrupted: () => Number(interruptLeftovers.run().changes),

    rename(conversationId, title, by) {
      const row = selectConversation.get(conversationId);
      if (row === undefined || (by !== 'user' && row['title_by'] === 'user')) return false;
      updateTitle.run(title, by, conversationId);
      return true;
    },
    titleBy(conversationId) {
      const row = selectConversation.get(conversationId);
      return row === undefined ? null : (row['title_by'] as TitleBy);
    },
    pin: (conversationId, pinnedAtMs) => void updatePin.run(pinnedAtMs, conversationId),
    archive: (conversationId, archivedAtMs) => void updateArchive.run(archivedAtMs, conversationId),
    configure(conversationId, settings) {
      const row = selectConversation.get(conversationId);
      if (row === undefined) return;
      updateSettings.run(settingsText({ ...settingsFrom(row), ...settings }), conversationId);
    },

    cut: (conversationId, cut) =>
      inTransaction(db, () => {
        const row = selectConversation.get(conversationId);
        if (row === undefined) return;
        const nodes = nodesOf(conversationId);
        const leaf = leafOf(row, nodes);
        // A later cut takes the place of every earlier one of the path.
        for (const { id } of leaf === null ? [] : pathTo(nodes, leaf)) updateCut.run(null, id);
        if (cut === null) return;
        const { afterMessageId, ...stored } = cut;
        updateCut.run(JSON.stringify(stored), afterMessageId);
      }),

    remove: (conversationId, nowMs) => Number(updateDeleted.run(nowMs, conversationId).changes) > 0,
    takeBack(conversationId) {
      updateUndeleted.run(conversationId);
      return summary(conversationId);
    },
    purge: (deletedBeforeMs) =>
      inTransaction(db, () => {
        deleteDrafts.run(deletedBeforeMs);
        return Number(deleteForGood.run(deletedBeforeMs).changes);
      }),

    attachments,
    queue,
    drafts,
    presets: createPresetStore(db),
    search,
    transfer: createTransfer(db),
    suspectDamage: () => suspect(db),
    close: () => db.close(),
  };
}

/** The last cut along the path: what comes before it counts no more. */
function cutOf(path: readonly { readonly id: string; readonly row: Row }[]): ContextCut | null {
  for (let index = path.length - 1; index >= 0; index -= 1) {
    const node = path[index];
    const stored = node === undefined ? null : cutFrom(node.row);
    if (node !== undefined && stored !== null) {
      return { ...stored, afterMessageId: node.id, messages: index + 1 };
    }
  }
  return null;
}
