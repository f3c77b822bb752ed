import { statSync } from 'node:fs';
import { AppFault } from '../fault.ts';

/** For a folder that macOS, or its owner, does not let the app look into; null when the error says something else. */
export function noAccessTo(folder: string, error: unknown): AppFault | null {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPERM' || code === 'EACCES'
    ? new AppFault(
        'refused',
        `Headroom may not look into ${folder}.`,
        'Allow it under System Settings › Privacy & Security › Files & Folders, or choose another folder.',
      )
    : null;
}

/** The folder itself, or null for none. Throws AppFault (refused) where there is none that may be looked into. */
export function folderThere(folder: string | null): string | null {
  if (folder === null) return null;
  try {
    if (statSync(folder).isDirectory()) return folder;
  } catch (error) {
    const closed = noAccessTo(folder, error);
    if (closed !== null) throw closed;
  }
  throw new AppFault('refused', `There is no folder ${folder}.`, 'Make it first, or choose another one.');
}
