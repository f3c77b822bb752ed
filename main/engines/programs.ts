/**
 * Where other engines' programs are looked for. An app started from Finder has no PATH of a shell's, so the
 * usual places are named here.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Homebrew on Apple chips, Homebrew on Intel and hand-made installs, MacPorts, the system's own. */
const USUAL_FOLDERS = ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/usr/bin'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** The first executable of this name; null when there is none. */
export function findProgram(name: string, environment: Environment, usual = USUAL_FOLDERS): string | null {
  const onPath = (environment['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  for (const folder of [...onPath, ...usual]) {
    const file = join(folder, name);
    if (isProgram(file)) return file;
  }
  return null;
}

export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(realpathSync(file)).isFile();
  } catch {
    return false;
  }
}
