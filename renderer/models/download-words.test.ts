import { expect, test } from 'vitest';
import type { DownloadState, ModelEntry, ModelPresence } from '../../preload/contract.ts';
import { downloadNews, downloadWords, fetchedBytes, hubRemedy, remaining } from './download-words.ts';

const bytes = { doneBytes: 3_200_000_000, totalBytes: 12_100_000_000 };
const cause = { code: 'x', message: 'The disk is full.', nextStep: 'Free 3 GB.' };

test.each<[DownloadState, string, string | null]>([
  [{ kind: 'queued' }, 'Waits for another download', 'pause'],
  [{ kind: 'listing' }, 'Asking for the list of files', 'pause'],
  [{ kind: 'checking', ...bytes }, 'Checking, 3.2 of 12.1 GB', 'pause'],
  [
    { kind: 'downloading', ...bytes, bytesPerSecond: 42_000_000, remainingSeconds: 212 },
    '3.2 of 12.1 GB · 42 MB/s · 4 min left',
    'pause',
  ],
  [{ kind: 'downloading', ...bytes, bytesPerSecond: null, remainingSeconds: null }, '3.2 of 12.1 GB', 'pause'],
  [{ kind: 'waiting', ...bytes, retryAtMs: 12_000, cause }, 'The disk is full.', 'try-now'],
  [{ kind: 'paused', ...bytes }, 'Paused at 3.2 of 12.1 GB', 'resume'],
  [{ kind: 'failed', ...bytes, cause }, 'The disk is full.', 'try-now'],
])('%j', (download, text, action) => {
  const words = downloadWords(download, 0);
  expect(words.text).toBe(text);
  expect(words.action).toBe(action);
});

test.each([
  ['gated', 'Token…'],
  ['private', 'Token…'],
  ['token-refused', 'Token…'],
  ['disk-full', 'Folder…'],
  ['proxy', 'Proxy…'],
  ['stalled', null],
])('%s: what the hub’s settings would change', (code, remedy) => {
  expect(hubRemedy({ kind: 'failed', ...bytes, cause: { ...cause, code } })).toBe(remedy);
});

test('waiting says when it goes on, failing what to do', () => {
  const waiting = { kind: 'waiting', ...bytes, retryAtMs: 12_000, cause } as const;
  expect(downloadWords(waiting, 0).nextStep).toBe('Goes on in 12 s. Nothing fetched is lost.');
  expect(downloadWords(waiting, 13_000).nextStep).toBe('Trying again. Nothing fetched is lost.');
  expect(downloadWords({ kind: 'failed', ...bytes, cause }, 0).nextStep).toBe('Free 3 GB.');
  // Nothing was begun: an empty bar would say otherwise.
  expect(downloadWords({ kind: 'failed', doneBytes: 0, totalBytes: 0, cause }, 0).progress).toBeNull();
});

test.each([
  [0.2, '5 s'],
  [31, '35 s'],
  [54, '55 s'],
  [56, '1 min'],
  [212, '4 min'],
  [3_500, '58 min'],
  [3_600, '1 h'],
  [4_900, '1 h 20 min'],
  [7_190, '2 h'],
])('%d s are told as %s', (seconds, words) => {
  expect(remaining(seconds)).toBe(words);
});

test('what a cancelled download throws away', () => {
  expect(fetchedBytes({ kind: 'listing' })).toBe(0);
  expect(fetchedBytes({ kind: 'paused', ...bytes })).toBe(3_200_000_000);
});

test('what became of a download is said once', () => {
  const entry = (presence: ModelPresence) => [{ id: 'a/b', name: 'Model', presence } as ModelEntry];
  const at = (download: DownloadState) => entry({ kind: 'getting', download });
  const here = entry({ kind: 'here', folder: '/m', checked: 'hub' });
  const running = at({ kind: 'downloading', ...bytes, bytesPerSecond: null, remainingSeconds: null });
  const failed = at({ kind: 'failed', ...bytes, cause });
  expect(downloadNews(null, here)).toBeNull();
  expect(downloadNews(here, here)).toBeNull();
  expect(downloadNews(running, running)).toBeNull();
  expect(downloadNews(running, here)).toBe('Model is on this computer.');
  expect(downloadNews(at({ kind: 'checking', ...bytes }), here)).toBe('Model is checked.');
  expect(downloadNews(running, failed)).toBe('The download of Model stopped. The disk is full.');
  expect(downloadNews(failed, failed)).toBeNull();
  expect(downloadNews(running, entry({ kind: 'absent' }))).toBeNull();
  expect(downloadNews(running, entry({ kind: 'damaged', folder: '/m', message: 'a is missing.' }))).toContain(
    'a is missing.',
  );
});
