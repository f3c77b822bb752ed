import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Consent } from './consent.ts';

test('a click is good for one thing', () => {
  const consent = Consent.ofClick();
  expect([consent.spend(), consent.spend()]).toEqual([true, false]);
});

test('only the window’s routes make consent, in the whole of main', () => {
  const main = join(import.meta.dirname, '..');
  const makers = globSync('**/*.ts', { cwd: main })
    .filter((file) => !file.endsWith('.test.ts') && file !== join('wired-limit', 'consent.ts'))
    .filter((file) => readFileSync(join(main, file), 'utf8').includes('ofClick'));
  expect(makers).toEqual([join('wired-limit', 'handlers.ts')]);
});
