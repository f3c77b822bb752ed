/** The way there: a proxy, a certificate nobody trusts, and Node's own https as it is used. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, type Server, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listRepository } from '../../main/models/hub/hub.ts';
import { type ProxyChoice, type Transport, nodeTransport } from '../../main/models/hub/transport.ts';

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An https server with a certificate of its own making; null where there is no openssl. */
function secureServer(): Server | null {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      // oxfmt-ignore
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'pipe' },
    );
    return createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
      response.end('hello'),
    );
  } catch (error) {
    process.stderr.write(`hub tests: no certificate to be had (${error instanceof Error ? error.message : ''})\n`);
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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
