/** The way there: a proxy, a certificate nobody trusts, and Node's own https as it is used. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, type Server, type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { listRepository } from '../../main/models/hub/hub.ts';
import { type ProxyChoice, type Transport, nodeTransport } from '../../main/models/hub/transport.ts';
import { makeCertificate } from './certificate.ts';
import { expectWhole, temporaryCache } from './harness.ts';
import { startLocalHub } from './local-hub.ts';
import { parseListing } from '../../main/models/hub/manifest.ts';
import { smallModel } from './repositories.ts';

const open: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of open.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  // Tunnels are no longer the server's own.
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const made = makeCertificate();
afterAll(() => made?.remove());

/** Null where no certificate can be made. */
const secureServer = (): Server | null =>
  made === null ? null : createSecureServer(made, (_, response) => response.end('hello'));

interface Proxy {
  readonly port: number;
  /** What it was asked to connect to, and with which name and password. */
  readonly asked: { readonly target: string; readonly authorization: string | undefined }[];
}

async function startProxy(refuse: number | null = null): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const server = createServer();
  server.on('connect', (request, client, head) => {
    asked.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    if (refuse !== null) {
      client.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host === 'localhost' ? '127.0.0.1' : host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  return { port: await listen(server), asked };
}

const hubOver = (transport: Transport, port: number) => ({
  url: new URL(`https://localhost:${port}`),
  token: 'hf_secret',
  transport,
});
const through = (choice: ProxyChoice | null): Transport => nodeTransport(() => Promise.resolve(choice));
const list = (transport: Transport, port: number) =>
  listRepository(hubOver(transport, port), 'owner/model', 'main', new AbortController().signal);

describe('a proxy', () => {
  it('is asked for a tunnel to the hub, and sees nothing of the token', async (test) => {
    const secure = secureServer();
    if (secure === null) return test.skip('no openssl');
    const port = await listen(secure);
    const proxy = await startProxy();
    // The certificate is not trusted, which only somebody can say who has reached the server.
    await expect(list(through({ HTTPS_PROXY: `http://me:pass@127.0.0.1:${proxy.port}` }), port)).rejects.toMatchObject({
      reason: { code: 'tls' },
    });
    const basic = `Basic ${Buffer.from('me:pass').toString('base64')}`;
    expect(new Set(proxy.asked.map((each) => each.target))).toEqual(new Set([`localhost:${port}`]));
    expect(new Set(proxy.asked.map((each) => each.authorization))).toEqual(new Set([basic]));
  });

  it.each([
    [407, 'proxy'],
    [403, 'proxy'],
    [502, 'proxy'],
  ])('that refuses with %s is named', async (status, code) => {
    const proxy = await startProxy(status);
    await expect(list(through({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }), 443)).rejects.toMatchObject({
      reason: { code },
    });
    expect(proxy.asked).toHaveLength(1);
  });

  it('is left out for what needs none', async (test) => {
    const secure = secureServer();
    if (secure === null) return test.skip('no openssl');
    const port = await listen(secure);
    const proxy = await startProxy();
    const choice = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: 'localhost' };
    await expect(list(through(choice), port)).rejects.toMatchObject({ reason: { code: 'tls' } });
    expect(proxy.asked).toEqual([]);
  });
});

describe('a certificate', () => {
  it('that nobody trusts ends the connection, in words', async (test) => {
    const secure = secureServer();
    if (secure === null) return test.skip('no openssl');
    const port = await listen(secure);
    await expect(list(through(null), port)).rejects.toMatchObject({
      reason: { code: 'tls', message: expect.stringContaining('not trusted') as unknown },
      again: 'later',
    });
  });
});

it('a whole model comes over https, through a proxy, from two hosts', async (test) => {
  if (made === null) return test.skip('no openssl');
  const model = smallModel('owner/model', [3_000_000, 2_000_000]);
  const hub = await startLocalHub([model], { certificate: made });
  const cache = temporaryCache();
  const proxy = await startProxy();
  try {
    const program = join(import.meta.dirname, 'download-process.ts');
    const args = [program, hub.url, 'owner/model', cache.folder, `http://127.0.0.1:${proxy.port}`];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: made.file },
    });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ kind: 'done' });
    const siblings = [...model.files].map(([rfilename, file]) => ({
      rfilename,
      size: file.contents.bytes,
      blobId: file.gitSha1,
      ...(file.isLarge ? { lfs: { sha256: file.sha256, size: file.contents.bytes } } : {}),
    }));
    expectWhole(cache.folder, parseListing({ sha: model.commit, siblings }, 'owner/model', 'main'));
    expect(new Set(proxy.asked.map((each) => each.target)).size).toBe(2);
  } finally {
    await hub.close();
    cache.remove();
  }
});
