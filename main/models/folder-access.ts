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
