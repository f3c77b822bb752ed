import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWiredLeft } from './wired-left-file.ts';

const left = { sinceMs: 1_000, leftBytes: 6 * 1024 ** 3, baselineBytes: 2 * 1024 ** 3 };
const log = () => {};
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wired-left-'));
  file = join(folder, 'wired-left.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is known to the next run of the same boot, and to no later boot', () => {
  openWiredLeft(file, 'boot 1', log).write(left);
  expect(openWiredLeft(file, 'boot 1', log).read()).toEqual(left);
  expect(openWiredLeft(file, 'boot 2', log).read()).toBeNull();
  expect(existsSync(file)).toBe(false);
});

test('come back, it is forgotten', () => {
  openWiredLeft(file, 'boot 1', log).write(left);
  openWiredLeft(file, 'boot 1', log).write(null);
  expect(openWiredLeft(file, 'boot 1', log).read()).toBeNull();
});

test('a damaged file, and a boot nobody can name, leave nothing to remember', () => {
  writeFileSync(file, '{"bootId": "boot 1", "leftBytes": -1}');
  expect(openWiredLeft(file, 'boot 1', log).read()).toBeNull();
  writeFileSync(file, '{');
  expect(openWiredLeft(file, 'boot 1', log).read()).toBeNull();
  const unknown = openWiredLeft(file, null, log);
  unknown.write(left);
  expect(existsSync(file)).toBe(false);
});
