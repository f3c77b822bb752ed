/** The headless host over real sockets: who gets in, what it serves, how it holds out against bad windows. */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createGate, type Gate } from '../../main/host/gate.ts';
import { type HeadlessHost, startHeadlessHost } from '../../main/host/headless/host.ts';
import { type KnownFiles, listRendererFiles } from '../../main/host/renderer-files.ts';
import { answeringHandlers } from '../contract/answering-handlers.ts';
import { fuzzGate } from '../contract/fuzz-suite.ts';

let folder: string;
let files: KnownFiles;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headroom-host-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Headroom</title>');
  await writeFile(join(folder, 'assets', 'a.js'), 'export {};');
  await writeFile(join(folder, 'notes.txt'), 'not for serving');
  await symlink('/etc/passwd', join(folder, 'assets', 'passwd.js'));
  files = (await listRendererFiles(folder)) ?? new Map();
});
afterAll(() => rm(folder, { recursive: true }));

/** Short, and yet longer than a busy machine keeps a process waiting. */
const timing = { helloMs: 1_500, heartbeatMs: 1_000, backlogBytes: 256 * 1024 };
let host: HeadlessHost;
let links: string[];
let lines: string[];
let nowMs: number;
let counts: number[];
let handled: () => number;
let gate: Gate;
beforeEach(async () => {
  links = [];
  lines = [];
  nowMs = 0;
  counts = [];
  const answering = answeringHandlers();
  handled = answering.handled;
  const log = (_level: string, message: string) => lines.push(message);
  gate = createGate({ handlers: answering.handlers, log });
  host = await startHeadlessHost({
    gate: (sender, message) => gate(sender, message),
    files,
    port: 0,
    log,
    onWindows: (count) => counts.push(count),
    announceLink: (url) => links.push(url),
    nowMs: () => nowMs,
    timing,
  });
});
afterEach(() => host.dispose());

const tokenOf = (url: string): string => /#token=([\w-]{43})$/.exec(url)?.[1] ?? '';
const ownOrigin = () => `http://127.0.0.1:${host.port}`;
/** What came over sockets is looked at by the assertions. */
type Reply = { session?: string; refused?: { message: string }; id?: unknown; result?: { ok: boolean } };

function open(headers: Record<string, string> = { origin: ownOrigin() }): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${host.port}/bridge`, { headers });
}
async function nextReply(socket: WebSocket): Promise<Reply> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(String(data)) as Reply;
}
async function greet(socket: WebSocket, hello: object): Promise<Reply> {
  if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
  const reply = nextReply(socket);
  socket.send(JSON.stringify({ hello }));
  return await reply;
}
async function openWindow(): Promise<WebSocket> {
  const socket = open();
  expect(await greet(socket, { token: tokenOf(host.url) })).toHaveProperty('session');
  return socket;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: host.port, path, headers, method, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (body += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('pages', () => {
  it('serves the window’s files and nothing else', async () => {
    const page = await get('/');
    expect(page.status).toBe(200);
    expect(page.body).toContain('Headroom');
    expect(page.headers['content-security-policy']).toContain(`connect-src ws://127.0.0.1:${host.port};`);
    expect((await get('/assets/a.js')).body).toBe('export {};');
    expect((await get('/', {}, 'HEAD')).body).toBe('');
    for (const path of [
      '/notes.txt',
      '/assets/passwd.js',
      '/assets/../notes.txt',
      '/%2e%2e/etc/passwd',
      '//etc/passwd',
    ])
      expect((await get(path)).status, path).toBe(404);
    expect((await get('/', {}, 'DELETE')).status).toBe(405);
    expect((await get('/', { host: 'rebound.example' })).status).toBe(421);
    expect((await get('/', { origin: 'https://evil.example' })).status).toBe(403);
  });

  it('sets no cookies: they would go to every port of this address', async () => {
    expect((await get('/')).headers['set-cookie']).toBeUndefined();
  });
});

describe('admission', () => {
  it.each<[string, () => Record<string, string>]>([
    ['no origin', () => ({})],
    ['another origin', () => ({ origin: 'https://evil.example' })],
    ['the null origin', () => ({ origin: 'null' })],
    ['another host', () => ({ origin: ownOrigin(), host: `rebound.example:${host.port}` })],
  ])('refuses a socket with %s', async (_name, headers) => {
    const socket = open(headers());
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
  });

  it('takes the link once; the session is good for reloads', async () => {
    const first = open();
    const { session } = await greet(first, { token: tokenOf(host.url) });
    expect(session).toMatch(/^[\w-]{43}$/);
    first.close();
    const thief = open();
    expect((await greet(thief, { token: tokenOf(host.url) })).refused?.message).toContain('used already');
    await once(thief, 'close');
    const reloaded = open();
    expect(await greet(reloaded, { session })).toEqual({ session });
    reloaded.close();
  });

  it('refuses a late link, prints a fresh one, and that works', async () => {
    nowMs = 60_001;
    const late = open();
    expect((await greet(late, { token: tokenOf(host.url) })).refused?.message).toContain('older than a minute');
    expect(links).toHaveLength(1);
    const fresh = open();
    expect(await greet(fresh, { token: tokenOf(links[0] ?? '') })).toHaveProperty('session');
    fresh.close();
  });

  it.each(['{"hello":{"token":["x"]}}', '{"id":1,"route":"app.state"}', 'not json', '[]', '{"hello":{},"x":1}'])(
    'lets nobody act before it is greeted: %s',
    async (text) => {
      const socket = open();
      await once(socket, 'open');
      const reply = nextReply(socket);
      socket.send(text);
      expect(await reply).toHaveProperty('refused');
      await once(socket, 'close');
      expect(handled()).toBe(0);
    },
  );

  it('sends no events to a socket that has not been admitted, and cuts one that says nothing', async () => {
    const silent = open();
    await once(silent, 'open');
    const heard: string[] = [];
    silent.on('message', (data: Buffer) => heard.push(String(data)));
    host.publish({ event: 'window.shown', payload: null });
    await once(silent, 'close');
    expect(heard).toEqual([]);
  });
});

