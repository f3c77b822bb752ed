import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../engine/clock.ts';
import { openHubSettings } from './hub-settings.ts';
import { type Library, openLibrary } from './library.ts';
import { openModelRecords } from './model-records.ts';

const NAME = 'owner/name';
const COMMIT = 'a'.repeat(40);
let root: string;
let isConnected: boolean;
let libraries: Library[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headroom-library-'));
  isConnected = true;
  libraries = [];
  const snapshot = join(root, 'disk/models--owner--name/snapshots', COMMIT);
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(snapshot, 'config.json'), '{"model_type":"llama"}');
  writeFileSync(join(snapshot, 'model.safetensors'), 'weights');
});
afterEach(async () => {
  for (const library of libraries) await library.dispose();
  rmSync(root, { recursive: true, force: true });
});

async function open(): Promise<Library> {
  const library = await openLibrary({
    demoFolder: join(root, 'no-demo'),
    givenFolder: null,
    hubUrl: new URL('https://hub.invalid'),
    transport: () => Promise.reject(new Error('nobody is to be asked')),
    hubSettings: openHubSettings({
      dataFolder: root,
      environment: { HF_HUB_CACHE: join(root, 'disk') },
      homeFolder: root,
      systemProxy: async () => null,
      log: () => {},
    }),
    records: openModelRecords(join(root, 'models.json'), () => {}),
    pinned: new Map(),
    isConnected: async () => isConnected,
    diskFreeBytes: async () => null,
    isInUse: () => false,
    changed: () => {},
    clock: systemClock,
    log: () => {},
  });
  libraries.push(library);
  return library;
}
const presenceIn = (library: Library) => library.models().find(({ id }) => id === NAME)?.presence;

it('a model whose disk is away says so, is not fetched anew, and works again when the disk is back', async () => {
  openModelRecords(join(root, 'models.json'), () => {}).change(NAME, { isAdded: true, transfer: 'done' });
  const library = await open();
  expect(presenceIn(library)).toMatchObject({ kind: 'here' });
  isConnected = false;
  await library.refresh();
  expect(presenceIn(library)).toMatchObject({
    kind: 'damaged',
    message: expect.stringMatching(/disk.*is not connected/),
  });
  expect(() => library.locate(NAME)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/is not connected/),
      nextStep: expect.stringMatching(/^Connect/),
    }),
  );
  await expect(library.download(NAME)).rejects.toThrow(/is not connected/);
  isConnected = true;
  await library.refresh();
  expect(library.locate(NAME).info).toMatchObject({ id: NAME, name: 'name' });
});

it('shards that the index names and that are not there make a model damaged, or nothing when another tool is at it', async () => {
  const snapshot = join(root, 'disk/models--owner--name/snapshots', COMMIT);
  const index = { weight_map: { a: 'model.safetensors', b: 'model-00002-of-00002.safetensors' } };
  writeFileSync(join(snapshot, 'model.safetensors.index.json'), JSON.stringify(index));
  const found = await open();
  expect(presenceIn(found)).toBeUndefined();
  openModelRecords(join(root, 'models.json'), () => {}).change(NAME, { isAdded: true });
  const added = await open();
  expect(presenceIn(added)).toMatchObject({ kind: 'damaged', message: 'A file is missing.' });
  expect(() => added.locate(NAME)).toThrow(/A file is missing/);
});
