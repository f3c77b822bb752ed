/** A chat export of Open WebUI: a list of chats, each with a `history` whose messages form a tree. */
import type { TransferredConversation } from '../transfer.ts';
import { foreignConversation, foreignMessage, type ForeignNode, keptAt, keptTree, type Skipped } from './imported.ts';
import { type Fields, field, fieldsOf, listOf, plainText, textWithin, timeOf, titleOf } from './untrusted.ts';

export const isOpenWebUi = (conversation: Fields): boolean => {
  const chat = fieldsOf(field(conversation, 'chat'));
  return chat !== null && (fieldsOf(field(chat, 'history')) !== null || Array.isArray(field(chat, 'messages')));
};

export function openWebUiConversation(raw: Fields, skipped: Skipped): TransferredConversation | null {
  const chat = fieldsOf(field(raw, 'chat'));
  if (chat === null) return null;
  const history = fieldsOf(field(chat, 'history'));
  const createdAtMs = timeOf(field(raw, 'created_at')) ?? timeOf(field(chat, 'timestamp'));
  const updatedAtMs = timeOf(field(raw, 'updated_at'));
  const tree = history === null ? null : fieldsOf(field(history, 'messages'));
  const nodes =
    tree === null
      ? linearNodes(listOf(field(chat, 'messages')), createdAtMs ?? 0, skipped)
      : Object.entries(tree).flatMap(([id, value]): ForeignNode[] => {
          const message = fieldsOf(value);
          if (message === null) return [];
          const parentId = textWithin(field(message, 'parentId'), 200);
          return [{ id, parentId, message: messageOf(id, message, createdAtMs ?? 0, skipped) }];
        });
  const messages = keptTree(nodes);
  if (messages.length === 0) return null;
  return foreignConversation({
    id: textWithin(field(raw, 'id'), 200) ?? textWithin(field(chat, 'id'), 200) ?? messages[0]?.id ?? '',
    title: titleOf(field(raw, 'title') ?? field(chat, 'title'), messages[0]?.text.slice(0, 60) ?? ''),
    createdAtMs,
    updatedAtMs,
    pinnedAtMs: field(raw, 'pinned') === true ? (updatedAtMs ?? createdAtMs) : null,
    archivedAtMs: field(raw, 'archived') === true ? (updatedAtMs ?? createdAtMs) : null,
    leafId: keptAt(nodes, history === null ? null : textWithin(field(history, 'currentId'), 200)),
    messages,
  });
}

function linearNodes(list: readonly unknown[], createdAtMs: number, skipped: Skipped): ForeignNode[] {
  let parentId: string | null = null;
  return list.flatMap((value, index): ForeignNode[] => {
    const message = fieldsOf(value);
    if (message === null) return [];
    const id = textWithin(field(message, 'id'), 200) ?? String(index);
    const node: ForeignNode = { id, parentId, message: messageOf(id, message, createdAtMs, skipped) };
    parentId = id;
    return [node];
  });
}

function messageOf(id: string, message: Fields, conversationMs: number, skipped: Skipped): ForeignNode['message'] {
  const role = field(message, 'role');
  if (role !== 'user' && role !== 'assistant') return null;
  if (listOf(field(message, 'files')).length > 0) skipped.note('Pictures, sound and files in messages');
  const whole = plainText(field(message, 'content')) ?? partsOf(field(message, 'content'), skipped);
  const { reasoning, text } = role === 'assistant' ? withoutThoughts(whole) : { reasoning: '', text: whole };
  if (text.trim() === '' && reasoning === '') return null;
  return foreignMessage({
    id,
    parentId: null,
    role,
    createdAtMs: timeOf(field(message, 'timestamp')) ?? conversationMs,
    text,
    reasoning,
    model:
      role === 'assistant'
        ? (textWithin(field(message, 'modelName'), 100) ?? textWithin(field(message, 'model'), 100))
        : null,
  });
}

function partsOf(content: unknown, skipped: Skipped): string {
  return listOf(content)
    .flatMap((part) => {
      const text = plainText(field(fieldsOf(part) ?? {}, 'text'));
      if (text !== null) return [text];
      skipped.note('Pictures, sound and files in messages');
      return [];
    })
    .join('\n\n');
}

/** Thoughts stand in the text as a details element, each line quoted. */
function withoutThoughts(whole: string): { reasoning: string; text: string } {
  const reasoning: string[] = [];
  let text = '';
  let from = 0;
  for (;;) {
    const start = whole.indexOf('<details type="reasoning"', from);
    const end = start === -1 ? -1 : whole.indexOf('</details>', start);
    if (start === -1 || end === -1) break;
    text += whole.slice(from, start);
    const inner = whole.slice(whole.indexOf('>', start) + 1, end);
    const thought = inner
      .replace(/<summary>[^<]*<\/summary>/u, '')
      .replace(/^(?:>|&gt;) ?/gmu, '')
      .trim();
    if (thought !== '') reasoning.push(thought);
    from = end + '</details>'.length;
  }
  return { reasoning: reasoning.join('\n\n'), text: (text + whole.slice(from)).trim() };
}
