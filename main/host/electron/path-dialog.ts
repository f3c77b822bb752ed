/** The system's dialog for a folder or a file: a sheet of the window, so that it is never behind it. */
import { type BrowserWindow, dialog, type OpenDialogOptions } from 'electron';
import { AppFault } from '../../fault.ts';
import type { PathAsked } from '../shell.ts';

/** One dialog at a time. */
export function pathDialog(
  owner: () => BrowserWindow | null,
  keepOpenWhile: <T>(dialog: Promise<T>) => Promise<T>,
): (asked: PathAsked) => Promise<string | null> {
  let isOpen = false;
  return async (asked) => {
    // Whoever asks twice has lost sight of the first one.
    if (isOpen) throw new AppFault('refused', 'A dialog is open already.', 'Answer it first.');
    isOpen = true;
    try {
      const options = dialogOptions(asked);
      const window = owner();
      const chosen = await keepOpenWhile(
        window === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(window, options),
      );
      return chosen.canceled ? null : (chosen.filePaths[0] ?? null);
    } finally {
      isOpen = false;
    }
  };
}

function dialogOptions({ what, startAt }: PathAsked): OpenDialogOptions {
  return {
    // Programs mostly lie in places that the Finder hides.
    properties: what === 'folder' ? ['openDirectory', 'createDirectory'] : ['openFile', 'showHiddenFiles'],
    buttonLabel: 'Choose',
    ...(startAt === null ? {} : { defaultPath: startAt }),
  };
}
