import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseTooNew, FIRST_FORMAT, openDatabase } from './database.ts';
import { createConversationStore, titleFrom } from './store.ts';

let folder: string;
let file: string;
const damaged: string[] = [];
const openStore = () => createConversationStore(openDatabase(file, (movedTo) => damaged.push(movedTo)));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-store-'));
  file = join(folder, 'conversations.db');
  damaged.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const turn = (conversationId: string | null, text: string, nowMs = 1_000) =>
  ({ conversationId, text, effort: 'medium', model: 'gpt', nowMs, toldDate: '2026-01-02' }) as const;

describe('conversation store', () => {
  it('keeps a turn and its answer across a reopening', () => {
    const first = openStore();
    const added = first.addTurn(turn(null, 'Hello there'));
    if (added === null) throw new Error('not added');
    first.finish(
      added.assistant.id,
      { text: 'Hi', reasoning: 'short', reasoningMs: 12 },
      { kind: 'complete' },
      {
        promptTokens: 5,
        cachedTokens: 0,
        completionTokens: 2,
        reasoningTokens: 1,
        decodeTokensPerSecond: 40,
        prefillTokensPerSecond: null,
        firstTokenMs: 100,
      },
    );
    first.close();

    const second = openStore();
    const conversation = second.open(added.conversation.id);
    expect(conversation?.messages).toEqual([
      added.user,
      {
        ...added.assistant,
        text: 'Hi',
        reasoning: 'short',
        reasoningMs: 12,
        status: { kind: 'complete' },
        usage: expect.objectContaining({ completionTokens: 2, firstTokenMs: 100 }) as unknown,
      },
    ]);
    expect(second.toldDate(added.conversation.id)).toBe('2026-01-02');
    second.close();
  });

  it('chains turns as a path and lists the latest conversation first', () => {
    const store = openStore();
    const a = store.addTurn(turn(null, 'A', 1));
    const b = store.addTurn(turn(null, 'B', 2));
    if (a === null || b === null) throw new Error('not added');
    const again = store.addTurn(turn(a.conversation.id, 'more', 3));
    expect(again?.user.parentId).toBe(a.assistant.id);
    expect(store.head().map((c) => c.title)).toEqual(['A', 'B']);
    store.close();
  });

  it('marks what a crash left under way as interrupted, with the text saved so far', () => {
    const first = openStore();
    const added = first.addTurn(turn(null, 'Long one'));
    if (added === null) throw new Error('not added');
    first.flush(added.assistant.id, { text: 'half', reasoning: '', reasoningMs: null });
    first.close();

    const second = openStore();
    expect(second.markInterrupted()).toBe(1);
    expect(second.markInterrupted()).toBe(0);
    expect(second.message(added.assistant.id)).toMatchObject({ text: 'half', status: { kind: 'interrupted' } });
    second.close();
  });

  it('never changes an answer that is final', () => {
    const store = openStore();
    const added = store.addTurn(turn(null, 'x'));
    if (added === null) throw new Error('not added');
    store.finish(added.assistant.id, { text: 'done', reasoning: '', reasoningMs: null }, { kind: 'stopped' }, null);
    store.flush(added.assistant.id, { text: 'late', reasoning: '', reasoningMs: null });
    expect(store.message(added.assistant.id)).toMatchObject({ text: 'done', status: { kind: 'stopped' } });
    store.close();
  });

  it('adds nothing to a conversation that is not there', () => {
    const store = openStore();
    expect(store.addTurn(turn('0b1f7b1e-0000-4000-8000-000000000000', 'x'))).toBeNull();
    expect(store.head()).toEqual([]);
    store.close();
  });

  it('moves a damaged file aside, keeps its bytes and starts afresh', () => {
    writeFileSync(file, 'this is no database, but somebody may want it back'.repeat(50));
    const store = openStore();
    expect(store.head()).toEqual([]);
    expect(damaged).toHaveLength(1);
    expect(readdirSync(folder).some((name) => name.includes('.damaged-'))).toBe(true);
    store.close();
  });

  it('says what a full disk says, and goes on when there is room', () => {
    const db = openDatabase(file, () => {});
    const store = createConversationStore(db);
    const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
    db.exec(`PRAGMA max_page_count = ${pages}`);
    const long = turn(null, 'long '.repeat(20_000));
    expect(() => store.addTurn(long)).toThrow(/disk is full/);
    expect(store.head()).toEqual([]);
    db.exec(`PRAGMA max_page_count = ${pages + 1_000}`);
    expect(store.addTurn(long)).not.toBeNull();
    store.close();
  });

  it('refuses a file from a newer version and leaves it alone', () => {
    const db = openDatabase(file, () => {});
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openStore()).toThrow(DatabaseTooNew);
    expect(damaged).toEqual([]);
  });
});

