/**
 * Which Electron can run here. A current one (ELECTRON_OVERRIDE_DIST_PATH, or what the electron package has unpacked)
 * comes first; else the test Electron that `fetch-electron.ts` keeps in a cache folder.
 *
 * The electron package itself is never imported: from plain Node, doing so starts a download.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** Where the test Electron lies once fetched. */
export const TEST_ELECTRON_FOLDER =
  process.env['HEADROOM_TEST_ELECTRON'] ?? join(REPOSITORY, 'node_modules', '.cache', 'headroom-electron');

export const TEST_ELECTRON_VERSION = '22.3.25';

export interface ElectronAtHand {
  readonly executable: string;
  /** The folder electron-builder takes as `electronDist`. */
  readonly distFolder: string;
  readonly version: string;
  readonly origin: 'installed' | 'test';
}

function executableIn(distFolder: string): string {
  return process.platform === 'darwin'
    ? join(distFolder, 'Electron.app', 'Contents', 'MacOS', 'Electron')
    : join(distFolder, 'electron');
}

function inFolder(distFolder: string, origin: ElectronAtHand['origin']): ElectronAtHand | null {
  const executable = executableIn(distFolder);
  const versionFile = join(distFolder, 'version');
  if (!existsSync(executable) || !existsSync(versionFile)) return null;
  return { executable, distFolder, version: readFileSync(versionFile, 'utf8').trim().replace(/^v/, ''), origin };
}

export function electronAtHand(): ElectronAtHand | null {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  return (
    (override === undefined ? null : inFolder(override, 'installed')) ??
    inFolder(join(REPOSITORY, 'node_modules', 'electron', 'dist'), 'installed') ??
    inFolder(join(TEST_ELECTRON_FOLDER, 'dist'), 'test')
  );
}

/** Electron's major version decides how far the test build lowers the syntax. */
export function majorVersion(electron: ElectronAtHand): number {
  return Number.parseInt(electron.version, 10);
}
