/** The room over real sockets, with an engine that is never asked. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventEnvelope } from '../../preload/contract.ts';
import { systemClock } from '../engine/clock.ts';
import { type EndpointRoom, openEndpointRoom } from './endpoint-room.ts';

let folder: string;
let room: EndpointRoom | null;
let published: EventEnvelope[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-room-'));
  room = null;
  published = [];
});
afterEach(async () => {
  await room?.dispose();
  rmSync(folder, { recursive: true });
});

async function open(port = 0, holder: string | null = null): Promise<EndpointRoom> {
  await room?.dispose();
  const model = { id: 'org/tiny', name: 'tiny' };
  room = await openEndpointRoom({
    dataFolder: folder,
    engine: {
      state: { kind: 'off' },
      metrics: null,
      subscribe: () => () => {},
      count: () => Promise.resolve(0),
      openAnswers: () => 0,
      generate: () => {
        throw new Error('nobody asks here');
      },
    },
    models: { current: () => model, available: () => [model] },
    choose: () => Promise.resolve(),
    sampling: () => null,
    ensureRunning: () => {},
    unload: () => {},
    portHolder: () => Promise.resolve(holder),
    port,
    publish: (envelope) => published.push(envelope),
    clock: systemClock,
    log: () => {},
  });
  return room;
}
const status = async ({ handlers }: EndpointRoom) => handlers['endpoint.status'](null);
const models = (url: string, key: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}`, ...headers } });
const portOf = (url: string | null | undefined): number => Number(new URL(url ?? '').port);

it('lets a program in with its own key until that is revoked', async () => {
  const { handlers } = await open();
  const { url, key, status: after } = await handlers['endpoint.addClient']({ name: 'Zed' });
  expect((await models(url, key)).status).toBe(200);
  expect(after.clients).toMatchObject([{ name: 'Zed', keyEnd: key.slice(-4), lastUsedAtMs: null }]);
  const [client] = (await handlers['endpoint.status'](null)).clients;
  expect(client?.lastUsedAtMs).toEqual(expect.any(Number));
  await handlers['endpoint.revokeClient']({ clientId: client?.id ?? '' });
  expect((await models(url, key)).status).toBe(401);
  await expect.poll(() => published.at(-1)?.event).toBe('endpoint.changed');
});

it('says who has the port, takes another and remembers that one', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  try {
    const first = await status(await open(port, 'ollama (process 412)'));
    const found = portOf(first.url);
    expect(found).not.toBe(port);
    expect(first.portTaken).toBe(`Port ${port} is used by ollama (process 412), so Headroom uses ${found}.`);
    other.close();
    await once(other, 'close');
    // Free again: but programs have the other one in their settings.
    const second = await status(await open(port));
    expect(portOf(second.url)).toBe(found);
    expect(second.portTaken).toBe(`Headroom uses port ${found}, as last time, when ${port} was taken.`);
    const { handlers } = await open(port);
    expect(portOf((await handlers['endpoint.configure']({ port })).url)).toBe(port);
    expect((await status(await open(0))).portTaken).toBeNull();
  } finally {
    other.close();
  }
});

it('lets pages in that are written as pages are', async () => {
  const { handlers, current } = await open();
  await expect(async () => handlers['endpoint.configure']({ origins: ['app.example/path'] })).rejects.toThrow('origin');
  await handlers['endpoint.configure']({ origins: ['https://app.example/', 'https://app.example'] });
  expect((await status(await open())).origins).toEqual(['https://app.example']);
  const { url = '', key = '' } = room?.current ?? {};
  const page = await models(url, key, { origin: 'https://app.example' });
  expect([page.status, page.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
  expect((await models(url, key, { origin: 'https://evil.example' })).status).toBe(403);
  expect(current).not.toBeNull();
});

it('pins the chosen model', async () => {
  const opened = await open();
  expect((await opened.handlers['endpoint.configure']({ isPinned: true, unloadAfterMinutes: 15 })).isPinned).toBe(true);
  const again = await open();
  expect([again.isPinned(), (await status(again)).unloadAfterMinutes]).toEqual([true, 15]);
  expect((await again.handlers['endpoint.configure']({ isPinned: false })).isPinned).toBe(false);
});
