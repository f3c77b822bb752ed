/** A screen for Electron. Where there is none (CI, a server), an Xvfb of our own, on a number it chooses itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

export type Display =
  | { readonly kind: 'present'; dispose(): Promise<void> }
  | { readonly kind: 'missing'; readonly reason: string };

/** Sets DISPLAY for this process and what it starts. */
export async function openDisplay(): Promise<Display> {
  if (process.platform !== 'linux' || process.env['DISPLAY']) return { kind: 'present', dispose: async () => {} };
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise<string | null>((resolve) => {
    server.once('error', () => resolve(null));
    server.once('exit', () => resolve(null));
    (server.stdio[3] as Readable).once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  if (number === null) return { kind: 'missing', reason: 'There is no display, and Xvfb could not be started.' };
  process.env['DISPLAY'] = `:${number}`;
  return { kind: 'present', dispose: () => end(server) };
}

async function end(server: ChildProcess): Promise<void> {
  delete process.env['DISPLAY'];
  if (server.exitCode !== null) return;
  server.kill();
  await once(server, 'exit');
}
