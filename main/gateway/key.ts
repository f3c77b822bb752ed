/** The endpoint's default key: one file in the data folder that only its owner can read. */
import {
  chmodSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  closeSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log/log.ts';
import { newSecret } from '../secret.ts';

export const KEY_FILE = 'endpoint-key';
const keyForm = /^hr-[\w-]{43}$/;

type Found =
  | { readonly kind: 'key'; readonly key: string; readonly isPrivate: boolean }
  | { readonly kind: 'missing' | 'damaged' };

/**
 * The key, `hr-` and 43 characters, made at first use. Rights that let others read the file are taken back; a file that
 * holds no key is replaced, with a note in the log, because programs that were given the old key must be told.
 * Throws the file system's error when the folder cannot be written.
 */
export function openDefaultKey(folder: string, log: Log): string {
  const file = join(folder, KEY_FILE);
  const found = readKey(file);
  if (found.kind === 'key') {
    if (!found.isPrivate) {
      chmodSync(file, 0o600);
      log('warn', `other users could read ${KEY_FILE}; now only you can. Delete the file to get a new key.`);
    }
    return found.key;
  }
  if (found.kind === 'damaged') {
    rmSync(file, { recursive: true, force: true });
    log('warn', `${KEY_FILE} held no key and was replaced: programs that use the endpoint need the new one`);
  }
  const made = `hr-${newSecret()}`;
  return placeKey(file, made) ? made : openDefaultKey(folder, log);
}

function readKey(file: string): Found {
  try {
    if (!lstatSync(file).isFile()) return { kind: 'damaged' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'missing' };
    throw error;
  }
  // Not through a link that took the file's place since.
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const facts = fstatSync(handle);
    const isOwn = facts.uid === process.getuid?.();
    const key = facts.size > 200 ? '' : readFileSync(handle, 'utf8').trim();
    if (!isOwn || !keyForm.test(key)) return { kind: 'damaged' };
    return { kind: 'key', key, isPrivate: (facts.mode & 0o077) === 0 };
  } finally {
    closeSync(handle);
  }
}

/** Whole or not at all: written beside, then linked into place, which fails when another app was quicker. */
function placeKey(file: string, key: string): boolean {
  const beside = `${file}.${newSecret().slice(0, 8)}`;
  writeFileSync(beside, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(beside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}
