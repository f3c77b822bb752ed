import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KEY_FILE, openDefaultKey } from './key.ts';

let folder: string;
let file: string;
let lines: string[];
const log = (_level: string, message: string) => lines.push(message);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-key-'));
  file = join(folder, KEY_FILE);
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes a private key once and keeps it', () => {
  const key = openDefaultKey(folder, log);
  expect(key).toMatch(/^hr-[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(openDefaultKey(folder, log)).toBe(key);
  expect(readdirSync(folder)).toEqual([KEY_FILE]);
  expect(lines).toEqual([]);
});

it('takes back rights others were given', () => {
  const key = openDefaultKey(folder, log);
  chmodSync(file, 0o644);
  expect(openDefaultKey(folder, log)).toBe(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(lines.join()).toContain('other users');
});

it.each<[string, () => void]>([
  ['an empty file', () => writeFileSync(file, '')],
  ['half a key', () => writeFileSync(file, 'hr-abc')],
  ['something long', () => writeFileSync(file, 'x'.repeat(10_000))],
  ['a folder', () => mkdirSync(file)],
  [
    'a link to another file',
    () => {
      writeFileSync(`${file}.elsewhere`, `hr-${'a'.repeat(43)}\n`);
      symlinkSync(`${file}.elsewhere`, file);
    },
  ],
])('replaces %s and says so', (_name, spoil) => {
  spoil();
  const key = openDefaultKey(folder, log);
  expect(key).toMatch(/^hr-[\w-]{43}$/);
  expect(key).not.toContain('aaaaaaaa');
  expect(readFileSync(file, 'utf8')).toBe(`${key}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(lines.join()).toContain('need the new one');
  expect(lines.join()).not.toContain(key);
});
