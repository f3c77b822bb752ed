/** A screen for Electron. Where there is none (CI, a server), an Xvfb of our own, on a number it chooses itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

export type Display =
  | { readonly kind: 'present'; dispose(): Promise<void> }
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * Tells its number on descriptor 3. It ends when its input does, however the process that wanted it has ended: a server
 * left behind would stay for ever.
 */
const SERVER = `Xvfb -displayfd 3 -screen 0 1280x1024x24 -nolisten tcp &
exec 3>&-
cat >/dev/null
kill $!
wait`;

/** Sets DISPLAY for this process and what it starts. */
export async function openDisplay(): Promise<Display> {
  if (process.platform !== 'linux' || process.env['DISPLAY']) return { kind: 'present', dispose: async () => {} };
  const server = spawn('sh', ['-c', SERVER], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise<string | null>((resolve) => {
    server.once('error', () => resolve(null));
    const told = server.stdio[3] as Readable;
    told.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    told.once('end', () => resolve(null));
  });
  if (number === null) {
    await end(server);
    return { kind: 'missing', reason: 'There is no display, and Xvfb could not be started.' };
  }
  process.env['DISPLAY'] = `:${number}`;
  return { kind: 'present', dispose: () => end(server) };
}

async function end(server: ChildProcess): Promise<void> {
  delete process.env['DISPLAY'];
  if (server.exitCode !== null || server.pid === undefined) return;
  const exit = once(server, 'exit');
  server.stdin?.end();
  await exit;
}
