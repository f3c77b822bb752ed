/** Which files of a repository are wanted, which are left out, and which make it hostile. Names come from strangers. */

/** Longest path and longest part that APFS and ext4 both take, in UTF-8 bytes. */
const LONGEST_PATH_BYTES = 512;
const LONGEST_PART_BYTES = 255;

/**
 * Control characters, and those that make a name read other than it is: bidirectional controls, zero-width characters,
 * lone surrogates.
 */
const DECEPTIVE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** Null when the name can be a file below a folder, else what is wrong with it. */
export function nameFault(path: string): string | null {
  const shown = JSON.stringify(path.slice(0, 80));
  if (path === '') return 'it lists a file without a name';
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) return `it lists a file with a very long name (${shown}…)`;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return `it lists an absolute path (${shown})`;
  if (path.includes('\\')) return `it lists a name with a backslash (${shown})`;
  if (DECEPTIVE.test(path)) return `it lists a name with hidden characters (${shown})`;
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return `it lists a path that leads elsewhere (${shown})`;
    if (Buffer.byteLength(part) > LONGEST_PART_BYTES) return `it lists a file with a very long name (${shown}…)`;
  }
  return null;
}

/** What a Mac's file system takes for the same name: case and composition of characters do not count. */
const folded = (path: string): string => path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

/** Null when all can lie in one folder tree of a Mac, else the two that cannot. */
export function collision(paths: readonly string[]): string | null {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    const key = folded(path);
    const other = files.get(key);
    if (other !== undefined) {
      return `it lists two names for one file (${JSON.stringify(other)} and ${JSON.stringify(path)})`;
    }
    files.set(key, path);
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      const known = folders.get(folded(folder));
      if (known !== undefined && known !== folder) {
        return `it lists two names for one folder (${JSON.stringify(known)} and ${JSON.stringify(folder)})`;
      }
      folders.set(folded(folder), folder);
    }
  }
  for (const [key, path] of files) {
    if (folders.has(key)) return `it lists ${JSON.stringify(path)} as a file and as a folder`;
  }
  return null;
}

/** What a model is loaded from: for MLX, or for llama.cpp where one such file was asked for by name. */
export const isWeights = (path: string): boolean => fileRole(path) === 'weights' || isGguf(path);

export const isGguf = (path: string): boolean => /^[^/.][^/]*\.gguf$/.test(path);

export type FileRole = 'weights' | 'text' | 'unneeded';

/**
 * What mlx_lm reads of a model lies in its top folder: weights, JSON, templates, vocabularies. Code and pickles are never
 * fetched, whatever they are called. Other folders hold copies for other programs (`original/`, `metal/`, `onnx/`).
 */
export function fileRole(path: string): FileRole {
  if (/^(model|weights?)[^/]*\.safetensors$/.test(path)) return 'weights';
  if (/^additional_chat_templates\/[^/]+\.jinja$/.test(path)) return 'text';
  if (path.includes('/') || path.startsWith('.')) return 'unneeded';
  if (/\.(json|jsonl|jinja|txt|model|tiktoken)$/.test(path)) return 'text';
  return /^(README|LICEN[CS]E|NOTICE|USAGE_POLICY|COPYING)(\.[A-Za-z]+)?$/.test(path) && !/\.(py|bin)$/.test(path)
    ? 'text'
    : 'unneeded';
}
