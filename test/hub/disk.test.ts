/** A full disk, a disk that goes away, a folder that may not be written. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../main/models/hub/manifest.ts';
import { freeBytes } from '../../main/models/hub/volume.ts';
import { download, expectNothingCorrupt, expectWhole, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import { smallModel } from './repositories.ts';

const MiB = 2 ** 20;
const NOBODY = 65_534;
let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  hub = await startLocalHub([smallModel('owner/model', [6 * MiB, 4 * MiB])], { bytesPerSecond: 30 * MiB });
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

/** A disk of its own, or null with the reason printed where this machine gives none. */
function smallDisk(bytes: number): { readonly folder: string; remove(): void } | null {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    process.stderr.write(`hub tests: no small disk here (${error instanceof Error ? error.message.trim() : ''})\n`);
    return null;
  }
  return {
    folder,
    remove() {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

describe('a full disk', () => {
  it('is noticed before anything is fetched', async () => {
    const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, {
      freeBytes: () => Promise.resolve(5 * MiB),
    });
    expect(outcome).toMatchObject({ kind: 'failed', cause: { code: 'disk-full' } });
    expect(JSON.stringify(outcome)).toMatch(/needs 0\.01 GB; .* has 0\.01 GB free/);
    expect(hub.allSentBytes()).toBe(0);
  });

  it('what is there already is not asked for again', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    const { outcome } = await download(manifest, hubAt(hub.url), cache.folder, { freeBytes: () => Promise.resolve(0) });
    expect(outcome.kind).toBe('done');
  });

  it('that fills up underway stops with numbers; with room again it goes on', async (test) => {
    const disk = smallDisk(8 * MiB);
    if (disk === null) return test.skip('mounting a small tmpfs needs root');
    try {
      const full = await download(manifest, hubAt(hub.url), disk.folder, { freeBytes: () => Promise.resolve(2 ** 40) });
      expect(full.outcome).toMatchObject({ kind: 'failed', cause: { code: 'disk-full' } });
      const last = full.states.at(-1);
      expect(last?.kind === 'failed' && last.doneBytes > 4 * MiB && last.doneBytes < 8 * MiB).toBe(true);
      expectNothingCorrupt(disk.folder, manifest);
      const again = await download(manifest, hubAt(hub.url), disk.folder, { freeBytes });
      expect(again.outcome).toMatchObject({ kind: 'failed', cause: { code: 'disk-full' } });
      execFileSync('mount', ['-o', `remount,size=${64 * MiB}`, disk.folder]);
      expect((await download(manifest, hubAt(hub.url), disk.folder, { freeBytes })).outcome.kind).toBe('done');
      expectWhole(disk.folder, manifest);
      const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      expect(hub.allSentBytes() - total).toBeLessThanOrEqual(MiB);
    } finally {
      disk.remove();
    }
  });

  it('that somebody else fills is left with room to breathe', async () => {
    const large = await startLocalHub([smallModel('owner/model', [40 * MiB])]);
    let asked = 0;
    const { outcome } = await download(await listed(hubAt(large.url), 'owner/model'), hubAt(large.url), cache.folder, {
      freeBytes: () => Promise.resolve((asked += 1) === 1 ? 2 ** 40 : 100 * MiB),
      limits: { leastFreeBytes: 200 * MiB, reserveBytes: 0 },
    });
    expect(outcome).toMatchObject({ kind: 'failed', cause: { code: 'disk-full' } });
    await large.close();
  });
});

describe('a disk that is not there', () => {
  it('is waited for, and nothing is written in its place', async () => {
    let isHere = false;
    const { outcome, states } = await download(manifest, hubAt(hub.url), join(cache.folder, 'disk', 'hub'), {
      isConnected: () => Promise.resolve(isHere),
      onState: (state) => {
        if (state.kind === 'waiting') isHere = true;
      },
    });
    expect(states[0]).toMatchObject({ kind: 'waiting', cause: { code: 'volume-gone' } });
    expect(outcome.kind).toBe('done');
    expectWhole(join(cache.folder, 'disk', 'hub'), manifest);
  });

  it('that goes away underway is waited for', async () => {
    const disk = join(cache.folder, 'disk');
    const away = join(cache.folder, 'away');
    let isHere = true;
    let wasGone = false;
    hub.behave((request) =>
      request.at === 'storage' && request.path.startsWith('model-00001') && request.earlier === 0
        ? { kind: 'cut', afterBytes: 2 * MiB }
        : null,
    );
    const { outcome, states } = await download(manifest, hubAt(hub.url), disk, {
      isConnected: () => Promise.resolve(isHere),
      onState: (state) => {
        if (state.kind === 'waiting' && state.cause.code === 'volume-gone' && !isHere) {
          rmSync(disk, { recursive: true, force: true });
          renameSync(away, disk);
          isHere = true;
        }
        if (state.kind === 'downloading' && state.doneBytes > MiB && !wasGone) {
          renameSync(disk, away);
          wasGone = true;
          isHere = false;
        }
      },
    });
    expect(states.some((state) => state.kind === 'waiting' && state.cause.code === 'volume-gone')).toBe(true);
    expect(outcome.kind).toBe('done');
    expectWhole(disk, manifest);
  });
});

describe('a folder that cannot be used', () => {
  it('may not be written', async () => {
    const folder = join(cache.folder, 'locked');
    mkdirSync(folder);
    chmodSync(folder, 0o555);
    chmodSync(cache.folder, 0o755);
    // Root may write anywhere: then somebody else tries.
    const program = join(import.meta.dirname, 'download-process.ts');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [program, hub.url, 'owner/model', join(folder, 'hub')],
      process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {},
    );
    const outcome: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(outcome).toMatchObject({ kind: 'failed', cause: { code: 'access-denied' } });
  });

  it('is a file', async () => {
    writeFileSync(join(cache.folder, 'hub'), 'not a folder');
    const { outcome } = await download(manifest, hubAt(hub.url), join(cache.folder, 'hub'));
    expect(outcome).toMatchObject({ kind: 'failed', cause: { code: 'disk-error' } });
  });
});
