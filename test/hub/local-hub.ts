/**
 * A hub on this machine that behaves like the real one: the API with its lists, `resolve/` with redirects to another
 * host for large files and to itself for small ones, ETags, ranges, signed addresses, pointers, headers of the newer
 * storage. It misbehaves where a test says so, and counts what it sends.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour, HubRequest, Misbehaviour } from './misbehaviour.ts';
import { type Contents, type HubFile, type HubRepository, inMemory, pointer } from './repositories.ts';

/** The token that opens private repositories; gated ones want its account let in (`hf_invited`). */
export const GOOD_TOKEN = 'hf_good';
export const INVITED_TOKEN = 'hf_invited';

export interface LocalHub {
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: readonly (HubRequest & { readonly authorization: string | null; readonly atMs: number })[];
  /** Bytes of contents sent for a file, however often, from storage and hub together. */
  sentBytes(path: string): number;
  allSentBytes(): number;
  /** From now on. What was sent and asked before is no longer counted. */
  behave(behaviour: Behaviour | null): void;
  close(): Promise<void>;
}

export interface LocalHubOptions {
  /** Contents flow no faster than this: as on a real line nothing then piles up in buffers on the way. */
  readonly bytesPerSecond?: number;
  /** How long a signed address works. */
  readonly signedForMs?: number;
  /** Both hosts speak https with this certificate. */
  readonly certificate?: { readonly key: string; readonly cert: string };
  /** Headers of the newer storage beside the redirect. */
  readonly xet?: boolean;
}

const PART_BYTES = 2 ** 16;
/** Without a pace there is nothing to pile up on purpose: fewer and larger writes cost this side less. */
const UNPACED_PART_BYTES = 2 ** 18;

