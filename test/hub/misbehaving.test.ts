/** Each thing that a hub, a network or somebody in between can do wrong. Nothing corrupt is ever accepted. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelPaths } from '../../main/models/hub/cache-layout.ts';
import { HubFault } from '../../main/models/hub/hub-fault.ts';
import { listRepository } from '../../main/models/hub/hub.ts';
import { type Manifest, checksumOf, totalBytes } from '../../main/models/hub/manifest.ts';
import type { DownloadState } from '../../preload/contract.ts';
import { type Attempt, download, expectNothingCorrupt, expectWhole, hubAt, listed, temporaryCache } from './harness.ts';
import { GOOD_TOKEN, INVITED_TOKEN, type LocalHub, startLocalHub } from './local-hub.ts';
import type { HubRequest, Misbehaviour } from './misbehaviour.ts';
import { type HubRepository, smallModel } from './repositories.ts';

const MiB = 2 ** 20;
const SHARD = 'model-00001-of-00002.safetensors';
const SMALL = 'config.json';

let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

/** Slower than the client, as lines are: what the hub has sent has then arrived, and is not in a buffer on the way. */
const start = (repositories: readonly HubRepository[]): Promise<LocalHub> =>
  startLocalHub(repositories, { bytesPerSecond: 30 * MiB });

async function serve(repositories: readonly HubRepository[]): Promise<void> {
  await hub.close();
  hub = await start(repositories);
  manifest = await listed(hubAt(hub.url, INVITED_TOKEN), 'owner/model');
}

