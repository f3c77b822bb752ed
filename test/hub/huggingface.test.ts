/** What the app leaves in the cache, seen by the hub's own Python client: offline, its scan, its check of checksums. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cachedSnapshots, deleteModel } from '../../main/models/hub/cache-contents.ts';
import { type Manifest, checksumOf, totalBytes } from '../../main/models/hub/manifest.ts';
import { findModel } from '../../main/models/hub/snapshot.ts';
import { pythonExecutable } from '../engine/fixtures.ts';
import { download, expectWhole, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import { smallModel } from './repositories.ts';

let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  hub = await startLocalHub([smallModel('owner/model', [3_000_000, 2_000_000])]);
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

async function python(args: readonly string[], offline: boolean): Promise<Said> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cache.folder,
    HF_HUB_CACHE: cache.folder,
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    HF_HUB_DISABLE_UPDATE_CHECK: '1',
    NO_COLOR: '1',
    ...(offline ? { HF_HUB_OFFLINE: '1' } : { HF_ENDPOINT: hub.url }),
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(pythonExecutable, [...args], { env });
    return { stdout, stderr, code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as Said;
    return { stdout, stderr, code };
  }
}

const script = (body: string): readonly string[] => ['-W', 'error', '-c', body];
const hf = (...args: readonly string[]): readonly string[] => [join(dirname(pythonExecutable), 'hf'), ...args];

const SCAN = `
import json, huggingface_hub as h
info = h.scan_cache_dir()
print(json.dumps({
    "warnings": [str(w) for w in info.warnings],
    "repos": [[r.repo_id, [[v.commit_hash, sorted(v.refs), v.size_on_disk] for v in r.revisions]] for r in info.repos],
    "folder": h.snapshot_download("owner/model", local_files_only=True),
}))`;

it('finds it offline, without a warning, and its own check of the checksums passes', async () => {
  await download(manifest, hubAt(hub.url), cache.folder);
  const scanned = await python(script(SCAN), true);
  expect(scanned.stderr).toBe('');
  expect(JSON.parse(scanned.stdout)).toEqual({
    warnings: [],
    repos: [['owner/model', [[manifest.commit, ['main'], totalBytes(manifest)]]]],
    folder: join(cache.folder, 'models--owner--model', 'snapshots', manifest.commit),
  });
  const verified = await python(hf('cache', 'verify', 'owner/model', '--json'), false);
  expect(verified.code, verified.stderr).toBe(0);
  expect(`${verified.stdout}${verified.stderr}`).toContain(String(manifest.files.length));
});

it('its check fails on a model that is damaged, so it looks', async () => {
  await download(manifest, hubAt(hub.url), cache.folder);
  const large = manifest.files.find((file) => file.path.endsWith('.safetensors'));
  const blob = join(cache.folder, 'models--owner--model', 'blobs', large ? checksumOf(large) : '');
  const data = readFileSync(blob);
  data.writeUInt8(data.readUInt8(5) ^ 1, 5);
  writeFileSync(blob, data);
  expect((await python(hf('cache', 'verify', 'owner/model'), false)).code).not.toBe(0);
});

it('is not disturbed by a download that was paused', async () => {
  const controller = new AbortController();
  hub.behave((request) =>
    request.path.endsWith('.safetensors') && request.at === 'storage' ? { kind: 'stall', afterBytes: 1_000_000 } : null,
  );
  const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, {
    signal: controller.signal,
    onState: (state) => {
      if (state.kind === 'downloading' && state.doneBytes > 1_500_000) controller.abort();
    },
  });
  expect(outcome.kind).toBe('paused');
  const scanned = await python(
    script('import huggingface_hub as h; print([str(w) for w in h.scan_cache_dir().warnings])'),
    true,
  );
  expect(scanned).toMatchObject({ stdout: '[]\n', stderr: '' });
});

it('what it fetched is used and not fetched again', async () => {
  const fetched = await python(hf('download', 'owner/model', '--quiet'), false);
  expect(fetched.code, fetched.stderr).toBe(0);
  expect(await findModel(cache.folder, manifest)).toMatchObject({ kind: 'whole' });
  const found = await cachedSnapshots(cache.folder);
  expect(found).toMatchObject([{ repository: 'owner/model', commit: manifest.commit, refs: ['main'] }]);
  expect(found[0]?.files.get('config.json')).toBe(manifest.files.find((file) => file.path === 'config.json')?.bytes);
  const before = hub.requests.length;
  expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
  expect(hub.requests).toHaveLength(before);
});

it('what it began is finished, its other files stay', async () => {
  const begun = await python(hf('download', 'owner/model', 'config.json', 'modeling.py', '--quiet'), false);
  expect(begun.code, begun.stderr).toBe(0);
  const { outcome } = await download(manifest, hubAt(hub.url), cache.folder);
  expect(outcome.kind).toBe('done');
  const folder = join(cache.folder, 'models--owner--model', 'snapshots', manifest.commit);
  expect(existsSync(join(folder, 'modeling.py'))).toBe(true);
  expect(existsSync(join(folder, 'model-00001-of-00002.safetensors'))).toBe(true);
  const scanned = await python(
    script('import huggingface_hub as h; print([str(w) for w in h.scan_cache_dir().warnings])'),
    true,
  );
  expect(scanned).toMatchObject({ stdout: '[]\n', stderr: '' });
});

it('blobs in its shared store are read through the link, and removing a model leaves the store alone', async () => {
  await download(manifest, hubAt(hub.url), cache.folder);
  const large = manifest.files.find((file) => file.path.endsWith('.safetensors'));
  const blob = join(cache.folder, 'models--owner--model', 'blobs', large ? checksumOf(large) : '');
  const store = join(cache.folder, 'blobs', 'ab', 'ab'.repeat(32));
  mkdirSync(dirname(store), { recursive: true });
  renameSync(blob, store);
  symlinkSync(join('..', '..', 'blobs', 'ab', 'ab'.repeat(32)), blob);
  const before = hub.requests.length;
  expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
  expect(hub.requests).toHaveLength(before);
  const freed = await deleteModel(cache.folder, 'owner/model');
  expect(existsSync(store)).toBe(true);
  // The commit's name in refs/main counts, too.
  expect(freed).toBe(totalBytes(manifest) - (large?.bytes ?? 0) + 40);
  rmSync(dirname(dirname(store)), { recursive: true });
});

it('is not set back by a pinned older commit', async () => {
  await download(manifest, hubAt(hub.url), cache.folder);
  const refs = join(cache.folder, 'models--owner--model', 'refs', 'main');
  writeFileSync(refs, 'f'.repeat(40));
  mkdirSync(join(cache.folder, 'models--owner--model', 'snapshots', 'f'.repeat(40)));
  await download({ ...manifest, branch: null }, hubAt(hub.url), cache.folder);
  expect(readFileSync(refs, 'utf8')).toBe('f'.repeat(40));
  await download(manifest, hubAt(hub.url), cache.folder);
  expect(readFileSync(refs, 'utf8')).toBe(manifest.commit);
  expectWhole(cache.folder, manifest);
});
