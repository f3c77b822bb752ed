import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppFault } from '../fault.ts';
import { type Database, openDatabase } from './database.ts';
import { exportFileName, exportPiece, markdownOf } from './export.ts';
import { createImporting, type Importing } from './importing.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

let folder: string;
let db: Database;
let store: ConversationStore;
let importing: Importing;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-transfer-'));
  db = openDatabase(join(folder, 'c.db'), () => {});
  store = createConversationStore(db);
  importing = createImporting({ transfer: store.transfer, nowMs: () => 1_000_000 });
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const bring = (text: string) => importing.piece({ importId: crypto.randomUUID(), index: 0, text, isLast: true });
const everything = (): string =>
  exportPiece(
    store.transfer.idsAfter(0, 1_000).flatMap(({ id }) => store.transfer.read(id) ?? []),
    'json',
    { isFirst: true, isLast: true },
  );
const rows = (): unknown =>
  ['conversation', 'message', 'attachment', 'message_attachment'].map((table) =>
    db.prepare(`SELECT * FROM ${table}`).all(),
  );

/** One conversation with branches, an attachment, settings, a cut and numbers. */
function rich(): string {
  const attachment = store.attachments.add({ name: 'a.py', text: 'print(1)\n', tokens: 4, nowMs: 1 });
  const first = store.addTurn({
    conversationId: null,
    text: 'one',
    attachmentIds: [attachment.id],
    effort: 'high',
    model: 'gpt',
    settings: { systemText: 'Be brief.', temperature: 0.2 },
    nowMs: 5,
    toldDate: '2026-01-02',
  });
  if (first === null) throw new Error('not added');
  const usage = {
    promptTokens: 5,
    cachedTokens: 0,
    completionTokens: 2,
    reasoningTokens: 1,
    decodeTokensPerSecond: 40,
    prefillTokensPerSecond: null,
    firstTokenMs: 100,
  };
  const answer = { text: 'An answer', reasoning: 'because', reasoningMs: 12 };
  store.finish(first.assistant.id, answer, { kind: 'complete' }, usage);
  const other = store.addAnswer({
    conversationId: first.conversation.id,
    parentId: first.user.id,
    effort: 'low',
    model: null,
    nowMs: 6,
  });
  store.finish(other.id, { ...answer, text: 'Another' }, { kind: 'length', where: 'answer' }, null);
  store.cut(first.conversation.id, { kind: 'summarised', summary: 'In short.', afterMessageId: other.id });
  store.rename(first.conversation.id, 'A: strange/title?', 'user');
  store.pin(first.conversation.id, 7);
  return first.conversation.id;
}

