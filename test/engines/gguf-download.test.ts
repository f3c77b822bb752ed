/** The recipe's GGUF file by the app's own downloader, from a hub on this machine, until llama.cpp's list has it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/clock.ts';
import { createGgufShelf } from '../../main/engines/llama-cpp/gguf-files.ts';
import { createLlamaCpp } from '../../main/engines/llama-cpp/llama-cpp.ts';
import { createOutsideModels } from '../../main/engines/outside-models.ts';
import { ggufDownload } from '../../main/models/gguf-download.ts';
import { nodeTransport } from '../../main/models/hub/transport.ts';
import { type LocalHub, startLocalHub } from '../hub/local-hub.ts';
import { hubFile, inMemory, repository } from '../hub/repositories.ts';
import { writeDemoGguf } from './servers.ts';

const FILE = 'gpt-oss-20b-mxfp4.gguf';
const ID = `llama.cpp:ggml-org/gpt-oss-20b-GGUF/${FILE}`;

let home: string;
let hub: LocalHub;
let contents: Buffer;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'headroom-gguf-'));
  contents = await readFile(await writeDemoGguf(join(home, 'made')));
  const files = new Map([
    ['README.md', hubFile(inMemory(Buffer.from('# A model\n')), false)],
    [FILE, hubFile(inMemory(contents), true)],
    ['gpt-oss-20b-f16.gguf', hubFile(inMemory(Buffer.alloc(1_000, 1)), true)],
  ]);
  hub = await startLocalHub([repository('ggml-org/gpt-oss-20b-GGUF', files)], { bytesPerSecond: 12_000_000 });
});
afterAll(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});

it('shows its progress, goes on where it was paused, and fetches that file alone', async () => {
  const cacheFolder = join(home, 'hub');
  const shelf = createGgufShelf(() => [cacheFolder]);
  const engine = createLlamaCpp({
    found: () => ({ program: '/opt/homebrew/bin/llama-server' }),
    unusable: () => null,
    files: () => shelf.list(),
    fetch: ggufDownload({
      hub: () => ({ url: new URL(hub.url), token: null, transport: nodeTransport(() => Promise.resolve(null)) }),
      cacheFolder: () => cacheFolder,
      clock: systemClock,
    }),
    spawner: {
      spawn: () => {
        throw new Error('nothing is started here');
      },
    },
    ask: () => Promise.resolve(null),
    processMemory: { ofPid: () => Promise.resolve(null), ofNamed: () => Promise.resolve(null) },
    environment: () => ({}),
    clock: systemClock,
  });
  const models = createOutsideModels([engine], () => {});
  await models.refresh();
  const presence = () => models.models().find(({ id }) => id === ID)?.presence;
  expect(presence()).toEqual({ kind: 'absent' });

  models.download(ID);
  await expect
    .poll(() => {
      const now = presence();
      return now?.kind === 'getting' && now.download.kind === 'downloading' ? now.download.doneBytes : 0;
    })
    .toBeGreaterThan(0);
  await models.pause(ID);
  expect(presence()).toMatchObject({ kind: 'getting', download: { kind: 'paused' } });
  models.download(ID);
  await expect
    .poll(() => models.models().map(({ name, presence: at }) => [name, at.kind]), { timeout: 20_000 })
    .toEqual([['gpt-oss-20b-mxfp4', 'here']]);

  const [found] = models.models();
  expect(await readFile(found?.id.replace('llama.cpp:', '') ?? '')).toEqual(contents);
  expect(found?.config).toMatchObject({ model_type: 'gpt_oss', num_hidden_layers: 4 });
  // Within what was on its way when it was paused, not the whole again.
  expect(hub.sentBytes(FILE)).toBeLessThan(contents.length * 1.8);
  expect(hub.sentBytes('gpt-oss-20b-f16.gguf')).toBe(0);
  expect(readdirSync(join(cacheFolder, 'models--ggml-org--gpt-oss-20b-GGUF')).toSorted()).toEqual([
    'blobs',
    'refs',
    'snapshots',
  ]);
});

it('says in words why it cannot be had', async () => {
  const fetch = ggufDownload({
    hub: () => ({ url: new URL(hub.url), token: null, transport: nodeTransport(() => Promise.resolve(null)) }),
    cacheFolder: () => join(home, 'other'),
    clock: systemClock,
  });
  await expect(
    fetch({ repository: 'nobody/nothing', file: FILE }, () => {}, new AbortController().signal),
  ).rejects.toMatchObject({ name: 'EngineError', message: expect.stringContaining('nobody/nothing') });
});
