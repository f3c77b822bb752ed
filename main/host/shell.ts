/** What surrounds the page, as far as services and windows may ask about it: each host has its own. */
import type { AppState } from '../../preload/contract.ts';

export interface PathAsked {
  readonly what: 'folder' | 'file';
  /** Where the dialog opens; null for where the system thinks fit. */
  readonly startAt: string | null;
}

export interface Shell {
  /** `popover`: under the icon, gone on blur. `window`: a normal one. `page`: in somebody's browser. */
  windowForm(): AppState['windowForm'];
  /** From the popover into a normal window, or back. */
  detach(isDetached: boolean): void;
  /** A file dialog of the page's is open, or no longer: the popover stays on blur meanwhile. */
  keepOpen(isOpen: boolean): void;
  /**
   * The system's dialog for a folder or a file, over the window, which stays meanwhile: an absolute path, null when it
   * was dismissed. Null instead of a function: this host has no dialog.
   */
  readonly choosePath: ((asked: PathAsked) => Promise<string | null>) | null;
  hideWindow(): void;
  /** Takes the shortcut that opens the window from anywhere, in place of the one before; null gives it up. */
  takeShortcut(accelerator: string | null): 'taken-over' | 'in-use' | 'not-a-shortcut';
  /** Null where the system has no such thing. */
  opensAtLogin(): boolean | null;
  setOpensAtLogin(opens: boolean): void;
}

/** For hosts without a window of their own. */
export const pageShell: Shell = {
  windowForm: () => 'page',
  detach: () => {},
  keepOpen: () => {},
  choosePath: null,
  hideWindow: () => {},
  takeShortcut: (accelerator) => (accelerator === null ? 'taken-over' : 'not-a-shortcut'),
  opensAtLogin: () => null,
  setOpensAtLogin: () => {},
};
