/** What kind of export a file is, and its conversations. Pure. Throws ImportRefused. */
import { EXPORT_FORMAT, EXPORT_VERSION } from '../export.ts';
import type { TransferredConversation } from '../transfer.ts';
import { chatGptConversation, isChatGpt } from './chatgpt.ts';
import { headroomConversation } from './headroom.ts';
import { type Imported, ImportRefused, Skipped } from './imported.ts';
import { isMarkdownExport, readMarkdown } from './markdown.ts';
import { isOpenWebUi, openWebUiConversation } from './open-webui.ts';
import { field, type Fields, fieldsOf } from './untrusted.ts';

const MOST_CONVERSATIONS = 200_000;

export function readImport(text: string): Imported {
  if (isMarkdownExport(text)) return readMarkdown(text);
  const parsed = parse(text);
  const fields = fieldsOf(parsed);
  if (fields !== null && field(fields, 'format') === EXPORT_FORMAT) return readOwn(fields);
  // One conversation alone is as good as a list of one.
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : fields === null ? [] : [fields];
  if (list.length > MOST_CONVERSATIONS) throw new ImportRefused('There are too many conversations in this file.');
  const conversations: Fields[] = list.map(fieldsOf).filter((each) => each !== null);
  if (conversations.some(isChatGpt)) return readForeign('chatgpt', list, isChatGpt, chatGptConversation);
  if (conversations.some(isOpenWebUi)) return readForeign('open-webui', list, isOpenWebUi, openWebUiConversation);
  throw new ImportRefused('This is no export of Headroom, ChatGPT (conversations.json) or Open WebUI.');
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new ImportRefused('The file is empty.');
  try {
    // Windows programs like to begin with a byte order mark.
    return JSON.parse(text.replace(/^\ufeff/u, ''));
  } catch (error) {
    if (error instanceof RangeError) throw new ImportRefused('The file is nested too deeply.');
    if (text.startsWith('PK\u0003\u0004')) {
      throw new ImportRefused('This is an archive. Unpack it and choose the conversations.json in it.');
    }
    throw new ImportRefused('The file is not JSON, or it broke off.');
  }
}

function readOwn(fields: Fields): Imported {
  const version = field(fields, 'version');
  if (typeof version !== 'number' || version > EXPORT_VERSION) {
    throw new ImportRefused('The file was written by a newer Headroom.');
  }
  const list = field(fields, 'conversations');
  if (!Array.isArray(list)) throw new ImportRefused('The file has no conversations.');
  if (list.length > MOST_CONVERSATIONS) throw new ImportRefused('There are too many conversations in this file.');
  return { from: 'headroom', conversations: list.map(headroomConversation), skipped: new Map() };
}

function readForeign(
  from: 'chatgpt' | 'open-webui',
  list: readonly unknown[],
  isIt: (fields: Fields) => boolean,
  read: (fields: Fields, skipped: Skipped) => TransferredConversation | null,
): Imported {
  const skipped = new Skipped();
  const conversations: TransferredConversation[] = [];
  for (const each of list) {
    const fields = fieldsOf(each);
    if (fields === null || !isIt(fields)) {
      skipped.note('Entries that are no conversation');
      continue;
    }
    const conversation = read(fields, skipped);
    if (conversation === null) skipped.note('Conversations without a message');
    else conversations.push(conversation);
  }
  if (conversations.length === 0) throw new ImportRefused('There is no message in this file.');
  return { from, conversations, skipped: skipped.reasons };
}
