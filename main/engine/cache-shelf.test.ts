import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CacheShelf, openCacheShelf } from './cache-shelf.ts';

let folder = '';
let nowMs = Date.parse('2026-01-02T12:00:00');
let freeBytes = 1e12;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'hr-shelf-')), 'caches');
  nowMs = Date.parse('2026-01-02T12:00:00');
  freeBytes = 1e12;
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const open = (): CacheShelf =>
  openCacheShelf({
    folder,
    log: () => undefined,
    limits: { totalBytes: 1_000, dailyBytes: 2_000, freeDiskBytes: 100, fewestTokens: 10 },
    nowMs: () => nowMs,
    freeBytes: () => freeBytes,
  });
/** As the engine would write it. */
function save(shelf: CacheShelf, key: string, bytes: number, model = 'm'): string {
  const file = shelf.place(20, bytes);
  if (file === null) throw new Error('no place');
  writeFileSync(join(folder, `${file}.safetensors`), Buffer.alloc(bytes));
  nowMs += 1;
  shelf.put({ file, key, model }, { tokens: 20, bytes, sha256: 'a'.repeat(64) });
  return file;
}
const files = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.safetensors'));

it('is private and no part of a backup', () => {
  open();
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(folder, 'CACHEDIR.TAG'), 'utf8')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/);
});

it('finds what was saved, also after a restart', () => {
  const file = save(open(), 'a', 300);
  const again = open();
  expect(again.find('a', 'm')).toMatchObject({ file, bytes: 300, tokens: 20 });
  expect(again.find('a', 'another')).toBeNull();
  expect(again.find('b', 'm')).toBeNull();
  expect(files()).toEqual([`${file}.safetensors`]);
});

it('replaces the older one of a conversation', () => {
  const shelf = open();
  save(shelf, 'a', 300);
  const file = save(shelf, 'a', 310);
  expect(files()).toEqual([`${file}.safetensors`]);
});

it('drops the least recently used for room', () => {
  const shelf = open();
  save(shelf, 'a', 400);
  save(shelf, 'b', 400);
  const entry = shelf.find('a', 'm');
  nowMs += 1;
  if (entry !== null) shelf.used(entry);
  save(shelf, 'c', 400);
  expect(['a', 'b', 'c'].map((key) => shelf.find(key, 'm') !== null)).toEqual([true, false, true]);
  expect(files()).toHaveLength(2);
});

it('stops at the budget of a day and where the disk is short', () => {
  const shelf = open();
  for (let i = 0; i < 4; i += 1) save(shelf, 'a', 500);
  expect(shelf.place(20, 1)).toBeNull();
  expect(open().place(20, 1)).toBeNull();
  nowMs += 24 * 3_600_000;
  expect(shelf.place(20, 500)).not.toBeNull();
  expect(shelf.place(9, 500)).toBeNull();
  freeBytes = 599;
  expect(shelf.place(20, 500)).toBeNull();
});

it('forgets with the conversation', () => {
  const shelf = open();
  save(shelf, 'a', 100, 'm');
  save(shelf, 'a', 100, 'n');
  save(shelf, 'b', 100);
  shelf.forget('a');
  expect(files()).toHaveLength(1);
  shelf.keepOnly(() => false);
  expect(files()).toEqual([]);
});

it('clears away what a crash has left, and begins anew with a list that cannot be read', () => {
  const shelf = open();
  const [a, b] = [save(shelf, 'a', 100), save(shelf, 'b', 100)];
  rmSync(join(folder, `${a}.safetensors`));
  writeFileSync(join(folder, '.half.1.safetensors'), 'x');
  writeFileSync(join(folder, 'stray.safetensors'), 'x');
  expect(open().find('a', 'm')).toBeNull();
  expect(files()).toEqual([`${b}.safetensors`]);
  writeFileSync(join(folder, `${b}.safetensors`), 'cut');
  expect(open().find('b', 'm')).toBeNull();
  writeFileSync(join(folder, 'index.json'), '{"entries":[{"file":"../../evil"}]}');
  expect(open().find('b', 'm')).toBeNull();
  expect(existsSync(join(folder, 'index.json'))).toBe(true);
});
