/**
 * The bridge of the headless host: the same `window.headroom`, over a WebSocket to the server the page came from.
 *
 *   connecting ─► greeting ─► open
 *        ▲            │         │ connection lost
 *        │            ▼         ▼
 *        └──────── waiting ◄────┘        refused: the link is spent; only another link leads out
 *
 * The link's token is taken out of the address at once and exchanged for a session secret in sessionStorage, which a
 * reload of this tab finds again and no other origin or tab can read. Calls made while there is no connection wait for
 * one; calls under way when it is lost answer `disconnected`, because main may or may not have acted on them.
 */
import type { AppError, Bridge, EventName, Result, RouteName } from './contract.ts';
import { type Hello, SOCKET_PATH, type SocketReply, type SocketRequest } from './web-socket-wire.ts';

const SESSION_KEY = 'headroom.session';
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 4_000;
/** How long a call waits for a connection before it answers `disconnected`. */
const PATIENCE_MS = 10_000;

/** What the bridge uses of the page, so that it can be tested without one. */
export interface Page {
  openSocket(url: string): WebSocket;
  /** Replaces the address without a navigation. */
  replaceAddress(address: string): void;
  onAddressChange(listener: () => void): void;
}

const browserPage: Page = {
  openSocket: (url) => new WebSocket(url),
  replaceAddress: (address) => history.replaceState(null, '', address),
  onAddressChange: (listener) => addEventListener('hashchange', listener),
};

type Link =
  | { readonly kind: 'connecting' | 'greeting' | 'open'; readonly socket: WebSocket }
  | { readonly kind: 'waiting'; readonly timer: ReturnType<typeof setTimeout> }
  | { readonly kind: 'refused'; readonly error: AppError };

interface Call {
  readonly request: SocketRequest;
  readonly resolve: (result: Result<never>) => void;
  readonly patience: ReturnType<typeof setTimeout>;
  sent: boolean;
}

const disconnected: AppError = {
  code: 'disconnected',
  message: 'The connection to Headroom was lost.',
  nextStep: 'It comes back by itself while Headroom runs. Then try again.',
};

export function createWebSocketBridge(
  location: Pick<Location, 'host' | 'pathname' | 'search' | 'hash'>,
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  page: Page = browserPage,
): Bridge {
  const calls = new Map<number, Call>();
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  const connectionListeners = new Set<(connected: boolean) => void>();
  let token = takeToken();
  let failures = 0;
  let nextId = 1;
  let link: Link = connect();

  page.onAddressChange(() => {
    const fresh = takeToken();
    if (fresh === null) return;
    token = fresh;
    if (link.kind === 'waiting') clearTimeout(link.timer);
    if (link.kind === 'open') return;
    if (link.kind === 'connecting' || link.kind === 'greeting') link.socket.close();
    link = connect();
  });

  /** The token in the fragment, which is never sent to a server, and which leaves the address before anybody copies it. */
  function takeToken(): string | null {
    const found = /^#token=([\w-]{1,200})$/.exec(location.hash)?.[1] ?? null;
    if (found !== null) page.replaceAddress(location.pathname + location.search);
    return found;
  }

  function connect(): Link {
    const socket = page.openSocket(`ws://${location.host}${SOCKET_PATH}`);
    const isCurrent = () => 'socket' in link && link.socket === socket;
    socket.addEventListener('open', () => {
      if (!isCurrent()) return;
      link = { kind: 'greeting', socket };
      const session = storage.getItem(SESSION_KEY);
      const hello: Hello = {
        hello: { ...(token === null ? {} : { token }), ...(session === null ? {} : { session }) },
      };
      socket.send(JSON.stringify(hello));
    });
    socket.addEventListener('message', (event: MessageEvent<string>) => {
      if (isCurrent()) receive(socket, JSON.parse(event.data) as SocketReply);
    });
    socket.addEventListener('close', () => {
      if (isCurrent()) lose();
    });
    return { kind: 'connecting', socket };
  }

  function receive(socket: WebSocket, reply: SocketReply): void {
    if ('event' in reply) {
      for (const listener of listeners.get(reply.event) ?? []) (listener as (payload: unknown) => void)(reply.payload);
    } else if ('id' in reply) {
      if (typeof reply.id === 'number') settle(reply.id, reply.result as Result<never>);
    } else if ('session' in reply) {
      token = null;
      failures = 0;
      storage.setItem(SESSION_KEY, reply.session);
      link = { kind: 'open', socket };
      for (const call of calls.values()) send(socket, call);
      for (const listener of connectionListeners) listener(true);
    } else {
      token = null;
      storage.removeItem(SESSION_KEY);
      link = { kind: 'refused', error: reply.refused };
      socket.close();
      failAll(() => true, reply.refused);
      for (const listener of connectionListeners) listener(false);
    }
  }

  function lose(): void {
    const wasOpen = link.kind === 'open';
    const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
    const timer = setTimeout(() => {
      link = connect();
    }, retryMs);
    link = { kind: 'waiting', timer };
    failAll((call) => call.sent, disconnected);
    if (wasOpen) for (const listener of connectionListeners) listener(false);
  }

  function send(socket: WebSocket, call: Call): void {
    clearTimeout(call.patience);
    call.sent = true;
    socket.send(JSON.stringify(call.request));
  }

  function settle(id: number, result: Result<never>): void {
    const call = calls.get(id);
    if (call === undefined) return;
    calls.delete(id);
    clearTimeout(call.patience);
    call.resolve(result);
  }

  function failAll(which: (call: Call) => boolean, error: AppError): void {
    for (const [id, call] of calls) if (which(call)) settle(id, { ok: false, error });
  }

  return {
    call: (route: RouteName, input: unknown) => {
      if (link.kind === 'refused') return Promise.resolve({ ok: false, error: link.error });
      const id = nextId;
      nextId += 1;
      return new Promise((resolve) => {
        const patience = setTimeout(() => settle(id, { ok: false, error: disconnected }), PATIENCE_MS);
        const call: Call = { request: { id, route, input }, resolve, patience, sent: false };
        calls.set(id, call);
        if (link.kind === 'open') send(link.socket, call);
      });
    },
    on: (event, listener) => {
      const forEvent = listeners.get(event) ?? new Set();
      listeners.set(event, forEvent);
      forEvent.add(listener);
      return () => forEvent.delete(listener);
    },
    onConnection: (listener) => {
      connectionListeners.add(listener);
      return () => connectionListeners.delete(listener);
    },
  };
}
