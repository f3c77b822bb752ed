/** The models room at work: catalog, other models, downloads that survive, checks, deleting; over the local hub. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryUser, ModelPresence } from '../../preload/contract.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { GOOD_TOKEN, type LocalHub, startLocalHub } from '../hub/local-hub.ts';
import { hubFile, inMemory, repository, repositoryFromFolder, smallModel } from '../hub/repositories.ts';
import { type Around, GIB, type ModelsUnderTest, around16, openModels, temporaryHome } from './models-under-test.ts';

const Q8 = 'mlx-community/gpt-oss-20b-MXFP4-Q8';
const OTHER = 'someone/else-4bit';
const EYES = 'someone/with-eyes-8bit';

let home: ReturnType<typeof temporaryHome>;
let hub: LocalHub;
let models: ModelsUnderTest;

const text = (words: string) => hubFile(inMemory(Buffer.from(words)), false);

beforeEach(async () => {
  home = temporaryHome();
  hub = await startLocalHub(
    [
      repositoryFromFolder(Q8, modelFolder),
      smallModel(OTHER, [3_000_000, 2_000_000]),
      repository('someone/ggufs', new Map([['model-Q4.gguf', text('x')]])),
      repository(
        'someone/torch',
        new Map([
          ['pytorch_model.bin', text('x')],
          ['config.json', text('{}')],
        ]),
      ),
      withVision(EYES),
      { ...smallModel('someone/secret'), access: 'private' },
      { ...smallModel('someone/gated'), access: 'gated' },
    ],
    { bytesPerSecond: 20_000_000 },
  );
});
afterEach(async () => {
  await models.close();
  await hub.close();
  home.remove();
});

/** Of a megabyte of weights a fifth is the part that sees, which is never loaded. */
function withVision(name: string) {
  const header = JSON.stringify({
    'language_model.weight': { dtype: 'U8', shape: [800_000], data_offsets: [0, 800_000] },
    'vision_tower.weight': { dtype: 'U8', shape: [200_000], data_offsets: [800_000, 1_000_000] },
  });
  const weights = Buffer.alloc(8 + header.length + 1_000_000);
  weights.writeBigUInt64LE(BigInt(header.length));
  weights.write(header, 8);
  const config = text('{"model_type": "gemma3", "text_config": {"hidden_size": 2560, "num_hidden_layers": 34}}');
  return repository(
    name,
    new Map([
      ['config.json', config],
      ['model.safetensors', hubFile(inMemory(weights), true)],
    ]),
  );
}

const begin = async (change: Partial<Around> = {}): Promise<void> => {
  models = await openModels(home.folder, hub.url, { ...around16(), ...change });
};
/** The app ends and starts again. */
const restart = async (change: Partial<Around> = {}): Promise<void> => {
  await models.close();
  await begin(change);
};
const isHere = ({ kind }: ModelPresence): boolean => kind === 'here';
const download = async (id: string): Promise<ModelPresence> => {
  await models.room.handlers['models.download']({ modelId: id });
  return models.presence(id, isHere);
};
const slowly = (bytesPerSecond: number): void =>
  hub.behave(({ at, path }) =>
    at === 'storage' && path.endsWith('.safetensors') ? { kind: 'drip', bytesPerSecond } : null,
  );
const isDownloading = (presence: ModelPresence): boolean =>
  presence.kind === 'getting' && presence.download.kind === 'downloading' && presence.download.doneBytes > 0;

