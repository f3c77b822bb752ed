/** The list of files that make a model: from the hub's answer, hostile until parsed, or pinned in the app. */
import * as v from 'valibot';
import { collision, fileRole, isGguf, isWeights, nameFault } from './file-names.ts';
import { type HubFault, hostile, notMlx, oddAnswer } from './hub-fault.ts';

export interface ManifestFile {
  readonly path: string;
  readonly bytes: number;
  /** Of the contents, for what the hub keeps in large-file storage: all weights. */
  readonly sha256: string | null;
  /** Of git's blob (`blob <bytes>\0` and the contents), for the small rest. */
  readonly gitSha1: string | null;
}

export interface Manifest {
  /** `owner/name`. */
  readonly repository: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** The branch that was asked for and is now at `commit`; null when the commit itself was asked for or is pinned. */
  readonly branch: string | null;
  /** What is fetched, in the order of their paths; at least one is weights. */
  readonly files: readonly ManifestFile[];
}

/** `owner/name`. The hub knows no `--` and no `..` in names, and the cache writes the slash as `--`. */
export const isRepositoryName = (text: string): boolean =>
  /^\w(?:[\w.-]{0,94}\w)?\/\w(?:[\w.-]{0,94}\w)?$/.test(text) && !/--|\.\./.test(text);

const COMMIT = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

const MOST_FILES = 20_000;
const GiB = 2 ** 30;
/** The largest open models have a few TB in all and files of at most 50 GB (the hub's own limit). */
const MOST_WEIGHTS_FILE_BYTES = 64 * GiB;
const MOST_MODEL_BYTES = 4_096 * GiB;
/** The largest tokenizer files are around 35 MB. They are read into memory later, by others. */
const MOST_TEXT_FILE_BYTES = 256 * 2 ** 20;

/** The name of a file's blob in the cache, and what its contents are compared with. */
export const checksumOf = (file: ManifestFile): string => file.sha256 ?? file.gitSha1 ?? '';

/** Files with the same contents are fetched and kept once: one of each. */
export const distinctFiles = (files: readonly ManifestFile[]): readonly ManifestFile[] => [
  ...new Map(files.map((file) => [checksumOf(file), file])).values(),
];

export const totalBytes = ({ files }: Pick<Manifest, 'files'>): number =>
  distinctFiles(files).reduce((sum, file) => sum + file.bytes, 0);

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sibling = v.object({
  rfilename: v.pipe(v.string(), v.maxLength(4_096)),
  size: v.optional(v.nullable(size)),
  blobId: v.optional(v.nullable(v.pipe(v.string(), v.regex(COMMIT)))),
  lfs: v.optional(v.nullable(v.object({ sha256: v.pipe(v.string(), v.regex(SHA256)), size }))),
});
const answer = v.object({
  sha: v.pipe(v.string(), v.regex(COMMIT)),
  siblings: v.pipe(v.array(sibling), v.maxLength(MOST_FILES)),
});

/**
 * Reads the answer of `/api/models/{repository}/revision/{revision}?blobs=true`. Throws HubFault: hostile, not-mlx,
 * hub-answer.
 */
export function parseListing(value: unknown, repository: string, branch: string | null): Manifest {
  return listed(value, repository, branch, (path) => fileRole(path) !== 'unneeded');
}

/** The same for one GGUF file of a repository that holds several, and nothing else of it. */
export function parseGgufListing(value: unknown, repository: string, file: string): Manifest {
  return listed(value, repository, 'main', (path) => path === file && isGguf(path));
}

function listed(
  value: unknown,
  repository: string,
  branch: string | null,
  isWanted: (path: string) => boolean,
): Manifest {
  const parsed = v.safeParse(answer, value);
  if (!parsed.success) {
    const at = parsed.issues[0].path?.map((item) => String(item.key)).join('.') ?? '';
    throw oddAnswer(`the list of files cannot be read${at === '' ? '' : ` (${at.slice(0, 80)})`}`);
  }
  const { sha, siblings } = parsed.output;
  const names = siblings.map((each) => each.rfilename);
  const fault = names.map(nameFault).find((each) => each !== null) ?? collision(names);
  if (fault) throw hostile(fault);

  const files: ManifestFile[] = [];
  for (const each of siblings) {
    if (!isWanted(each.rfilename)) continue;
    const bytes = each.lfs?.size ?? each.size ?? null;
    if (bytes === null) throw oddAnswer(`${each.rfilename} has no size`);
    if (each.lfs && each.size !== undefined && each.size !== null && each.size !== each.lfs.size) {
      throw hostile(`${each.rfilename} is listed with two sizes`);
    }
    files.push({
      path: each.rfilename,
      bytes,
      sha256: each.lfs?.sha256 ?? null,
      gitSha1: each.lfs ? null : (each.blobId ?? null),
    });
  }
  return checkedManifest({ repository, commit: sha, branch, files }, names);
}

