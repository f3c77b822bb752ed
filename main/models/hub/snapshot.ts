/** A model's place in the cache: made ready, completed with links, and read. */
import { lstat, mkdir, open, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ModelPaths, isPartialName, linkTarget, modelPaths, partialName } from './cache-layout.ts';
import { type Manifest, type ManifestFile, checksumOf, distinctFiles } from './manifest.ts';

const TEMPORARY = '.headroom-new';

/** How much of a model is on this machine, by names and sizes: quick, and no promise about the contents. */
export type Found =
  | { readonly kind: 'whole'; readonly folder: string }
  | { readonly kind: 'partial'; readonly haveBytes: number }
  | { readonly kind: 'absent' };

export async function findModel(cacheFolder: string, manifest: Manifest): Promise<Found> {
  const paths = modelPaths(cacheFolder, manifest.repository);
  const folder = join(paths.snapshots, manifest.commit);
  const inPlace = await Promise.all(manifest.files.map((file) => hasSize(join(folder, file.path), file.bytes)));
  if (inPlace.every(Boolean)) return { kind: 'whole', folder };
  let haveBytes = 0;
  let isBegun = false;
  for (const file of distinctFiles(manifest.files)) {
    if ((await locate(paths, manifest, file)) !== null) {
      haveBytes += file.bytes;
      isBegun = true;
      continue;
    }
    const partial = await sizeOf(join(paths.blobs, partialName(checksumOf(file))));
    if (partial === null) continue;
    haveBytes += Math.min(partial, file.bytes);
    isBegun = true;
  }
  return isBegun ? { kind: 'partial', haveBytes } : { kind: 'absent' };
}

/**
 * Where a file of the right size lies: among the blobs, or in the snapshot itself, where a tool that could not make
 * links put it. Null when nowhere.
 */
export async function locate(paths: ModelPaths, manifest: Manifest, file: ManifestFile): Promise<string | null> {
  const blob = join(paths.blobs, checksumOf(file));
  if (await hasSize(blob, file.bytes)) return blob;
  const placed = join(paths.snapshots, manifest.commit, file.path);
  return (await hasSize(placed, file.bytes)) ? placed : null;
}

/** Makes the folders, and clears what an earlier run of the app left and this one will not use. */
export async function prepareFolders(paths: ModelPaths, manifest: Manifest): Promise<void> {
  // `snapshots` from the beginning: without it other tools call the model's folder corrupted.
  for (const folder of [paths.blobs, paths.snapshots, paths.refs]) await mkdir(folder, { recursive: true });
  const wanted = new Set(manifest.files.map((file) => partialName(checksumOf(file))));
  for (const name of await readdir(paths.blobs)) {
    if (isPartialName(name) && !wanted.has(name)) await rm(join(paths.blobs, name), { force: true });
  }
  await rm(join(paths.folder, TEMPORARY), { recursive: true, force: true });
}

/**
 * Links a model whose blobs are all here. A snapshot appears at once with all of its files, or, where another tool has
 * begun it, gets those that it lacks; the branch comes last.
 */
export async function publish(paths: ModelPaths, manifest: Manifest): Promise<string> {
  await syncFolder(paths.blobs);
  const folder = join(paths.snapshots, manifest.commit);
  if ((await lstatOrNull(folder)) === null) {
    // Beside `snapshots`, so that nobody takes it for one; the links are written for where they will be.
    const made = join(paths.folder, TEMPORARY);
    for (const file of manifest.files) await link(paths, manifest, file, join(made, file.path));
    await rename(made, folder);
  } else {
    for (const file of manifest.files) await linkInPlace(paths, manifest, file);
  }
  await syncFolder(paths.snapshots);
  await writeBranch(paths, manifest);
  return folder;
}

async function link(paths: ModelPaths, manifest: Manifest, file: ManifestFile, at: string): Promise<void> {
  await mkdir(dirname(at), { recursive: true });
  await symlink(linkTarget(paths, manifest.commit, file.path, checksumOf(file)), at);
}

async function linkInPlace(paths: ModelPaths, manifest: Manifest, file: ManifestFile): Promise<void> {
  const at = join(paths.snapshots, manifest.commit, file.path);
  const target = linkTarget(paths, manifest.commit, file.path, checksumOf(file));
  const present = await lstatOrNull(at);
  if (present?.isSymbolicLink() && (await readlink(at)) === target) return;
  // No blob: the file lies here itself and was found to be right.
  if (present?.isFile() && !(await hasSize(join(paths.blobs, checksumOf(file)), file.bytes))) return;
  const made = join(paths.folder, TEMPORARY);
  await rm(made, { recursive: true, force: true });
  await symlink(target, made);
  await mkdir(dirname(at), { recursive: true });
  await rename(made, at);
}

/**
 * A branch that was asked for is where the hub says it is. Without one (a pinned commit) `main` is written only where
 * there is none: another tool may be ahead.
 */
async function writeBranch(paths: ModelPaths, manifest: Manifest): Promise<void> {
  const at = join(paths.refs, manifest.branch ?? 'main');
  if (manifest.branch === null && (await lstatOrNull(at)) !== null) return;
  const made = join(paths.folder, TEMPORARY);
  const handle = await open(made, 'w');
  try {
    await handle.writeFile(manifest.commit);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await mkdir(dirname(at), { recursive: true });
  await rename(made, at);
}

/** Names reach the disk with their folder, not with the file. Not every file system knows how. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch {
    // Then the names come when the system writes them by itself.
  } finally {
    await handle.close();
  }
}

async function lstatOrNull(path: string): Promise<Awaited<ReturnType<typeof lstat>> | null> {
  return lstat(path).catch(() => null);
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch {
    return null;
  }
}

const hasSize = async (path: string, bytes: number): Promise<boolean> => (await sizeOf(path)) === bytes;
