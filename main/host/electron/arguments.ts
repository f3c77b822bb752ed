/** What the menu-bar app reads of its command line. The rest is Chromium's and Electron's, so unknown words pass. Pure. */
import { resolve } from 'node:path';

export interface MenuBarArguments {
  /** `--model <folder>`: run this model instead of the chosen one. */
  readonly modelFolder: string | null;
  /** `--home <folder>`: where data lives. */
  readonly home: string | null;
  /** `--hidden`: only the icon, no window. */
  readonly isHidden: boolean;
}

export function menuBarArguments(argv: readonly string[], workingFolder: string): MenuBarArguments {
  const valueOf = (name: string): string | null => {
    const at = argv.findIndex((word) => word === name || word.startsWith(`${name}=`));
    const word = argv[at];
    if (word === undefined) return null;
    const value = word === name ? argv[at + 1] : word.slice(name.length + 1);
    return value === undefined || value === '' || value.startsWith('--') ? null : resolve(workingFolder, value);
  };
  return { modelFolder: valueOf('--model'), home: valueOf('--home'), isHidden: argv.includes('--hidden') };
}
