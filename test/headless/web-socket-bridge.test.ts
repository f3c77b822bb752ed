/** The window's side of the headless host, against the real server, with a page made of plain objects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { createGate } from '../../main/host/gate.ts';
import { type HeadlessHost, startHeadlessHost } from '../../main/host/headless/host.ts';
import type { Bridge, Handlers, Result } from '../../preload/contract.ts';
import { createWebSocketBridge } from '../../preload/web-socket-bridge.ts';
import { answeringHandlers } from '../contract/answering-handlers.ts';

let host: HeadlessHost;
let links: string[];
let stopAnswers: (() => void)[];
const sockets: NodeWebSocket[] = [];

async function start(port = 0): Promise<HeadlessHost> {
  const handlers: Handlers = {
    ...answeringHandlers().handlers,
    'engine.stop': () => new Promise((resolve) => stopAnswers.push(() => resolve({ kind: 'off' }))),
  };
  const log = () => {};
  return await startHeadlessHost({
    gate: createGate({ handlers, log }),
    files: new Map(),
    port,
    log,
    announceLink: (url) => links.push(url),
  });
}

beforeEach(async () => {
  links = [];
  stopAnswers = [];
  host = await start();
});
afterEach(async () => {
  await host.dispose();
  // A bridge never gives up by itself: its page's end ends it. Here the page gets a socket on which nothing happens.
  openTabs.clear();
  for (const socket of sockets.splice(0)) socket.terminate();
});

const openTabs = new Set<object>();
const deadSocket = { addEventListener: () => {}, send: () => {}, close: () => {} } as unknown as WebSocket;
/** One tab: an address, a sessionStorage that outlives reloads, and what the bridge did with them. */
function tab(url: string) {
  const thisTab = {};
  openTabs.add(thisTab);
  const stored = new Map<string, string>();
  const address = new URL(url);
  const listeners: (() => void)[] = [];
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
  const load = (): Bridge =>
    createWebSocketBridge(address, storage, {
      openSocket: (target) => {
        if (!openTabs.has(thisTab)) return deadSocket;
        const socket = new NodeWebSocket(target, { headers: { origin: address.origin } });
        socket.on('error', () => {});
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      replaceAddress: (path) => {
        address.hash = new URL(path, address).hash;
      },
      onAddressChange: (listener) => listeners.push(listener),
    });
  return {
    stored,
    address,
    load,
    follow(link: string) {
      address.hash = new URL(link).hash;
      for (const listener of listeners) listener();
    },
  };
}

const state = (bridge: Bridge): Promise<Result<unknown>> => bridge.call('app.state', null);
const fine = { ok: true, value: null };

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 1) {
    if (waited > 500) throw new Error('waited 5 s in vain');
    await sleep(10);
  }
}

it('calls wait for the connection, the token leaves the address, the session is kept', async () => {
  const { load, address, stored } = tab(host.url);
  const bridge = load();
  expect(address.hash).toBe('');
  expect(await Promise.all([state(bridge), state(bridge)])).toEqual([fine, fine]);
  expect([...stored.keys()]).toEqual(['headroom.session']);
  expect([...stored.values()].join()).not.toContain(host.url.split('=')[1]);
});

it('a reload goes on with the session', async () => {
  const { load } = tab(host.url);
  await state(load());
  expect(await state(load())).toEqual(fine);
});

it('hears events until it unsubscribes', async () => {
  const bridge = tab(host.url).load();
  await state(bridge);
  const heard: unknown[] = [];
  const off = bridge.on('engine.state', (payload) => heard.push(payload));
  host.publish({ event: 'engine.state', payload: { kind: 'off' } });
  await until(() => heard.length === 1);
  off();
  host.publish({ event: 'engine.state', payload: { kind: 'off' } });
  await state(bridge);
  expect(heard).toEqual([{ kind: 'off' }]);
});

it('comes back by itself; calls that were under way answer disconnected, later ones go through', async () => {
  const bridge = tab(host.url).load();
  const changes: boolean[] = [];
  bridge.onConnection((connected) => changes.push(connected));
  await state(bridge);
  const underWay = bridge.call('engine.stop', null);
  await until(() => stopAnswers.length === 1);
  for (const socket of sockets) socket.terminate();
  expect(await underWay).toMatchObject({ ok: false, error: { code: 'disconnected' } });
  expect(await state(bridge)).toEqual(fine);
  expect(changes).toEqual([true, false, true]);
});

it('after a restart of Headroom on the same port it says what to do, and a fresh link in the same tab mends it', async () => {
  const page = tab(host.url);
  const bridge = page.load();
  await state(bridge);
  const { port } = host;
  await host.dispose();
  host = await start(port);
  await until(() => page.stored.size === 0);
  const refused = await state(bridge);
  expect(refused).toMatchObject({ ok: false, error: { code: 'untrusted-sender' } });
  expect(JSON.stringify(refused)).toContain('newest link');
  expect(links).toEqual([]);
  page.follow(host.url);
  expect(await state(bridge)).toEqual(fine);
  expect(page.address.hash).toBe('');
});

it('without a link every call says what to do, and nothing is tried again and again', async () => {
  const page = tab(host.url.split('#')[0] ?? '');
  const bridge = page.load();
  expect(await state(bridge)).toMatchObject({ ok: false, error: { code: 'untrusted-sender' } });
  const tried = sockets.length;
  await sleep(600);
  expect(sockets).toHaveLength(tried);
  expect(await state(bridge)).toMatchObject({ ok: false, error: { code: 'untrusted-sender' } });
});
