import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SearchHit } from '../../preload/contract.ts';
import { type Database, openDatabase } from './database.ts';
import { fullTextQuery, snippetOf } from './search-query.ts';
import { openSearch } from './search.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

let folder: string;
let db: Database;
let store: ConversationStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-search-'));
  db = openDatabase(join(folder, 'c.db'), () => {});
  store = createConversationStore(db);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const turn = { conversationId: null, effort: 'low', model: null, nowMs: 1, toldDate: '2026-01-01' } as const;
const say = (text: string, answer = '', conversationId: string | null = null) => {
  const added = store.addTurn({ ...turn, conversationId, text });
  if (added === null) throw new Error('not added');
  if (answer !== '')
    store.finish(added.assistant.id, { text: answer, reasoning: '', reasoningMs: null }, { kind: 'complete' }, null);
  return added;
};
const marked = ({ snippet, ranges }: SearchHit): string[] => ranges.map(([start, end]) => snippet.slice(start, end));
const found = (text: string, way = store.search): string[] => way.find(text, false).flatMap(marked);

describe('search', () => {
  it('knows of the index in this Node', () => expect(store.search.way).toBe('index'));

  it.each([
    ['wired', ['wired', 'Wired']],
    ['WIR', ['wired', 'Wired']],
    ['limit wired', ['Wired', 'limit']],
    ['cafe', ['Café']],
    ['"limit', ['limit']],
    ['nowhere', []],
    ['wired nowhere', []],
    ['AND', []],
    ['* OR NEAR(', []],
    ['   ', []],
    ['!!!', []],
    ['日本', ['日本']],
  ])('%j finds %j', (text, words) => {
    const { conversation } = say('Tell me about wired memory', 'A Wired thing with a limit.');
    say('Café über 日本 allem');
    store.rename(conversation.id, 'Some title', 'user');
    const withoutTitles = store.search.find(text, false).filter(({ messageId }) => messageId !== null);
    expect(new Set(withoutTitles.flatMap(marked))).toEqual(new Set(words));
  });

  it('finds titles first, also after a change, and answers only when they have ended', () => {
    const { conversation, assistant } = say('A question');
    store.flush(assistant.id, { text: 'unfinished lighthouse', reasoning: '', reasoningMs: null });
    expect(found('lighthouse')).toEqual([]);
    store.rename(conversation.id, 'Lighthouse keeping', 'user');
    expect(store.search.find('light', false)).toMatchObject([{ messageId: null, role: null }]);
    store.finish(assistant.id, { text: 'A lighthouse!', reasoning: '', reasoningMs: null }, { kind: 'complete' }, null);
    expect(found('light')).toEqual(['Lighthouse', 'lighthouse']);
    store.reopen(assistant.id, 2);
    expect(found('light')).toEqual(['Lighthouse']);
    store.rename(conversation.id, 'Other', 'user');
    expect(found('light')).toEqual([]);
  });

  it('finds nothing of what was deleted, and nothing archived unless asked', () => {
    const { conversation } = say('hidden treasure');
    store.archive(conversation.id, 5);
    expect(store.search.find('treasure', false)).toEqual([]);
    expect(store.search.find('treasure', true).length).toBeGreaterThan(0);
    store.remove(conversation.id, 10);
    expect(store.search.find('treasure', true)).toEqual([]);
    store.takeBack(conversation.id);
    store.remove(conversation.id, 10);
    expect(store.purge(11)).toBe(1);
    expect(store.search.find('treasure', true)).toEqual([]);
    db.exec("INSERT INTO message_index (message_index) VALUES ('integrity-check')");
  });

  it.each([
    ['日本', ['日本']],
    ['日', ['日', '日']],
    ['本語', ['本語']],
    ['語本', []],
    ['が', ['が']],
    ['か', ['か', 'か']],
    ['React組件', ['React', '組件']],
    ['rea', ['React']],
    ['組', ['組']],
    ['ที่', ['ที่']],
    ['ทุ', []],
    ['हिन्', ['हिन्दी']],
    ['한국', ['한국어']],
    ['日 react', ['日', '日', 'React']],
  ])('finds %j without spaces between words', (text, words) => {
    say('日本語が分かる。か。日は使用React組件開発');
    say('สถานที่ และ हिन्दी 한국어');
    expect(
      store.search
        .find(text, false)
        .filter((hit) => hit.messageId !== null)
        .flatMap(marked),
    ).toEqual(words);
    db.exec("INSERT INTO message_index (message_index) VALUES ('integrity-check')");
  });

  it('finds what is in an attachment, says which, and once, by the latest message that has it', () => {
    const attach = (name: string, text: string) => store.attachments.add({ name, text, tokens: null, nowMs: 1 });
    const file = attach('Bericht für Q3.csv', 'month;sum\nJuly;lighthouse 東京都\n');
    const draft = attach('draft.txt', 'a lighthouse that was never sent');
    const sent = (attachmentIds: string[], conversationId: string | null = null) => {
      const added = store.addTurn({ ...turn, text: 'What is this?', conversationId, attachmentIds });
      if (added === null) throw new Error('not added');
      return added;
    };
    const { conversation } = sent([file.id]);
    const edited = sent([file.id], conversation.id);
    store.drafts.put(conversation.id, '', [draft.id]);
    const expected = {
      messageId: edited.user.id,
      role: 'user',
      attachment: { id: file.id, name: file.name },
      conversation: { id: conversation.id },
    };
    for (const text of ['light', 'july lighthouse', '京都', 'bericht', 'bericht july']) {
      for (const way of [store.search, openSearch(db, { hasIndex: false })]) {
        expect(way.find(text, false), text).toMatchObject([expected]);
      }
      openSearch(db);
    }
    expect(found('京都')).toEqual(['京都']);
    store.remove(conversation.id, 10);
    expect(store.search.find('lighthouse', false)).toEqual([]);
    store.purge(11);
    store.attachments.purge(11);
    db.exec("INSERT INTO attachment_index (attachment_index) VALUES ('integrity-check')");
    expect(
      db.prepare("SELECT count(*) AS n FROM attachment_index WHERE attachment_index MATCH 'lighthouse'").get(),
    ).toEqual({ n: 0 });
  });

  it('makes an index anew that an earlier version made otherwise', () => {
    say('日本語が分かる');
    db.exec(`DROP TRIGGER message_indexed; DROP TRIGGER attachment_indexed;
      CREATE TRIGGER message_indexed AFTER INSERT ON message BEGIN
        INSERT INTO message_index (rowid, text) VALUES (new.seq, new.text);
      END`);
    expect(openSearch(db).way).toBe('index');
    say('日本に行く');
    expect(found('日本')).toHaveLength(4);
    db.exec("INSERT INTO message_index (message_index) VALUES ('integrity-check')");
  });

  it('shows at most three places of one conversation', () => {
    const { conversation } = say('needle 0');
    for (let i = 1; i < 10; i += 1) say(`needle ${i}`, '', conversation.id);
    expect(store.search.find('needle', false).filter(({ messageId }) => messageId !== null)).toHaveLength(3);
  });

  it('finds the place in very long messages, and soon', () => {
    for (let i = 0; i < 8; i += 1) say(`${'lorem ipsum dolor '.repeat(20_000)} needle ${i} ${'sit amet '.repeat(500)}`);
    const startMs = performance.now();
    const hits = store.search.find('needle', false);
    expect(performance.now() - startMs).toBeLessThan(1_500);
    expect(hits.flatMap(marked)).toEqual(Array(8).fill('needle'));
    for (const { snippet } of hits) expect(snippet.length).toBeLessThan(200);
  });

  it('works without the index, and the index is made anew when it can be', () => {
    say('Tell me about wired memory', 'A Wired thing.');
    const plain = openSearch(db, { hasIndex: false });
    expect(plain.way).toBe('plain');
    expect(new Set(found('wired', plain))).toEqual(new Set(['wired', 'Wired']));
    expect(found('100%', plain)).toEqual([]);
    say('Written without the index: 100% wired_limit');
    expect(found('100%', plain)).toEqual(['100%', '100%']);
    const again = openSearch(db);
    expect(found('written', again)).toEqual(['Written', 'Written']);
    db.exec("INSERT INTO message_index (message_index) VALUES ('integrity-check')");
  });

  it('takes any text for words, never for a query, and answers with ranges inside of the snippet', () => {
    say('Some "quoted" text * with (signs) ^ and: colons, NEAR this AND that\u0001mark\u0002');
    const elsewhere = openDatabase(join(folder, 'plain.db'), () => {});
    const plain = createConversationStore(elsewhere);
    plain.addTurn({ ...turn, text: 'Some "quoted" text 100% with_signs \\ and (more)' });
    const ways = [store.search, openSearch(elsewhere, { hasIndex: false })];
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 60 }), fc.stringMatching(/^[a-z"*():^\- ANDORT]{0,20}$/)), (text) => {
        for (const way of ways) {
          for (const { snippet, ranges } of way.find(text, true)) {
            let last = 0;
            for (const [start, end] of ranges) {
              expect(start).toBeGreaterThanOrEqual(last);
              expect(end).toBeGreaterThan(start);
              expect(end).toBeLessThanOrEqual(snippet.length);
              last = end;
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    elsewhere.close();
  });
});

describe('fullTextQuery', () => {
  it.each([
    ['wired limit', '"wired" AND "limit"*'],
    ['wired ', '"wired"'],
    ['a', '"a"'],
    ['say "hi"', '"say" AND """hi"""*'],
    ['…', null],
  ])('%j → %j', (text, query) => expect(fullTextQuery(text)).toBe(query));
});

describe('snippetOf', () => {
  const parts = (text: string, query: string, matching: 'words' | 'parts' = 'words'): string[] => {
    const { snippet, ranges } = snippetOf(text, query, matching);
    return ranges.map(([start, end]) => snippet.slice(start, end));
  };

  it.each([
    ['smart art and ARTS', 'art ', ['art']],
    ['smart art and ARTS', 'art', ['art', 'ARTS']],
    ['smart art', 'art x', ['art']],
    ['Zu\u0308rich, ZÜRICH und Zürichsee', 'zurich', ['Zu\u0308rich', 'ZÜRICH', 'Zürichsee']],
    ['a foo bar', 'foo-bar', ['foo', 'bar']],
    ['x 😀 Ünder 😀', 'under', ['Ünder']],
    ['nothing here', 'else', []],
  ])('%j, %j', (text, query, found_) => expect(parts(text, query)).toEqual(found_));

  it('finds parts of words where the index does not', () => {
    expect(parts('smart art', 'art', 'parts')).toEqual(['art', 'art']);
    expect(parts('日本語の本', '本', 'parts')).toEqual(['本', '本']);
  });

  it('is a window around the first place, also far into a long text', () => {
    for (const filler of ['x'.repeat(500), 'lorem '.repeat(30_000), 'ü '.repeat(30_000)]) {
      const { snippet, ranges } = snippetOf(`${filler} needle ${filler}`, 'needle', 'words');
      expect(snippet.length).toBeLessThan(200);
      expect(ranges.map(([start, end]) => snippet.slice(start, end))).toEqual(['needle']);
    }
  });
});