export async function startLocalHub(
  repositories: readonly HubRepository[],
  options: LocalHubOptions = {},
): Promise<LocalHub> {
  const secret = randomBytes(16);
  const requests: (HubRequest & { authorization: string | null; atMs: number })[] = [];
  const sent = new Map<string, number>();
  const asked = new Map<string, number>();
  let behaviour: Behaviour = () => null;
  const byName = new Map(repositories.map((each) => [each.name, each]));

  const note = (
    request: IncomingMessage,
    at: HubRequest['at'],
    repository: string,
    path: string,
  ): { readonly wrong: Misbehaviour | null; readonly offset: number } => {
    const offset = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const key = `${at} ${repository} ${path}`;
    const earlier = asked.get(key) ?? 0;
    asked.set(key, earlier + 1);
    const seen = { at, method: request.method ?? '', repository, path, offset, earlier };
    requests.push({ ...seen, authorization: request.headers.authorization ?? null, atMs: performance.now() });
    return { wrong: behaviour(seen), offset };
  };

  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('hex').slice(0, 32);

  // ── The hub itself ──
  const hub = serve(options, (request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://hub');
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent);
    if (parts[0] === 'api' && parts[1] === 'resolve-cache') {
      const found = byName.get(`${parts[3]}/${parts[4]}`);
      const path = parts.slice(6).join('/');
      const file = found?.files.get(path);
      if (!found || !file) return plainError(response, 404, 'EntryNotFound', 'Entry not found');
      return sendSmall(request, response, found, path, file);
    }
    if (parts[0] === 'api' && parts[1] === 'models') return answerApi(request, response, url, parts.slice(2));
    const found = byName.get(`${parts[0]}/${parts[1]}`);
    const path = parts.slice(4).join('/');
    const { wrong } = note(request, 'resolve', `${parts[0]}/${parts[1]}`, path);
    if (preempted(response, wrong)) return;
    const denied = accessFault(found, request);
    if (denied || !found) return plainError(response, ...(denied ?? NOT_FOUND));
    if (parts[3] !== 'main' && parts[3] !== found.commit) {
      return plainError(response, 404, 'RevisionNotFound', 'Invalid rev id');
    }
    const file = found.files.get(path);
    if (!file) return plainError(response, 404, 'EntryNotFound', 'Entry not found');
    if (parts[2] === 'raw') {
      response.end(
        file.isLarge ? pointer(file.sha256, file.contents.bytes) : file.contents.slice(0, file.contents.bytes),
      );
      return;
    }
    response.setHeader('X-Repo-Commit', found.commit);
    response.setHeader('Accept-Ranges', 'bytes');
    if (!file.isLarge) {
      response.setHeader('ETag', `"${file.gitSha1}"`);
      response.setHeader('X-Linked-Size', file.contents.bytes);
      extraHeaders(response, wrong);
      response.writeHead(307, {
        Location: `/api/resolve-cache/models/${found.name}/${found.commit}/${encodeURIComponent(path)}?%2F=&etag=%22${file.gitSha1}%22`,
      });
      response.end();
      return;
    }
    response.setHeader('X-Linked-Etag', `"${file.sha256}"`);
    response.setHeader('X-Linked-Size', file.contents.bytes);
    if (options.xet) {
      response.setHeader('X-Xet-Hash', file.sha256);
      response.setHeader(
        'Link',
        `<${address(hub, '127.0.0.1')}/api/models/${found.name}/xet-read-token/${found.commit}>; rel="xet-auth"`,
      );
    }
    extraHeaders(response, wrong);
    const expires = Date.now() + (options.signedForMs ?? 3_600_000);
    const place = `/${found.name}/${path}?expires=${wrong?.kind === 'expired' ? 1 : expires}`;
    const location =
      wrong?.kind === 'redirect' ? wrong.to : `${address(storage, 'localhost')}${place}&sig=${sign(place)}`;
    response.writeHead(302, { Location: location, 'Content-Type': 'text/plain' });
    response.end(`Found. Redirecting to ${location}`);
  }

  async function sendSmall(
    request: IncomingMessage,
    response: ServerResponse,
    found: HubRepository,
    path: string,
    file: HubFile,
  ): Promise<void> {
    const { wrong, offset } = note(request, 'storage', found.name, path);
    response.setHeader('ETag', `"${file.gitSha1}"`);
    response.setHeader('X-Repo-Commit', found.commit);
    if (preempted(response, wrong)) return;
    await send(request, response, found, path, file.contents, offset, wrong);
  }

  function answerApi(request: IncomingMessage, response: ServerResponse, url: URL, parts: readonly string[]): void {
    const name = `${parts[0]}/${parts[1]}`;
    const found = byName.get(name);
    const { wrong } = note(request, 'api', name, '');
    if (preempted(response, wrong)) return;
    const denied = found?.access === 'gated' ? null : accessFault(found, request);
    if (denied || !found) return plainError(response, ...(denied ?? NOT_FOUND));
    const revision = parts[3] ?? 'main';
    if (revision !== 'main' && revision !== found.commit) {
      return plainError(response, 404, 'RevisionNotFound', 'Invalid rev id');
    }
    const value = parts[2] === 'tree' ? tree(found) : info(found, url.searchParams.get('blobs') !== null);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    extraHeaders(response, wrong);
    response.end(wrong?.kind === 'body' ? wrong.body : JSON.stringify(value));
  }

  // ── The storage behind it: another host, which must never see a token ──
  const storage = serve(options, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://storage');
    const [owner = '', name = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    const found = byName.get(`${owner}/${name}`);
    const path = rest.join('/');
    const file = found?.files.get(path);
    const { wrong, offset } = note(request, 'storage', `${owner}/${name}`, path);
    if (!found || !file) return plainError(response, 404, 'EntryNotFound', 'NoSuchKey');
    const signed = `${decodeURIComponent(url.pathname)}?expires=${url.searchParams.get('expires')}`;
    if (url.searchParams.get('sig') !== sign(signed) || Number(url.searchParams.get('expires')) < Date.now()) {
      return plainError(response, 403, '', 'Request has expired');
    }
    if (preempted(response, wrong)) return;
    response.setHeader('ETag', '"0123456789abcdef0123456789abcdef-12"');
    void send(request, response, found, path, file.contents, offset, wrong).catch(() => response.destroy());
  });

  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    { name }: HubRepository,
    path: string,
    contents: Contents,
    asked: number,
    wrong: Misbehaviour | null,
  ): Promise<void> {
    const isRange = request.headers.range !== undefined && wrong?.kind !== 'ignore-range';
    const bytes = wrong?.kind === 'wrong-length' ? wrong.bytes : contents.bytes;
    if (isRange && asked >= bytes) {
      response.writeHead(416, { 'Content-Range': `bytes */${bytes}` });
      response.end();
      return;
    }
    const lastAsked = isRange ? /^bytes=\d+-(\d+)$/.exec(request.headers.range ?? '')?.[1] : undefined;
    const until = lastAsked === undefined ? bytes : Math.min(bytes, Number(lastAsked) + 1);
    const start = (isRange ? asked : 0) + (isRange && wrong?.kind === 'wrong-range' ? wrong.shift : 0);
    extraHeaders(response, wrong);
    if (isRange) response.setHeader('Content-Range', `bytes ${start}-${until - 1}/${bytes}`);
    if (wrong?.kind !== 'end-early' && wrong?.kind !== 'too-long') response.setHeader('Content-Length', until - start);
    response.setHeader('Accept-Ranges', 'bytes');
    response.writeHead(isRange ? 206 : 200);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const whole = wrong?.kind === 'wrong-length' || wrong?.kind === 'too-long' ? padded(contents) : contents;
    const end = wrong?.kind === 'too-long' ? until + wrong.extraBytes : until;
    const stop =
      wrong?.kind === 'cut' || wrong?.kind === 'end-early' || wrong?.kind === 'stall' ? wrong.afterBytes : end;
    const rate = wrong?.kind === 'drip' ? wrong.bytesPerSecond : options.bytesPerSecond;
    const most = rate === undefined ? UNPACED_PART_BYTES : Math.max(1, Math.min(PART_BYTES, Math.ceil(rate / 100)));
    for (let at = start; at < Math.min(end, start + stop); ) {
      if (response.destroyed) return;
      let part = whole.slice(at, Math.min(end, start + stop, at + most));
      if (wrong?.kind === 'flip' && wrong.atByte >= at && wrong.atByte < at + part.length) {
        part = Buffer.from(part);
        part.writeUInt8(part.readUInt8(wrong.atByte - at) ^ 1, wrong.atByte - at);
      }
      at += part.length;
      sent.set(`${name} ${path}`, (sent.get(`${name} ${path}`) ?? 0) + part.length);
      if (!response.write(part)) await drained(response);
      // Never faster to make up for a delay: what the other side has not read yet would pile up.
      if (rate !== undefined) await sleep((part.length / rate) * 1_000);
    }
    if (wrong?.kind === 'stall') {
      await once(response, 'close');
      return;
    }
    if (wrong?.kind === 'cut') {
      // What was written must be on its way before the line breaks.
      await sleep(20);
      response.destroy();
      return;
    }
    response.end();
  }

  for (const server of [hub, storage]) {
    server.keepAliveTimeout = 1_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return {
    url: address(hub, '127.0.0.1'),
    requests,
    sentBytes: (path) =>
      [...sent].filter(([key]) => key.endsWith(` ${path}`)).reduce((sum, [, bytes]) => sum + bytes, 0),
    allSentBytes: () => [...sent.values()].reduce((sum, bytes) => sum + bytes, 0),
    behave(next) {
      behaviour = next ?? (() => null);
      asked.clear();
      sent.clear();
    },
    async close() {
      for (const server of [hub, storage]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

/** Also when the other side went away instead. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

const NOT_FOUND = [401, 'RepoNotFound', 'Repository not found'] as const;

const serve = ({ certificate }: LocalHubOptions, listener: RequestListener): Server =>
  certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);

const address = (server: Server, host: string): string =>
  `${'setSecureContext' in server ? 'https' : 'http'}://${host}:${(server.address() as AddressInfo).port}`;

/** As the hub answers: who may not know whether a private repository exists hears that it does not. */
function accessFault(
  found: HubRepository | undefined,
  request: IncomingMessage,
): readonly [number, string, string] | null {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
  if (token !== null && token !== GOOD_TOKEN && token !== INVITED_TOKEN) {
    return [401, '', 'Invalid credentials in Authorization header'];
  }
  if (!found) return token === null ? NOT_FOUND : [404, 'RepoNotFound', 'Repository not found'];
  if (found.access === 'private' && token === null) return NOT_FOUND;
  if (found.access === 'gated' && token !== INVITED_TOKEN) {
    return [token === null ? 401 : 403, 'GatedRepo', `Access to model ${found.name} is restricted`];
  }
  return null;
}

function plainError(response: ServerResponse, status: number, code: string, message: string): void {
  if (code !== '') response.setHeader('X-Error-Code', code);
  response.setHeader('X-Error-Message', message);
  response.writeHead(status);
  response.end(message);
}

/** Misbehaviour that leaves no room for an answer. */
function preempted(response: ServerResponse, wrong: Misbehaviour | null): boolean {
  if (wrong?.kind === 'silent') return true;
  if (wrong?.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return true;
  }
  if (wrong?.kind !== 'status') return false;
  response.writeHead(wrong.status, wrong.headers ?? {});
  response.end('trouble');
  return true;
}

function extraHeaders(response: ServerResponse, wrong: Misbehaviour | null): void {
  if (wrong?.kind !== 'headers') return;
  for (const [name, value] of Object.entries(wrong.headers)) response.setHeader(name, value);
}

/** The same contents with zeros after their end. */
const padded = (contents: Contents): Contents => ({
  bytes: Infinity,
  slice: (start, end) =>
    start < contents.bytes
      ? contents.slice(start, Math.min(end, contents.bytes))
      : inMemory(Buffer.alloc(end - start)).slice(0, end - start),
});

function info(found: HubRepository, withBlobs: boolean): unknown {
  return {
    _id: '66b1e9c9b5a3c0f1d2e3f405',
    id: found.name,
    modelId: found.name,
    private: found.access === 'private',
    gated: found.access === 'gated' ? 'manual' : false,
    disabled: false,
    sha: found.commit,
    lastModified: '2026-01-02T03:04:05.000Z',
    library_name: 'mlx',
    tags: ['mlx', 'safetensors', `license:${found.licence}`],
    cardData: { license: found.licence },
    siblings: [...found.files].map(([rfilename, file]) => ({
      rfilename,
      ...(withBlobs
        ? {
            size: file.contents.bytes,
            blobId: file.gitSha1,
            ...(file.isLarge ? { lfs: { sha256: file.sha256, size: file.contents.bytes, pointerSize: 134 } } : {}),
          }
        : {}),
    })),
  };
}

function tree(found: HubRepository): unknown {
  return [...found.files].map(([path, file]) => ({
    type: 'file',
    oid: file.gitSha1,
    size: file.contents.bytes,
    path,
    ...(file.isLarge ? { lfs: { oid: file.sha256, size: file.contents.bytes, pointerSize: 134 } } : {}),
  }));
}
