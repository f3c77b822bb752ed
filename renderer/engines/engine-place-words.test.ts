import { expect, test } from 'vitest';
import { addressWarning, environmentWords, lookWords, reachWords } from './engine-place-words.ts';

const found = {
  kind: 'found',
  at: 'http://127.0.0.1:11434',
  version: '0.17.4',
  models: 3,
  reach: 'this-computer',
} as const;

test('what was found is said with its version and models', () => {
  expect(lookWords(found)).toEqual({ line: 'Version 0.17.4, 3 models', more: 'http://127.0.0.1:11434' });
  expect(lookWords({ ...found, version: null, models: 1 }).line).toBe('Found, one model');
  expect(lookWords({ ...found, models: 0 }).line).toBe('Version 0.17.4, no models yet');
  expect(lookWords({ kind: 'not-found', message: 'Nobody answers.', nextStep: 'Open it.' })).toEqual({
    line: 'Nobody answers.',
    more: 'Open it.',
  });
});

test('what is farther than this computer is said', () => {
  expect(reachWords(found)).toBeNull();
  expect(reachWords({ ...found, reach: 'private-network' })).toContain('another computer');
  expect(reachWords({ ...found, reach: 'elsewhere' })).toContain('leave');
});

test('an address outside is warned of while it is written', () => {
  expect(addressWarning('192.168.1.4', 11_434)).toBeNull();
  expect(addressWarning('', 11_434)).toBeNull();
  expect(addressWarning('gpu.example', 11_434)).toContain('sent there unencrypted');
  expect(addressWarning('https://gpu.example', 11_434)).toContain('sent there: use');
});

test('variables that come first are named', () => {
  expect(environmentWords({ fromEnvironment: [] })).toBeNull();
  expect(environmentWords({ fromEnvironment: ['OLLAMA_HOST'] })).toMatch(/^OLLAMA_HOST is set/);
  expect(environmentWords({ fromEnvironment: ['LLAMA_SERVER', 'LLAMA_MODELS'] })).toMatch(
    /^LLAMA_SERVER and LLAMA_MODELS are set/,
  );
});
