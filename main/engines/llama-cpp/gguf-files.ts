/** GGUF files on this machine, wherever other tools have put them, with what their headers say. Read only. */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type GgufModel, ggufModel } from '../gguf-fit.ts';
import { readGgufHeader } from '../gguf-header.ts';

export interface GgufFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly model: GgufModel;
}

/** A tokenizer's lists stand before the tensors: gpt-oss's header has some 13 MB. */
const LARGEST_HEADER_BYTES = 64 * 1_048_576;
const FIRST_READ_BYTES = 1_048_576;
/** models--owner--name/snapshots/commit/folder/file, and no deeper. */
const MOST_DEPTH = 5;
const MOST_FILES = 500;

/** Null when it is no GGUF file, or cannot be read. */
async function readGgufFile(file: string): Promise<GgufFile | null> {
  try {
    const opened = await open(file, 'r');
    try {
      const { size } = await opened.stat();
      for (let length = FIRST_READ_BYTES; ; length *= 4) {
        const bytes = new Uint8Array(Math.min(length, size));
        const { bytesRead } = await opened.read(bytes, 0, bytes.length, 0);
        const read = readGgufHeader(bytes.subarray(0, bytesRead));
        if (read.kind === 'header') return { file, sizeBytes: size, model: ggufModel(read.header) };
        if (read.kind === 'not-gguf' || bytes.length >= size || length >= LARGEST_HEADER_BYTES) return null;
      }
    } finally {
      await opened.close();
    }
  } catch {
    return null;
  }
}

/** What can be started: no second parts, no picture projectors, no drafts of a download. */
const isModelName = (name: string): boolean => {
  if (!name.endsWith('.gguf') || /mmproj/i.test(name)) return false;
  const [, part] = /-(\d{5})-of-\d{5}\.gguf$/.exec(name) ?? [];
  return part === undefined || part === '00001';
};

/** Looks through folders; remembers files that have not changed. */
export function createGgufShelf(folders: () => readonly string[]): { list(): Promise<readonly GgufFile[]> } {
  const known = new Map<string, { readonly stamp: string; readonly found: GgufFile | null }>();
  return {
    async list() {
      const files = (await Promise.all(folders().map((folder) => below(folder, MOST_DEPTH))))
        .flat()
        .slice(0, MOST_FILES);
      const found: GgufFile[] = [];
      for (const file of new Set(files)) {
        const facts = await stat(file).catch(() => null);
        if (!facts?.isFile()) continue;
        const stamp = `${facts.size} ${facts.mtimeMs}`;
        const before = known.get(file);
        const read = before?.stamp === stamp ? before.found : await readGgufFile(file);
        known.set(file, { stamp, found: read });
        // What has tensors but no layers is a projector or an adapter.
        if (read !== null && read.model.config !== null) found.push(read);
      }
      return found.sort((a, b) => basename(a.file).localeCompare(basename(b.file)));
    },
  };
}

async function below(folder: string, depth: number): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry): Promise<readonly string[]> => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return depth > 0 && entry.name !== 'blobs' ? below(path, depth - 1) : [];
      return isModelName(entry.name) ? [path] : [];
    }),
  );
  return found.flat();
}
