/** A window without a browser: the real bridge over the real socket, with a page made of plain objects. */
import { WebSocket as NodeWebSocket } from 'ws';
import type { Bridge, RouteInput, RouteName, RouteOutput } from '../../preload/contract.ts';
import { createWebSocketBridge } from '../../preload/web-socket-bridge.ts';

export interface NodeWindow {
  readonly bridge: Bridge;
  /** The value, or a throw with the error's message. */
  call<N extends RouteName>(route: N, input: RouteInput<N>): Promise<RouteOutput<N>>;
  /** A bridge never gives up by itself: this is the page's end. */
  close(): void;
}

const deadSocket = { addEventListener: () => {}, send: () => {}, close: () => {} } as unknown as WebSocket;

/** `url` is the ready line's, with its one-time token. */
export function openNodeWindow(url: string): NodeWindow {
  const address = new URL(url);
  const stored = new Map<string, string>();
  const sockets: NodeWebSocket[] = [];
  let isClosed = false;
  const bridge = createWebSocketBridge(
    address,
    {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
      removeItem: (key) => void stored.delete(key),
    },
    {
      openSocket(target) {
        if (isClosed) return deadSocket;
        const socket = new NodeWebSocket(target, { origin: address.origin });
        // A browser's socket only closes; this one would end the process when nobody hears why.
        socket.on('error', () => {});
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      replaceAddress: () => {},
      onAddressChange: () => {},
    },
  );
  return {
    bridge,
    async call(route, input) {
      const result = await bridge.call(route, input);
      if (!result.ok) throw new Error(`${route}: ${result.error.message}`);
      return result.value;
    },
    close() {
      isClosed = true;
      for (const socket of sockets) socket.terminate();
    },
  };
}
