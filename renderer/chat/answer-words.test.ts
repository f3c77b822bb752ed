import { expect, test } from 'vitest';
import type { AnswerStatus, AnswerUsage, EngineState } from '../../preload/contract.ts';
import { announcement, endOf, lastLine, metaWords, reasoningWords, waitOf } from './answer-words.ts';

const off: EngineState = { kind: 'off' };

test.each<[AnswerStatus, EngineState, string | undefined]>([
  [{ kind: 'queued' }, off, 'Waiting for the answer before it'],
  [{ kind: 'loading' }, off, 'Starting the model'],
  [
    { kind: 'loading' },
    { kind: 'loading', sinceMs: 0, loadedBytes: 5e8, totalBytes: 12.1e9 },
    'Loading the model, 0.5 of 12.1 GB',
  ],
  [{ kind: 'prefill', doneTokens: 1_024, totalTokens: 4_096 }, off, 'Reading, 1,024 of 4,096 tokens'],
  [{ kind: 'prefill', doneTokens: 0, totalTokens: 0 }, off, 'Reading'],
  [{ kind: 'thinking' }, off, undefined],
  [{ kind: 'complete' }, off, undefined],
])('%j waits: %s', (status, engine, words) => {
  expect(waitOf(status, engine)?.words).toBe(words);
});

test('every unusual end has words, a usual one none', () => {
  const error = { code: 'engine-failed', message: 'The model ended.', nextStep: 'Turn it on again.' } as const;
  expect(endOf({ kind: 'complete' })).toBeNull();
  expect(endOf({ kind: 'stopped' })?.title).toBe('Stopped');
  expect(endOf({ kind: 'interrupted' })?.detail).toContain('kept');
  expect(endOf({ kind: 'interrupted', because: 'Memory ran short.' })?.detail).toBe('Memory ran short.');
  expect(endOf({ kind: 'length', where: 'reasoning' })?.title).toContain('thinking');
  expect(endOf({ kind: 'length', where: 'answer' })?.detail).toContain('continue');
  expect(endOf({ kind: 'failed', error })).toEqual({ title: 'The model ended.', detail: 'Turn it on again.' });
});

const usage: AnswerUsage = {
  promptTokens: 2_000,
  cachedTokens: 1_840,
  completionTokens: 311,
  reasoningTokens: 20,
  decodeTokensPerSecond: 41.7,
  prefillTokensPerSecond: null,
  firstTokenMs: 300,
};

test('the meta line leaves out what is not known', () => {
  expect(metaWords(usage)).toBe('42 tok/s · 311 tokens · 1,840 of 2,000 tokens from cache');
  expect(metaWords({ ...usage, cachedTokens: 0, decodeTokensPerSecond: null, completionTokens: 1 })).toBe('1 token');
  expect(metaWords({ ...usage, cachedTokens: 0, decodeTokensPerSecond: 6.84 })).toBe('6.8 tok/s · 311 tokens');
});

test('thinking has a time once it has one', () => {
  expect(reasoningWords(true, null)).toBe('Thinking');
  expect(reasoningWords(true, 400)).toBe('Thinking');
  expect(reasoningWords(true, 3_200)).toBe('Thinking, 3 s');
  expect(reasoningWords(false, 4_100)).toBe('Thought for 4 s');
  expect(reasoningWords(false, 80)).toBe('Thought briefly');
  expect(reasoningWords(false, 75_000)).toBe('Thought for 1 min 15 s');
  expect(reasoningWords(false, null)).toBe('Thoughts');
});

test('the preview is the last line', () => {
  expect(lastLine('one\ntwo  \n')).toBe('two');
  expect(lastLine('')).toBe('');
  expect(lastLine('x'.repeat(500))).toHaveLength(160);
});

test('an announcement is bounded', () => {
  expect(announcement({ kind: 'complete' }, 'Hello.')).toBe('Hello.');
  expect(announcement({ kind: 'stopped' }, 'Hel')).toBe('Hel. Stopped');
  expect(announcement({ kind: 'complete' }, 'a'.repeat(5_000)).length).toBeLessThan(640);
});
