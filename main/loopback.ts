/** What both servers on 127.0.0.1 (the headless window and the endpoint) have in common: where they listen, who may ask. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** A port as somebody typed it; null for what is none. */
export function portFrom(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null;
}

/**
 * Is this the Host header of somebody who meant us? A web page whose name was re-bound to 127.0.0.1 sends its own name
 * here, so this is what stops DNS rebinding.
 */
export function isOwnHost(host: string | undefined, port: number, names: readonly string[]): boolean {
  return host !== undefined && names.some((name) => host.toLowerCase() === `${name}:${port}`);
}

/** Listens on 127.0.0.1, on a free port if `port` is 0, and returns the port. Rejects with Node's error (EADDRINUSE, …). */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      server.off('listening', done);
      reject(error);
    };
    const done = () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    };
    server.once('error', fail);
    server.once('listening', done);
    server.listen({ host: LOOPBACK, port, exclusive: true });
  });
}

/** Stops listening and resolves when every connection is gone; those that linger past `graceMs` are cut. */
export function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
