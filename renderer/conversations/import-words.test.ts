import { expect, it } from 'vitest';
import { broughtWords, knownWords } from './import-words.ts';

const report = (conversations: number, messages: number, known: number) =>
  ({ from: 'chatgpt', conversations, messages, known, skipped: [] }) as const;

it.each([
  [report(12, 1_340, 0), '12 conversations and 1,340 messages from ChatGPT', null],
  [report(1, 1, 2), '1 conversation and 1 message from ChatGPT', '2 conversations were here already.'],
  [report(0, 0, 1), 'Nothing new from ChatGPT', '1 conversation was here already.'],
])('says what %j brought', (brought, words, known) => {
  expect(broughtWords(brought)).toBe(words);
  expect(knownWords(brought)).toBe(known);
});
