/** `conversations.json` of a ChatGPT export: a list of conversations, each a `mapping` of nodes that form a tree. */
import type { TransferredConversation } from '../transfer.ts';
import { foreignConversation, foreignMessage, type ForeignNode, keptAt, keptTree, type Skipped } from './imported.ts';
import { type Fields, field, fieldsOf, listOf, plainText, textWithin, timeOf, titleOf } from './untrusted.ts';

export const isChatGpt = (conversation: Fields): boolean => fieldsOf(field(conversation, 'mapping')) !== null;

export function chatGptConversation(raw: Fields, skipped: Skipped): TransferredConversation | null {
  const mapping = fieldsOf(field(raw, 'mapping'));
  const id = textWithin(field(raw, 'conversation_id'), 200) ?? textWithin(field(raw, 'id'), 200);
  if (mapping === null) return null;
  const createdAtMs = timeOf(field(raw, 'create_time'));
  const thoughts = new Map<string, string>();
  const nodes = Object.entries(mapping).flatMap(([nodeId, value]): ForeignNode[] => {
    const node = fieldsOf(value);
    if (node === null) return [];
    const parentId = textWithin(field(node, 'parent'), 200);
    const thought = thoughtOf(node);
    if (thought !== '') thoughts.set(nodeId, thought);
    return [{ id: nodeId, parentId, message: messageOf(nodeId, node, createdAtMs ?? 0, skipped) }];
  });
  const messages = keptTree(withThoughts(nodes, thoughts));
  if (messages.length === 0) return null;
  return foreignConversation({
    id: id ?? messages[0]?.id ?? '',
    title: titleOf(field(raw, 'title'), messages[0]?.text.slice(0, 60) ?? ''),
    createdAtMs,
    updatedAtMs: timeOf(field(raw, 'update_time')),
    archivedAtMs: field(raw, 'is_archived') === true ? (timeOf(field(raw, 'update_time')) ?? createdAtMs) : null,
    leafId: keptAt(nodes, textWithin(field(raw, 'current_node'), 200)),
    messages,
  });
}

function messageOf(id: string, node: Fields, conversationMs: number, skipped: Skipped): ForeignNode['message'] {
  const message = fieldsOf(field(node, 'message'));
  const content = message === null ? null : fieldsOf(field(message, 'content'));
  if (message === null || content === null) return null;
  const role = field(fieldsOf(field(message, 'author')) ?? {}, 'role');
  const metadata = fieldsOf(field(message, 'metadata')) ?? {};
  if (role !== 'user' && role !== 'assistant') return null;
  if (field(metadata, 'is_visually_hidden_from_conversation') === true) return null;
  // What the model says to a tool is not said to the user.
  const recipient = field(message, 'recipient');
  if (recipient !== undefined && recipient !== null && recipient !== 'all') return null;
  const type = field(content, 'content_type');
  if (type === 'thoughts' || type === 'reasoning_recap' || type === 'user_editable_context') return null;
  const text = textOfContent(content, skipped);
  if (text.trim() === '') return null;
  return foreignMessage({
    id,
    parentId: null,
    role,
    createdAtMs: timeOf(field(message, 'create_time')) ?? conversationMs,
    text,
    model: role === 'assistant' ? textWithin(field(metadata, 'model_slug'), 100) : null,
  });
}

function textOfContent(content: Fields, skipped: Skipped): string {
  const direct = plainText(field(content, 'text'));
  if (direct !== null) {
    const language = textWithin(field(content, 'language'), 40);
    return field(content, 'content_type') === 'code'
      ? `\`\`\`${language === 'unknown' ? '' : (language ?? '')}\n${direct}\n\`\`\``
      : direct;
  }
  return listOf(field(content, 'parts'))
    .flatMap((part) => {
      const text = plainText(part) ?? plainText(field(fieldsOf(part) ?? {}, 'text'));
      if (text !== null) return [text];
      skipped.note('Pictures, sound and files in messages');
      return [];
    })
    .join('\n\n');
}

function thoughtOf(node: Fields): string {
  const content = fieldsOf(field(fieldsOf(field(node, 'message')) ?? {}, 'content'));
  if (content === null || field(content, 'content_type') !== 'thoughts') return '';
  return listOf(field(content, 'thoughts'))
    .map((each) => {
      const thought = fieldsOf(each) ?? {};
      return plainText(field(thought, 'content')) ?? plainText(field(thought, 'summary')) ?? '';
    })
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Thoughts are nodes of their own above the answer they led to. */
function withThoughts(nodes: readonly ForeignNode[], thoughts: ReadonlyMap<string, string>): readonly ForeignNode[] {
  if (thoughts.size === 0) return nodes;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return nodes.map((node) => {
    if (node.message?.role !== 'assistant') return node;
    const above: string[] = [];
    let at = node.parentId === null ? undefined : byId.get(node.parentId);
    for (let steps = 0; at !== undefined && at.message === null && steps <= nodes.length; steps += 1) {
      const thought = thoughts.get(at.id);
      if (thought !== undefined) above.unshift(thought);
      at = at.parentId === null ? undefined : byId.get(at.parentId);
    }
    return above.length === 0 ? node : { ...node, message: { ...node.message, reasoning: above.join('\n\n') } };
  });
}
