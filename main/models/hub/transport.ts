/**
 * How requests reach the hub. Electron's net.fetch would use the system's proxy by itself, but it cannot show a redirect
 * without following it (electron#43715), and redirects decide where the token goes. So Node's own https it is, and the
 * host says which proxy the system wants.
 */
import { type Agent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import * as tls from 'node:tls';
import { isUntrusted } from './hub-fault.ts';

interface TransportRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | null;
  /** The contents as they come over the wire; throws what broke the connection. Read once, or cancelled. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection without reading further. */
  cancel(): void;
}

/** One request, one answer; never follows a redirect. Throws what Node throws when there is no connection. */
export type Transport = (url: URL, request: TransportRequest) => Promise<TransportResponse>;

/** In the form of environment variables, as Node's agents take it. */
export interface ProxyChoice {
  readonly HTTPS_PROXY?: string | undefined;
  readonly NO_PROXY?: string | undefined;
}

/** `proxyFor` is asked before each connection, because the system's answer may change with the network. */
export function nodeTransport(proxyFor: (url: URL) => Promise<ProxyChoice | null>): Transport {
  let trusted: string[] | null = null;
  return async (url, request) => {
    if (url.protocol === 'http:') return plain(url, request);
    const proxy = await proxyFor(url);
    const secure = (): Promise<TransportResponse> =>
      exchange(
        secureRequest,
        url,
        request,
        new SecureAgent({
          ...(proxy === null ? {} : { proxyEnv: { ...proxy } }),
          ...(trusted === null ? {} : { ca: trusted }),
        }),
      );
    try {
      return await secure();
    } catch (error) {
      // Companies put their own certificates into the system's store. Reading it is slow: only where it is needed.
      if (trusted !== null || !isUntrusted(error)) throw error;
      trusted = withSystemCertificates();
      if (trusted === null) throw error;
      return secure();
    }
  };
}

const plain = (url: URL, request: TransportRequest): Promise<TransportResponse> =>
  exchange(plainRequest, url, request, undefined);

function withSystemCertificates(): string[] | null {
  try {
    return [...tls.getCACertificates('default'), ...tls.getCACertificates('system')];
  } catch {
    return null;
  }
}

/** A connection of its own for each request: nothing stays open between them, and one that broke is not met again. */
function exchange(
  send: typeof plainRequest,
  url: URL,
  { method, headers, signal }: TransportRequest,
  agent: Agent | undefined,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers: { ...headers, Connection: 'close' }, signal, agent: agent ?? false });
    outgoing.on('response', (incoming) => resolve(responseOf(incoming)));
    // Comes after Node's own reader, which has copied what it wants by then.
    outgoing.on('socket', (socket) => socket.on('data', freePart));
    // Also after the answer began: the body throws that error then, and rejecting again does nothing.
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/**
 * Frees a part's memory at once. V8 sees only a small object and lets 64 MiB of them pile up before it looks; on a Mac
 * with little memory that is other apps' room. A part that shares its memory with others is left to V8.
 */
export function freePart(part: Uint8Array): void {
  const { buffer } = part;
  if (buffer instanceof ArrayBuffer && part.byteLength === buffer.byteLength) buffer.transfer(0);
}

function responseOf(incoming: IncomingMessage): TransportResponse {
  // Whoever reads the body hears of it; whoever cancelled does not care.
  incoming.on('error', () => {});
  return {
    status: incoming.statusCode ?? 0,
    header(name) {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(', ') : (value ?? null);
    },
    body: incoming,
    cancel: () => incoming.destroy(),
  };
}

/**
 * Chromium's answer to "which proxy for this address" (`PROXY host:port; DIRECT`), as Electron's resolveProxy gives it.
 * Only the first choice counts. Null: none, also for SOCKS, which Node's agents do not speak.
 */
export function proxyFromPac(pac: string): ProxyChoice | null {
  const first = pac.split(';')[0]?.trim() ?? '';
  const match = /^(PROXY|HTTPS)\s+([\w.-]+|\[[\da-f:]+\])(:\d{1,5})?$/i.exec(first);
  if (match === null) return null;
  const [, scheme = '', host = '', port = ''] = match;
  return { HTTPS_PROXY: `${scheme.toUpperCase() === 'HTTPS' ? 'https' : 'http'}://${host}${port}` };
}