describe('the list', () => {
  it('names the catalog with computed verdicts before anything was fetched or asked', async () => {
    await begin();
    const { models: list } = await models.room.handlers['models.list'](null);
    expect(
      list.map(({ id, isRecommended, verdict, presence }) => [id, isRecommended, verdict.kind, presence.kind]),
    ).toEqual([
      [Q8, true, 'fits-after-raise', 'absent'],
      ['mlx-community/gpt-oss-20b-MXFP4-Q4', false, 'fits-after-raise', 'absent'],
      ['mlx-community/Qwen3-14B-4bit', false, 'fits', 'absent'],
      ['mlx-community/Qwen3-4B-4bit', false, 'fits', 'absent'],
      ['headroom-demo', false, 'fits', 'here'],
    ]);
    expect(list[0]).toMatchObject({ licence: 'Apache-2.0', origin: 'catalog', isToy: false });
    expect(list[0]?.prediction?.peakBytes).toBeGreaterThan(12e9);
    expect(hub.requests).toEqual([]);
  });

  it('on 8 GB another one is recommended, and the large ones say what they would need', async () => {
    const around = around16();
    await begin({
      machine: { ...around.machine, memoryBytes: 8 * GIB },
      availableBytes: 4.5 * GIB,
      limit: around.limit && { ...around.limit, memoryMiB: 8_192, workingSetMiB: 5_461 },
    });
    const { models: list } = await models.room.handlers['models.list'](null);
    expect(list.find(({ isRecommended }) => isRecommended)?.id).toBe('mlx-community/Qwen3-4B-4bit');
    expect(list[0]?.verdict).toMatchObject({
      kind: 'not-on-this-mac',
      message: expect.stringContaining('8 GB'),
      ways: expect.arrayContaining([expect.objectContaining({ kind: 'other-model' })]),
    });
  });

  it('on an Intel Mac nothing runs, and the reason is given for each', async () => {
    const cannotRun = { message: 'This Mac has an Intel processor.', nextStep: 'Use another.' };
    await begin({ machine: { ...around16().machine, cannotRun }, limit: null });
    const { models: list } = await models.room.handlers['models.list'](null);
    expect(list.every(({ verdict, isRecommended }) => verdict.kind === 'not-on-this-mac' && !isRecommended)).toBe(true);
  });

  it('finds what other tools fetched, as theirs, and leaves it alone', async () => {
    await begin();
    const model = join(models.cacheFolder, 'models--tool--fetched');
    const snapshot = join(model, 'snapshots', 'a'.repeat(40));
    mkdirSync(join(model, 'blobs'), { recursive: true });
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(model, 'blobs', 'w'), 'weights');
    symlinkSync('../../blobs/w', join(snapshot, 'model.safetensors'));
    writeFileSync(join(snapshot, 'config.json'), '{"model_type":"alien"}');
    const embeddings = join(models.cacheFolder, 'models--tool--embeddings/snapshots', 'b'.repeat(40));
    mkdirSync(embeddings, { recursive: true });
    writeFileSync(join(embeddings, 'model.safetensors'), 'x');
    writeFileSync(join(embeddings, 'config.json'), '{"architectures":["BertModel"]}');

    const found = await models.entry('tool/fetched');
    expect(found).toMatchObject({
      origin: 'found',
      isShared: true,
      presence: { kind: 'here', checked: 'unchecked' },
      verdict: { kind: 'unknown' },
    });
    const { models: list } = await models.room.handlers['models.list'](null);
    expect(list.some(({ id }) => id === 'tool/embeddings')).toBe(false);
    await expect(
      (async () => models.room.handlers['models.delete']({ modelId: 'tool/fetched', evenIfShared: false }))(),
    ).rejects.toThrow(/fetched by another tool/);
    expect(existsSync(join(snapshot, 'model.safetensors'))).toBe(true);
    expect((await models.room.handlers['model.choose']({ modelId: 'tool/fetched' })).name).toBe('fetched');
    expect(await models.room.handlers['models.delete']({ modelId: 'tool/fetched', evenIfShared: true })).toMatchObject({
      freedBytes: expect.any(Number),
    });
    expect(existsSync(model)).toBe(false);
    // It was the chosen one.
    expect(models.settings.current.modelId).toBeNull();
  });
});

