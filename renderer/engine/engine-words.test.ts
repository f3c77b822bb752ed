import { expect, test } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { engineWords } from './engine-words.ts';

const cause = { code: 'x', message: 'It ended.', nextStep: 'Try again.' };

const cases: [EngineState, string, boolean, ReturnType<typeof engineWords>['progress']][] = [
  [{ kind: 'off' }, 'Off', false, null],
  [{ kind: 'preparing', sinceMs: 0 }, 'Checking memory', true, 'indeterminate'],
  [{ kind: 'starting', sinceMs: 0, attempt: 1 }, 'Starting', true, 'indeterminate'],
  [{ kind: 'starting', sinceMs: 0, attempt: 2 }, 'Starting, attempt 2', true, 'indeterminate'],
  [{ kind: 'loading', sinceMs: 0, loadedBytes: 0, totalBytes: 0 }, 'Loading', true, 'indeterminate'],
  [
    { kind: 'loading', sinceMs: 0, loadedBytes: 3.2e9, totalBytes: 12.1e9 },
    'Loading, 3.2 of 12.1 GB',
    true,
    { done: 3.2e9, total: 12.1e9 },
  ],
  [{ kind: 'ready', sinceMs: 0 }, 'Ready', true, null],
  [{ kind: 'busy', sinceMs: 0 }, 'Working', true, null],
  [{ kind: 'waiting', attempt: 1, retryAtMs: 5_000, cause }, 'Trying again in 4 s', true, null],
  [{ kind: 'waiting', attempt: 1, retryAtMs: 900, cause }, 'Trying again', true, null],
  [{ kind: 'stopping', sinceMs: 0, deadlineMs: 1 }, 'Turning off', false, 'indeterminate'],
  [{ kind: 'failed', cause, logTail: [] }, 'Stopped by a fault', false, null],
  [
    { kind: 'failed', cause: { ...cause, code: 'wired-limit-being-changed' }, logTail: [] },
    'Waits for the limit',
    false,
    null,
  ],
  [
    { kind: 'failed', cause: { ...cause, code: 'wired-limit-needed' }, logTail: [] },
    'Needs a higher limit',
    false,
    null,
  ],
];

test.each(cases)('%j', (engine, words, isOn, progress) => {
  expect(engineWords(engine, 1_000)).toEqual({ words, isOn, progress });
});
