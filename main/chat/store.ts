/** Conversations on disk. Every write is durable when it returns. */
import { randomUUID } from 'node:crypto';
import type {
  AnswerStatus,
  AnswerUsage,
  AssistantMessage,
  Conversation,
  ConversationSummary,
  Effort,
  Message,
  UserMessage,
} from '../../preload/contract.ts';
import type { Database } from './database.ts';

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

export interface ConversationStore {
  /** Newest first. */
  list(): ConversationSummary[];
  open(conversationId: string): Conversation | null;
  message(messageId: string): Message | null;
  /** The day this conversation's model is told (YYYY-MM-DD). */
  toldDate(conversationId: string): string | null;
  /** Adds a user message and its empty answer in one transaction. Null when the conversation does not exist. */
  addTurn(input: {
    conversationId: string | null;
    text: string;
    effort: Effort;
    nowMs: number;
    toldDate: string;
  }): Turn | null;
  /** Saves what an answer has so far. */
  flush(messageId: string, answer: AnswerText): void;
  finish(messageId: string, answer: AnswerText, status: AnswerStatus, usage: AnswerUsage | null): void;
  /** After a crash: what was under way becomes interrupted. Returns how many. */
  markInterrupted(): number;
  close(): void;
}

const TITLE_LENGTH = 60;

/** The first line of the first message, cut at a word. */
export function titleFrom(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ').trim() ?? '';
  if (line.length <= TITLE_LENGTH) return line === '' ? 'New conversation' : line;
  const cut = line.slice(0, TITLE_LENGTH);
  const space = cut.lastIndexOf(' ');
  return `${(space > TITLE_LENGTH / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}

const NOTHING_ELSE = {
  branches: [],
  settings: {
    modelId: null,
    effort: null,
    systemText: '',
    temperature: null,
    topP: null,
    topK: null,
    minP: null,
    maxAnswerTokens: null,
    thinkingTokens: null,
    contextTokens: null,
  },
  queued: [],
  draft: null,
  cut: null,
  isSummarising: false,
} as const;

type Row = Record<string, unknown>;

export function createConversationStore(db: Database): ConversationStore {
  const selectList = db.prepare('SELECT * FROM conversation ORDER BY updated_at_ms DESC, rowid DESC');
  const selectConversation = db.prepare('SELECT * FROM conversation WHERE id = ?');
  const selectMessages = db.prepare('SELECT * FROM message WHERE conversation_id = ? ORDER BY seq');
  const selectMessage = db.prepare('SELECT * FROM message WHERE id = ?');
  const selectLast = db.prepare('SELECT id FROM message WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1');
  const insertConversation = db.prepare('INSERT INTO conversation VALUES (?, ?, ?, ?, ?)');
  const touch = db.prepare('UPDATE conversation SET updated_at_ms = ? WHERE id = ?');
  const insertMessage = db.prepare(
    `INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text, effort, reasoning)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const updateText = db.prepare(
    'UPDATE message SET text = ?, reasoning = ?, reasoning_ms = ? WHERE id = ? AND status IS NULL',
  );
  const updateFinal = db.prepare(
    'UPDATE message SET text = ?, reasoning = ?, reasoning_ms = ?, status = ?, usage = ? WHERE id = ? AND status IS NULL',
  );
  const interruptLeftovers = db.prepare(
    `UPDATE message SET status = '{"kind":"interrupted"}' WHERE role = 'assistant' AND status IS NULL`,
  );

  const inTransaction = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  };

  const summary = (row: Row): ConversationSummary => ({
    id: textOf(row['id']),
    title: textOf(row['title']),
    createdAtMs: Number(row['created_at_ms']),
    updatedAtMs: Number(row['updated_at_ms']),
    pinnedAtMs: null,
    archivedAtMs: null,
  });

  return {
    list: () => selectList.all().map(summary),

    open(conversationId) {
      const row = selectConversation.get(conversationId);
      if (row === undefined) return null;
      return { ...summary(row), messages: selectMessages.all(conversationId).map(messageFrom), ...NOTHING_ELSE };
    },

    message(messageId) {
      const row = selectMessage.get(messageId);
      return row === undefined ? null : messageFrom(row);
    },

    toldDate(conversationId) {
      const row = selectConversation.get(conversationId);
      return row === undefined ? null : textOf(row['told_date']);
    },

    addTurn: ({ conversationId, text, effort, nowMs, toldDate }) =>
      inTransaction(() => {
        let conversation: ConversationSummary;
        let parentId: string | null = null;
        if (conversationId === null) {
          conversation = {
            id: randomUUID(),
            title: titleFrom(text),
            createdAtMs: nowMs,
            updatedAtMs: nowMs,
            pinnedAtMs: null,
            archivedAtMs: null,
          };
          insertConversation.run(conversation.id, conversation.title, nowMs, nowMs, toldDate);
        } else {
          const row = selectConversation.get(conversationId);
          if (row === undefined) return null;
          conversation = { ...summary(row), updatedAtMs: nowMs };
          touch.run(nowMs, conversationId);
          const last = selectLast.get(conversationId);
          parentId = last === undefined ? null : textOf(last['id']);
        }
        const shared = { conversationId: conversation.id, createdAtMs: nowMs };
        const user: UserMessage = { role: 'user', id: randomUUID(), parentId, text, attachments: [], ...shared };
        const assistant: AssistantMessage = {
          role: 'assistant',
          id: randomUUID(),
          parentId: user.id,
          effort,
          model: null,
          attempt: 1,
          text: '',
          reasoning: '',
          reasoningMs: null,
          status: { kind: 'queued' },
          usage: null,
          ...shared,
        };
        insertMessage.run(user.id, conversation.id, parentId, 'user', nowMs, text, null, null);
        insertMessage.run(assistant.id, conversation.id, user.id, 'assistant', nowMs, '', effort, '');
        return { conversation, user, assistant };
      }),

    flush(messageId, answer) {
      updateText.run(answer.text, answer.reasoning, answer.reasoningMs, messageId);
    },

    finish(messageId, answer, status, usage) {
      const usageJson = usage === null ? null : JSON.stringify(usage);
      updateFinal.run(answer.text, answer.reasoning, answer.reasoningMs, JSON.stringify(status), usageJson, messageId);
    },

    markInterrupted: () => Number(interruptLeftovers.run().changes),
    close: () => db.close(),
  };
}

/** SQLite's strict tables hold what the schema says; this only tells TypeScript so. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const jsonOf = <T>(value: unknown, whenNull: T): T => (value === null ? whenNull : (JSON.parse(textOf(value)) as T));

function messageFrom(row: Row): Message {
  const shared = {
    id: textOf(row['id']),
    conversationId: textOf(row['conversation_id']),
    parentId: row['parent_id'] === null ? null : textOf(row['parent_id']),
    createdAtMs: Number(row['created_at_ms']),
    text: textOf(row['text']),
  };
  if (row['role'] === 'user') return { role: 'user', ...shared, attachments: [] };
  return {
    role: 'assistant',
    ...shared,
    effort: row['effort'] as Effort,
    model: null,
    attempt: 1,
    reasoning: textOf(row['reasoning']),
    reasoningMs: row['reasoning_ms'] === null ? null : Number(row['reasoning_ms']),
    status: jsonOf<AnswerStatus>(row['status'], { kind: 'queued' }),
    usage: jsonOf<AnswerUsage | null>(row['usage'], null),
  };
}