describe('getting a model', () => {
  it('fetches, checks, and runs from where other tools find it', async () => {
    await begin();
    const presence = await download(Q8);
    expect(presence).toMatchObject({ kind: 'here', checked: 'hub' });
    // Whether it is used is the user's to say.
    expect(models.settings.current.modelId).toBeNull();
    expect(await models.room.handlers['model.choose']({ modelId: Q8 })).toMatchObject({ name: 'gpt-oss-20b' });
    const folder = presence.kind === 'here' ? presence.folder : '';
    expect(folder.startsWith(join(models.cacheFolder, 'models--mlx-community--gpt-oss-20b-MXFP4-Q8/snapshots/'))).toBe(
      true,
    );
    expect(models.room.models.required()).toMatchObject({
      folder,
      info: { id: Q8, name: 'gpt-oss-20b', isToy: false },
    });
    expect((await models.entry(Q8)).isShared).toBe(false);
    await restart();
    expect(models.room.models.current?.info.id).toBe(Q8);
    expect((await models.entry(Q8)).presence).toMatchObject({ kind: 'here', checked: 'hub' });
  });

  it('pauses, goes on where it was, and tells at most four times a second', async () => {
    await begin();
    await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    slowly(1_000_000);
    const startedMs = performance.now();
    const before = models.published.length;
    await models.room.handlers['models.download']({ modelId: OTHER });
    await models.presence(OTHER, isDownloading);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const told = models.published.slice(before).filter(({ event }) => event === 'models.changed').length;
    expect(told).toBeLessThanOrEqual(Math.ceil((performance.now() - startedMs) / 250) + 1);

    const paused = await models.room.handlers['models.pause']({ modelId: OTHER });
    expect(paused.presence).toMatchObject({ kind: 'getting', download: { kind: 'paused' } });
    const sentBefore = hub.allSentBytes();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(hub.allSentBytes()).toBe(sentBefore);
    // A paused one stays paused over a restart, at the byte it was.
    await restart();
    const after = (await models.entry(OTHER)).presence;
    expect(after).toMatchObject({ kind: 'getting', download: { kind: 'paused' } });
    expect(after.kind === 'getting' && 'doneBytes' in after.download && after.download.doneBytes).toBeGreaterThan(
      100_000,
    );
    hub.behave(null);
    expect(await download(OTHER)).toMatchObject({ kind: 'here', checked: 'hub' });
    expect(hub.sentBytes('model-00001-of-00002.safetensors')).toBeLessThan(3_000_000);
  });

  it('one that was running when the app ended goes on by itself', async () => {
    await begin();
    await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    slowly(1_000_000);
    await models.room.handlers['models.download']({ modelId: OTHER });
    await models.presence(OTHER, isDownloading);
    await models.close();
    hub.behave(null);
    await begin();
    expect(await models.presence(OTHER, isHere)).toMatchObject({ checked: 'hub' });
  });

  it('stands still while the machine sleeps', async () => {
    await begin();
    await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    slowly(1_000_000);
    await models.room.handlers['models.download']({ modelId: OTHER });
    await models.presence(OTHER, isDownloading);
    await models.room.suspend();
    const sent = hub.allSentBytes();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(hub.allSentBytes()).toBe(sent);
    hub.behave(null);
    models.room.resume();
    await models.presence(OTHER, isHere);
  });

  it('one at a time; cancelling leaves nothing behind', async () => {
    await begin();
    await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    slowly(500_000);
    await models.room.handlers['models.download']({ modelId: OTHER });
    const second = await models.room.handlers['models.download']({ modelId: Q8 });
    expect(second.presence).toEqual({ kind: 'getting', download: { kind: 'queued' } });
    await models.presence(OTHER, isDownloading);
    const cancelled = await models.room.handlers['models.cancel']({ modelId: OTHER });
    expect(cancelled.presence).toEqual({ kind: 'absent' });
    expect(existsSync(join(models.cacheFolder, 'models--someone--else-4bit'))).toBe(false);
    hub.behave(null);
    await models.presence(Q8, isHere);
  });

  it('offline: waits by itself with words, and tries at once when asked', async () => {
    await begin();
    hub.behave(() => ({ kind: 'reset' }));
    await models.room.handlers['models.download']({ modelId: Q8 });
    const waiting = await models.presence(Q8, (each) => each.kind === 'getting' && each.download.kind === 'waiting');
    expect(waiting).toMatchObject({ download: { cause: { code: 'connection-lost', nextStep: expect.any(String) } } });
    hub.behave(null);
    await models.room.handlers['models.download']({ modelId: Q8 });
    await models.presence(Q8, isHere);
  });

  it('a private repository is had with the token, which no window gets to see', async () => {
    await begin();
    const add = async () => models.room.handlers['models.add']({ by: 'repository', repository: 'someone/secret' });
    await expect(add()).rejects.toThrow(/private/);
    const answer = await models.room.handlers['hub.update']({ token: GOOD_TOKEN });
    expect(answer).toMatchObject({ token: 'set-here' });
    expect(JSON.stringify([answer, models.published])).not.toContain(GOOD_TOKEN);
    await add();
    expect(await download('someone/secret')).toMatchObject({ checked: 'hub' });
    // The storage behind the hub is another host.
    const large = hub.requests.filter(({ at, path }) => at === 'storage' && path.endsWith('.safetensors'));
    expect(large.length).toBeGreaterThan(0);
    expect(large.every(({ authorization }) => authorization === null)).toBe(true);
    await expect(
      (async () => models.room.handlers['models.add']({ by: 'repository', repository: 'someone/gated' }))(),
    ).rejects.toThrow(/decide who may download/);
  });
});

