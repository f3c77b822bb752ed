/**
 * As much of a registry as Ollama downloads from: a manifest and blobs over plain http, the blobs at another name of this
 * machine, as the real one has them at a CDN.
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../main/loopback.ts';

interface Blob {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface TinyRegistry {
  /** What `/api/pull` is asked for, with `insecure`. */
  readonly model: string;
  /** Bytes of the model that were sent so far, those that were sent twice counted twice. */
  readonly sentBytes: () => number;
  /** From now on the manifest is refused so, or no longer. */
  refuse(status: number | null): void;
  end(): Promise<void>;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const PIECE_BYTES = 64 * 1_024;

export async function startTinyRegistry(
  gguf: Buffer,
  template: string,
  { bytesPerSecond = Infinity }: { readonly bytesPerSecond?: number } = {},
): Promise<TinyRegistry> {
  const config: Blob = {
    mediaType: 'application/vnd.docker.container.image.v1+json',
    bytes: Buffer.from(JSON.stringify({ model_format: 'gguf', model_family: 'gptoss', model_type: '3M' })),
  };
  const layers: readonly Blob[] = [
    { mediaType: 'application/vnd.ollama.image.model', bytes: gguf },
    { mediaType: 'application/vnd.ollama.image.template', bytes: Buffer.from(template) },
  ];
  const described = ({ mediaType, bytes }: Blob) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: described(config),
    layers: layers.map(described),
  });
  const blobs = new Map([config, ...layers].map(({ bytes }) => [digestOf(bytes), bytes]));
  let refused: number | null = null;
  let sentBytes = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const bytes = blobs.get(path.split('/').at(-1) ?? '');
    if (path.includes('/manifests/') && path.startsWith('/v2/library/tiny/')) {
      response.writeHead(refused ?? 200, { 'content-type': 'application/json' });
      response.end(refused === null ? manifest : '{"errors":[{"code":"UNAUTHORIZED","message":"not for you"}]}');
    } else if (bytes === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
    } else if (request.method === 'HEAD') {
      response.writeHead(200, { 'content-length': bytes.length }).end();
    } else if (path.startsWith('/v2/')) {
      response.writeHead(307, { location: `http://localhost:${port}/cdn/${digestOf(bytes)}` }).end();
    } else {
      const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
      const part = bytes.subarray(Number(from), to === '' ? bytes.length : Number(to) + 1);
      response.writeHead(206, { 'content-length': part.length });
      for (let at = 0; at < part.length && !response.destroyed; at += PIECE_BYTES) {
        const piece = part.subarray(at, at + PIECE_BYTES);
        response.write(piece);
        if (bytes === gguf) sentBytes += piece.length;
        if (bytesPerSecond !== Infinity) await sleep((piece.length / bytesPerSecond) * 1_000);
      }
      response.end();
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  const port = await listenOnLoopback(server, 0);
  return {
    model: `http://127.0.0.1:${port}/library/tiny:latest`,
    sentBytes: () => sentBytes,
    refuse: (status) => (refused = status),
    end: () => closeServer(server, 100),
  };
}
