import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProgram } from './programs.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-programs-'));
  mkdirSync(join(folder, 'homebrew'));
  mkdirSync(join(folder, 'path'));
  writeFileSync(join(folder, 'homebrew', 'llama-server'), '');
  chmodSync(join(folder, 'homebrew', 'llama-server'), 0o755);
  writeFileSync(join(folder, 'path', 'llama-server'), 'not a program');
  chmodSync(join(folder, 'path', 'llama-server'), 0o644);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('finds a program in the usual places although there is no PATH', () => {
  const usual = [join(folder, 'homebrew')];
  expect(findProgram('llama-server', {}, usual)).toBe(join(folder, 'homebrew', 'llama-server'));
  expect(findProgram('ollama', {}, usual)).toBeNull();
});

it('passes over what cannot be run, and over relative folders of PATH', () => {
  const usual = [join(folder, 'homebrew')];
  const found = findProgram('llama-server', { PATH: `.:${join(folder, 'path')}` }, usual);
  expect(found).toBe(join(folder, 'homebrew', 'llama-server'));
});
