/**
 * How the hub is reached: proxy, folder for models, token. What the user set here comes first, then the environment,
 * then the login of the hub's own tool. The token has a file of its own that only the user may read; it is never sent
 * to a window and never logged.
 */
import { chmodSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { HubSettings } from '../../preload/contract.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { cacheFolderFrom, tokenFileFrom } from './hub/cache-layout.ts';
import type { ProxyChoice } from './hub/transport.ts';
import { parsedJson } from '../plain-data.ts';
import { folderThere } from './folder-access.ts';

export interface HubSettingsStore {
  readonly current: HubSettings;
  readonly token: string | null;
  /** The proxy for an address: the one set here, else the environment's, else what `systemProxy` says. */
  proxyFor(url: URL): Promise<ProxyChoice | null>;
  /** Throws AppFault (refused). */
  update(change: {
    readonly proxyUrl?: string | null | undefined;
    readonly cacheFolder?: string | null | undefined;
    readonly token?: string | null | undefined;
  }): HubSettings;
}

interface HubSettingsPorts {
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder?: string;
  readonly systemProxy: (url: URL) => Promise<ProxyChoice | null>;
  readonly log: Log;
}

const stored = v.object({
  proxyUrl: v.fallback(v.nullable(v.string()), null),
  cacheFolder: v.fallback(v.nullable(v.string()), null),
});
type Stored = v.InferOutput<typeof stored>;

export function openHubSettings(ports: HubSettingsPorts): HubSettingsStore {
  const { environment, homeFolder = homedir() } = ports;
  const file = join(ports.dataFolder, 'hub.json');
  const tokenFile = join(ports.dataFolder, 'hub-token');
  let settings = parse(readIfThere(file));
  let ownToken = tokenIn(tokenFile);

  const token = (): { readonly from: HubSettings['token']; readonly value: string | null } => {
    if (ownToken !== null) return { from: 'set-here', value: ownToken };
    const given = cleanToken(environment['HF_TOKEN'] ?? environment['HUGGING_FACE_HUB_TOKEN'] ?? '');
    if (given !== null) return { from: 'environment', value: given };
    const login = tokenIn(tokenFileFrom(environment, homeFolder));
    return login === null ? { from: 'none', value: null } : { from: 'hub-login', value: login };
  };

  const store: HubSettingsStore = {
    get current() {
      return {
        ...settings,
        cacheFolderInUse: settings.cacheFolder ?? cacheFolderFrom(environment, homeFolder),
        token: token().from,
      };
    },
    get token() {
      return token().value;
    },
    async proxyFor(url) {
      if (settings.proxyUrl !== null) return { HTTPS_PROXY: settings.proxyUrl };
      const named = environment['HTTPS_PROXY'] ?? environment['https_proxy'];
      if (named) return { HTTPS_PROXY: named, NO_PROXY: environment['NO_PROXY'] ?? environment['no_proxy'] };
      return ports.systemProxy(url);
    },
    update(change) {
      const next: Stored = {
        proxyUrl: change.proxyUrl === undefined ? settings.proxyUrl : checkedProxy(change.proxyUrl),
        cacheFolder: change.cacheFolder === undefined ? settings.cacheFolder : folderThere(change.cacheFolder),
      };
      const wanted = typeof change.token === 'string' ? checkedToken(change.token) : change.token;
      writeDurably(file, `${JSON.stringify(next, null, 2)}\n`);
      settings = next;
      if (wanted === null) rmSync(tokenFile, { force: true });
      if (typeof wanted === 'string') writeDurably(tokenFile, `${wanted}\n`);
      if (wanted !== undefined) {
        ownToken = wanted;
        ports.log('info', `hub: the token was ${wanted === null ? 'removed' : 'set'}`);
      }
      return store.current;
    },
  };
  if (ownToken !== null) chmodSync(tokenFile, 0o600);
  return store;
}

function parse(text: string | null): Stored {
  return parsedJson(stored, text ?? '') ?? { proxyUrl: null, cacheFolder: null };
}

/** Header values hold visible ASCII only; a token with anything else in it was copied wrongly. Null for none. */
function cleanToken(text: string): string | null {
  const token = text.trim();
  return /^[\x21-\x7e]{1,500}$/.test(token) ? token : null;
}

function tokenIn(file: string): string | null {
  try {
    return cleanToken(readIfThere(file) ?? '');
  } catch {
    // A login that cannot be read is none.
    return null;
  }
}

function checkedToken(text: string): string {
  const token = cleanToken(text);
  if (token !== null) return token;
  throw new AppFault(
    'refused',
    'This is no token.',
    'Copy it again from huggingface.co/settings/tokens: it begins with hf_.',
  );
}

function checkedProxy(text: string | null): string | null {
  if (text === null || text.trim() === '') return null;
  const url = URL.parse(text.trim());
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') {
    return url.href.replace(/\/$/, '');
  }
  throw new AppFault(
    'refused',
    'This is no address of a proxy.',
    'Write it as http://host:port, or http://name:password@host:port.',
  );
}
