/** What lies in the cache, whoever put it there, and taking it away. Links are read, never followed for removing. */
import { lstat, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { type ModelPaths, isPartialName, modelPaths, partialName, repositoryOf } from './cache-layout.ts';
import { diskFault } from './hub-fault.ts';
import { lockModel } from './model-lock.ts';
import { type Manifest, checksumOf, distinctFiles } from './manifest.ts';

export interface CachedSnapshot {
  readonly repository: string;
  readonly commit: string;
  readonly folder: string;
  /** Branches and tags that are at this commit. */
  readonly refs: readonly string[];
  /** Paths below `folder` with their sizes; what is only a broken link is left out. */
  readonly files: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** Every snapshot of every model in the cache. What cannot be read is left out; nothing is changed. */
export async function cachedSnapshots(cacheFolder: string): Promise<readonly CachedSnapshot[]> {
  const found: CachedSnapshot[] = [];
  for (const name of await names(cacheFolder)) {
    const repository = repositoryOf(name);
    if (repository !== null) found.push(...(await snapshotsOf(modelPaths(cacheFolder, repository), repository)));
  }
  return found;
}

async function snapshotsOf(paths: ModelPaths, repository: string): Promise<readonly CachedSnapshot[]> {
  const refs = await readRefs(paths.refs);
  const found: CachedSnapshot[] = [];
  for (const commit of await names(paths.snapshots)) {
    if (!/^[0-9a-f]{40}$/.test(commit)) continue;
    const folder = join(paths.snapshots, commit);
    const files = new Map<string, number>();
    const blobs = new Map<string, number>();
    for (const path of await filesBelow(folder)) {
      const target = await stat(join(folder, path)).catch(() => null);
      if (!target?.isFile()) continue;
      files.set(path, target.size);
      blobs.set(`${target.dev}:${target.ino}`, target.size);
    }
    const bytes = [...blobs.values()].reduce((sum, size) => sum + size, 0);
    found.push({ repository, commit, folder, refs: refs.get(commit) ?? [], files, bytes });
  }
  return found;
}

async function readRefs(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const refs = new Map<string, string[]>();
  for (const name of await filesBelow(folder)) {
    const commit = (await readFile(join(folder, name), 'utf8').catch(() => '')).trim();
    refs.set(commit, [...(refs.get(commit) ?? []), name]);
  }
  return refs;
}

/** Removes a model with all of its versions. Returns what that frees; throws HubFault while somebody downloads it. */
export async function deleteModel(cacheFolder: string, repository: string): Promise<number> {
  const paths = modelPaths(cacheFolder, repository);
  return whileLocked(paths, cacheFolder, async () => {
    const freed = await bytesBelow(paths.folder);
    await rm(paths.folder, { recursive: true, force: true });
    return freed;
  });
}

/** Removes one version, and of the blobs those that no other version links to. The last one takes the folder along. */
export async function deleteSnapshot(cacheFolder: string, repository: string, commit: string): Promise<number> {
  const paths = modelPaths(cacheFolder, repository);
  return whileLocked(paths, cacheFolder, async () => {
    const before = await bytesBelow(paths.folder);
    for (const [at, refs] of await readRefs(paths.refs)) {
      if (at === commit) for (const ref of refs) await rm(join(paths.refs, ref), { force: true });
    }
    const own = await linkedBlobs(paths, [commit]);
    await rm(join(paths.snapshots, commit), { recursive: true, force: true });
    const kept = await linkedBlobs(paths, await names(paths.snapshots));
    for (const blob of own) if (!kept.has(blob)) await rm(join(paths.blobs, blob), { force: true });
    await removeIfEmpty(paths);
    return before - (await bytesBelow(paths.folder));
  });
}

/** Ends a download for good: what was fetched for it goes, what a snapshot uses stays. Returns what that frees. */
export async function discardDownload(cacheFolder: string, manifest: Manifest): Promise<number> {
  const paths = modelPaths(cacheFolder, manifest.repository);
  return whileLocked(paths, cacheFolder, async () => {
    const before = await bytesBelow(paths.folder);
    const kept = await linkedBlobs(paths, await names(paths.snapshots));
    for (const file of distinctFiles(manifest.files)) {
      await rm(join(paths.blobs, partialName(checksumOf(file))), { force: true });
      if (!kept.has(checksumOf(file))) await rm(join(paths.blobs, checksumOf(file)), { force: true });
    }
    await removeIfEmpty(paths);
    return before - (await bytesBelow(paths.folder));
  });
}

async function removeIfEmpty(paths: ModelPaths): Promise<void> {
  const rest = [
    ...(await names(paths.snapshots)),
    ...(await names(paths.blobs)).filter((name) => !isPartialName(name)),
  ];
  if (rest.length === 0) await rm(paths.folder, { recursive: true, force: true });
}

/** Names in `blobs` that links of these snapshots lead to. */
async function linkedBlobs(paths: ModelPaths, commits: readonly string[]): Promise<ReadonlySet<string>> {
  const blobs = new Set<string>();
  for (const commit of commits) {
    const folder = join(paths.snapshots, commit);
    for (const path of await filesBelow(folder)) {
      const target = await readlink(join(folder, path)).catch(() => null);
      if (target === null) continue;
      const name = relative(paths.blobs, resolve(join(folder, path), '..', target));
      // A link that leads out of the model's folder names nothing of ours.
      if (name !== '' && !name.startsWith('..') && !name.includes(sep)) blobs.add(name);
    }
  }
  return blobs;
}

async function whileLocked(paths: ModelPaths, cacheFolder: string, work: () => Promise<number>): Promise<number> {
  try {
    const lock = await lockModel(paths);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw diskFault(error, cacheFolder);
  }
}

/** What removing a folder frees: files once each, however many names they have; links for what they are. */
async function bytesBelow(folder: string): Promise<number> {
  const sizes = new Map<string, number>();
  for (const path of await filesBelow(folder)) {
    const found = await lstat(join(folder, path)).catch(() => null);
    if (found?.isFile()) sizes.set(`${found.dev}:${found.ino}`, found.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Relative paths of everything that is no folder. A link to a folder is a name like any other. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
