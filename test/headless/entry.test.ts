/** main/headless.ts as a process: its one line, its exit codes, its data folder, its end. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type HeadlessProcess, startHeadless } from './headless-process.ts';

let home: string;
let started: HeadlessProcess[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-home-'));
  started = [];
});
afterEach(async () => {
  for (const host of started) {
    host.child.kill('SIGKILL');
    await host.exited;
  }
  await rm(home, { recursive: true, force: true });
});

function start(args: readonly string[] = ['--model', modelFolder]): HeadlessProcess {
  const host = startHeadless(home, args);
  started.push(host);
  return host;
}

it('says one JSON line on stdout, serves the window and the endpoint, and ends with 0', async () => {
  const host = start();
  const ready = await host.ready();
  expect(ready).toEqual({
    ready: true,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/),
    api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
    key: expect.stringMatching(/^hr-[\w-]{43}$/),
    model: expect.any(String),
  });
  const page = await fetch(ready.url);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain(`connect-src ws://${new URL(ready.url).host};`);
  const models = await fetch(`${ready.api}/models`, { headers: { authorization: `Bearer ${ready.key}` } });
  expect(await models.json()).toMatchObject({ data: [{ id: ready.model }] });
  expect((await stat(home)).mode & 0o077).toBe(0);

  expect(await host.end()).toBe(0);
  expect(host.stdout().trim().split('\n')).toHaveLength(1);
  expect((await readdir(home)).filter((name) => name.startsWith('running-'))).toEqual([]);
});

it('keeps its key over restarts', async () => {
  const first = start();
  const { key } = await first.ready();
  await first.end();
  expect((await start().ready()).key).toBe(key);
});

it('takes Ctrl-C twice within a moment, from the terminal and from npm, as one wish', async () => {
  const host = start();
  await host.ready();
  host.child.kill('SIGINT');
  await sleep(20);
  host.child.kill('SIGINT');
  expect(await host.exited).toBe(0);
});

it('gives a second start on the same data folder a clear no, and survives being killed', async () => {
  const first = start();
  await first.ready();
  const second = start();
  expect(await second.exited).toBe(75);
  expect(second.stderr()).toContain('running already');
  expect(second.stdout()).toBe('');

  first.child.kill('SIGKILL');
  await first.exited;
  expect((await start().ready()).ready).toBe(true);
});

it.each<[string, readonly string[], number, string]>([
  ['an unknown argument', ['--frobnicate'], 64, '--frobnicate'],
  ['a port that is none', ['--port', 'x'], 64, '--port'],
  ['a model folder that is not there', ['--model', '/nowhere'], 69, '/nowhere'],
])('refuses %s in words', async (_name, args, code, words) => {
  const host = start(args);
  expect(await host.exited).toBe(code);
  expect(host.stderr()).toContain(words);
  expect(host.stderr()).not.toContain('    at ');
  expect(host.stdout()).toBe('');
  expect((await readdir(home)).filter((name) => name.startsWith('running-'))).toEqual([]);
});

it('says when its port is taken', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const host = start(['--model', modelFolder, '--port', String(port)]);
  expect(await host.exited).toBe(69);
  expect(host.stderr()).toContain(`Port ${port} is taken`);
  other.close();
});