beforeEach(async () => {
  cache = temporaryCache();
  hub = await start([smallModel('owner/model', [3 * MiB, 2 * MiB])]);
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

/** The first `times` requests for the file go wrong. */
const first =
  (times: number, at: HubRequest['at'], path: string, wrong: Misbehaviour) =>
  (request: HubRequest): Misbehaviour | null =>
    request.at === at && request.path === path && request.earlier < times ? wrong : null;

const always = (at: HubRequest['at'], path: string, wrong: Misbehaviour) => first(Infinity, at, path, wrong);

const run = (options: Parameters<typeof download>[3] = {}): Promise<Attempt> =>
  download(manifest, hubAt(hub.url), cache.folder, options);

const causes = (states: readonly DownloadState[]): readonly string[] => [
  ...new Set(states.flatMap((state) => (state.kind === 'waiting' ? [state.cause.code] : []))),
];

describe('passes by itself', () => {
  const cases: readonly [string, string, ReturnType<typeof first>, string | null][] = [
    [
      'the line breaks in the middle',
      SHARD,
      first(3, 'storage', SHARD, { kind: 'cut', afterBytes: MiB / 2 }),
      'connection-lost',
    ],
    [
      'the answer ends early and looks whole',
      SHARD,
      first(2, 'storage', SHARD, { kind: 'end-early', afterBytes: 700_000 }),
      'connection-lost',
    ],
    ['a reset before any answer', SHARD, first(2, 'storage', SHARD, { kind: 'reset' }), 'connection-lost'],
    ['a reset at the hub itself', SMALL, first(2, 'resolve', SMALL, { kind: 'reset' }), 'connection-lost'],
    ['silence', SHARD, first(1, 'storage', SHARD, { kind: 'stall', afterBytes: MiB }), 'stalled'],
    ['no answer at all', SHARD, first(1, 'storage', SHARD, { kind: 'silent' }), 'stalled'],
    ['a trickle', SHARD, first(1, 'storage', SHARD, { kind: 'drip', bytesPerSecond: 2_000 }), 'stalled'],
    [
      'too many requests',
      SHARD,
      first(2, 'resolve', SHARD, { kind: 'status', status: 429, headers: { 'Retry-After': '1' } }),
      'hub-busy',
    ],
    ['trouble at the hub', SHARD, first(3, 'resolve', SHARD, { kind: 'status', status: 503 }), 'hub-down'],
    ['trouble at the storage', SHARD, first(3, 'storage', SHARD, { kind: 'status', status: 500 }), 'hub-down'],
    ['a signed address that has expired', SHARD, first(2, 'resolve', SHARD, { kind: 'expired' }), 'address-expired'],
    [
      'an answer with another length',
      SHARD,
      first(1, 'storage', SHARD, { kind: 'wrong-length', bytes: 9 * MiB }),
      'hub-answer',
    ],
    ['more bytes than promised', SHARD, first(1, 'storage', SHARD, { kind: 'too-long', extraBytes: 500_000 }), null],
  ];
  it.each(cases)('%s', async (_, path, behaviour, code) => {
    // Everything else is here: no other file is on its way and hides that this one waits.
    await run();
    const file = manifest.files.find((each) => each.path === path);
    if (file === undefined) throw new Error(`no ${path}`);
    rmSync(join(modelPaths(cache.folder, manifest.repository).blobs, checksumOf(file)));
    hub.behave(behaviour);
    const { outcome, states } = await run();
    expect(outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.allSentBytes() - file.bytes).toBeLessThanOrEqual(MiB);
    expect(causes(states)).toEqual(code === null ? [] : [code]);
  });

  it('a range that is not honoured once is asked for again', async () => {
    hub.behave((request) => {
      if (request.at !== 'storage' || request.path !== SHARD) return null;
      if (request.earlier === 0) return { kind: 'cut', afterBytes: 2 * MiB };
      return request.earlier === 1 ? { kind: 'ignore-range' } : null;
    });
    expect((await run()).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.sentBytes(SHARD) - 3 * MiB).toBeLessThanOrEqual(MiB);
  });

  it.each<[string, Misbehaviour]>([
    ['ignored', { kind: 'ignore-range' }],
    ['answered with another one', { kind: 'wrong-range', shift: -1_000 }],
  ])('a range that is always %s makes the file begin anew', async (_, wrong) => {
    hub.behave((request) => {
      if (request.at !== 'storage' || request.path !== SHARD) return null;
      if (request.earlier === 0) return { kind: 'cut', afterBytes: 2 * MiB };
      return request.offset > 0 ? wrong : null;
    });
    expect((await run()).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
  });

  it('a flipped bit costs the file, not the model', async () => {
    hub.behave(first(1, 'storage', SHARD, { kind: 'flip', atByte: 1_234_567 }));
    expect((await run()).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.sentBytes(SHARD)).toBe(6 * MiB);
    expect(hub.allSentBytes() - hub.sentBytes(SHARD)).toBe(totalBytes(manifest) - 3 * MiB);
  });

  it('goes on after the signed address has run out, with a fresh one', async () => {
    await hub.close();
    hub = await startLocalHub([smallModel('owner/model', [3 * MiB, 2 * MiB])], {
      bytesPerSecond: 30 * MiB,
      signedForMs: 100,
      xet: true,
    });
    hub.behave((request) => {
      if (request.at !== 'storage' || request.path !== SHARD || request.earlier > 2) return null;
      return { kind: 'stall', afterBytes: MiB };
    });
    expect((await run()).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.allSentBytes() - totalBytes(manifest)).toBeLessThanOrEqual(MiB);
    const asked = hub.requests.filter((request) => request.path === SHARD);
    const count = (at: string): number => asked.filter((request) => request.at === at).length;
    expect(count('resolve')).toBe(count('storage'));
    expect(count('resolve')).toBeGreaterThan(1);
  });

  it('Retry-After is kept to', async () => {
    hub.behave(first(1, 'resolve', SMALL, { kind: 'status', status: 429, headers: { 'Retry-After': '10' } }));
    expect((await run()).outcome.kind).toBe('done');
    const asked = hub.requests.filter((request) => request.at === 'resolve' && request.path === SMALL);
    expect(asked).toHaveLength(2);
    // The clock runs twenty times as fast.
    expect((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(10_000 / 20 - 5);
  });
});

describe('needs somebody', () => {
  const cases: readonly [string, ReturnType<typeof first>, string][] = [
    ['damaged at the source', always('storage', SHARD, { kind: 'flip', atByte: 100 }), 'damaged-at-source'],
    ['another length each time', always('storage', SHARD, { kind: 'wrong-length', bytes: 9 * MiB }), 'hub-answer'],
    [
      'another file under the name',
      always('resolve', SHARD, { kind: 'headers', headers: { 'X-Linked-Etag': `"${'a'.repeat(64)}"` } }),
      'changed-at-source',
    ],
    [
      'another size under the name',
      always('resolve', SHARD, { kind: 'headers', headers: { 'X-Linked-Size': '12' } }),
      'changed-at-source',
    ],
    [
      'another commit',
      always('resolve', SMALL, { kind: 'headers', headers: { 'X-Repo-Commit': 'b'.repeat(40) } }),
      'changed-at-source',
    ],
    [
      'a file that has gone',
      always('resolve', SHARD, { kind: 'status', status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } }),
      'not-found',
    ],
    ['forbidden', always('resolve', SHARD, { kind: 'status', status: 403 }), 'forbidden'],
    ['a storage that never lets anybody in', always('resolve', SHARD, { kind: 'expired' }), 'address-expired'],
    [
      'a redirect to a plain address elsewhere',
      always('resolve', SHARD, { kind: 'redirect', to: 'http://example.com/x' }),
      'redirect-refused',
    ],
    [
      'a redirect to a file',
      always('resolve', SHARD, { kind: 'redirect', to: 'file:///etc/passwd' }),
      'redirect-refused',
    ],
    [
      'contents that come compressed',
      always('storage', SHARD, { kind: 'headers', headers: { 'Content-Encoding': 'gzip' } }),
      'hub-answer',
    ],
  ];
  it.each(cases)('%s', async (_, behaviour, code) => {
    hub.behave(behaviour);
    const { outcome, states } = await run();
    expect(outcome).toMatchObject({ kind: 'failed', cause: { code } });
    expect(states.at(-1)).toMatchObject({ kind: 'failed', cause: { code } });
    expectNothingCorrupt(cache.folder, manifest);
    // When the trouble is over, what is there is used.
    hub.behave(null);
    expect((await run()).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
  });

  it('a redirect in circles', async () => {
    hub.behave((request) =>
      request.at === 'resolve' && request.path === SHARD
        ? { kind: 'redirect', to: `${hub.url}/owner/model/resolve/main/${SHARD}` }
        : null,
    );
    expect((await run()).outcome).toMatchObject({ kind: 'failed', cause: { code: 'hub-answer' } });
    expectNothingCorrupt(cache.folder, manifest);
  });
});

describe('the token', () => {
  it('goes to the hub and to nobody else', async () => {
    await serve([{ ...smallModel('owner/model'), access: 'private' }]);
    const { outcome } = await download(manifest, hubAt(hub.url, GOOD_TOKEN), cache.folder);
    expect(outcome.kind).toBe('done');
    const large = new Set(manifest.files.filter((file) => file.sha256 !== null).map((file) => file.path));
    for (const request of hub.requests) {
      const isElsewhere = request.at === 'storage' && large.has(request.path);
      expect(request.authorization === null, `${request.at} ${request.path}`).toBe(isElsewhere);
    }
  });

  it('does not come back when a redirect leads home again', async () => {
    const other = await startLocalHub([smallModel('other/model')]);
    try {
      other.behave((request) =>
        request.at === 'resolve' ? { kind: 'redirect', to: `${hub.url}/owner/model/resolve/main/${SHARD}` } : null,
      );
      hub.behave((request) =>
        request.at === 'resolve' && request.path === SHARD && request.earlier === 0
          ? { kind: 'redirect', to: `${other.url}/other/model/resolve/main/model-00001-of-00003.safetensors` }
          : null,
      );
      expect((await download(manifest, hubAt(hub.url, GOOD_TOKEN), cache.folder)).outcome.kind).toBe('done');
      const atHome = hub.requests.filter((request) => request.at === 'resolve' && request.path === SHARD);
      expect(atHome.map((request) => request.authorization !== null)).toEqual([true, false]);
      expect(other.requests.map((request) => request.authorization)).toEqual([null]);
    } finally {
      await other.close();
    }
  });
});

describe('who may have it', () => {
  const listing = async (token: string | null): Promise<string> => {
    try {
      await listRepository(hubAt(hub.url, token), 'owner/model', 'main', new AbortController().signal);
      return 'listed';
    } catch (error) {
      return error instanceof HubFault ? error.reason.code : String(error);
    }
  };
  it('private', async () => {
    await serve([{ ...smallModel('owner/model'), access: 'private' }]);
    expect(await listing(null)).toBe('private');
    expect(await listing('hf_wrong')).toBe('token-refused');
    expect(await listing(GOOD_TOKEN)).toBe('listed');
  });

  it('gated: the list is open, the files are not', async () => {
    await serve([{ ...smallModel('owner/model'), access: 'gated' }]);
    expect(await listing(null)).toBe('listed');
    const without = await download(manifest, hubAt(hub.url), cache.folder);
    expect(without.outcome).toMatchObject({ kind: 'failed', cause: { code: 'gated' } });
    const uninvited = await download(manifest, hubAt(hub.url, GOOD_TOKEN), cache.folder);
    expect(uninvited.outcome).toMatchObject({ kind: 'failed', cause: { code: 'gated' } });
    expect(JSON.stringify(uninvited.outcome)).toContain('accept the conditions');
    expect((await download(manifest, hubAt(hub.url, INVITED_TOKEN), cache.folder)).outcome.kind).toBe('done');
  });

  it('not there at all', async () => {
    const nothing = listRepository(hubAt(hub.url, GOOD_TOKEN), 'owner/none', 'main', new AbortController().signal);
    await expect(nothing).rejects.toMatchObject({ reason: { code: 'not-found' } });
  });

  it('silent', async () => {
    hub.behave((request) => (request.at === 'api' ? { kind: 'silent' } : null));
    const patient = { ...hubAt(hub.url), patienceMs: 200 };
    const asked = listRepository(patient, 'owner/model', 'main', new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ reason: { code: 'stalled' }, again: 'later' });
  });

  it('offline', async () => {
    const gone = hub.url;
    await hub.close();
    const asked = listRepository(hubAt(gone), 'owner/model', 'main', new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ reason: { code: 'offline' }, again: 'later' });
    hub = await start([smallModel('owner/model')]);
  });
});

describe('hostile lists', () => {
  const list = (files: readonly object[]): string => JSON.stringify({ sha: 'c'.repeat(40), siblings: files });
  const weights = { rfilename: 'model.safetensors', size: 10, lfs: { sha256: 'd'.repeat(64), size: 10 } };
  const config = { rfilename: 'config.json', size: 2, blobId: 'e'.repeat(40) };
  const cases: readonly [string, string, string][] = [
    ['no JSON', 'not json', 'hub-answer'],
    ['a page to sign in', '<html>Welcome to the hotel</html>', 'hub-answer'],
    ['an absolute path', list([weights, config, { ...config, rfilename: '/etc/passwd' }]), 'hostile'],
    ['a path out of the folder', list([weights, config, { ...config, rfilename: '../x.json' }]), 'hostile'],
    ['NUL', list([weights, config, { ...config, rfilename: 'a\0.json' }]), 'hostile'],
    ['two names for one file', list([weights, config, { ...config, rfilename: 'Config.JSON' }]), 'hostile'],
    [
      'absurd sizes',
      list([{ ...weights, size: 1e15, lfs: { sha256: 'd'.repeat(64), size: 1e15 } }, config]),
      'hostile',
    ],
    ['two sizes for a file', list([{ ...weights, size: 11 }, config]), 'hostile'],
    ['a negative size', list([{ ...config, size: -5 }, weights]), 'hub-answer'],
    ['only pickles', list([config, { ...weights, rfilename: 'pytorch_model.bin' }]), 'not-mlx'],
    ['only GGUF', list([config, { ...weights, rfilename: 'q4.gguf' }]), 'not-mlx'],
    ['far too long', `"${'x'.repeat(9 * MiB)}"`, 'hub-answer'],
  ];
  it.each(cases)('%s', async (_, body, code) => {
    hub.behave((request) => (request.at === 'api' ? { kind: 'body', body } : null));
    const asked = listRepository(hubAt(hub.url), 'owner/model', 'main', new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ reason: { code } });
  });
});
