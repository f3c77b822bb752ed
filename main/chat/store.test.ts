import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseTooNew, openDatabase } from './database.ts';
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

  it('refuses a file from a newer version and leaves it alone', () => {
    const db = openDatabase(file, () => {});
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openStore()).toThrow(DatabaseTooNew);
    expect(damaged).toEqual([]);
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