describe('a file of the first format', () => {
  /** As the first version of the app wrote it. */
  const writeOld = (): void => {
    const old = new DatabaseSync(file);
    old.exec(`${FIRST_FORMAT}; PRAGMA user_version = 1`);
    old.exec(`INSERT INTO conversation VALUES ('c1', 'Old one', 1, 2, '2025-12-31');
      INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text) VALUES ('u1', 'c1', NULL, 'user', 1, 'Über alles');
      INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text, effort, reasoning, status)
        VALUES ('a1', 'c1', 'u1', 'assistant', 1, 'An old answer', 'low', '', '{"kind":"complete"}')`);
    old.close();
  };

  it('is migrated with everything in it, searched at once, and backed up first', () => {
    writeOld();
    const store = openStore();
    expect(store.open('c1')).toMatchObject({
      title: 'Old one',
      pinnedAtMs: null,
      cut: null,
      settings: { systemText: '' },
      messages: [
        { id: 'u1', attachments: [] },
        { id: 'a1', text: 'An old answer', attempt: 1, model: null },
      ],
    });
    expect(store.search.find('uber', false)).toHaveLength(1);
    store.close();
    const [backup = ''] = readdirSync(folder).filter((name) => name.includes('before-format'));
    const kept = new DatabaseSync(join(folder, backup));
    expect(kept.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(kept.prepare('SELECT count(*) AS n FROM message').get()).toEqual({ n: 2 });
    kept.close();
  });
});

describe('branches, cuts and settings', () => {
  const added = (store: ReturnType<typeof openStore>, text: string, conversationId: string | null = null) => {
    const result = store.addTurn(turn(conversationId, text));
    if (result === null) throw new Error('not added');
    return result;
  };

  it('shows the path that was opened last, and cuts count along it only', () => {
    const store = openStore();
    const first = added(store, 'one');
    const { id: conversationId } = first.conversation;
    const second = added(store, 'two', conversationId);
    store.cut(conversationId, { kind: 'summarised', summary: 'They counted.', afterMessageId: first.assistant.id });
    expect(store.open(conversationId)?.cut).toEqual({
      kind: 'summarised',
      summary: 'They counted.',
      afterMessageId: first.assistant.id,
      messages: 2,
    });
    const other = store.addAnswer({
      conversationId,
      parentId: first.user.id,
      effort: 'high',
      model: 'm',
      nowMs: 5,
    });
    expect(store.open(conversationId)).toMatchObject({
      cut: null,
      messages: [{ id: first.user.id }, { id: other.id }],
      branches: [{ messageId: other.id, siblingIds: [first.assistant.id, other.id] }],
    });
    store.openBranch(first.assistant.id);
    expect(store.open(conversationId)?.messages.at(-1)?.id).toBe(second.assistant.id);
    expect(store.open(conversationId)?.cut).not.toBeNull();
    store.cut(conversationId, null);
    expect(store.open(conversationId)?.cut).toBeNull();
    store.close();
  });

  it('keeps only what differs from the defaults, and what a person named', () => {
    const store = openStore();
    const { conversation } = added(store, 'x');
    store.configure(conversation.id, { temperature: 0, systemText: 'Be brief.', topP: null });
    expect(store.open(conversation.id)?.settings).toMatchObject({
      temperature: 0,
      systemText: 'Be brief.',
      topP: null,
    });
    expect(store.rename(conversation.id, 'Mine', 'user')).toBe(true);
    expect(store.rename(conversation.id, 'The model’s', 'model')).toBe(false);
    expect(store.summary(conversation.id)?.title).toBe('Mine');
    store.close();
  });

  it('pages through every conversation once, pinned ones first', () => {
    const store = openStore();
    const ids = Array.from({ length: 230 }, (_, i) => {
      const result = store.addTurn(turn(null, `n ${i}`, 1_000 + Math.floor(i / 3)));
      return result?.conversation.id ?? '';
    });
    store.pin(ids[5] ?? '', 9);
    store.archive(ids[6] ?? '', 9);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = store.page({ archived: false, after });
      seen.push(...page.conversations.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    expect(seen[0]).toBe(ids[5]);
    expect([...seen].sort()).toEqual(ids.filter((id) => id !== ids[6]).sort());
    expect(store.page({ archived: true, after: null }).conversations.map(({ id }) => id)).toEqual([ids[6]]);
    store.close();
  });

  it('takes drafts, queued messages and attachments along, and lets go of what belongs to nothing', () => {
    const store = openStore();
    const { conversation } = added(store, 'x');
    const add = (name: string) => store.attachments.add({ name, text: `text of ${name}`, tokens: null, nowMs: 1 });
    const [inDraft, inQueue, inMessage, lost] = [add('a.ts'), add('b.md'), add('c'), add('d')];
    store.drafts.put(conversation.id, 'half', [inDraft.id]);
    const attachmentIds = [inQueue.id];
    store.queue.add({ conversationId: conversation.id, text: 'next', effort: 'low', attachmentIds, nowMs: 1 });
    store.addTurn({ ...turn(conversation.id, 'with'), attachmentIds: [inMessage.id], parentId: null });
    store.attachments.purge(2);
    expect(store.attachments.get([lost.id])).toBeNull();
    expect(store.open(conversation.id)).toMatchObject({
      draft: { text: 'half', attachments: [{ name: 'a.ts', language: 'typescript' }] },
      queued: [{ text: 'next', attachments: [{ name: 'b.md', preview: 'text of b.md' }] }],
      messages: [{ attachments: [{ name: 'c', language: null }] }, {}],
    });
    store.remove(conversation.id, 10);
    expect(store.purge(10)).toBe(0);
    expect(store.purge(11)).toBe(1);
    store.attachments.purge(2);
    expect(store.attachments.get([inDraft.id])).toBeNull();
    expect(store.attachments.get([inMessage.id])).toBeNull();
    store.close();
  });
});

describe('titleFrom', () => {
  it.each([
    ['Hello', 'Hello'],
    ['  first line \nsecond', 'first line'],
    ['\n\n', 'New conversation'],
    ['word '.repeat(30), `${'word '.repeat(12).trim()}…`],
    ['x'.repeat(100), `${'x'.repeat(60)}…`],
  ])('%j → %j', (text, title) => expect(titleFrom(text)).toBe(title));
});