describe('windows', () => {
  it('answers 10,000 hostile payloads over a real socket', async () => {
    const socket = await openWindow();
    await fuzzGate({
      carries: 'json',
      handled,
      call: async (message) => {
        const reply = nextReply(socket);
        socket.send(JSON.stringify(message));
        return (await reply).result;
      },
    });
    socket.close();
  });

  it('answers text that is no JSON, and gives back only ids that are numbers or short texts', async () => {
    const socket = await openWindow();
    for (const [text, id] of [
      ['{', null],
      ['', null],
      ['{"__proto__":{"id":7},"route":"app.state"}', null],
      ['{"id":{"a":1},"route":"app.state"}', null],
      ['{"id":7,"route":"app.state","input":null}', 7],
      ['{"id":"seven","route":"nope"}', 'seven'],
    ] as const) {
      const reply = nextReply(socket);
      socket.send(text);
      expect((await reply).id).toBe(id);
    }
    socket.close();
  });

  it('closes on a message that is too large or binary, and goes on for the others', async () => {
    const large = await openWindow();
    const { session } = await greetAnother();
    large.send('x'.repeat(17 * 1024 * 1024));
    expect(((await once(large, 'close')) as [number])[0]).toBe(1009);
    const binary = open();
    await greet(binary, { session });
    binary.send(Buffer.from([1, 2, 3]));
    expect(((await once(binary, 'close')) as [number])[0]).toBe(1003);
    const fine = open();
    expect(await greet(fine, { session })).toEqual({ session });
    fine.close();

    async function greetAnother(): Promise<Reply> {
      nowMs += 1;
      const spent = open();
      await greet(spent, {});
      const another = open();
      const reply = await greet(another, { token: tokenOf(links.at(-1) ?? '') });
      another.close();
      return reply;
    }
  });

  it('publishes to every window and drops one that does not read', async () => {
    const socket = await openWindow();
    const event = once(socket, 'message');
    host.publish({ event: 'window.shown', payload: null });
    expect(JSON.parse(String(((await event) as [Buffer])[0]))).toEqual({ event: 'window.shown', payload: null });

    // Reading stops in the kernel: what is published piles up in main.
    socket.pause();
    let isGone = false;
    socket.on('close', () => (isGone = true));
    const message = 'x'.repeat(200_000);
    for (let sent = 0; sent < 500 && !lines.some((line) => line.includes('did not keep up')); sent += 1) {
      host.publish({
        event: 'chat.delta',
        payload: {
          conversationId: 'c',
          messageId: 'm',
          textStart: 0,
          text: message,
          reasoningStart: 0,
          reasoning: '',
          status: { kind: 'answering' },
          generatedTokens: 0,
          reasoningTokens: 0,
        },
      });
      await sleep(1);
    }
    expect(lines.some((line) => line.includes('did not keep up'))).toBe(true);
    socket.resume();
    await expect.poll(() => isGone).toBe(true);
  });

  it('counts the windows that have been admitted, and only those', async () => {
    const stranger = open();
    await greet(stranger, {});
    const first = open();
    const { session } = await greet(first, { token: tokenOf(host.url) });
    const second = open();
    await greet(second, { session });
    first.terminate();
    await expect.poll(() => counts).toEqual([1, 2, 1]);
    second.close();
    await expect.poll(() => counts).toEqual([1, 2, 1, 0]);
  });

  it('drops a window that has stopped answering', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}/bridge`, {
      headers: { origin: ownOrigin() },
      autoPong: false,
    });
    await greet(socket, { token: tokenOf(host.url) });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1006);
  });

  it('bounds what one window asks at once', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    gate = async () => {
      await held;
      return { ok: true, value: null };
    };
    const socket = await openWindow();
    const replies: Reply[] = [];
    socket.on('message', (data: Buffer) => replies.push(JSON.parse(String(data)) as Reply));
    for (let id = 1; id <= 70; id += 1) socket.send(JSON.stringify({ id, route: 'app.state' }));
    while (replies.length < 6) await sleep(5);
    expect(replies.map((reply) => reply.id)).toEqual([65, 66, 67, 68, 69, 70]);
    release();
    while (replies.length < 70) await sleep(5);
    socket.close();
  });
});

it('lets go of everything when disposed: port free, windows told, half-open connections cut', async () => {
  const socket = await openWindow();
  const half = connect(host.port, '127.0.0.1');
  await once(half, 'connect');
  half.write('GET / HTTP/1.1\r\n');
  const closed = once(socket, 'close') as Promise<[number]>;
  const cut = once(half, 'close');
  half.on('error', () => {});
  await host.dispose();
  expect((await closed)[0]).toBe(1001);
  await cut;
  await expect(get('/')).rejects.toThrow('ECONNREFUSED');
  await host.dispose();
});
