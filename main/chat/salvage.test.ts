import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from './database.ts';
import { openConversations, salvageNotice } from './salvage.ts';
import { isDamage, storageFault } from './storage-fault.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-salvage-'));
  file = join(folder, 'conversations.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PAGE = 4_096;
const CONVERSATIONS = 20;
const turn = { effort: 'low', model: null, toldDate: '2026-01-01' } as const;

/** The pages that each table or index takes, by name. */
function filled(): Map<string, number[]> {
  const db = openDatabase(file, () => {});
  const store = createConversationStore(db);
  for (let index = 0; index < CONVERSATIONS; index += 1) {
    let conversationId: string | null = null;
    for (let at = 0; at < 5; at += 1) {
      const attached = store.attachments.add({ name: `f${at}.txt`, text: `file ${at}`, tokens: null, nowMs: 1 });
      const text = `word${index} ${'lorem ipsum '.repeat(40)}`;
      const added = store.addTurn({ ...turn, conversationId, text, nowMs: index, attachmentIds: [attached.id] });
      if (added === null) throw new Error('not added');
      conversationId = added.conversation.id;
      const answer = { text: 'dolor sit amet '.repeat(40), reasoning: '', reasoningMs: null };
      store.finish(added.assistant.id, answer, { kind: 'complete' }, null);
    }
  }
  const roots = db.prepare('SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0').all();
  const pages = new Map(roots.map(({ name, rootpage }) => [String(name), [Number(rootpage)]]));
  store.close();
  // Leaves of the messages' table: they hold what was said.
  const bytes = readFileSync(file);
  const leaves: number[] = [];
  for (let at = 0; at < bytes.length; at += PAGE) {
    if (bytes[at] === 0x0d && bytes.subarray(at, at + PAGE).includes('dolor sit amet')) leaves.push(at / PAGE + 1);
  }
  pages.set('said', leaves);
  return pages;
}

function destroy(page: number): void {
  const opened = openSync(file, 'r+');
  writeSync(opened, Buffer.alloc(PAGE), 0, PAGE, (page - 1) * PAGE);
  closeSync(opened);
}

const openAll = (store: ConversationStore) => store.head().map(({ id }) => store.open(id));

describe('a damaged file', () => {
  it('gives all that can still be read, and is kept', () => {
    const said = filled().get('said') ?? [];
    expect(said.length).toBeGreaterThan(20);
    destroy(said[5] ?? 0);
    destroy(said[6] ?? 0);
    const first = openConversations(file);
    // The start did not read that far.
    expect(first.salvaged).toBeNull();
    expect(() => openAll(first.store)).toThrow();
    first.store.suspectDamage();
    first.store.close();

    const { store, salvaged } = openConversations(file);
    expect(salvaged?.messages).toBeGreaterThan(CONVERSATIONS * 10 - 20);
    expect(salvaged?.messages).toBeLessThan(CONVERSATIONS * 10);
    expect(readdirSync(folder).some((name) => name.includes('.damaged-'))).toBe(true);
    const conversations = openAll(store);
    expect(conversations).toHaveLength(CONVERSATIONS);
    const messages = conversations.flatMap((conversation) => conversation?.messages ?? []);
    expect(messages).toHaveLength(salvaged?.messages ?? 0);
    expect(messages.filter((message) => message.role === 'user' && message.attachments.length === 1).length).toBe(
      messages.filter(({ role }) => role === 'user').length,
    );
    expect(store.search.find('word7', false).length).toBeGreaterThan(0);
    expect(store.addTurn({ ...turn, conversationId: null, text: 'and on', nowMs: 99 })).not.toBeNull();
    store.close();
    expect(openConversations(file).salvaged).toBeNull();
  });

  it.each(['conversation', 'conversation_listed', 'title_index_data', 'message_index_config', 'draft'])(
    'starts when %s is destroyed',
    (name) => {
      const [root] = filled().get(name) ?? [];
      destroy(root ?? 0);
      let { store } = openConversations(file);
      try {
        openAll(store);
        store.drafts.get(null);
        store.search.find('word3', false);
        store.addTurn({ ...turn, conversationId: null, text: 'and on', nowMs: 99 });
      } catch (error) {
        expect(isDamage(error)).toBe(true);
        store.suspectDamage();
        store.close();
        ({ store } = openConversations(file));
      }
      const conversations = openAll(store);
      expect(conversations.length).toBeGreaterThanOrEqual(CONVERSATIONS);
      const said = conversations.flatMap((conversation) => conversation?.messages ?? []);
      expect(said.length).toBeGreaterThanOrEqual(CONVERSATIONS * 10);
      expect(store.search.find('word3', false).length).toBeGreaterThan(0);
      store.close();
    },
  );
});

it.each([
  [0, 'Nothing of it could be read.'],
  [1, '1 message of it could be read.'],
  [1_234, '1,234 messages of it could be read.'],
])('what became of %s messages is told, and where the file is', (messages, words) => {
  const { message, nextStep } = salvageNotice({ movedTo: '/data/conversations.db.damaged-1', messages });
  expect(message).toContain(words);
  expect(nextStep).toContain('kept as conversations.db.damaged-1.');
});

describe('storageFault', () => {
  it.each([
    ['database or disk is full', 'The disk is full'],
    ['database disk image is malformed', 'damaged'],
    ['attempt to write a readonly database', 'cannot be written'],
    ['disk I/O error', 'cannot be written'],
  ])('%s', (said, words) => expect(storageFault(new Error(said))?.message).toContain(words));

  it('leaves other faults alone', () => {
    expect(storageFault(new Error('UNIQUE constraint failed'))).toBeNull();
    expect(storageFault('database or disk is full')).toBeNull();
  });
});
