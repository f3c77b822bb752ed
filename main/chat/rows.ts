/** From SQLite's rows to what the app speaks of. The strict tables hold what the schema says; this tells TypeScript so. */
import type {
  AnswerStatus,
  AnswerUsage,
  Attachment,
  ConversationSettings,
  ConversationSummary,
  Effort,
  Message,
} from '../../preload/contract.ts';
import { DEFAULT_CONVERSATION_SETTINGS } from '../../preload/contract.ts';

export type Row = Record<string, unknown>;

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
export const numberOrNull = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value);
export const jsonOf = <T>(value: unknown, whenNull: T): T =>
  typeof value === 'string' ? (JSON.parse(value) as T) : whenNull;

export const summaryFrom = (row: Row): ConversationSummary => ({
  id: textOf(row['id']),
  title: textOf(row['title']),
  createdAtMs: Number(row['created_at_ms']),
  updatedAtMs: Number(row['updated_at_ms']),
  pinnedAtMs: numberOrNull(row['pinned_at_ms']),
  archivedAtMs: numberOrNull(row['archived_at_ms']),
});

export const settingsFrom = (row: Row): ConversationSettings => ({
  ...DEFAULT_CONVERSATION_SETTINGS,
  ...jsonOf<Partial<ConversationSettings>>(row['settings'], {}),
});

/** Kept with a message. The count is the path's business: a message does not know what stands before it. */
export type StoredCut = { readonly kind: 'trimmed' } | { readonly kind: 'summarised'; readonly summary: string };

export const cutFrom = (row: Row): StoredCut | null => jsonOf<StoredCut | null>(row['cut'], null);

export const idsFrom = (value: unknown): string[] => jsonOf<string[]>(value, []);

export function messageFrom(row: Row, attachments: readonly Attachment[] = []): Message {
  const shared = {
    id: textOf(row['id']),
    conversationId: textOf(row['conversation_id']),
    parentId: textOrNull(row['parent_id']),
    createdAtMs: Number(row['created_at_ms']),
    text: textOf(row['text']),
  };
  if (row['role'] === 'user') return { role: 'user', ...shared, attachments };
  return {
    role: 'assistant',
    ...shared,
    effort: row['effort'] as Effort,
    model: textOrNull(row['model']),
    attempt: Number(row['attempt']),
    reasoning: textOf(row['reasoning']),
    reasoningMs: numberOrNull(row['reasoning_ms']),
    status: jsonOf<AnswerStatus>(row['status'], { kind: 'queued' }),
    usage: jsonOf<AnswerUsage | null>(row['usage'], null),
  };
}
