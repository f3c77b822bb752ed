/** Conversations as a file: Markdown to read, JSON with everything. Pure. */
import { localDate } from '../local-date.ts';
import { withAttachments } from './prompt.ts';
import type { TransferredConversation, TransferredMessage } from './transfer.ts';
import { latestLeaf, pathTo } from './tree.ts';

export type ExportFormat = 'markdown' | 'json';

export const EXPORT_FORMAT = 'headroom-conversations';
export const EXPORT_VERSION = 1;

/** A piece of the file. The pieces put together are the file, so the first and the last have its ends. */
export function exportPiece(
  conversations: readonly TransferredConversation[],
  format: ExportFormat,
  place: { readonly isFirst: boolean; readonly isLast: boolean },
): string {
  if (format === 'markdown') return conversations.map(markdownOf).join('\n\n') + (place.isLast ? '' : '\n\n');
  const head = `{"format":"${EXPORT_FORMAT}","version":${EXPORT_VERSION},"conversations":[\n`;
  const body = conversations.map((conversation) => JSON.stringify(conversation)).join(',\n');
  return `${place.isFirst ? head : ',\n'}${body}${place.isLast ? '\n]}\n' : ''}`;
}

export function markdownOf(conversation: TransferredConversation): string {
  const { messages, settings } = conversation;
  const leafId = conversation.leafId ?? messages.at(-1)?.id;
  const path = leafId === undefined ? [] : pathTo(messages, latestLeaf(messages, leafId));
  const system = settings.systemText?.trim() ?? '';
  return [
    `# ${conversation.title.replaceAll('\n', ' ')}`,
    localDate(conversation.createdAtMs),
    ...(system === '' ? [] : [`> ${system.replaceAll('\n', '\n> ')}`]),
    ...path.flatMap(markdownOfMessage),
    '',
  ].join('\n\n');
}

function markdownOfMessage({ role, text, attachments, model, cut }: TransferredMessage): string[] {
  const said = `**${role === 'user' ? 'You' : (model ?? 'Answer')}**\n\n${withAttachments(text, attachments)}`;
  if (cut === null) return [said];
  return [said, cut.kind === 'trimmed' ? '*The model no longer reads what is above.*' : `*In short:* ${cut.summary}`];
}

/** No character in it that a file system refuses. */
export function exportFileName(titles: readonly string[], format: ExportFormat, nowMs: number): string {
  const [title] = titles;
  const name = titles.length === 1 && title !== undefined ? title : `Headroom conversations ${localDate(nowMs)}`;
  const plain = name
    .replace(/[\p{Cc}/\\:*?"<>|]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .replace(/^[. ]+|[. ]+$/gu, '')
    .slice(0, 80)
    .trim();
  return `${plain === '' ? 'Conversation' : plain}.${format === 'markdown' ? 'md' : 'json'}`;
}
