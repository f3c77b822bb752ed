/** What the app in Electron reads of its command line. The rest is Chromium's and Electron's, so unknown words pass. Pure. */
import { resolve } from 'node:path';
import { portFrom } from '../../loopback.ts';

export interface ElectronArguments {
  /** `--model <folder>`: run this model instead of the chosen one. */
  readonly modelFolder: string | null;
  /** `--home <folder>`: where data lives. */
  readonly home: string | null;
  /** `--endpoint-port <number>`, null for the usual one. */
  readonly endpointPort: number | null;
  /** `--hidden`: only the icon, no window. */
  readonly isHidden: boolean;
  /** `--headless`: the endpoint alone, neither icon nor window. */
  readonly isHeadless: boolean;
  /** What cannot be meant, in words. */
  readonly wrong: string | null;
}

export function electronArguments(argv: readonly string[], workingFolder: string): ElectronArguments {
  const valueOf = (name: string): string | null => {
    const at = argv.findIndex((word) => word === name || word.startsWith(`${name}=`));
    const word = argv[at];
    if (word === undefined) return null;
    const value = word === name ? argv[at + 1] : word.slice(name.length + 1);
    return value === undefined || value === '' || value.startsWith('--') ? null : value;
  };
  const folder = (name: string): string | null => {
    const value = valueOf(name);
    return value === null ? null : resolve(workingFolder, value);
  };
  const port = valueOf('--endpoint-port');
  const endpointPort = port === null ? null : portFrom(port);
  return {
    modelFolder: folder('--model'),
    home: folder('--home'),
    endpointPort,
    isHidden: argv.includes('--hidden'),
    isHeadless: argv.includes('--headless'),
    wrong:
      port !== null && endpointPort === null ? `--endpoint-port needs a number from 0 to 65535, not "${port}".` : null,
  };
}
