import { expect, test } from 'vitest';
import type { FitPrediction, ModelPresence } from '../../preload/contract.ts';
import {
  checkedWords,
  contextLength,
  deleteQuestion,
  factsOf,
  isOnlyForgotten,
  lastCheckedWords,
  measuredWords,
  predictionRows,
  wayWords,
  waysOf,
} from './model-words.ts';

const GIB = 1_073_741_824;
const MIB = 1_048_576;

test.each([
  [512, '512'],
  [1_024, '1k'],
  [1_234, '1.2k'],
  [4_096, '4k'],
  [40_960, '40k'],
  [131_072, '128k'],
  [1_048_576, '1M'],
])('%d tokens are %s', (tokens, words) => {
  expect(contextLength(tokens)).toBe(words);
});

test('each way has its numbers', () => {
  const apps = [
    { name: 'Chrome', bytes: 2.1 * GIB },
    { name: 'Xcode', bytes: 1.3 * GIB },
    { name: 'Music', bytes: 220 * MIB },
  ];
  expect(wayWords({ kind: 'quit-apps', apps: apps.slice(0, 1), freesBytes: 2.1 * GIB }).text).toBe(
    'Quit Chrome (2.1 GB).',
  );
  expect(wayWords({ kind: 'quit-apps', apps, freesBytes: 3.6 * GIB }).text).toBe(
    'Quit Chrome (2.1 GB), Xcode (1.3 GB) and Music (220 MB): frees 3.6 GB.',
  );
  expect(wayWords({ kind: 'raise-limit', toMiB: 12_800 }).text).toContain('12,800 MiB');
  expect(wayWords({ kind: 'smaller-context', tokens: 4_096 })).toEqual({
    text: 'A context of 4k tokens.',
    short: 'Use 4k',
  });
  expect(wayWords({ kind: 'other-model', modelId: 'a/b', name: 'Small', peakBytes: 3 * GIB }).text).toBe(
    'Small: 3 GB at its peak.',
  );
  // What stands beside a raise is there because it needs none.
  expect(wayWords({ kind: 'other-model', modelId: 'a/b', name: 'Small', peakBytes: 3 * GIB }, true).text).toBe(
    'Small: 3 GB at its peak, no password.',
  );
  expect(wayWords({ kind: 'smaller-context', tokens: 2_048 }, true).text).toBe('A context of 2k tokens, no password.');
});

test('a raise is the way where one is enough, and nothing is where it fits', () => {
  expect(waysOf({ kind: 'fits', message: '' })).toEqual([]);
  expect(waysOf({ kind: 'unknown', message: '' })).toEqual([]);
  expect(waysOf({ kind: 'fits-after-raise', message: '', toMiB: 12_800 })).toEqual([
    { kind: 'raise-limit', toMiB: 12_800 },
  ]);
});

test('files are called checked only as far as they were', () => {
  const words = (presence: ModelPresence) => checkedWords({ origin: 'catalog', repository: 'a/b', presence });
  const here = (checked: 'pinned' | 'hub' | 'unchecked') => words({ kind: 'here', folder: '/m', checked });
  expect(here('pinned')).toContain('pinned');
  expect(here('hub')).toBe('Checked against the hub, not pinned.');
  expect(here('unchecked')).toContain('not checked');
  expect(words({ kind: 'absent' })).toBeNull();
  expect(words({ kind: 'damaged', folder: '/m', message: 'a.safetensors is missing.' })).toBe(
    'a.safetensors is missing.',
  );
  const presence: ModelPresence = { kind: 'here', folder: '/m', checked: 'unchecked' };
  expect(checkedWords({ origin: 'added', repository: null, presence })).toContain('never changed');
  expect(checkedWords({ origin: 'demo', repository: null, presence })).toBe('Comes with Headroom.');
  expect(checkedWords({ origin: 'found', repository: null, engineName: 'Ollama', presence })).toBe(
    'Belongs to Ollama, used where it is and never changed.',
  );
});

test('when files were last compared is said, and nothing where they never were', () => {
  const presence = { kind: 'here', folder: '/m', checked: 'hub' } as const;
  expect(lastCheckedWords(presence, 1e12)).toBeNull();
  expect(lastCheckedWords({ kind: 'absent' }, 1e12)).toBeNull();
  expect(lastCheckedWords({ ...presence, checkedAtMs: 1e12 - 500 }, 1e12)).toBe('Last checked just now');
  const damaged = { kind: 'damaged', folder: '/m', message: '1 file is damaged.', checkedAtMs: 1e12 - 9e7 } as const;
  expect(lastCheckedWords(damaged, 1e12)).toBe('Last checked yesterday');
});

test('the error is shown, once there is one', () => {
  expect(measuredWords({ measured: null })).toBeNull();
  const measured = { predictedBytes: 12.3 * GIB, measuredBytes: 12.2 * GIB, loads: 8 };
  expect(measuredWords({ measured })).toBe('Predicted 12.3 GB, measured 12.2 GB, 8 loads');
  expect(measuredWords({ measured: { ...measured, loads: 1 } })).toMatch(/, 1 load$/);
});

test('a guess is named as one', () => {
  const prediction: FitPrediction = {
    contextTokens: 4_096,
    weightsBytes: 11_516 * MIB,
    kvBytes: 99 * MIB,
    kvCopiesBytes: 0,
    prefillBytes: 410 * MIB,
    prefillStepTokens: 512,
    prefillFrom: 'default',
    runtimeBytes: 90 * MIB,
    peakBytes: 12_115 * MIB,
    measuredLoads: 0,
  };
  const guess = predictionRows(prediction).find(({ name }) => name === 'Reading a prompt');
  expect(guess?.aside).toContain('guess');
  const known = predictionRows({ ...prediction, prefillFrom: 'calibrated' });
  expect(known.find(({ name }) => name === 'Reading a prompt')?.aside).toBe('measured here');
  expect(known.find(({ name }) => name.startsWith('Context'))?.aside).toBeNull();
  expect(known.at(-1)).toEqual({ name: 'At its peak', value: '11.8 GB', aside: null });
});

test('deleting says what is lost: nothing of a folder, other tools’ files of a shared model', () => {
  const entry = {
    id: 'a/b',
    origin: 'catalog',
    presence: { kind: 'here', folder: '/a/b', checked: 'hub' },
    isShared: false,
    sizeBytes: 12_100_000_000,
  } as const;
  expect(deleteQuestion(entry)).toBe('Delete 12.1 GB? It can be downloaded again.');
  expect(deleteQuestion({ ...entry, isShared: true })).toContain('Other tools');
  const folder = { ...entry, id: '/Volumes/m', origin: 'added' } as const;
  expect(isOnlyForgotten(folder)).toBe(true);
  expect(isOnlyForgotten({ ...entry, origin: 'added' })).toBe(false);
  expect(deleteQuestion(folder)).toContain('stays as it is');
  const onlyNamed = { ...entry, origin: 'added', presence: { kind: 'absent' } } as const;
  expect(isOnlyForgotten(onlyNamed)).toBe(true);
  expect(isOnlyForgotten({ ...onlyNamed, origin: 'catalog' })).toBe(false);
  expect(deleteQuestion(onlyNamed)).toContain('added again');
});

test('what is not known is left out', () => {
  expect(factsOf({ sizeBytes: 12_100_000_000, licence: 'Apache-2.0' })).toBe('12.1 GB · Apache-2.0');
  expect(factsOf({ sizeBytes: null, licence: null })).toBe('');
});
