/** The maintainer's script that pins the catalog, and what a pin is worth. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../main/engine/clock.ts';
import { CATALOG } from '../../main/models/catalog.ts';
import { openHubSettings } from '../../main/models/hub-settings.ts';
import { HUB_URL } from '../../main/models/hub/hub.ts';
import { parseManifest } from '../../main/models/hub/manifest.ts';
import { nodeTransport } from '../../main/models/hub/transport.ts';
import { openLibrary } from '../../main/models/library.ts';
import { openModelRecords } from '../../main/models/model-records.ts';
import { pinnedManifests } from '../../main/models/pinned.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { type LocalHub, startLocalHub } from '../hub/local-hub.ts';
import { type HubRepository, smallModel } from '../hub/repositories.ts';
import { temporaryHome } from './models-under-test.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
let home: ReturnType<typeof temporaryHome>;
let hub: LocalHub;

const start = async (repositories: readonly HubRepository[]): Promise<void> => {
  hub = await startLocalHub(repositories);
};
const pin = (out: string) =>
  run(process.execPath, [join(root, 'main/launch/pin-models.mjs'), '--hub', hub.url, '--out', out], {
    env: { ...process.env, HF_TOKEN: undefined },
  });

beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  await hub.close();
  home.remove();
});

test('what the script writes is what the app reads, and the download is then held to it', async () => {
  const repositories = CATALOG.map(({ repository }, index) => smallModel(repository, [40_000 + index]));
  await start(repositories);
  const out = join(home.folder, 'pins.json');
  await pin(out);
  const pins = (JSON.parse(readFileSync(out, 'utf8')) as unknown[]).map(parseManifest);
  expect(pins.map(({ repository, commit }) => [repository, commit])).toEqual(
    repositories.map(({ name, commit }) => [name, commit]),
  );

  const hubSettings = openHubSettings({
    dataFolder: home.folder,
    environment: { HF_HUB_CACHE: join(home.folder, 'hub') },
    systemProxy: async () => null,
    log: () => {},
  });
  const [first] = pins;
  if (first === undefined) throw new Error('no pin');
  const changed: (() => void)[] = [];
  const library = await openLibrary({
    demoFolder: modelFolder,
    givenFolder: null,
    hubUrl: new URL(hub.url),
    transport: nodeTransport(async () => null),
    hubSettings,
    records: openModelRecords(join(home.folder, 'models.json'), () => {}),
    pinned: new Map(pins.map((each) => [each.repository, each])),
    diskFreeBytes: async () => null,
    isInUse: () => false,
    changed: () => {
      for (const look of changed) look();
    },
    clock: systemClock,
    log: () => {},
  });
  const listings = () => hub.requests.filter(({ at }) => at === 'api').length;
  const listingsBefore = listings();
  await library.download(first.repository);
  const presence = await new Promise((resolve) => {
    changed.push(() => {
      const found = library.models().find(({ id }) => id === first.repository)?.presence;
      if (found?.kind === 'here') resolve(found);
    });
  });
  expect(presence).toMatchObject({ kind: 'here', checked: 'pinned' });
  // The list of files is known: the hub is asked for contents alone.
  expect(listings()).toBe(listingsBefore);
  await library.dispose();
});

test('one model that is not at the hub, and nothing is written', async () => {
  await start([smallModel('somebody/else')]);
  const out = join(home.folder, 'pins.json');
  await expect(pin(out)).rejects.toThrow(/or it is private|at the hub/);
  expect(existsSync(out)).toBe(false);
});

test('the pins in the app are readable, of the catalog, and for the real hub alone', async () => {
  await start([]);
  const pins = pinnedManifests(new URL(HUB_URL));
  expect([...pins.keys()].every((name) => CATALOG.some(({ repository }) => repository === name))).toBe(true);
  expect(pinnedManifests(new URL(hub.url)).size).toBe(0);
});
