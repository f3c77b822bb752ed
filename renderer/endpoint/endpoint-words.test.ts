import { expect, it } from 'vitest';
import { countdownWords, lastUsedWords, stageWords, unloadWords } from './endpoint-words.ts';

it.each<[number | null, string]>([
  [null, 'not used yet'],
  [1_000, 'used just now'],
  [600_000, 'used 10 minutes ago'],
  [4_000_000, 'used an hour ago'],
  [20_000_000, 'used 5 hours ago'],
  [100_000_000, 'used yesterday'],
  [900_000_000, 'used 10 days ago'],
])('%s ms ago: %s', (ago, words) => {
  expect(lastUsedWords({ lastUsedAtMs: ago === null ? null : 1e12 - ago }, 1e12)).toBe(words);
});

it('says where a request stands', () => {
  expect(stageWords({ stage: 'queued', ahead: 0 })).toBe('next');
  expect(stageWords({ stage: 'queued', ahead: 1 })).toBe('waits, 1 before it');
  expect(stageWords({ stage: 'queued', ahead: 2 })).toBe('waits, 2 before it');
  expect(stageWords({ stage: 'answering', ahead: 0 })).toBe('is answered');
});

it('counts down', () => {
  expect(countdownWords(null, 0)).toBeNull();
  expect(countdownWords(90_000, 0)).toBe('Unloads in 1 min 30 s unless somebody asks.');
  expect([0, 5, 60, 240].map(unloadWords)).toEqual(['Never', 'After 5 minutes', 'After an hour', 'After 4 hours']);
});
