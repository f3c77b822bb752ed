/** Pausing, verifying, repairing, cancelling and deleting. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedSnapshots, deleteModel, deleteSnapshot, discardDownload } from '../../main/models/hub/cache-contents.ts';
import { modelPaths } from '../../main/models/hub/cache-layout.ts';
import {
  type Manifest,
  type ManifestFile,
  checksumOf,
  parseManifest,
  totalBytes,
} from '../../main/models/hub/manifest.ts';
import { readSmallFile } from '../../main/models/hub/hub.ts';
import { findModel } from '../../main/models/hub/snapshot.ts';
import { problemsInWords, verifyModel } from '../../main/models/hub/verify.ts';
import { download, expectWhole, fastClock, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import { hubFile, inMemory, repository, smallModel } from './repositories.ts';

const MiB = 2 ** 20;
let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  hub = await startLocalHub([smallModel('owner/model', [3 * MiB, 2 * MiB])], { bytesPerSecond: 30 * MiB });
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

const fileAt = (path: string): ManifestFile => {
  const file = manifest.files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`no ${path}`);
  return file;
};
const blobOf = (path: string): string => join(modelPaths(cache.folder, 'owner/model').blobs, checksumOf(fileAt(path)));
const SHARD = 'model-00001-of-00002.safetensors';
const verify = () => verifyModel(manifest, cache.folder, fastClock(1), new AbortController().signal, () => {});

/** Stops when more than `bytes` are here. */
async function pauseAfter(bytes: number): Promise<number> {
  const controller = new AbortController();
  const { outcome, states } = await download(manifest, hubAt(hub.url), cache.folder, {
    signal: controller.signal,
    clock: fastClock(50),
    onState: (state) => {
      if (state.kind === 'downloading' && state.doneBytes > bytes) controller.abort();
    },
  });
  expect(outcome).toEqual({ kind: 'paused' });
  const last = states.at(-1);
  expect(last?.kind).toBe('paused');
  return last?.kind === 'paused' ? last.doneBytes : 0;
}

describe('pause', () => {
  it('keeps what is there and goes on at the byte after it', async () => {
    const doneBytes = await pauseAfter(2 * MiB);
    expect(await findModel(cache.folder, manifest)).toEqual({ kind: 'partial', haveBytes: doneBytes });
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.allSentBytes() - totalBytes(manifest)).toBeLessThanOrEqual(MiB);
    const offsets = hub.requests.filter((each) => each.at === 'storage' && each.offset > 0);
    expect(offsets.length).toBeGreaterThan(0);
  });

  it('ends a wait at once', async () => {
    hub.behave((request) => (request.at === 'resolve' ? { kind: 'status', status: 503 } : null));
    const controller = new AbortController();
    const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, {
      signal: controller.signal,
      clock: fastClock(1),
      onState: (state) => state.kind === 'waiting' && controller.abort(),
    });
    expect(outcome).toEqual({ kind: 'paused' });
  });

  it('before anything began', async () => {
    const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, { signal: AbortSignal.abort() });
    expect(outcome).toEqual({ kind: 'paused' });
    expect(hub.allSentBytes()).toBe(0);
  });

  it('a partial file that was changed meanwhile is found out and fetched anew', async () => {
    await pauseAfter(3 * MiB);
    const { blobs } = modelPaths(cache.folder, 'owner/model');
    for (const name of readdirSync(blobs).filter((each) => each.endsWith('.incomplete'))) {
      const data = readFileSync(join(blobs, name));
      if (data.length > 0) data.writeUInt8(data.readUInt8(0) ^ 255, 0);
      writeFileSync(join(blobs, name), data);
    }
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
  });

  it('and is not counted against the source', async () => {
    const { blobs } = modelPaths(cache.folder, 'owner/model');
    mkdirSync(blobs, { recursive: true });
    writeFileSync(`${blobOf(SHARD)}.headroom.incomplete`, Buffer.alloc(MiB));
    hub.behave(({ at, path, earlier }) =>
      at === 'storage' && path === SHARD && earlier === 1 ? { kind: 'flip', atByte: 7 } : null,
    );
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    const offsets = hub.requests
      .filter(({ at, path }) => at === 'storage' && path === SHARD)
      .map(({ offset }) => offset);
    expect(offsets).toEqual([MiB, 0, 0]);
  });

  it('a partial file that is too long is thrown away', async () => {
    const { blobs } = modelPaths(cache.folder, 'owner/model');
    mkdirSync(blobs, { recursive: true });
    writeFileSync(`${blobOf(SHARD)}.headroom.incomplete`, Buffer.alloc(4 * MiB));
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
  });

  it('what an earlier version of the model left behind is cleared, what other tools left is not', async () => {
    const { blobs } = modelPaths(cache.folder, 'owner/model');
    mkdirSync(blobs, { recursive: true });
    const ours = join(blobs, `${'a'.repeat(64)}.headroom.incomplete`);
    const theirs = join(blobs, `${'a'.repeat(64)}.12345678.incomplete`);
    writeFileSync(ours, 'x');
    writeFileSync(theirs, 'x');
    await download(manifest, hubAt(hub.url), cache.folder);
    expect([existsSync(ours), existsSync(theirs)]).toEqual([false, true]);
  });
});

