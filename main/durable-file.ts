/** Small files that must never be half written: settings, lists, what was measured. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Write beside, sync, rename: a crash leaves the old file or the new one, never half of one. Only the user may read it. */
export function writeDurably(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.new`;
  const handle = openSync(beside, 'w', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
}

/** Null when there is no such file. */
export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** What the file says, or null. One that cannot be understood is kept as `.damaged`, and `onDamage` is told. */
export function readKeptAside<T>(
  file: string,
  parse: (text: string) => T | null,
  onDamage: (movedTo: string) => void,
): T | null {
  const text = readIfThere(file);
  const parsed = text === null ? null : parse(text);
  if (text !== null && parsed === null) {
    renameSync(file, `${file}.damaged`);
    onDamage(`${file}.damaged`);
  }
  return parsed;
}