const pinned = v.object({
  repository: v.pipe(v.string(), v.check(isRepositoryName)),
  commit: v.pipe(v.string(), v.regex(COMMIT)),
  files: v.pipe(
    v.array(
      v.object({
        path: v.string(),
        bytes: size,
        sha256: v.nullable(v.pipe(v.string(), v.regex(SHA256))),
        gitSha1: v.nullable(v.pipe(v.string(), v.regex(COMMIT))),
      }),
    ),
    v.maxLength(MOST_FILES),
  ),
});

/** Reads a manifest that was written to a file: pinned in the app, or kept from an earlier listing. Throws HubFault. */
export function parseManifest(value: unknown): Manifest {
  const parsed = v.safeParse(pinned, value);
  if (!parsed.success) throw oddAnswer('the manifest cannot be read');
  const names = parsed.output.files.map((file) => file.path);
  const fault = names.map(nameFault).find((each) => each !== null) ?? collision(names);
  if (fault) throw hostile(fault);
  const unneeded = names.find((name) => fileRole(name) === 'unneeded');
  if (unneeded !== undefined) throw hostile(`it lists ${JSON.stringify(unneeded)}`);
  return checkedManifest({ ...parsed.output, branch: null }, names);
}

/** `names`: everything the repository holds, to say what it is when it is no MLX model. */
function checkedManifest(manifest: Manifest, names: readonly string[]): Manifest {
  if (!isRepositoryName(manifest.repository)) throw oddAnswer('the repository has an odd name');
  for (const file of manifest.files) {
    const areWeights = isWeights(file.path);
    if (file.bytes > (areWeights ? MOST_WEIGHTS_FILE_BYTES : MOST_TEXT_FILE_BYTES)) {
      throw hostile(`${file.path} is said to be ${(file.bytes / 1e9).toFixed(1)} GB large`);
    }
    // Git's SHA-1 is good against accidents only: what is loaded as a model has the stronger one.
    if (areWeights && file.sha256 === null) throw hostile(`${file.path} has no SHA-256 checksum`);
    if (checksumOf(file) === '') throw oddAnswer(`${file.path} has no checksum`);
  }
  if (totalBytes(manifest) > MOST_MODEL_BYTES) {
    throw hostile(`its files are said to be ${(totalBytes(manifest) / 1e12).toFixed(1)} TB together`);
  }
  const sizes = new Map<string, number>();
  for (const file of manifest.files) {
    const known = sizes.get(checksumOf(file));
    if (known !== undefined && known !== file.bytes) throw hostile(`${file.path} is listed with two sizes`);
    sizes.set(checksumOf(file), file.bytes);
  }
  const problem = whyNoModel(manifest, names);
  if (problem !== null) throw problem;
  return { ...manifest, files: manifest.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

function whyNoModel(manifest: Manifest, names: readonly string[]): HubFault | null {
  const { repository } = manifest;
  // Asked for by its name: a GGUF file has its config in itself.
  if (manifest.files.length > 0 && manifest.files.every((file) => isGguf(file.path))) return null;
  if (!manifest.files.some((file) => isWeights(file.path) && file.bytes > 0)) {
    if (names.some((name) => name.endsWith('.gguf'))) {
      return notMlx(`${repository} holds GGUF files, which llama.cpp reads and MLX does not.`);
    }
    if (names.some((name) => /\.(bin|pt|pth|ckpt)$/.test(name))) {
      return notMlx(`${repository} holds PyTorch files, which can carry programs and are never loaded here.`);
    }
    return notMlx(`${repository} holds no weights (model.safetensors).`);
  }
  return manifest.files.some((file) => file.path === 'config.json')
    ? null
    : notMlx(`${repository} has no config.json, so nobody can tell how to run it.`);
}