describe('ended between two steps of its appearing', () => {
  const rooms = () => modelPaths(cache.folder, 'owner/model');
  const snapshot = (): string => join(rooms().snapshots, manifest.commit);
  it.each<[string, () => void]>([
    ['before the links', () => rmSync(snapshot(), { recursive: true })],
    [
      'with half of the links made',
      () => {
        renameSync(snapshot(), join(rooms().folder, '.headroom-new'));
        rmSync(join(rooms().folder, '.headroom-new', SHARD));
      },
    ],
    ['with half of the links in their place', () => rmSync(join(snapshot(), SHARD))],
    ['before the branch', () => rmSync(join(rooms().refs, 'main'))],
    ['in the branch', () => renameSync(join(rooms().refs, 'main'), join(rooms().folder, '.headroom-new'))],
    [
      'before the last blob was given its name',
      () => renameSync(blobOf(SHARD), `${blobOf(SHARD)}.headroom.incomplete`),
    ],
  ])('%s', async (_, ending) => {
    await download(manifest, hubAt(hub.url), cache.folder);
    ending();
    const before = hub.requests.length;
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expect(hub.requests).toHaveLength(before);
    expectWhole(cache.folder, manifest);
  });
});

describe('verify and repair', () => {
  beforeEach(async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
  });

  it('finds nothing wrong with a model that is right', async () => {
    expect(await verify()).toEqual([]);
  });

  it('names what is damaged or missing, and fetches that alone', async () => {
    const data = readFileSync(blobOf(SHARD));
    data.writeUInt8(data.readUInt8(MiB) ^ 4, MiB);
    writeFileSync(blobOf(SHARD), data);
    rmSync(blobOf('config.json'));
    truncateSync(blobOf('tokenizer.json'), 100);
    const problems = await verify();
    expect(problems).toEqual([
      { path: 'config.json', problem: 'missing' },
      { path: SHARD, problem: 'differs' },
      { path: 'tokenizer.json', problem: 'differs' },
    ]);
    expect(problemsInWords(problems)).toBe('2 files are damaged and 1 file is missing.');
    hub.behave(null);
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    expect(hub.allSentBytes()).toBe(problems.reduce((sum, { path }) => sum + fileAt(path).bytes, 0));
    expect(await verify()).toEqual([]);
  });

  it('a link that leads to another file is put right', async () => {
    const folder = join(modelPaths(cache.folder, 'owner/model').snapshots, manifest.commit);
    rmSync(join(folder, SHARD));
    symlinkSync('/etc/hostname', join(folder, SHARD));
    expect(await verify()).toEqual([{ path: SHARD, problem: 'differs' }]);
    const before = hub.requests.length;
    await download(manifest, hubAt(hub.url), cache.folder);
    expect(hub.requests).toHaveLength(before);
    expectWhole(cache.folder, manifest);
  });

  it('a cache without links is used as it is', async () => {
    const folder = join(modelPaths(cache.folder, 'owner/model').snapshots, manifest.commit);
    for (const file of manifest.files) {
      const data = readFileSync(join(folder, file.path));
      rmSync(join(folder, file.path));
      rmSync(blobOf(file.path), { force: true });
      writeFileSync(join(folder, file.path), data);
    }
    const before = hub.requests.length;
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expect(hub.requests).toHaveLength(before);
    expect(await verify()).toEqual([]);
  });
});