describe('other models', () => {
  it('a repository by name: asked once, listed with a verdict, forgotten when it is deleted', async () => {
    await begin();
    const added = await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    expect(added).toMatchObject({
      origin: 'added',
      name: 'else-4bit',
      licence: 'apache-2.0',
      presence: { kind: 'absent' },
    });
    expect(added.sizeBytes).toBeGreaterThan(5_000_000);
    await restart();
    expect((await models.entry(OTHER)).sizeBytes).toBe(added.sizeBytes);
    await models.room.handlers['models.delete']({ modelId: OTHER, evenIfShared: false });
    await expect(models.entry(OTHER)).rejects.toThrow(/not in the list/);
  });

  it('is weighed by the headers of its files before any of them is here, or by their sizes', async () => {
    await begin();
    const add = async () => models.room.handlers['models.add']({ by: 'repository', repository: EYES });
    expect((await add()).prediction?.weightsBytes).toBe(800_000);
    expect(hub.sentBytes('model.safetensors')).toBeLessThan(1_000);
    await restart();
    expect((await models.entry(EYES)).prediction?.weightsBytes).toBe(800_000);
    await models.room.handlers['models.delete']({ modelId: EYES, evenIfShared: false });
    hub.behave(({ at }) => (at === 'storage' ? { kind: 'ignore-range' } : null));
    expect((await add()).prediction?.weightsBytes).toBeGreaterThan(1_000_000);
  });

  it.each([
    ['someone/ggufs', /GGUF files, which llama\.cpp reads and MLX does not/],
    ['someone/torch', /PyTorch files/],
    ['someone/nothing', /no someone\/nothing at the hub/],
  ])('%s is refused in words', async (name, words) => {
    await begin();
    await expect(
      (async () => models.room.handlers['models.add']({ by: 'repository', repository: name }))(),
    ).rejects.toThrow(words);
    await expect(models.entry(name)).rejects.toThrow(/not in the list/);
  });

  it('a folder by hand is used where it lies, says so when it is gone, and is only forgotten', async () => {
    const folder = join(home.folder, 'my-model');
    cpSync(modelFolder, folder, { recursive: true });
    await begin();
    const added = await models.room.handlers['models.add']({ by: 'folder', folder });
    expect(added).toMatchObject({
      id: folder,
      origin: 'added',
      name: 'my-model',
      presence: { kind: 'here' },
      verdict: { kind: 'fits' },
    });
    await models.room.handlers['model.choose']({ modelId: folder });
    rmSync(folder, { recursive: true });
    expect((await models.entry(folder)).presence).toMatchObject({
      kind: 'damaged',
      message: expect.stringMatching(/no folder/),
    });
    await restart();
    expect(models.settings.current.modelId).toBe(folder);
    expect(() => models.room.models.required()).toThrow(/no folder/);
    cpSync(modelFolder, folder, { recursive: true });
    expect(models.room.models.required().folder).toBe(folder);
    expect(await models.room.handlers['models.delete']({ modelId: folder, evenIfShared: false })).toEqual({
      freedBytes: 0,
    });
    expect(existsSync(join(folder, 'config.json'))).toBe(true);
  });
});

