/**
 * Where other engines' programs and servers are looked for. An app started from Finder has no PATH of a shell's, so the
 * usual places are named here. Only servers on this machine are asked.
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

/**
 * The address of a server on this machine, or null: `127.0.0.1:11434`, `http://localhost:11434/`, `:11434`. `0.0.0.0`,
 * as servers are told to listen, is asked at 127.0.0.1. Anything farther away is not asked: chats stay on this machine.
 */
export function localAddress(text: string | undefined, usualPort: number): string | null {
  const trimmed = (text ?? '').trim();
  if (trimmed === '') return `http://127.0.0.1:${usualPort}`;
  const withScheme = /^[a-z]+:\/\//i.test(trimmed)
    ? trimmed
    : `http://${trimmed.startsWith(':') ? '127.0.0.1' : ''}${trimmed}`;
  if (!URL.canParse(withScheme)) return null;
  const { protocol, hostname, port } = new URL(withScheme);
  if (protocol !== 'http:') return null;
  const host = hostname === '0.0.0.0' || hostname === '[::]' || hostname === 'localhost' ? '127.0.0.1' : hostname;
  if (!/^127\.\d+\.\d+\.\d+$/.test(host) && host !== '[::1]') return null;
  return `http://${host}:${port === '' ? usualPort : port}`;
}
