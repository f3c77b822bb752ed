/** A download with everything it needs, and what to look at afterwards. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../main/engine/clock.ts';
import { modelPaths } from '../../main/models/hub/cache-layout.ts';
import { type DownloadOutcome, type DownloadPorts, downloadModel } from '../../main/models/hub/download.ts';
import { type Hub, listRepository } from '../../main/models/hub/hub.ts';
import { type Manifest, checksumOf } from '../../main/models/hub/manifest.ts';
import { nodeTransport } from '../../main/models/hub/transport.ts';
import { freeBytes, isConnected } from '../../main/models/hub/volume.ts';
import type { DownloadState } from '../../preload/contract.ts';

const noProxy = (): Promise<null> => Promise.resolve(null);

export const hubAt = (url: string, token: string | null = null): Hub => ({
  url: new URL(url),
  token,
  transport: nodeTransport(noProxy),
});

export function temporaryCache(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-hub-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Time runs faster for waiting and stalls, so that a test of the tenth attempt takes no minute. */
export function fastClock(speed: number): DownloadPorts['clock'] {
  return {
    nowMs: () => systemClock.nowMs(),
    after: (delayMs, callback) => systemClock.after(delayMs / speed, callback),
  };
}

export interface Attempt {
  readonly outcome: DownloadOutcome;
  readonly states: readonly DownloadState[];
}

export async function download(
  manifest: Manifest,
  hub: Hub,
  cacheFolder: string,
  overrides: Partial<DownloadPorts> & {
    readonly signal?: AbortSignal;
    readonly onState?: (state: DownloadState) => void;
  } = {},
): Promise<Attempt> {
  const states: DownloadState[] = [];
  const { signal = new AbortController().signal, onState, ...ports } = overrides;
  const outcome = await downloadModel(
    manifest,
    {
      hub,
      cacheFolder,
      clock: fastClock(20),
      random: () => 0.5,
      freeBytes,
      isConnected,
      limits: { reserveBytes: 0, leastFreeBytes: 0 },
      ...ports,
    },
    signal,
    (state) => {
      states.push(state);
      onState?.(state);
    },
  );
  return { outcome, states };
}

export const listed = async (hub: Hub, repository: string): Promise<Manifest> =>
  (await listRepository(hub, repository, 'main', new AbortController().signal)).manifest;

/** Everything that has the name of something complete is right, and what is linked is complete. */
export function expectNothingCorrupt(cacheFolder: string, manifest: Manifest): void {
  const paths = modelPaths(cacheFolder, manifest.repository);
  for (const file of manifest.files) {
    const blob = join(paths.blobs, checksumOf(file));
    if (existsSync(blob)) expect(digest(readFileSync(blob), file.sha256 !== null), file.path).toBe(checksumOf(file));
  }
  const snapshot = join(paths.snapshots, manifest.commit);
  if (existsSync(snapshot)) expectRightFiles(snapshot, manifest);
}

function expectRightFiles(snapshot: string, manifest: Manifest): void {
  for (const file of manifest.files) {
    const data = readFileSync(join(snapshot, file.path));
    expect(digest(data, file.sha256 !== null), file.path).toBe(checksumOf(file));
  }
}

export function expectWhole(cacheFolder: string, manifest: Manifest): void {
  const paths = modelPaths(cacheFolder, manifest.repository);
  expectRightFiles(join(paths.snapshots, manifest.commit), manifest);
  expect(readFileSync(join(paths.refs, 'main'), 'utf8')).toBe(manifest.commit);
  // Nothing of ours is left over.
  expect(readdirSync(paths.folder).toSorted()).toEqual(['blobs', 'refs', 'snapshots']);
  expect(readdirSync(paths.blobs).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  expect(readdirSync(paths.locks)).toEqual([]);
}

function digest(data: Buffer, isLarge: boolean): string {
  if (isLarge) return createHash('sha256').update(data).digest('hex');
  return createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');
}
