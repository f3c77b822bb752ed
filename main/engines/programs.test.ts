import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { findLlamaServer } from './detect.ts';
import { findProgram, localAddress } from './programs.ts';

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

it('takes a named llama-server, by file or by address on this machine, and no other instead', () => {
  const program = join(folder, 'homebrew', 'llama-server');
  expect(findLlamaServer({ LLAMA_SERVER: program })).toEqual({ program });
  expect(findLlamaServer({ LLAMA_SERVER: 'http://localhost:9000' })).toEqual({ address: 'http://127.0.0.1:9000' });
  expect(findLlamaServer({ LLAMA_SERVER: join(folder, 'gone') })).toBeNull();
  expect(findLlamaServer({ LLAMA_SERVER: 'https://example.com' })).toBeNull();
});

test.each([
  [undefined, 'http://127.0.0.1:11434'],
  ['', 'http://127.0.0.1:11434'],
  ['127.0.0.1', 'http://127.0.0.1:11434'],
  ['127.0.0.1:1', 'http://127.0.0.1:1'],
  [':2', 'http://127.0.0.1:2'],
  ['0.0.0.0:3', 'http://127.0.0.1:3'],
  ['http://localhost:4/', 'http://127.0.0.1:4'],
  ['[::1]:5', 'http://[::1]:5'],
  ['192.168.1.7:11434', null],
  ['https://127.0.0.1:6', null],
  ['http://127.0.0.1.example.com', null],
  ['http://user@example.com:80', null],
  ['not an address at all', null],
])('a server at %s is asked at %s', (text, address) => {
  expect(localAddress(text, 11_434)).toBe(address);
});
