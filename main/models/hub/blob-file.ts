/** One file's contents on disk: as far as they are here, hashed as they come, and complete only when the hash is right. */
import { type FileHandle, constants, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { partialName } from './cache-layout.ts';
import { contentHash } from './hub.ts';
import { type ManifestFile, checksumOf } from './manifest.ts';

/** Large enough for the disk's full speed, small enough that nobody waits for one hash. */
const READ_BYTES = 2 ** 20;

/** Reads a file and compares it with its checksum. `onBytes` hears how much more was read. False also when it is not there. */
export async function matches(
  path: string,
  file: ManifestFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<boolean> {
  const handle = await openOrNull(path);
  if (handle === null) return false;
  try {
    if ((await handle.stat()).size !== file.bytes) return false;
    const hash = contentHash(file);
    await feed(handle, file.bytes, signal, (part) => {
      hash.update(part);
      onBytes(part.length);
    });
    return hash.digest('hex') === checksumOf(file);
  } finally {
    await handle.close();
  }
}

/** A file on its way into `blobs`. Between two calls the bytes before `position` are on disk and in the hash. */
export interface PartialFile {
  readonly position: number;
  /** Appends; throws what the disk throws, and can then only be closed. */
  append(part: Uint8Array): Promise<void>;
  /** Throws everything away: what is here cannot be continued. */
  restart(): Promise<void>;
  /**
   * With all bytes here: true when they are right, and then the blob is in its place and durable; false when they are
   * not, and then nothing of them is kept.
   */
  complete(): Promise<boolean>;
  close(): Promise<void>;
}

/** Continues what an earlier run left, hashing it anew, or begins. */
export async function openPartial(
  blobs: string,
  file: ManifestFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<PartialFile> {
  const path = join(blobs, partialName(checksumOf(file)));
  // Made if absent, never emptied, and no link followed out of the folder.
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW);
  let hash = contentHash(file);
  let position = 0;
  const restart = async (): Promise<void> => {
    await handle.truncate(0);
    hash = contentHash(file);
    position = 0;
  };
  try {
    const { size } = await handle.stat();
    if (size > file.bytes) await restart();
    else {
      await feed(handle, size, signal, (part) => {
        hash.update(part);
        onBytes(part.length);
      });
      position = size;
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    get position() {
      return position;
    },
    async append(part) {
      const written = writeAll(handle, part, position);
      // While the disk is busy with it.
      hash.update(part);
      await written;
      position += part.length;
    },
    restart,
    async complete() {
      if (hash.copy().digest('hex') !== checksumOf(file)) {
        await restart();
        return false;
      }
      // What a full disk left behind the last byte.
      await handle.truncate(position);
      await handle.sync();
      await rename(path, join(blobs, checksumOf(file)));
      return true;
    },
    close: () => handle.close(),
  };
}

/** How much of a file an earlier run left. */
export async function partialBytes(blobs: string, file: ManifestFile): Promise<number> {
  try {
    const { size } = await stat(join(blobs, partialName(checksumOf(file))));
    return size > file.bytes ? 0 : size;
  } catch {
    return 0;
  }
}

/** A full disk takes a part of it and says so only with the next write. */
async function writeAll(handle: FileHandle, part: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < part.length; ) {
    done += (await handle.write(part, done, part.length - done, position + done)).bytesWritten;
  }
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}

async function feed(
  handle: FileHandle,
  bytes: number,
  signal: AbortSignal,
  take: (part: Uint8Array) => void,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(bytes, 1)));
  for (let position = 0; position < bytes; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - position), position);
    if (bytesRead === 0) throw new Error('a file became shorter while it was read');
    take(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}
