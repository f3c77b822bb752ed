/** Headroom's own Markdown: one path of each conversation, as `export.ts` writes it. Pure. Throws ImportRefused. */
import { createHash } from 'node:crypto';
import type { TransferredConversation, TransferredMessage } from '../transfer.ts';
import { foreignConversation, foreignMessage, type Imported, ImportRefused } from './imported.ts';
import { plainText, titleOf } from './untrusted.ts';

const TITLE = /^# (.+)$/u;
const DAY = /^\d{4}-\d{2}-\d{2}$/u;
const SPEAKER = /^\*\*([^*]{1,120})\*\*$/u;
const FENCE = /^ {0,3}(`{3,}|~{3,})/u;
const TRIMMED = '*The model no longer reads what is above.*';
const IN_SHORT = '*In short:* ';

/** Whether a file begins as ours do: a title and a day. */
export function isMarkdownExport(text: string): boolean {
  const [title = '', empty = '', day = ''] = text
    .replace(/^\ufeff/u, '')
    .trimStart()
    .split(/\r?\n/u, 3);
  return TITLE.test(title) && empty === '' && DAY.test(day);
}

interface Part {
  readonly role: 'user' | 'assistant';
  readonly model: string | null;
  readonly lines: string[];
}

interface Draft {
  readonly title: string;
  readonly day: string;
  readonly head: string[];
  readonly parts: Part[];
}

/**
 * Who speaks is told by a line in bold alone, outside of code: `You` begins a question, and the first one after a
 * question its answer. So an answer may have such lines of its own; a question may not.
 */
export function readMarkdown(text: string): Imported {
  const drafts = draftsOf(text.replace(/^\ufeff/u, '').split(/\r?\n/u));
  const conversations = drafts.map(conversationOf).filter((each) => each !== null);
  if (conversations.length === 0) throw new ImportRefused('There is no message in this file.');
  return { from: 'headroom', conversations, skipped: new Map() };
}

function draftsOf(lines: readonly string[]): Draft[] {
  const drafts: Draft[] = [];
  let fence: string | null = null;
  for (const [index, line] of lines.entries()) {
    const draft = drafts.at(-1);
    const part = draft?.parts.at(-1);
    const isAlone = index === 0 || lines[index - 1]?.trim() === '';
    if (fence === null && isAlone) {
      const title = TITLE.exec(line)?.[1];
      const day = lines[index + 2] ?? '';
      if (title !== undefined && lines[index + 1] === '' && DAY.test(day)) {
        drafts.push({ title, day, head: [], parts: [] });
        continue;
      }
      const speaker = SPEAKER.exec(line)?.[1];
      if (draft !== undefined && speaker !== undefined && lines[index + 1] === '') {
        if (speaker === 'You') {
          draft.parts.push({ role: 'user', model: null, lines: [] });
          continue;
        }
        if (part?.role !== 'assistant') {
          draft.parts.push({ role: 'assistant', model: speaker === 'Answer' ? null : speaker, lines: [] });
          continue;
        }
      }
    }
    const marks = FENCE.exec(line)?.[1];
    if (fence === null) fence = marks ?? null;
    else if (marks !== undefined && marks.startsWith(fence) && line.trim() === marks) fence = null;
    if (part !== undefined) part.lines.push(line);
    else draft?.head.push(line);
  }
  return drafts;
}

function conversationOf({ title, day, head, parts }: Draft): TransferredConversation | null {
  const createdAtMs = Date.parse(`${day}T12:00:00Z`);
  if (!Number.isFinite(createdAtMs) || parts.length === 0) return null;
  let parentId: string | null = null;
  const messages = parts.map((part, index): TransferredMessage => {
    const id = String(index);
    const message = foreignMessage({ id, parentId, role: part.role, createdAtMs, model: part.model, ...saidIn(part) });
    parentId = id;
    return message;
  });
  const systemText = head
    .filter((line) => line.startsWith('>'))
    .map((line) => line.replace(/^> ?/u, ''))
    .join('\n');
  // The same file once more is the same conversation.
  const id = createHash('sha256')
    .update(JSON.stringify([title, day, systemText, messages.map(({ role, text }) => [role, text])]))
    .digest('hex');
  const conversation = foreignConversation({
    id,
    title: titleOf(title, 'Imported conversation'),
    createdAtMs,
    updatedAtMs: createdAtMs,
    leafId: null,
    messages,
  });
  return systemText === '' ? conversation : { ...conversation, settings: { systemText } };
}

/** What was said, and whether the model reads what is above it. */
function saidIn({ lines }: Part): Pick<TransferredMessage, 'text' | 'cut'> {
  const whole = plainText(lines.join('\n'))?.trim();
  if (whole === undefined) throw new ImportRefused('A message in this file is too long.');
  if (whole === TRIMMED || whole.endsWith(`\n\n${TRIMMED}`)) {
    return { text: whole.slice(0, -TRIMMED.length).trimEnd(), cut: { kind: 'trimmed' } };
  }
  const at = whole.lastIndexOf(`\n\n${IN_SHORT}`);
  if (at === -1) return { text: whole, cut: null };
  return {
    text: whole.slice(0, at).trimEnd(),
    cut: { kind: 'summarised', summary: whole.slice(at + 2 + IN_SHORT.length).trim() },
  };
}
