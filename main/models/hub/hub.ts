/** What the app asks the hub: a repository's files, and a file's contents from a byte on. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { HubFault, changedAtSource, connectionFault, oddAnswer, stalled, statusFault } from './hub-fault.ts';
import {
  type Manifest,
  type ManifestFile,
  checksumOf,
  isRepositoryName,
  parseGgufListing,
  parseListing,
} from './manifest.ts';
import { nextHop } from './redirects.ts';
import type { Transport, TransportResponse } from './transport.ts';

export const HUB_URL = 'https://huggingface.co';

export interface Hub {
  /** `https:`, or `http:` on this machine: a local mirror or a test. */
  readonly url: URL;
  /** Sent to the hub's own origin alone. */
  readonly token: string | null;
  readonly transport: Transport;
  /** How long a list or a small file may take; a minute if left out. */
  readonly patienceMs?: number;
}

export interface Listing {
  readonly manifest: Manifest;
  /** As the model's card names it (`apache-2.0`); null when it does not. */
  readonly licence: string | null;
}

/** gpt-oss-20b's answer has 20 kB; one with the most files accepted stays below this. */
const MOST_LISTING_BYTES = 8 * 2 ** 20;
const MOST_REDIRECTS = 6;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Asks for a repository's files at `revision`: a branch, or a commit. Throws HubFault. */
export async function listRepository(
  hub: Hub,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<Listing> {
  const value = await askForList(hub, repository, revision, signal);
  const branch = /^[0-9a-f]{40}$/.test(revision) ? null : revision;
  return { manifest: parseListing(value, repository, branch), licence: licenceOf(value) };
}

/** One GGUF file of a repository, as it is now. Throws HubFault. */
export async function listGguf(hub: Hub, repository: string, file: string, signal: AbortSignal): Promise<Manifest> {
  return parseGgufListing(await askForList(hub, repository, 'main', signal), repository, file);
}

async function askForList(hub: Hub, repository: string, revision: string, signal: AbortSignal): Promise<unknown> {
  if (!isRepositoryName(repository)) throw oddAnswer('the repository has an odd name');
  const at = new URL(`/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`, hub.url);
  const bytes = await patiently(hub, signal, async (both) => {
    const { response } = await ask(hub, at, repository, {}, both);
    return readCapped(response, MOST_LISTING_BYTES, at.host);
  });
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw oddAnswer('the list of files is no JSON');
  }
}

const card = v.object({ cardData: v.object({ license: v.pipe(v.string(), v.regex(/^[\w.+ -]{1,60}$/)) }) });

function licenceOf(listing: unknown): string | null {
  const parsed = v.safeParse(card, listing);
  return parsed.success ? parsed.output.cardData.license : null;
}

/** A small file as it is at the hub, compared with its checksum: to know a model's config before it is here. */
export async function readSmallFile(
  hub: Hub,
  manifest: Manifest,
  file: ManifestFile,
  mostBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (file.bytes > mostBytes) throw oddAnswer(`${file.path} is too large`);
  const bytes = await patiently(hub, signal, async (both) =>
    readCapped(await openFile(hub, manifest, file, 0, both), file.bytes, hub.url.host),
  );
  const hash = contentHash(file);
  if (hash.update(bytes).digest('hex') !== checksumOf(file)) throw changedAtSource(file.path);
  return bytes;
}

const PATIENCE_MS = 60_000;

/** Throws HubFault (stalled) when it takes too long: a connection may stay open and silent for ever. */
async function patiently<T>(hub: Hub, signal: AbortSignal, work: (both: AbortSignal) => Promise<T>): Promise<T> {
  const patienceMs = hub.patienceMs ?? PATIENCE_MS;
  const late = AbortSignal.timeout(patienceMs);
  try {
    return await work(AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    throw late.aborted ? stalled(Math.ceil(patienceMs / 1_000)) : error;
  }
}

/** The hash whose hexadecimal digest is the file's checksum, ready for its contents. */
export function contentHash(file: ManifestFile): ReturnType<typeof createHash> {
  if (file.sha256 !== null) return createHash('sha256');
  return createHash('sha1').update(`blob ${file.bytes}\0`);
}

/** A server that answers a range with something else; the file cannot be continued from there this time. */
export class RangeRefused extends Error {}

/**
 * Opens a file's contents at `offset`. The hub is asked anew each time, because the signed addresses it redirects to
 * expire. Throws HubFault, or RangeRefused where the answer begins elsewhere.
 */
export async function openFile(
  hub: Hub,
  manifest: Manifest,
  file: ManifestFile,
  offset: number,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const range: Record<string, string> = offset > 0 ? { Range: `bytes=${offset}-` } : {};
  const { response, promised } = await ask(hub, addressOf(hub, manifest, file), manifest.repository, range, signal);
  try {
    checkPromise(promised, manifest, file);
    checkAnswer(response, file, offset);
    return response;
  } catch (error) {
    response.cancel();
    throw error;
  }
}

/**
 * A few bytes of a file, as they are at the hub: nobody can compare them with a checksum, so they are good for a guess and
 * never kept. Throws HubFault, or RangeRefused where something else comes.
 */
export async function readPart(
  hub: Hub,
  manifest: Manifest,
  file: ManifestFile,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const last = offset + length - 1;
  return patiently(hub, signal, async (both) => {
    const range = { Range: `bytes=${offset}-${last}` };
    const { response, promised } = await ask(hub, addressOf(hub, manifest, file), manifest.repository, range, both);
    try {
      checkPromise(promised, manifest, file);
      if (response.header('content-range') !== `bytes ${offset}-${last}/${file.bytes}`)
        throw new RangeRefused(`asked for bytes ${offset} to ${last}, got ${response.header('content-range')}`);
    } catch (error) {
      response.cancel();
      throw error;
    }
    return readCapped(response, length, hub.url.host);
  });
}

function addressOf(hub: Hub, manifest: Manifest, file: ManifestFile): URL {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  return new URL(`/${manifest.repository}/resolve/${manifest.commit}/${path}`, hub.url);
}

/** What the hub itself said about a file on the way, before it sent us elsewhere. */
interface Promised {
  readonly etag: string | null;
  readonly size: string | null;
  readonly commit: string | null;
}

const unquoted = (etag: string | null): string | null => etag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') ?? null;

function checkPromise({ etag, size, commit }: Promised, manifest: Manifest, file: ManifestFile): void {
  // A weak or foreign kind of ETag says nothing; one of the right shape must be ours.
  const isChecksum = etag !== null && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag);
  if (isChecksum && etag !== checksumOf(file)) throw changedAtSource(file.path);
  if (size !== null && Number(size) !== file.bytes) throw changedAtSource(file.path);
  if (commit !== null && commit !== manifest.commit) throw changedAtSource(file.path);
}

