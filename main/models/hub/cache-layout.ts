/**
 * Where the Hugging Face cache lies and how a model lies in it, so that every tool built on huggingface_hub finds what
 * the app fetched and the app finds what they did:
 *
 *   <cache>/models--owner--name/blobs/<checksum>                  the contents
 *                               snapshots/<commit>/<path>         relative links to blobs
 *                               refs/main                         the commit, without a line's end
 */
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** As Python's expandvars and expanduser do, which huggingface_hub puts around these settings. */
function expanded(path: string, env: Environment, home: string): string {
  const atHome = path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
  return atHome.replace(/\$(\w+|\{[^}]*\})/g, (all, name: string) => env[name.replace(/^\{(.*)\}$/, '$1')] ?? all);
}

/** `HF_HOME`, else `XDG_CACHE_HOME/huggingface`, else `~/.cache/huggingface`. */
function hubHome(env: Environment, home: string): string {
  // huggingface_hub takes an empty XDG_CACHE_HOME literally, which makes the path relative: nobody means that.
  const xdg = env['XDG_CACHE_HOME'] || join(home, '.cache');
  return expanded(env['HF_HOME'] || join(xdg, 'huggingface'), env, home);
}

/** The folder that holds `models--…`. */
export function cacheFolderFrom(env: Environment, home = homedir()): string {
  const named = env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'];
  return named ? expanded(named, env, home) : join(hubHome(env, home), 'hub');
}

/** Where the login of the hub's own tool keeps its token. */
export function tokenFileFrom(env: Environment, home = homedir()): string {
  const named = env['HF_TOKEN_PATH'];
  return named ? expanded(named, env, home) : join(hubHome(env, home), 'token');
}

export interface ModelPaths {
  /** `<cache>/models--owner--name`: nothing outside it is ever written or removed, but for the lock. */
  readonly folder: string;
  readonly blobs: string;
  readonly snapshots: string;
  readonly refs: string;
  /** Where a writer says that it is one; huggingface_hub keeps its own lock files beside. */
  readonly locks: string;
}

export function modelPaths(cacheFolder: string, repository: string): ModelPaths {
  const name = `models--${repository.replace('/', '--')}`;
  const folder = join(cacheFolder, name);
  return {
    folder,
    blobs: join(folder, 'blobs'),
    snapshots: join(folder, 'snapshots'),
    refs: join(folder, 'refs'),
    locks: join(cacheFolder, '.locks', name),
  };
}

/** `models--owner--name` → `owner/name`; null for anything else. A model of the hub's early days has no owner. */
export function repositoryOf(folderName: string): string | null {
  const match = /^models--([\w.-]+?)--([\w.-]+)$/.exec(folderName);
  return match ? `${match[1]}/${match[2]}` : null;
}

/**
 * A file on its way. Older versions of huggingface_hub continue `<checksum>.incomplete` themselves and newer ones write
 * `<checksum>.<random>.incomplete`; the middle part keeps them out of ours, and the ending lets their cleaning find it.
 */
export const partialName = (checksum: string): string => `${checksum}.headroom.incomplete`;
export const isPartialName = (name: string): boolean => /^[0-9a-f]{40,64}\.headroom\.incomplete$/.test(name);

/** What the link at `snapshots/<commit>/<path>` says. */
export function linkTarget(paths: ModelPaths, commit: string, path: string, checksum: string): string {
  return relative(dirname(join(paths.snapshots, commit, path)), join(paths.blobs, checksum));
}