describe('cancel', () => {
  it('removes what was fetched, and the folder with it', async () => {
    const doneBytes = await pauseAfter(2 * MiB);
    expect(await discardDownload(cache.folder, manifest)).toBe(doneBytes);
    expect(existsSync(modelPaths(cache.folder, 'owner/model').folder)).toBe(false);
    expect(await findModel(cache.folder, manifest)).toEqual({ kind: 'absent' });
  });

  it('keeps what a version that is here uses', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    const next = {
      ...manifest,
      commit: '9'.repeat(40),
      files: [...manifest.files, { path: 'x.json', bytes: 7, sha256: null, gitSha1: '8'.repeat(40) }],
    };
    writeFileSync(join(modelPaths(cache.folder, 'owner/model').blobs, `${'8'.repeat(40)}.headroom.incomplete`), 'x.');
    expect(await discardDownload(cache.folder, next)).toBe(2);
    expectWhole(cache.folder, manifest);
  });
});

describe('delete', () => {
  it('frees what it says', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    expect(await deleteModel(cache.folder, 'owner/model')).toBe(totalBytes(manifest) + 40);
    expect(readdirSync(cache.folder)).toEqual(['.locks']);
  });

  it('of two versions one leaves the blobs of the other', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    // A later commit with another README and the same weights.
    const files = new Map(smallModel('owner/model', [3 * MiB, 2 * MiB]).files);
    files.set('README.md', hubFile(inMemory(Buffer.from('later')), false));
    const later = await startLocalHub([repository('owner/model', files)]);
    try {
      const second = await listed(hubAt(later.url), 'owner/model');
      expect(second.commit).not.toBe(manifest.commit);
      await download(second, hubAt(later.url), cache.folder);
      expect(later.allSentBytes()).toBe(5);
      expect(await cachedSnapshots(cache.folder)).toHaveLength(2);
      expect(await deleteSnapshot(cache.folder, 'owner/model', manifest.commit)).toBe(fileAt('README.md').bytes);
      expectWhole(cache.folder, second);
      await deleteSnapshot(cache.folder, 'owner/model', second.commit);
      expect(existsSync(modelPaths(cache.folder, 'owner/model').folder)).toBe(false);
    } finally {
      await later.close();
    }
  });

  it('never follows a link out of the folder', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    const outside = join(cache.folder, 'precious');
    mkdirSync(outside);
    writeFileSync(join(outside, 'thesis.txt'), 'x');
    const paths = modelPaths(cache.folder, 'owner/model');
    const folder = join(paths.snapshots, manifest.commit);
    symlinkSync(outside, join(folder, 'linked'));
    symlinkSync(join(outside, 'thesis.txt'), join(folder, 'thesis.txt'));
    linkSync(join(outside, 'thesis.txt'), join(paths.blobs, 'hard'));
    await deleteSnapshot(cache.folder, 'owner/model', manifest.commit);
    expect(readFileSync(join(outside, 'thesis.txt'), 'utf8')).toBe('x');
    await deleteModel(cache.folder, 'owner/model');
    expect(readFileSync(join(outside, 'thesis.txt'), 'utf8')).toBe('x');
  });

  it('waits for nobody who is downloading it', async () => {
    const controller = new AbortController();
    let refused: unknown = null;
    const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, {
      signal: controller.signal,
      onState: (state) => {
        if (state.kind !== 'downloading' || refused !== null) return;
        refused = deleteModel(cache.folder, 'owner/model').catch((error: unknown) => error);
      },
    });
    expect(outcome.kind).toBe('done');
    expect(await refused).toMatchObject({ reason: { code: 'busy-elsewhere' } });
    expectWhole(cache.folder, manifest);
  });
});

it('a config is read before the model is here, and compared', async () => {
  const { signal } = new AbortController();
  const read = (path: string, most: number) => readSmallFile(hubAt(hub.url), manifest, fileAt(path), most, signal);
  expect((await read('config.json', 1_000)).toString()).toBe('{"model_type": "gpt_oss"}\n');
  await expect(read(SHARD, 1_000)).rejects.toMatchObject({ reason: { code: 'hub-answer' } });
  hub.behave((request) => (request.at === 'storage' ? { kind: 'flip', atByte: 3 } : null));
  await expect(read('config.json', 1_000)).rejects.toMatchObject({ reason: { code: 'changed-at-source' } });
});

it('a manifest that was kept says the same again', () => {
  expect(parseManifest(JSON.parse(JSON.stringify(manifest)))).toEqual({ ...manifest, branch: null });
});
