/**
 * The store with 10,000 conversations and 200,000 messages: opening it, a conversation, the list, searching, and sending.
 * Words are drawn as in natural text (few very common, most rare), a part of each message is written without spaces.
 * Baselines are bare SQLite on the same file.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, inTransaction, openDatabase } from '../../main/chat/database.ts';
import { dropTriggers } from '../../main/chat/search.ts';
import { createConversationStore } from '../../main/chat/store.ts';
import { seededRandom } from '../engine/seeded-random.ts';
import { type Bench, type Figure, median } from './figure.ts';

const CONVERSATIONS = 10_000;
const MESSAGES_EACH = 20;
const WORDS_EACH = 50;
const UNSPACED_WORDS_EACH = 25;
const VOCABULARY = 40_000;

const never = (): void => {
  throw new Error('the file was found damaged');
};

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;

function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const startMs = performance.now();
  const result = work();
  return { ms: performance.now() - startMs, result };
}

const random = seededRandom(20_260_723);
/** The word of rank r comes with a chance of about 1/r. */
const rank = (): number => Math.min(VOCABULARY - 1, Math.floor(VOCABULARY ** random()) - 1);
const SYLLABLES = ['ka', 'lo', 'mi', 'ren', 'tas', 'u', 'vé', 'on', 'gri', 'pa', 'shu', 'del', 'qui', 'zor', 'be', 'ä'];
function word(of: number): string {
  let text = '';
  for (let rest = of + 16; rest > 0; rest = Math.floor(rest / SYLLABLES.length))
    text += SYLLABLES[rest % SYLLABLES.length];
  return text;
}
/** Words of one to three of some 3,000 signs, few of them in most words. */
const unspacedWord = (of: number): string => {
  const digits = [(of * 7_919) % 3_001, (of * 104_729) % 1_009, (of * 1_299_709) % 211];
  return digits
    .slice(0, 1 + ((of + 1) % 3))
    .map((digit) => String.fromCodePoint(0x4e00 + digit))
    .join('');
};
const unspaced = (words: number): string => Array.from({ length: words }, () => unspacedWord(rank())).join('');
const sentence = (words: number): string => Array.from({ length: words }, () => word(rank())).join(' ');

