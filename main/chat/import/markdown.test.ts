import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exportPiece, markdownOf } from '../export.ts';
import type { TransferredConversation } from '../transfer.ts';
import { foreignConversation, foreignMessage, ImportRefused } from './imported.ts';
import { readImport } from './import-file.ts';

const NOON_MS = Date.UTC(2026, 0, 2, 12);

const conversation = (
  said: readonly string[],
  over: Partial<TransferredConversation> = {},
): TransferredConversation => ({
  ...foreignConversation({
    id: 'a',
    title: 'A trip',
    createdAtMs: NOON_MS,
    updatedAtMs: NOON_MS,
    leafId: null,
    messages: said.map((text, index) =>
      foreignMessage({
        id: String(index),
        parentId: index === 0 ? null : String(index - 1),
        role: index % 2 === 0 ? 'user' : 'assistant',
        createdAtMs: NOON_MS,
        text,
        model: index % 2 === 0 ? null : 'gpt-oss-20b',
      }),
    ),
  }),
  ...over,
});
const saidIn = (text: string) =>
  readImport(text).conversations.map(({ messages }) => messages.map((message) => [message.role, message.text]));

it('brings back what was written out: who said what, the day, the instructions', () => {
  const answer = 'Go:\n\n**Lisbon**\n\n# not a title\n\n```md\n**You**\n\n# B\n\n2026-01-02\n```\n\n- by train';
  const text = markdownOf(
    conversation(['Where to?', answer, 'Why?', ''], { settings: { systemText: 'Be brief.\n\nOn.' } }),
  );
  const [read] = readImport(text).conversations;
  expect(read).toMatchObject({ title: 'A trip', createdAtMs: NOON_MS, settings: { systemText: 'Be brief.\n\nOn.' } });
  expect(read?.messages.map((message) => [message.role, message.text, message.model, message.parentId])).toEqual([
    ['user', 'Where to?', null, null],
    ['assistant', answer, 'gpt-oss-20b', '0'],
    ['user', 'Why?', null, '1'],
    ['assistant', '', 'gpt-oss-20b', '2'],
  ]);
});

it('keeps what the model no longer reads apart', () => {
  const { messages, ...rest } = conversation(['a', 'b', 'c', 'd']);
  const cut = (index: number, what: TransferredConversation['messages'][number]['cut']) =>
    messages.map((message, at) => (at === index ? { ...message, cut: what } : message));
  for (const what of [{ kind: 'trimmed' }, { kind: 'summarised', summary: 'They met.' }] as const) {
    const [read] = readImport(markdownOf({ ...rest, messages: cut(1, what) })).conversations;
    expect(read?.messages[1]).toMatchObject({ text: 'b', cut: what });
  }
});

it('reads several conversations of one file, each known again', () => {
  const two = [conversation(['a', 'b']), conversation(['c', 'd'], { title: 'Another' })];
  const text = exportPiece(two, 'markdown', { isFirst: true, isLast: true });
  expect(saidIn(text)).toEqual([
    [
      ['user', 'a'],
      ['assistant', 'b'],
    ],
    [
      ['user', 'c'],
      ['assistant', 'd'],
    ],
  ]);
  const ids = readImport(text).conversations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  expect(readImport(text).conversations.map(({ id }) => id)).toEqual(ids);
});

it('any words go out and come back', () => {
  const words = fc
    .stringMatching(/^[a-z `#>*\n-]{1,60}$/)
    .map((text) => text.trim())
    // A line in bold alone, an open fence or a mark of a cut is told from what Headroom wrote by nothing.
    .filter((text) => text !== '' && !/^\*\*|`{3}|^# /mu.test(text));
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 6 }), (said) => {
      expect(saidIn(markdownOf(conversation(said)))[0]?.map(([, text]) => text)).toEqual(said);
    }),
  );
});

it('a mangled file is refused with a reason, or gives one path', () => {
  const text = markdownOf(conversation(['Where to?', '```\ncode\n```', 'Why?', 'So.']));
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 8 }), (at, drop, put) => {
      try {
        for (const { messages } of readImport(text.slice(0, at) + put + text.slice(at + drop)).conversations)
          expect(messages.map(({ parentId }) => parentId)).toEqual(
            messages.map((_, i) => (i === 0 ? null : String(i - 1))),
          );
      } catch (error) {
        expect(error).toBeInstanceOf(ImportRefused);
      }
    }),
    { numRuns: 500 },
  );
});
