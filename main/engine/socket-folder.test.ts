import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_SOCKET_PATH_BYTES, SocketPathTooLong, makeSocketFolder } from './socket-folder.ts';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hr-test-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('makes a folder for us alone, a new one each time, and removes it with what is in it', () => {
  const first = makeSocketFolder(parent);
  const second = makeSocketFolder(parent);
  expect(first.socketPath).not.toBe(second.socketPath);
  const folder = dirname(first.socketPath);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  writeFileSync(first.socketPath, '');
  first.remove();
  first.remove();
  expect(existsSync(folder)).toBe(false);
  second.remove();
  expect(readdirSync(parent)).toEqual([]);
});

it('refuses a path that no socket can have, in bytes and not in characters', () => {
  const deep = join(parent, 'ä'.repeat(40));
  mkdirSync(deep);
  expect(() => makeSocketFolder(deep)).toThrow(SocketPathTooLong);
  expect(readdirSync(deep)).toEqual([]);
  const fits = makeSocketFolder(parent);
  expect(Buffer.byteLength(fits.socketPath)).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES);
});

it('clears away what a killed app has left, and nothing else', () => {
  const { pid: dead } = spawnSync('true');
  const leftover = join(parent, `headroom-${dead}-abcDEF`);
  const kept = [
    `headroom-${process.pid}-abcDEF`,
    `headroom-${dead}-abcDEFG`,
    `headroom-notes`,
    `other-${dead}-abcDEF`,
  ].map((name) => join(parent, name));
  for (const folder of [leftover, ...kept]) mkdirSync(folder);
  const link = join(parent, `headroom-${dead}-ABCDEF`);
  symlinkSync(kept[0] ?? '', link);
  writeFileSync(join(leftover, 'engine'), '');
  makeSocketFolder(parent).remove();
  expect(existsSync(leftover)).toBe(false);
  expect([...kept, link].filter((path) => !existsSync(path))).toEqual([]);
});