function fill(db: Database): void {
  // The index is built at the end, in one go, as when an older file is migrated.
  dropTriggers(db);
  const conversation = db.prepare(
    'INSERT INTO conversation (seq, id, title, created_at_ms, updated_at_ms, told_date) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const message = db.prepare(
    `INSERT INTO message (id, conversation_id, parent_id, role, created_at_ms, text, effort, reasoning, status)
     VALUES (?, ?, ?, ?, ?, ?, 'medium', '', ?)`,
  );
  for (let start = 0; start < CONVERSATIONS; start += 500) {
    inTransaction(db, () => {
      for (let index = start; index < start + 500; index += 1) {
        const id = idOf(1, index);
        conversation.run(index + 1, id, sentence(6), index, index, '2026-01-01');
        let parentId: string | null = null;
        for (let at = 0; at < MESSAGES_EACH; at += 1) {
          const messageId = idOf(2, index * MESSAGES_EACH + at);
          const isUser = at % 2 === 0;
          const status = isUser ? null : '{"kind":"complete"}';
          const text = `${sentence(WORDS_EACH)} ${unspaced(UNSPACED_WORDS_EACH)}`;
          message.run(messageId, id, parentId, isUser ? 'user' : 'assistant', index, text, status);
          parentId = messageId;
        }
      }
    });
  }
}
const idOf = (kind: number, index: number): string =>
  `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** What people type: common and rare words, two and three of them, beginnings of words, what is nowhere. */
const queries = (): string[] =>
  Array.from({ length: 300 }, (_, index) => {
    switch (index % 6) {
      case 0:
        return `${word(rank())} `;
      case 1:
        return word(rank()).slice(0, 3);
      case 2:
        return `${word(rank())} ${word(rank())}`;
      case 3:
        return word(Math.floor(random() * VOCABULARY));
      case 4:
        return `${word(index)} ${word(index + 1)} ${word(rank()).slice(0, 2)}`;
      default:
        return `nowhere${index}`;
    }
  });

/** Words, their beginnings, two of them one after the other, and one sign. */
const unspacedQueries = (): string[] =>
  Array.from({ length: 200 }, (_, index) => {
    const some = unspacedWord(rank());
    switch (index % 4) {
      case 0:
        return some;
      case 1:
        return Array.from(some)[0] ?? some;
      case 2:
        return some + unspacedWord(rank());
      default:
        return unspacedWord(Math.floor(random() * VOCABULARY));
    }
  });

const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-store-bench-'));
  const file = join(folder, 'conversations.db');
  try {
    const filling = openDatabase(file, never);
    createConversationStore(filling);
    fill(filling);
    const indexing = timed(() => createConversationStore(filling));
    filling.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    filling.close();
    const sizeMiB = statSync(file).size / 1_048_576;
    process.stderr.write(`headroom: ${sizeMiB.toFixed(0)} MiB, index built in ${(indexing.ms / 1_000).toFixed(1)} s\n`);

    // As at the app's start: the file, its search, leftovers, and the head of the list.
    const opens: number[] = [];
    const bareOpens: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const opened = timed(() => {
        const db = openDatabase(file, never);
        const store = createConversationStore(db);
        store.markInterrupted();
        store.head();
        return store;
      });
      opened.result.close();
      opens.push(opened.ms);
      const bare = timed(() => {
        const db = openDatabase(file, never);
        db.prepare('SELECT id, title, updated_at_ms FROM conversation').all();
        return db;
      });
      bare.result.close();
      bareOpens.push(bare.ms);
    }

    const db = openDatabase(file, never);
    const store = createConversationStore(db);
    const bareMessages = db.prepare('SELECT * FROM message WHERE conversation_id = ? ORDER BY seq');
    const conversationIds = Array.from({ length: 200 }, () => idOf(1, Math.floor(random() * CONVERSATIONS)));
    const shown = conversationIds.map((id) => timed(() => store.open(id)).ms);
    const bareShown = conversationIds.map((id) => timed(() => bareMessages.all(id)).ms);

    const pages: number[] = [];
    let after: string | null = null;
    do {
      const page = timed(() => store.page({ archived: false, after }));
      pages.push(page.ms);
      after = page.result.next;
    } while (after !== null);
    const wholeList = timed(() => db.prepare('SELECT * FROM conversation ORDER BY updated_at_ms DESC').all()).ms;

    const asked = queries();
    let hits = 0;
    const searched = asked.map((text) => {
      const { ms, result } = timed(() => store.search.find(text, false));
      hits += result.length;
      return ms;
    });
    if (hits < asked.length) throw new Error('the searches found next to nothing: these are no fair queries');
    const searchedUnspaced = unspacedQueries().map((text) => timed(() => store.search.find(text, false)).ms);
    const like = db.prepare('SELECT id FROM message WHERE text LIKE ? ORDER BY seq DESC LIMIT 50');
    const scanned = asked.slice(0, 30).map((text) => timed(() => like.all(`%${text.trim()}%`)).ms);

    const sends = Array.from(
      { length: 50 },
      (_, index) =>
        timed(() =>
          store.addTurn({
            conversationId: conversationIds[index] ?? null,
            text: sentence(WORDS_EACH),
            effort: 'low',
            model: null,
            nowMs: Date.now(),
            toldDate: '2026-01-01',
          }),
        ).ms,
    );
    const bareSend = db.prepare("INSERT INTO draft VALUES (?, 'x', '[]')");
    const bareSends = Array.from({ length: 50 }, (_, index) => timed(() => bareSend.run(`bench-${index}`)).ms);
    store.close();

    const figure = (
      name: string,
      value: number,
      baseline: readonly [what: string, value: number],
      most: number | null,
    ): Figure => ({
      name: `store, 200,000 messages: ${name}`,
      unit: 'ms',
      value,
      baseline: { what: baseline[0], value: baseline[1] },
      compare: 'value',
      aim: most === null ? null : { at: 'most', value: most },
    });
    return await Promise.resolve([
      figure('open, p95', p95(opens), ['bare SQLite, all titles', median(bareOpens)], 100),
      figure('show a conversation, p95', p95(shown), ['bare SQLite, its rows, p95', p95(bareShown)], 100),
      figure('a page of the list, p95', p95(pages), ['bare SQLite, all 10,000', wholeList], null),
      figure('search, p95', p95(searched), ['LIKE over all messages, median', median(scanned)], 50),
      figure('search, median', median(searched), ['LIKE over all messages, median', median(scanned)], null),
      figure('search in a script without spaces, p95', p95(searchedUnspaced), ['LIKE, median', median(scanned)], 50),
      figure('store a message, p95', p95(sends), ['one durable row, p95', p95(bareSends)], null),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export default bench;
