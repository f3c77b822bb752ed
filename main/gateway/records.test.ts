import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EndpointRecords, MOST_CLIENTS, openRecords } from './records.ts';

let folder: string;
let nowMs: number;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-records-'));
  nowMs = 1_000_000;
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): EndpointRecords =>
  openRecords(folder, { defaultKey: 'hr-default', nowMs: () => nowMs, log: (_level, line) => lines.push(line) });
const file = (): string => join(folder, 'endpoint.json');

it('knows the default key, a client’s key, and nobody else’s', () => {
  const records = open();
  const key = records.addClient('Zed');
  expect(key).toMatch(/^hr-[\w-]{43}$/);
  expect(records.callerOf('hr-default')).toEqual({ id: 'default', name: 'Default key' });
  expect(records.callerOf(key)).toMatchObject({ name: 'Zed' });
  for (const wrong of ['', 'hr-defaul', 'hr-default ', key.slice(0, -1), `${key}x`])
    expect(records.callerOf(wrong)).toBeNull();
});

it('keeps the key as a digest alone, in a file that only its owner reads', () => {
  const key = open().addClient('Zed');
  const text = readFileSync(file(), 'utf8');
  expect(text).not.toContain(key);
  expect(text).not.toContain(key.slice(3));
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(open().callerOf(key)).toMatchObject({ name: 'Zed' });
  const [client] = open().clients;
  expect(client).toEqual({
    id: expect.any(String),
    name: 'Zed',
    keyEnd: key.slice(-4),
    createdAtMs: 1_000_000,
    lastUsedAtMs: expect.any(Number),
  });
});

it('notes when a key was used, once a minute', () => {
  const records = open();
  const key = records.addClient('Zed');
  expect(records.clients[0]?.lastUsedAtMs).toBeNull();
  const used = (atMs: number): number | null | undefined => {
    nowMs = atMs;
    records.callerOf(key);
    return records.clients[0]?.lastUsedAtMs;
  };
  expect([used(2e6), used(2e6 + 59_000), used(2e6 + 60_000)]).toEqual([2e6, 2e6, 2e6 + 60_000]);
});

it('takes a revoked key no longer, also after a restart', () => {
  const records = open();
  const key = records.addClient('Zed');
  records.revokeClient(records.clients[0]?.id ?? '');
  expect(records.callerOf(key)).toBeNull();
  expect(open().callerOf(key)).toBeNull();
  expect(() => records.revokeClient('gone')).toThrow('gone already');
});

it('remembers port, pages and pin, and has an end of keys', () => {
  const records = open();
  records.update({ port: 9_000, lastPort: 9_001, origins: ['https://app.example'], pinnedModelId: 'm' });
  expect(open().settings).toEqual({
    port: 9_000,
    lastPort: 9_001,
    origins: ['https://app.example'],
    pinnedModelId: 'm',
    unloadAfterMinutes: 0,
  });
  for (let made = 0; made < MOST_CLIENTS; made += 1) records.addClient(`p${made}`);
  expect(() => records.addClient('one more')).toThrow('keys already');
});

it.each<[string, string, boolean]>([
  ['no JSON', '{', true],
  ['not an object', '[]', false],
  ['one bad field', '{"port": "x", "origins": 5}', false],
  ['a client that is none', '{"clients": [{"id": 4}, null]}', false],
])('opens with %s in the file', (_name, text, isMoved) => {
  writeFileSync(file(), text);
  expect(open().settings.port).toBeNull();
  expect(open().clients).toEqual([]);
  expect(lines.join().includes('programs need new keys')).toBe(isMoved);
});

it('keeps the good clients beside a bad one', () => {
  const key = open().addClient('Zed');
  const saved = JSON.parse(readFileSync(file(), 'utf8')) as { clients: unknown[] };
  writeFileSync(file(), JSON.stringify({ ...saved, clients: [{ id: 'x' }, ...saved.clients] }));
  expect(open().callerOf(key)).toMatchObject({ name: 'Zed' });
});
