/** Windows over WebSocket: admission by the first message, then requests to the gate and events from the app. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { EventEnvelope, Result } from '../../../preload/contract.ts';
import type { SocketReply } from '../../../preload/web-socket-wire.ts';
import type { Log } from '../../log/log.ts';
import type { Gate } from '../gate.ts';
import type { Transport } from '../transport.ts';
import type { Verdict } from './admission.ts';

/** 4 M UTF-16 units are at most 12 MB of UTF-8, and a little more as JSON. */
const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
const MOST_CLIENTS = 32;
const MOST_CALLS_AT_ONCE = 64;
const CLOSE_GRACE_MS = 500;

export interface TransportTiming {
  readonly helloMs: number;
  readonly heartbeatMs: number;
  /** Unsent bytes at which a window counts as too slow. */
  readonly backlogBytes: number;
}

const usualTiming: TransportTiming = { helloMs: 5_000, heartbeatMs: 15_000, backlogBytes: 8 * 1024 * 1024 };

export interface WebSocketTransport extends Transport {
  /** Takes a connection whose Host, Origin and path have been checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

interface Client {
  readonly socket: WebSocket;
  state: { readonly kind: 'greeting'; readonly deadline: NodeJS.Timeout } | { readonly kind: 'admitted' };
  answeredPing: boolean;
  callsUnderWay: number;
}

const secretText = v.pipe(v.string(), v.maxLength(200));
const helloSchema = v.strictObject({
  hello: v.strictObject({ token: v.optional(secretText), session: v.optional(secretText) }),
});

export function createWebSocketTransport(ports: {
  readonly gate: Gate;
  readonly admit: (hello: v.InferOutput<typeof helloSchema>['hello']) => Verdict;
  readonly log: Log;
  readonly timing?: TransportTiming;
  /** Called when the number of admitted windows changes. */
  readonly onWindows?: (count: number) => void;
}): WebSocketTransport {
  const { gate, admit, log, timing = usualTiming } = ports;
  const clients = new Set<Client>();
  // No compression: nothing is saved on the loopback, and it costs memory per window.
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const heartbeat = setInterval(beat, timing.heartbeatMs);

  function beat(): void {
    for (const client of clients) {
      if (!client.answeredPing) {
        client.socket.terminate();
        continue;
      }
      client.answeredPing = false;
      client.socket.ping();
    }
  }

  function welcome(socket: WebSocket): void {
    const deadline = setTimeout(() => socket.terminate(), timing.helloMs);
    const client: Client = { socket, state: { kind: 'greeting', deadline }, answeredPing: true, callsUnderWay: 0 };
    clients.add(client);
    socket.on('message', (data, isBinary) => {
      if (isBinary) socket.close(1003);
      else receive(client, data);
    });
    socket.on('pong', () => {
      client.answeredPing = true;
    });
    // ws closes the connection itself after an error (a message too large, bad UTF-8); the event only has to be heard.
    socket.on('error', (error) => log('warn', `window connection: ${error.message}`));
    socket.on('close', () => {
      clients.delete(client);
      if (client.state.kind === 'greeting') clearTimeout(client.state.deadline);
      else countWindows();
    });
  }

  function receive(client: Client, data: RawData): void {
    const message = parseJson(data);
    if (client.state.kind === 'greeting') greet(client, client.state.deadline, message);
    else void answer(client, message);
  }

  function greet(client: Client, deadline: NodeJS.Timeout, message: unknown): void {
    clearTimeout(deadline);
    const parsed = v.safeParse(helloSchema, message);
    const verdict = admit(parsed.success ? parsed.output.hello : {});
    if (verdict.kind === 'refused') {
      send(client, { refused: verdict.error });
      client.socket.close(1008);
      return;
    }
    client.state = { kind: 'admitted' };
    send(client, { session: verdict.session });
    countWindows();
  }

  function countWindows(): void {
    ports.onWindows?.([...clients].filter(({ state }) => state.kind === 'admitted').length);
  }

  async function answer(client: Client, message: unknown): Promise<void> {
    const id = idOf(message);
    if (client.callsUnderWay >= MOST_CALLS_AT_ONCE) {
      send(client, { id, result: tooMany });
      return;
    }
    client.callsUnderWay += 1;
    const result = await gate({ trusted: true }, message);
    client.callsUnderWay -= 1;
    send(client, { id, result });
  }

  function send(client: Client, reply: SocketReply): void {
    if (client.socket.readyState === WebSocket.OPEN) client.socket.send(JSON.stringify(reply));
  }

  return {
    accept: (request, socket, head) => {
      if (clients.size >= MOST_CLIENTS) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, welcome);
    },
    publish: (envelope: EventEnvelope) => {
      const text = JSON.stringify(envelope);
      for (const client of clients) {
        if (client.state.kind !== 'admitted' || client.socket.readyState !== WebSocket.OPEN) continue;
        // A window that does not keep up must not make main hold what it missed: it is cut off, connects again and
        // asks for the whole picture.
        if (client.socket.bufferedAmount > timing.backlogBytes) {
          log('warn', 'a window did not keep up and was cut off');
          client.socket.terminate();
        } else {
          client.socket.send(text);
        }
      }
    },
    dispose: async () => {
      clearInterval(heartbeat);
      server.close();
      const closing = [...clients].map(
        (client) =>
          new Promise<void>((resolve) => {
            const cut = setTimeout(() => client.socket.terminate(), CLOSE_GRACE_MS);
            client.socket.once('close', () => {
              clearTimeout(cut);
              resolve();
            });
            client.socket.close(1001);
          }),
      );
      await Promise.all(closing);
    },
  };
}

const tooMany: Result<never> = {
  ok: false,
  error: { code: 'refused', message: 'Too many requests are under way.', nextStep: 'Wait a moment and try again.' },
};

/** Undefined, which no request is, when the text is not JSON. */
function parseJson(data: RawData): unknown {
  try {
    // A Buffer always: ws makes other kinds only when asked to.
    return JSON.parse((data as Buffer).toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** The window's own number for its request, if it is one that can be sent back. */
function idOf(message: unknown): number | string | null {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, 'id')) return null;
  const { id } = message as { id: unknown };
  return Number.isSafeInteger(id) || (typeof id === 'string' && id.length <= 64) ? (id as number | string) : null;
}
