/** The downloader against a hub that behaves. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../main/models/hub/manifest.ts';
import { totalBytes } from '../../main/models/hub/manifest.ts';
import { download, expectWhole, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import { smallModel } from './repositories.ts';

let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  hub = await startLocalHub([smallModel('owner/model')]);
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

describe('a hub that behaves', () => {
  it('gives what a model needs and nothing else', async () => {
    const { outcome, states } = await download(manifest, hubAt(hub.url), cache.folder);
    const folder = join(cache.folder, 'models--owner--model', 'snapshots', manifest.commit);
    expect(outcome).toEqual({ kind: 'done', folder });
    expectWhole(cache.folder, manifest);
    expect(existsSync(join(folder, 'modeling.py'))).toBe(false);
    expect(existsSync(join(folder, 'pytorch_model.bin'))).toBe(false);
    expect(readFileSync(join(folder, 'empty.json'), 'utf8')).toBe('');
    expect(hub.allSentBytes()).toBe(totalBytes(manifest));
    expect(states.map((state) => state.kind)).toEqual(expect.arrayContaining(['checking', 'downloading']));
  });

  it('a second time nothing is fetched', async () => {
    await download(manifest, hubAt(hub.url), cache.folder);
    const before = hub.requests.length;
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expect(hub.requests).toHaveLength(before);
  });
});