function checkAnswer(response: TransportResponse, file: ManifestFile, offset: number): void {
  const encoding = response.header('content-encoding');
  if (encoding !== null && encoding !== 'identity') throw oddAnswer(`${file.path} comes compressed`);
  const length = response.header('content-length');
  if (response.status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.header('content-range') ?? '');
    const [, first, last, whole] = range ?? [];
    if (
      Number(first) !== offset ||
      Number(last) !== file.bytes - 1 ||
      (whole !== '*' && Number(whole) !== file.bytes)
    ) {
      throw new RangeRefused(`asked for byte ${offset} of ${file.bytes}, got ${response.header('content-range')}`);
    }
  } else if (offset > 0) {
    throw new RangeRefused(`asked for byte ${offset}, got all of it`);
  }
  if (length !== null && Number(length) !== file.bytes - offset) {
    throw oddAnswer(`${file.path} should have ${file.bytes - offset} more bytes, ${length} are announced`);
  }
}

/** Asks and follows redirects by hand. Only a success comes back. */
async function ask(
  hub: Hub,
  start: URL,
  repository: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly response: TransportResponse; readonly promised: Promised }> {
  let url = start;
  let withToken = true;
  let promised: Promised = { etag: null, size: null, commit: null };
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const authorization: Record<string, string> =
      withToken && hub.token !== null ? { Authorization: `Bearer ${hub.token}` } : {};
    const response = await hub
      .transport(url, {
        method: 'GET',
        headers: {
          'User-Agent': 'headroom',
          Accept: '*/*',
          'Accept-Encoding': 'identity',
          ...headers,
          ...authorization,
        },
        signal,
      })
      .catch((error: unknown) => {
        signal.throwIfAborted();
        throw connectionFault(error, url.host);
      });
    if (url.origin === hub.url.origin) promised = promisedBy(response, promised);
    if (response.status === 200 || response.status === 206) return { response, promised };
    response.cancel();
    // What is asked for begins after the end of what is there: the file is another one, or the server is confused.
    if (response.status === 416) throw new RangeRefused('nothing to be had from there on');
    if (!REDIRECTS.has(response.status)) {
      // A signed address that has expired answers 403: asking the hub again gives a fresh one.
      if (url.origin !== hub.url.origin && response.status >= 400 && response.status < 500 && response.status !== 429) {
        throw expired(response.status);
      }
      throw statusFault(response.status, (name) => response.header(name), repository, hub.token !== null, Date.now());
    }
    const next = nextHop(response.header('location'), url, hub.url);
    if (next.kind === 'refused') throw refusedRedirect(next.why);
    url = next.url;
    // Once the token was left behind it stays behind, also where a later redirect leads back.
    withToken &&= next.withToken;
  }
  throw oddAnswer('it redirects in circles');
}

function promisedBy(response: TransportResponse, before: Promised): Promised {
  const linked = unquoted(response.header('x-linked-etag'));
  return {
    etag: before.etag ?? linked ?? unquoted(response.header('etag')),
    size: before.size ?? response.header('x-linked-size'),
    commit: before.commit ?? response.header('x-repo-commit'),
  };
}

const expired = (status: number): HubFault =>
  new HubFault(
    {
      code: 'address-expired',
      message: `The storage behind the hub refused to go on (status ${status}).`,
      nextStep: 'Headroom asks the hub for a fresh address by itself.',
    },
    'later',
  );

const refusedRedirect = (why: string): HubFault =>
  new HubFault(
    {
      code: 'redirect-refused',
      message: `The hub answered with ${why}, which Headroom does not follow.`,
      nextStep: 'Look whether something stands between this Mac and the hub, for example a sign-in page.',
    },
    'never',
  );

/** Reads at most `mostBytes`: what is announced larger is refused before anything is allocated. */
async function readCapped(response: TransportResponse, mostBytes: number, host: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    if (Number(response.header('content-length') ?? 0) > mostBytes) throw oddAnswer('it is far too long');
    for await (const part of response.body) {
      bytes += part.length;
      if (bytes > mostBytes) throw oddAnswer('it is far too long');
      parts.push(part);
    }
  } catch (error) {
    throw connectionFault(error, host);
  } finally {
    response.cancel();
  }
  return Buffer.concat(parts);
}
