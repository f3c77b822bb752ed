import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { helperElevator, helperOutcome } from './client.ts';

const never = new AbortController().signal;
let folder: string;
let server: Server;
let heard: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'helper-client-'));
  heard = '';
});
afterEach(async () => {
  await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(null)));
  rmSync(folder, { recursive: true });
});

/** A helper that greets, hears one line and answers. */
async function helperSaying(answer: (socket: Socket, line: string) => void): Promise<string> {
  const path = join(folder, 's');
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard += String(data);
      answer(socket, heard);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

test('sends one line and takes the helper at its word', async () => {
  const path = await helperSaying((socket) => socket.end('headroom-wired-limit 1\nok 12800\n'));
  expect(await helperElevator(path).setLimitMiB(12_800, never)).toEqual({ kind: 'done' });
  expect(heard).toBe('12800\n');
});

test('none, or one that talks without end, is no helper: the dialog is next', async () => {
  expect((await helperElevator(join(folder, 'none')).setLimitMiB(12_800, never)).kind).toBe('unavailable');
  const path = await helperSaying((socket) => socket.write('x'.repeat(1_000)));
  expect((await helperElevator(path).setLimitMiB(12_800, never)).kind).toBe('unavailable');
});

test('can be cancelled', async () => {
  const ending = new AbortController();
  const path = await helperSaying(() => ending.abort());
  expect(await helperElevator(path).setLimitMiB(12_800, ending.signal)).toEqual({ kind: 'cancelled' });
});

test.each([
  ['headroom-wired-limit 1\nok 12800\n', 'done'],
  ['headroom-wired-limit 1\nok 12700\n', 'refused'],
  ['headroom-wired-limit 1\nerror refused\n', 'refused'],
  ['headroom-wired-limit 1\nerror out-of-range 8192 13926\n', 'unavailable'],
  ['headroom-wired-limit 1\n', 'refused'],
  ['headroom-wired-limit 2\nok 12800\n', 'unavailable'],
  ['ok 12800\n', 'unavailable'],
  ['', 'unavailable'],
])('%j is %s', (answer, kind) => {
  expect(helperOutcome(answer, 12_800).kind).toBe(kind);
});
