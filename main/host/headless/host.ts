/** The window over HTTP and WebSocket on 127.0.0.1, for machines without a display, for development and for tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { EventEnvelope } from '../../../preload/contract.ts';
import { SOCKET_PATH } from '../../../preload/web-socket-wire.ts';
import { closeServer, listenOnLoopback } from '../../loopback.ts';
import type { Log } from '../../log/log.ts';
import { newSecret } from '../../secret.ts';
import type { Gate } from '../gate.ts';
import { type Admissions, admit, noAdmissions, offerLink } from './admission.ts';
import { answerPage, mayUpgrade, ownOrigin, type RequestHead } from './page-policy.ts';
import type { KnownFiles } from '../renderer-files.ts';
import { createWebSocketTransport, type TransportTiming } from './web-socket-transport.ts';

const CLOSE_GRACE_MS = 500;

export interface HeadlessHost {
  /** The first link, with its one-time token. */
  readonly url: string;
  readonly port: number;
  publish(envelope: EventEnvelope): void;
  dispose(): Promise<void>;
}

export interface HeadlessHostOptions {
  readonly gate: Gate;
  readonly files: KnownFiles;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  /** Tells the person at the terminal about a link that replaces a spent one. */
  announceLink(url: string): void;
  /** How many windows are connected, whenever that changes. */
  readonly onWindows?: (count: number) => void;
  readonly nowMs?: () => number;
  readonly timing?: TransportTiming;
}

/** Rejects with Node's listen error when the port cannot be had. */
export async function startHeadlessHost(options: HeadlessHostOptions): Promise<HeadlessHost> {
  const { gate, files, log, announceLink, nowMs = Date.now } = options;
  let admissions: Admissions = noAdmissions;

  const transport = createWebSocketTransport({
    gate,
    log,
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(options.onWindows === undefined ? {} : { onWindows: options.onWindows }),
    admit: (hello) => {
      const { state, verdict } = admit(admissions, hello, nowMs(), newSecret);
      admissions = state;
      if (verdict.kind === 'refused' && verdict.freshToken !== null) announceLink(link(verdict.freshToken));
      return verdict;
    },
  });

  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5_000 },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = 128;
  server.on('upgrade', (request, socket, head) => {
    // Until ws takes over, a reset of this connection would otherwise be an uncaught error.
    socket.on('error', () => socket.destroy());
    if (mayUpgrade(headOf(request), port, SOCKET_PATH)) transport.accept(request, socket, head);
    else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });

  const port = await listenOnLoopback(server, options.port);
  const link = (token: string) => `${ownOrigin(port)}/#token=${token}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Bodies are never read here; one that is sent anyway is let go.
    request.resume();
    const page = answerPage(headOf(request), files, port);
    try {
      const body = 'file' in page.content ? await readFile(page.content.file) : Buffer.from(page.content.text);
      response.writeHead(page.status, { ...page.headers, 'content-length': String(body.length) });
      response.end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      log('error', `window file: ${String(error)}`);
      response.writeHead(500).end();
    }
  }

  const token = newSecret();
  admissions = offerLink(admissions, token, nowMs());
  return {
    url: link(token),
    port,
    publish: transport.publish,
    dispose: async () => {
      const closed = closeServer(server, CLOSE_GRACE_MS);
      await transport.dispose();
      await closed;
    },
  };
}

const headOf = (request: IncomingMessage): RequestHead => ({
  method: request.method ?? '',
  url: request.url ?? '',
  host: request.headers.host,
  origin: request.headers.origin,
});
