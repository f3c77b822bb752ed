/** The disk under the cache: is it still the same one, and how much is free. */
import { lstat, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where an external disk hangs in macOS's folder tree; null for the disk the system is on. */
export function externalVolume(folder: string, isMac = process.platform === 'darwin'): string | null {
  return isMac ? (/^\/Volumes\/[^/]+/.exec(folder)?.[0] ?? null) : null;
}

/**
 * False when the external disk that `folder` lies on is not connected. Its mount point may still be there, as an empty
 * folder of the system's disk, and must not be filled.
 */
export async function isConnected(folder: string): Promise<boolean> {
  const volume = externalVolume(folder);
  if (volume === null) return true;
  try {
    const [itself, parent] = await Promise.all([lstat(volume), stat('/Volumes')]);
    // The system's own disk has a name below /Volumes too: a link to /.
    return itself.isSymbolicLink() || itself.dev !== parent.dev;
  } catch {
    return false;
  }
}

/** What a program without special rights may still write. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The same of a folder that may have to be made first: what counts is the disk it will be on. Null: not known. */
export async function freeBytesAt(folder: string): Promise<number | null> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      return await freeBytes(at);
    } catch {
      if (at === dirname(at)) return null;
    }
  }
}
