/** The window's files, listed once: what is not in the list does not exist, whatever the request's path says. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

export interface KnownFile {
  readonly file: string;
  readonly contentType: string;
}

/** By the path in the address, `/` for index.html. */
export type KnownFiles = ReadonlyMap<string, KnownFile>;

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Regular files of known kinds; links are left out, since they may lead anywhere. Null when there is no index.html. */
export async function listRendererFiles(folder: string): Promise<KnownFiles | null> {
  const index = await stat(join(folder, 'index.html')).catch(() => null);
  if (!index?.isFile()) return null;
  const files = new Map<string, KnownFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const contentType = contentTypes[extname(entry.name)];
    if (!entry.isFile() || contentType === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    files.set(path === '/index.html' ? '/' : path, { file, contentType });
  }
  return files;
}