describe('export and import', () => {
  it('bring back everything, and a second import changes nothing', async () => {
    const id = rich();
    const file = everything();
    const original = store.open(id);
    expect(await bring(file)).toMatchObject({ conversations: 0, known: 1 });
    store.remove(id, 10);
    expect(await bring(file)).toEqual({ from: 'headroom', conversations: 1, messages: 3, known: 0, skipped: [] });
    const [back] = store.head();
    const copy = store.open(back?.id ?? '');
    const shape = (conversation: typeof original) => ({
      ...conversation,
      id: '',
      branches: conversation?.branches.length,
      cut: { ...conversation?.cut, afterMessageId: '' },
      messages: conversation?.messages.map((message) => ({
        ...message,
        id: '',
        conversationId: '',
        parentId: message.parentId === null ? null : 'some',
        ...(message.role === 'user'
          ? { attachments: message.attachments.map((each) => ({ ...each, id: '', tokens: null })) }
          : {}),
      })),
    });
    expect(shape(copy)).toEqual(shape(original));
    expect(store.search.find('another', false)).toHaveLength(1);
    expect(await bring(file)).toMatchObject({ conversations: 0, known: 1 });
    // The deleted original may be taken back beside its copy.
    expect(store.takeBack(id)).not.toBeNull();
    expect(store.head()).toHaveLength(2);
  });

  it('goes out in pieces that are one file', () => {
    rich();
    rich();
    rich();
    const conversations = store.transfer.idsAfter(0, 10).flatMap(({ id }) => store.transfer.read(id) ?? []);
    const pieces = conversations.map((each, index) =>
      exportPiece([each], 'json', { isFirst: index === 0, isLast: index === conversations.length - 1 }),
    );
    expect(JSON.parse(pieces.join(''))).toMatchObject({ version: 1, conversations });
  });

  it('is readable as Markdown', () => {
    const conversation = store.transfer.read(rich());
    if (conversation === null) throw new Error('it is gone');
    const text = markdownOf(conversation);
    expect(text).toContain('# A: strange/title?');
    expect(text).toContain('> Be brief.');
    expect(text).toContain('**You**\n\none\n\na.py:\n```python\nprint(1)\n```');
    expect(text).toContain('Another');
    expect(text).toContain('*In short:* In short.');
    expect(text).not.toContain('An answer');
  });

  it.each([
    [['A: strange/title?'], 'markdown', 'A strange title.md'],
    [['..'], 'json', 'Conversation.json'],
    [[], 'json', 'Headroom conversations 2026-01-02.json'],
  ] as const)('names the file of %j', (titles, format, name) =>
    expect(exportFileName(titles, format, new Date(2026, 0, 2).getTime())).toBe(name),
  );

  it('a file that is refused changes nothing', async () => {
    rich();
    const file = everything();
    const before = rows();
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.constantFrom('', '"', '}', ']', '7', 'null'), async (at, what) => {
        const mangled = file.slice(0, at) + what + file.slice(at + 1 + what.length);
        try {
          await bring(mangled);
        } catch (error) {
          expect(error).toBeInstanceOf(AppFault);
          expect(rows()).toEqual(before);
          return;
        }
        // A change inside of a text or a number is still a file; what came in goes again, for the next round.
        db.exec('DELETE FROM conversation WHERE origin IS NOT NULL');
        store.attachments.purge(Number.MAX_SAFE_INTEGER);
        expect(rows()).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  it('all or nothing: what fails in the middle leaves no trace', async () => {
    rich();
    const parsed = JSON.parse(everything()) as { conversations: { id: string; messages: { role: string }[] }[] };
    const before = rows();
    const [one] = parsed.conversations;
    // The store itself refuses the second.
    const broken = { ...one, id: 'y', messages: one?.messages.map((message) => ({ ...message, role: 'nobody' })) };
    const conversations = [{ ...one, id: 'x' }, broken] as unknown as Parameters<typeof store.transfer.take>[1];
    await expect(store.transfer.take('headroom', conversations, 5)).rejects.toThrow(/constraint/i);
    expect(rows()).toEqual(before);
  });

  it('is out of sight until all of it is there', async () => {
    rich();
    const parsed = JSON.parse(everything()) as { conversations: object[] };
    const many = Array.from({ length: 300 }, (_, i) => ({ ...parsed.conversations[0], id: `n${i}` }));
    const taking = bring(JSON.stringify({ ...parsed, conversations: many }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.head()).toHaveLength(1);
    expect(await taking).toMatchObject({ conversations: 300 });
    expect(store.head().length).toBeGreaterThan(20);
  });

  it('an app killed in the middle of it has nothing of it, and lets go of the rest', async () => {
    rich();
    const before = rows();
    const parsed = JSON.parse(everything()) as { conversations: object[] };
    const many = Array.from({ length: 300 }, (_, i) => ({ ...parsed.conversations[0], id: `n${i}` }));
    const taking = bring(JSON.stringify({ ...parsed, conversations: many }));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // What a kill would leave behind now.
    db.exec(`VACUUM INTO '${join(folder, 'killed.db')}'`);
    await taking;
    const killed = openDatabase(join(folder, 'killed.db'), () => {});
    const left = killed.prepare('SELECT count(*) AS n FROM conversation').get();
    expect(left?.['n']).toBeGreaterThan(1);
    const again = createConversationStore(killed);
    expect(again.head()).toHaveLength(1);
    again.purge(1_000_001);
    again.attachments.purge(Number.MAX_SAFE_INTEGER);
    const after = ['conversation', 'message', 'attachment', 'message_attachment'].map((table) =>
      killed.prepare(`SELECT * FROM ${table}`).all(),
    );
    expect(after).toEqual(before);
    killed.close();
  });

  it('pieces must come in order, and one file at a time', async () => {
    const importId = crypto.randomUUID();
    expect(await importing.piece({ importId, index: 0, text: '[', isLast: false })).toBeNull();
    await expect(importing.piece({ importId, index: 2, text: ']', isLast: true })).rejects.toThrow(/whole/);
    await expect(importing.piece({ importId: crypto.randomUUID(), index: 1, text: ']', isLast: true })).rejects.toThrow(
      /whole/,
    );
    await expect(importing.piece({ importId, index: 1, text: ']', isLast: true })).rejects.toThrow(/no export/);
  });
});
