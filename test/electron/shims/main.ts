/**
 * What Node 16 and Electron 22 lack of the Node 24 and Electron 45 that main is written for. Only what is absent is put
 * in place, so on a current Electron this does nothing. Tests only.
 */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import streamWeb from 'node:stream/web';
import { deserialize, serialize } from 'node:v8';
import { webcrypto } from 'node:crypto';
import electron from 'electron';

// What is shimmed here has no types on this side.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

function provide(target: object, name: string, value: unknown): void {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

const scope = globalThis as Any;

// Globals that undici needs when it is loaded, hence before the `require` below.
for (const name of ['ReadableStream', 'WritableStream', 'TransformStream', 'TextDecoderStream', 'TextEncoderStream']) {
  provide(scope, name, (streamWeb as Any)[name]);
}
provide(scope, 'structuredClone', (value: unknown) => deserialize(serialize(value)));
provide(scope, 'crypto', webcrypto);
if (scope.fetch === undefined) {
  const undici: Any = require('undici');
  for (const name of ['fetch', 'Request', 'Response', 'Headers', 'FormData']) provide(scope, name, undici[name]);
}

provide(AbortSignal, 'any', (signals: Iterable<AbortSignal>) => {
  const controller = new AbortController();
  const all = [...signals];
  const follow = (signal: AbortSignal): void => {
    for (const other of all) other.removeEventListener('abort', onAbort);
    controller.abort(signal.reason);
  };
  const onAbort = (event: Event): void => follow(event.target as AbortSignal);
  const aborted = all.find((signal) => signal.aborted);
  if (aborted) follow(aborted);
  else for (const signal of all) signal.addEventListener('abort', onAbort);
  return controller.signal;
});
provide(AbortSignal, 'timeout', (ms: number) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms).unref();
  return controller.signal;
});
// Node 16.17 has `reason` but not this.
provide(AbortSignal.prototype, 'throwIfAborted', function (this: AbortSignal) {
  if (this.aborted) throw this.reason;
});
provide(Promise, 'withResolvers', () => {
  const parts: Any = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
});
provide(Array, 'fromAsync', async (items: AsyncIterable<unknown>) => {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
});
provide(Array.prototype, 'findLast', function (this: unknown[], test: (item: unknown, at: number) => boolean) {
  for (let at = this.length - 1; at >= 0; at--) if (test(this[at], at)) return this[at];
  return undefined;
});
provide(Array.prototype, 'findLastIndex', function (this: unknown[], test: (item: unknown, at: number) => boolean) {
  for (let at = this.length - 1; at >= 0; at--) if (test(this[at], at)) return at;
  return -1;
});
provide(Array.prototype, 'toSorted', function (this: unknown[], compare?: (a: unknown, b: unknown) => number) {
  return [...this].sort(compare);
});
provide(Array.prototype, 'toReversed', function (this: unknown[]) {
  return [...this].reverse();
});
provide(Array.prototype, 'with', function (this: unknown[], at: number, value: unknown) {
  const copy = [...this];
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
});
provide(String.prototype, 'toWellFormed', function (this: string) {
  return Buffer.from(this, 'utf16le')
    .toString('utf16le')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
});
provide(String.prototype, 'isWellFormed', function (this: string) {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(this);
});
provide(URL, 'canParse', (text: string, base?: string) => {
  try {
    return Boolean(new URL(text, base));
  } catch {
    return false;
  }
});
provide(URL, 'parse', (text: string, base?: string) => {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
});
provide(Array.prototype, 'toSpliced', function (this: unknown[], at: number, ...more: [number, ...unknown[]]) {
  const copy = [...this];
  copy.splice(at, ...more);
  return copy;
});
provide(Set.prototype, 'union', function (this: Set<unknown>, other: Iterable<unknown>) {
  return new Set([...this, ...other]);
});
provide(scope, 'CustomEvent', class extends Event {});

// Iterator helpers live on the shared prototype of all built-in iterators.
const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
for (const [name, method] of Object.entries({
  *map(this: Iterable<unknown>, change: (item: unknown) => unknown) {
    for (const item of this) yield change(item);
  },
  *filter(this: Iterable<unknown>, test: (item: unknown) => boolean) {
    for (const item of this) if (test(item)) yield item;
  },
  *take(this: Iterable<unknown>, count: number) {
    let left = count;
    for (const item of this) {
      if (left-- <= 0) return;
      yield item;
    }
  },
  toArray(this: Iterable<unknown>) {
    return [...this];
  },
  some(this: Iterable<unknown>, test: (item: unknown) => boolean) {
    return [...this].some(test);
  },
  every(this: Iterable<unknown>, test: (item: unknown) => boolean) {
    return [...this].every(test);
  },
  find(this: Iterable<unknown>, test: (item: unknown) => boolean) {
    return [...this].find(test);
  },
  forEach(this: Iterable<unknown>, act: (item: unknown) => void) {
    [...this].forEach(act);
  },
  reduce(this: Iterable<unknown>, fold: (sum: unknown, item: unknown) => unknown, first: unknown) {
    return [...this].reduce(fold, first);
  },
})) {
  provide(iteratorPrototype, name, method);
}

provide(http.Server.prototype, 'closeAllConnections', function (this: Any) {
  for (const socket of this.headroomSockets ?? []) socket.destroy();
});
provide(http.Server.prototype, 'closeIdleConnections', () => {});
if (
  !('closeAllConnections' in Object.getPrototypeOf(http.Server.prototype)) &&
  process.versions.node.startsWith('16.')
) {
  const listen = http.Server.prototype.listen as Any;
  (http.Server.prototype as Any).listen = function (this: Any, ...rest: unknown[]) {
    this.headroomSockets ??= new Set();
    this.on('connection', (socket: Any) => {
      this.headroomSockets.add(socket);
      socket.once('close', () => this.headroomSockets.delete(socket));
    });
    return listen.apply(this, rest);
  };
  // `recursive` and `parentPath` came later.
  const readdir = fs.promises.readdir as Any;
  const walk = async (folder: string): Promise<Any[]> => {
    const entries = (await readdir(folder, { withFileTypes: true })) as Any[];
    const all = [];
    for (const entry of entries) {
      entry.parentPath = folder;
      all.push(entry);
      if (entry.isDirectory()) all.push(...(await walk(path.join(folder, entry.name))));
    }
    return all;
  };
  (fs.promises as Any).readdir = (folder: string, options: Any) =>
    options?.recursive && options.withFileTypes ? walk(folder) : readdir(folder, options);
}

// Electron before 25 has one registration function for each kind of answer instead of `protocol.handle`.
provide(electron.protocol, 'handle', (scheme: string, handler: (request: Any) => Promise<Any>) => {
  (electron.protocol as Any).registerBufferProtocol(scheme, async (request: Any, answer: (given: Any) => void) => {
    const response = await handler(request);
    const headers = Object.fromEntries(response.headers.entries());
    answer({
      statusCode: response.status,
      mimeType: (headers['content-type'] ?? 'text/plain').split(';')[0],
      charset: 'utf-8',
      headers,
      data: Buffer.from(await response.arrayBuffer()),
    });
  });
});
