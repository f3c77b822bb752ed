/** What is installed of the helper. Pure: from what its files and launchctl say. */
import type { WiredLimitHelperState } from '../../../preload/contract.ts';
import { KNOB } from '../command.ts';
import { helperPlist } from './plist.ts';
import { HELPER_LABEL, HELPER_SCRIPT, HELPER_VERSION } from './script.ts';

/** A file as anybody can see it. */
export interface InstalledFile {
  readonly text: string;
  readonly ownerId: number;
  /** Permission bits. */
  readonly mode: number;
  /** A link or a folder is not what we installed. */
  readonly isPlainFile: boolean;
}

export interface HelperSigns {
  readonly tool: InstalledFile | null;
  readonly plist: InstalledFile | null;
  /** `launchctl print system/<label>`: exit status and stdout. */
  readonly print: { readonly code: number | null; readonly stdout: string };
  /** `launchctl print-disabled system`, stdout. */
  readonly disabled: string;
  readonly userId: number;
}

export function helperState(signs: HelperSigns): WiredLimitHelperState {
  const { tool, plist, print, disabled, userId } = signs;
  if (tool === null && plist === null) return { kind: 'not-installed' };
  // One without the other: an installation that was broken off, or half removed.
  if (tool === null || plist === null) {
    return { kind: 'outdated', foundVersion: tool === null ? null : versionIn(tool.text) };
  }
  const why = whyUnsafe('its program', tool) ?? whyUnsafe('its launchd file', plist);
  if (why !== null) return { kind: 'unsafe', why };
  const ownerId = socketOwnerIn(plist.text);
  if (ownerId !== null && ownerId !== userId) return { kind: 'other-user', userId: ownerId };
  if (tool.text !== HELPER_SCRIPT || plist.text !== helperPlist(userId)) {
    return { kind: 'outdated', foundVersion: versionIn(tool.text) };
  }
  // The switch in Login Items makes launchd forget the service; its files stay where they are.
  if (isDisabled(disabled, HELPER_LABEL) || print.code !== 0) return { kind: 'switched-off' };
  return { kind: 'installed', version: HELPER_VERSION };
}

/** The limit that the boot-time daemon sets, null when there is none or it is not ours. */
export function atBootMiB(plist: InstalledFile | null): number | null {
  if (plist === null || whyUnsafe('', plist) !== null) return null;
  const [, limit] = new RegExp(`<string>${KNOB.replaceAll('.', '\\.')}=(\\d{1,7})</string>`).exec(plist.text) ?? [];
  return limit === undefined ? null : Number(limit);
}

const WRITABLE_BY_OTHERS = 0o022;

function whyUnsafe(what: string, file: InstalledFile): string | null {
  if (!file.isPlainFile) return `${what} is not a plain file`;
  if (file.ownerId !== 0) return `${what} does not belong to root`;
  return (file.mode & WRITABLE_BY_OTHERS) === 0 ? null : `${what} can be changed by others`;
}

function versionIn(text: string): number | null {
  const [, version] = /^# version (\d{1,6})$/m.exec(text) ?? [];
  return version === undefined ? null : Number(version);
}

function socketOwnerIn(text: string): number | null {
  const [, owner] = /<key>SockPathOwner<\/key>\s*<integer>(\d{1,10})<\/integer>/.exec(text) ?? [];
  return owner === undefined ? null : Number(owner);
}

/** `"label" => disabled` since macOS 13, `"label" => true` before. */
const isDisabled = (listing: string, label: string): boolean =>
  listing.split('\n').some((line) => {
    const [, name, value] = /^\s*"([^"]+)" => (\w+)/.exec(line) ?? [];
    return name === label && (value === 'disabled' || value === 'true');
  });
