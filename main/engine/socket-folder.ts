/** The folder of the engine's socket: fresh, ours alone, with a short path, and gone when the engine is. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SocketFolder {
  /** Where the engine will listen. Nothing is there yet. */
  readonly socketPath: string;
  remove(): void;
}

/** sockaddr_un holds 104 bytes on macOS and 108 on Linux; the engine takes this many. */
export const MAX_SOCKET_PATH_BYTES = 100;

export class SocketPathTooLong extends Error {
  readonly path: string;
  readonly bytes: number;

  constructor(path: string, bytes: number) {
    super(`${path} has ${bytes} bytes`);
    this.path = path;
    this.bytes = bytes;
  }
}

const PREFIX = 'headroom-';

/** Throws SocketPathTooLong, or the file system's error. */
export function makeSocketFolder(parent: string = tmpdir()): SocketFolder {
  removeLeftovers(parent);
  const longest = join(parent, `${PREFIX}${process.pid}-XXXXXX`, 'engine');
  const bytes = Buffer.byteLength(longest);
  if (bytes > MAX_SOCKET_PATH_BYTES) throw new SocketPathTooLong(parent, bytes);
  // mkdtemp makes it with mode 0700.
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  return {
    socketPath: join(folder, 'engine'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Folders of apps that were killed: ours by owner, named after a process that is no more. */
function removeLeftovers(parent: string): void {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = Number(/^headroom-(\d+)-[A-Za-z0-9]{6}$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || isAlive(pid)) continue;
    const folder = join(parent, name);
    try {
      const info = lstatSync(folder);
      if (info.isDirectory() && info.uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody else was faster.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