describe('a disk too small', () => {
  it('is said at the click, with what is missing, and nothing is begun', async () => {
    await begin({ diskFreeBytes: 6e9 });
    const get = async (modelId: string) => models.room.handlers['models.download']({ modelId });
    await expect(get(Q8)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/^gpt-oss-20b needs 12\.2 GB and 1\.1 GB to spare; .* has 6\.0 GB free\.$/),
      nextStep: 'Free 7.2 GB, or choose a folder on another disk under Downloads.',
    });
    expect((await models.entry(Q8)).presence).toEqual({ kind: 'absent' });
    await restart({ diskFreeBytes: 6e9 });
    expect((await models.entry(Q8)).presence).toEqual({ kind: 'absent' });
    expect(hub.requests).toEqual([]);
    // What is small enough goes on; of a begun one only what is missing counts.
    await models.room.handlers['models.add']({ by: 'repository', repository: OTHER });
    expect(await download(OTHER)).toMatchObject({ kind: 'here' });
  });

  it('a paused download is told so when it is to go on, and keeps what it has', async () => {
    await begin();
    slowly(200_000);
    await models.room.handlers['models.download']({ modelId: Q8 });
    await models.presence(Q8, isDownloading);
    await models.room.handlers['models.pause']({ modelId: Q8 });
    const paused = (await models.entry(Q8)).presence;
    await restart({ diskFreeBytes: 1e9 });
    await expect((async () => models.room.handlers['models.download']({ modelId: Q8 }))()).rejects.toThrow(
      /needs 0\.1 GB and 1\.1 GB to spare/,
    );
    expect((await models.entry(Q8)).presence).toMatchObject({ kind: 'getting', download: { kind: 'paused' } });
    await expect(
      (async () => models.room.handlers['hub.update']({ cacheFolder: join(home.folder, 'elsewhere') }))(),
    ).rejects.toThrow(/partly fetched into the present folder/);
    expect(paused.kind).toBe('getting');
    hub.behave(null);
    await restart();
    await download(Q8);
  });
});

