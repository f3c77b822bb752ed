/** Installs, looks at and removes the optional helper and the optional setting at boot. */
import { lstat, readFile } from 'node:fs/promises';
import type { WiredLimitHelperStatus } from '../../../preload/contract.ts';
import { AppFault } from '../../fault.ts';
import type { Commands } from '../../memory/commands.ts';
import type { Consent } from '../consent.ts';
import type { ElevationOutcome, RootShell } from '../elevator.ts';
import { clearAtBootText, installHelperText, removeHelperText, setAtBootText } from './install.ts';
import { BOOT_PLIST_PATH, HELPER_PLIST_PATH } from './plist.ts';
import { HELPER_LABEL, HELPER_PATH } from './script.ts';
import { type InstalledFile, atBootMiB, helperState } from './status.ts';

export interface Helper {
  status(): Promise<WiredLimitHelperStatus>;
  install(consent: Consent): Promise<WiredLimitHelperStatus>;
  /** Takes everything away that runs as root, the setting at boot too. */
  remove(consent: Consent): Promise<WiredLimitHelperStatus>;
  /** Off (null) unless the user turns it on. */
  setAtBoot(consent: Consent, limitMiB: number | null): Promise<WiredLimitHelperStatus>;
}

export interface HelperPorts {
  readonly commands: Commands;
  readonly rootShell: RootShell;
  readonly userId: number;
  readonly readInstalled?: HelperPlaces['readInstalled'] | undefined;
}

/** Where the helper is looked for; the Mac's own places when left out. */
export interface HelperPlaces {
  /** Null when there is no such file. */
  readonly readInstalled: (path: string) => Promise<InstalledFile | null>;
  readonly socketPath: string;
}

export function createHelper(ports: HelperPorts): Helper {
  const { commands, rootShell, userId, readInstalled = readInstalledFile } = ports;

  async function status(): Promise<WiredLimitHelperStatus> {
    const [tool, plist, bootPlist, print, disabled] = await Promise.all([
      readInstalled(HELPER_PATH),
      readInstalled(HELPER_PLIST_PATH),
      readInstalled(BOOT_PLIST_PATH),
      commands.run('launchctl', ['print', `system/${HELPER_LABEL}`]),
      commands.run('launchctl', ['print-disabled', 'system']),
    ]);
    return {
      state: helperState({ tool, plist, print, disabled: disabled.stdout, userId }),
      atBootMiB: atBootMiB(bootPlist),
      message: null,
    };
  }

  async function asRoot(
    consent: Consent,
    script: string,
    prompt: string,
    done: string,
    isAsMeant: (found: WiredLimitHelperStatus) => boolean,
  ): Promise<WiredLimitHelperStatus> {
    if (!consent.spend()) throw new AppFault('refused', 'This takes a click of its own.', 'Click again.');
    const outcome = await rootShell.run(script, prompt);
    if (outcome.kind !== 'done') throw new AppFault('refused', ...outcomeInWords(outcome));
    // The text ran to its end; whether macOS lets the daemon live is another matter.
    const found = await status();
    return { ...found, message: isAsMeant(found) ? done : NOT_AS_MEANT };
  }

  return {
    status,
    install: (consent) =>
      asRoot(
        consent,
        installHelperText(userId),
        'Headroom installs a small helper that sets the GPU’s wired limit, and nothing else, without asking each time.',
        'From now on Headroom sets the limit without asking for the password.',
        ({ state }) => state.kind === 'installed',
      ),
    remove: (consent) =>
      asRoot(
        consent,
        removeHelperText(),
        'Headroom removes its helper.',
        'The helper is gone. macOS asks for the password again at every change.',
        ({ state, atBootMiB }) => state.kind === 'not-installed' && atBootMiB === null,
      ),
    setAtBoot: (consent, limitMiB) =>
      limitMiB === null
        ? asRoot(
            consent,
            clearAtBootText(),
            'Headroom no longer sets the GPU’s wired limit when the Mac starts.',
            'The limit is macOS’s own choice again after the next start of the Mac.',
            (found) => found.atBootMiB === null,
          )
        : asRoot(
            consent,
            setAtBootText(limitMiB),
            `Headroom sets the GPU’s wired limit to ${limitMiB} MiB whenever the Mac starts.`,
            'The limit is set whenever the Mac starts.',
            (found) => found.atBootMiB === limitMiB,
          ),
  };
}

const NOT_AS_MEANT =
  'It ran, but macOS did not take it over. Look in System Settings › General › Login Items, then try again.';

function outcomeInWords(outcome: Exclude<ElevationOutcome, { kind: 'done' }>): [message: string, nextStep: string] {
  switch (outcome.kind) {
    case 'cancelled':
      return ['You cancelled. Nothing was changed.', 'Try again when you like.'];
    case 'wrong-password':
      return ['macOS did not accept the password. Nothing was changed.', 'Try again.'];
    case 'not-admin':
      return ['Only an administrator of this Mac may do this.', 'Try again with an administrator’s name and password.'];
    case 'refused':
      return [`It did not work: ${outcome.detail}`, 'Restart the Mac and try again.'];
    case 'unavailable':
      return [
        `macOS cannot ask for a password here (${outcome.detail}).`,
        'Do this at the Mac itself, not over the network.',
      ];
  }
}

/** No installed file is larger; one that is, is not ours. */
const MOST_FILE_BYTES = 65_536;

export async function readInstalledFile(path: string): Promise<InstalledFile | null> {
  try {
    const { uid, mode, size } = await lstat(path);
    const isPlainFile = (mode & 0o170000) === 0o100000 && size <= MOST_FILE_BYTES;
    const text = isPlainFile ? await readFile(path, 'utf8') : '';
    return { text, ownerId: uid, mode: mode & 0o7777, isPlainFile };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    // It is there, and even looking at it is forbidden: not as we installed it.
    return { text: '', ownerId: -1, mode: 0, isPlainFile: false };
  }
}
