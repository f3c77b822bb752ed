/** Where conversations, settings, the endpoint's key and logs live. */
import { isAbsolute, join, resolve } from 'node:path';

export interface FolderSurroundings {
  readonly platform: string;
  readonly homeFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** `--home <folder>`, when given. */
  readonly argument?: string | null;
}

/**
 * `--home`, else `HEADROOM_HOME`, else the platform's application-data folder. Electron's own `userData` is not used:
 * both hosts must find the same folder, and one of them has no Electron.
 */
export function dataFolder(from: FolderSurroundings): string {
  const chosen = from.argument || from.environment['HEADROOM_HOME'];
  if (chosen) return resolve(from.workingFolder, chosen);
  if (from.platform === 'darwin') return join(from.homeFolder, 'Library', 'Application Support', 'Headroom');
  const shared = from.environment['XDG_DATA_HOME'];
  // The XDG specification: a relative path here is invalid and is to be ignored.
  const base = shared && isAbsolute(shared) ? shared : join(from.homeFolder, '.local', 'share');
  return join(base, 'headroom');
}
