/** What the local hub holds: repositories with files in memory or made up as they are read. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Contents {
  readonly bytes: number;
  /** From `start` up to but not including `end`. */
  slice(start: number, end: number): Buffer;
}

export interface HubFile {
  readonly contents: Contents;
  /** Kept in large-file storage: its checksum is a SHA-256, and it comes from another host. */
  readonly isLarge: boolean;
  readonly sha256: string;
  readonly gitSha1: string;
}

export interface HubRepository {
  readonly name: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
  readonly licence: string;
  /** Who may have it: anybody; those with the token; those whose account was let in, too. */
  readonly access: 'public' | 'private' | 'gated';
}

export const inMemory = (data: Buffer): Contents => ({
  bytes: data.length,
  slice: (start, end) => data.subarray(start, end),
});

/** Noise that repeats, so that gigabytes need no memory; `seed` makes each file another one. */
function noise(bytes: number, seed: number): Contents {
  const block = Buffer.alloc(2 ** 20);
  for (let at = 0, state = seed * 2654435761 + 1; at < block.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  const period = block.length;
  return {
    bytes,
    slice(start, end) {
      const stop = Math.min(end, (Math.floor(start / period) + 1) * period);
      return block.subarray(start % period, (start % period) + (stop - start));
    },
  };
}

export function hubFile(contents: Contents, isLarge: boolean): HubFile {
  const sha256 = createHash('sha256');
  const git = createHash('sha1').update(`blob ${contents.bytes}\0`);
  for (let at = 0; at < contents.bytes; ) {
    const part = contents.slice(at, contents.bytes);
    sha256.update(part);
    if (!isLarge) git.update(part);
    at += part.length;
  }
  const digest = sha256.digest('hex');
  // In git itself a large file is a pointer.
  if (isLarge) return { contents, isLarge, sha256: digest, gitSha1: gitSha1(pointer(digest, contents.bytes)) };
  return { contents, isLarge, sha256: digest, gitSha1: git.digest('hex') };
}

export const pointer = (sha256: string, bytes: number): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${bytes}\n`;

const gitSha1 = (text: string): string =>
  createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0`)
    .update(text)
    .digest('hex');

/** Same contents, same commit: nothing here depends on the time. */
export function repository(
  name: string,
  files: ReadonlyMap<string, HubFile>,
  access: HubRepository['access'] = 'public',
): HubRepository {
  const hash = createHash('sha1').update(name);
  for (const [path, file] of files) hash.update(`${path} ${file.sha256}\n`);
  return { name, commit: hash.digest('hex'), files, licence: 'apache-2.0', access };
}

/** A folder with a model, as it would be at the hub: what is binary or large goes to large-file storage. */
export function repositoryFromFolder(name: string, folder: string): HubRepository {
  const files = new Map<string, HubFile>();
  for (const path of readdirSync(folder).toSorted()) {
    const data = readFileSync(join(folder, path));
    files.set(path, hubFile(inMemory(data), path.endsWith('.safetensors') || data.length > 10 * 2 ** 20));
  }
  return repository(name, files);
}

/** What a small MLX model looks like at the hub, with what is not to be fetched beside it. */
export function smallModel(name: string, shards: readonly number[] = [300_000, 200_000, 100_000]): HubRepository {
  const files = new Map<string, HubFile>();
  const text = (path: string, words: string): void => {
    files.set(path, hubFile(inMemory(Buffer.from(words)), false));
  };
  text('.gitattributes', '*.safetensors filter=lfs diff=lfs merge=lfs -text\n');
  text('README.md', '---\nlicense: apache-2.0\n---\n# A model\n');
  text('config.json', '{"model_type": "gpt_oss"}\n');
  text('empty.json', '');
  text('chat_template.jinja', '{{ messages }}\n');
  text('modeling.py', 'import os\n');
  files.set('pytorch_model.bin', hubFile(noise(5_000, 97), true));
  files.set('tokenizer.json', hubFile(noise(50_000, 98), true));
  shards.forEach((bytes, index) => {
    const number = (n: number): string => String(n).padStart(5, '0');
    files.set(
      `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`,
      hubFile(noise(bytes, index + 1), true),
    );
  });
  return repository(name, files);
}