describe('checking and deleting', () => {
  it('finds a flipped bit, does not run the model, and fetches that file alone', async () => {
    await begin();
    const presence = await download(Q8);
    const folder = presence.kind === 'here' ? presence.folder : '';
    await models.room.handlers['model.choose']({ modelId: Q8 });
    const file = join(folder, 'model.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 7] = (bytes[bytes.length - 7] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await models.room.handlers['models.verify']({ modelId: Q8 });
    const damaged = await models.presence(Q8, ({ kind }) => kind === 'damaged');
    expect(damaged).toMatchObject({ message: '1 file is damaged.' });
    const { checkedAtMs = 0 } = damaged.kind === 'damaged' ? damaged : {};
    expect(Math.abs(Date.now() - checkedAtMs)).toBeLessThan(60_000);
    expect(() => models.room.models.required()).toThrow(/1 file is damaged/);
    await restart();
    expect((await models.entry(Q8)).presence).toEqual(damaged);
    hub.behave(null);
    await models.room.handlers['models.repair']({ modelId: Q8 });
    await models.presence(Q8, isHere);
    expect(hub.sentBytes('model.safetensors')).toBe(statSync(file).size);
    expect(hub.sentBytes('tokenizer.json')).toBe(0);
    expect(models.room.models.required().info.id).toBe(Q8);
  });

  it('a sound one stays runnable while it is compared', async () => {
    await begin();
    await download(Q8);
    await models.room.handlers['model.choose']({ modelId: Q8 });
    await models.room.handlers['models.verify']({ modelId: Q8 });
    expect(models.room.models.required().info.id).toBe(Q8);
    expect(await models.presence(Q8, isHere)).toMatchObject({ checked: 'hub' });
  });

  it('a check that waits for the hub is made at once when asked, and nothing is fetched for it', async () => {
    await begin();
    await download(Q8);
    rmSync(join(home.folder, 'data', 'models.json'));
    await restart();
    expect((await models.entry(Q8)).presence).toMatchObject({ kind: 'here', checked: 'unchecked' });
    hub.behave(() => ({ kind: 'reset' }));
    await models.room.handlers['models.verify']({ modelId: Q8 });
    await models.presence(Q8, (each) => each.kind === 'getting' && each.download.kind === 'waiting');
    hub.behave(null);
    await models.room.handlers['models.download']({ modelId: Q8 });
    const checked = await models.presence(Q8, isHere);
    expect(checked).toMatchObject({ checked: 'hub' });
    expect((await models.entry(Q8)).isShared).toBe(true);
    // To look for something to fetch in a whole model changes nothing.
    await models.room.handlers['models.download']({ modelId: Q8 });
    expect((await models.entry(Q8)).presence).toEqual(checked);
  });

  it('frees what it says, not while it runs, and the demo model stays', async () => {
    await begin();
    await download(Q8);
    await models.room.handlers['model.choose']({ modelId: Q8 });
    models.setEngine({ kind: 'ready', sinceMs: 0 });
    const remove = async (modelId: string) => models.room.handlers['models.delete']({ modelId, evenIfShared: false });
    await expect(remove(Q8)).rejects.toThrow(/running/);
    models.setEngine({ kind: 'off' });
    const { freedBytes } = await remove(Q8);
    expect(freedBytes).toBeGreaterThan(2_700_000);
    expect(readdirSync(models.cacheFolder).filter((name) => name.startsWith('models--'))).toEqual([]);
    expect((await models.entry(Q8)).presence).toEqual({ kind: 'absent' });
    expect(models.settings.current.modelId).toBeNull();
    await expect(remove('headroom-demo')).rejects.toThrow(/part of Headroom/);
  });
});

describe('context and a look before loading', () => {
  it('the slider has a stop for each length up to the model’s maximum, and what is set is kept', async () => {
    await begin();
    await expect((async () => models.room.handlers['context.plan']({ modelId: null }))()).rejects.toThrow(/No model/);
    const plan = await models.room.handlers['context.plan']({ modelId: Q8 });
    expect(plan.chosenTokens).toBe(4_096);
    expect(plan.stops.map(({ tokens }) => tokens)).toEqual([1, 2, 4, 8, 16, 32, 64, 128].map((k) => k * 1_024));
    const kinds = plan.stops.map(({ verdict }) => verdict.kind);
    expect(kinds[2]).toBe('fits-after-raise');
    expect(kinds.at(-1)).toBe('not-on-this-mac');
    await models.room.handlers['model.choose']({ modelId: 'headroom-demo' });
    const told = models.event('context.changed', () => true);
    expect((await models.room.handlers['context.set']({ tokens: 8_192 })).chosenTokens).toBe(8_192);
    expect((await told).modelId).toBe('headroom-demo');
    await restart();
    expect(models.settings.current.contextTokens).toBe(8_192);
  });

  it('green, works if, no: with numbers', async () => {
    await begin();
    await download(Q8);
    expect(await models.room.handlers['models.preflight']({ modelId: Q8 })).toMatchObject({ verdict: 'go' });
    expect(await models.room.refusal('window')).toBeNull();

    const chrome: MemoryUser = { name: 'Google Chrome', pid: 400, bytes: 6 * GIB, isOurs: false, canQuit: true };
    const crowded = { availableBytes: 2 * GIB, apps: [chrome] };
    await restart(crowded);
    const pre = await models.room.handlers['models.preflight']({ modelId: 'mlx-community/Qwen3-14B-4bit' });
    expect(pre).toMatchObject({
      verdict: 'works-if',
      canLoadAnyway: true,
      ways: expect.arrayContaining([expect.objectContaining({ kind: 'quit-apps' })]),
    });
    expect(pre.checks.map(({ name }) => name)).toEqual(['memory', 'working-set', 'pressure', 'disk']);
  });
});
