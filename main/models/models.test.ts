import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppFault } from '../fault.ts';
import type { KnownModel } from './library.ts';
import { modelFolderBelow, readModelFolder } from './model-folder.ts';
import { createModels } from './models.ts';

let root: string;
const folder = (name: string, files: Record<string, string>): string => {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
};
const good = { 'config.json': '{"max_position_embeddings": 8192}', 'model.safetensors': '12345' };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headroom-models-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('readModelFolder', () => {
  it('reads size, context and the recommended sampling', () => {
    const path = folder('some-model', { ...good, 'generation_config.json': '{"temperature": 0.7, "top_p": 7}' });
    expect(readModelFolder(path)).toEqual({
      folder: path,
      info: { id: path, name: 'some-model', sizeBytes: 5, isToy: false },
      sampling: { temperature: 0.7, topP: 1 },
      maxContextTokens: 8192,
      // The file is no safetensors: its size is what is left to go by.
      weightsBytes: 5,
      config: { max_position_embeddings: 8192 },
      shards: [],
    });
  });

  it.each([
    [{ 'model.safetensors': 'x' }, /config\.json/],
    [{ 'config.json': '{}' }, /weights/],
  ])('says what is missing: %j', (files, words) => {
    expect(() => readModelFolder(folder('m', files))).toThrow(words);
  });

  it.each([
    [{ 'model-Q4_K_M.gguf': 'x', 'config.json': '{}' }, /GGUF files, which llama\.cpp reads/],
    [{ 'pytorch_model.bin': 'x', 'config.json': '{}' }, /PyTorch files.*never loaded/],
  ])('names what is no MLX model: %j', (files, words) => {
    expect(() => readModelFolder(folder('m', files))).toThrow(words);
  });

  it('a link whose target is gone makes no model', () => {
    const path = folder('m', { 'config.json': '{}' });
    symlinkSync('../blobs/gone', join(path, 'model.safetensors'));
    expect(() => readModelFolder(path)).toThrow(/not whole/);
  });

  it('takes name and id from where it was found', () => {
    const path = folder('headroom-demo', good);
    const as = { id: 'owner/name', name: 'name' };
    expect(readModelFolder(path, as).info).toEqual({ ...as, sizeBytes: 5, isToy: false });
  });

  it('says so when there is no such folder', () => {
    expect(() => readModelFolder(join(root, 'nothing'))).toThrow(AppFault);
  });
});

describe('modelFolderBelow', () => {
  it('is the folder itself, the one model in it, or a cache’s latest version', () => {
    const mine = folder('all/mine', good);
    folder('all/notes', { 'read.me': 'x' });
    expect(modelFolderBelow(mine)).toBe(mine);
    expect(modelFolderBelow(join(root, 'all'))).toBe(mine);
    const earlier = folder('models--a--b/snapshots/1111', good);
    const later = folder('models--a--b/snapshots/2222', good);
    utimesSync(earlier, 1_000, 1_000);
    expect(modelFolderBelow(join(root, 'models--a--b'))).toBe(later);
    const none = folder('none', {});
    expect(modelFolderBelow(none)).toBe(none);
    expect(modelFolderBelow(join(root, 'gone'))).toBe(join(root, 'gone'));
  });

  it('of several none is guessed, and a whole cache is a place for models', () => {
    folder('all/mine', good);
    folder('all/other', good);
    expect(() => modelFolderBelow(join(root, 'all'))).toThrow(/several models/);
    folder('cache/models--a--b/snapshots/1111', good);
    expect(() => modelFolderBelow(join(root, 'cache'))).toThrow(/Hugging Face cache/);
  });
});

describe('createModels', () => {
  const library = (...folders: readonly string[]) => {
    const all = () => folders.map((path) => readModelFolder(path));
    return {
      locate: (id: string) => {
        const found = all().find(({ info }) => info.id === id);
        if (found === undefined) throw new AppFault('not-found', `${id} is not here.`, 'Choose another one.');
        return found;
      },
      models: () => folders.map((id) => ({ id, presence: { kind: 'here' } }) as KnownModel),
    };
  };
  const none = { givenId: null, chosenId: null, defaultId: null };
  const demo = () => folder('headroom-demo', good);

  it('nothing is chosen by itself where there is no default', () => {
    const models = createModels({ library: library(demo()), ...none });
    expect(models.current).toBeNull();
    expect(() => models.required()).toThrow(/No model has been chosen/);
    expect(models.choose('headroom-demo').info.isToy).toBe(true);
    expect(models.current?.info.id).toBe('headroom-demo');
    models.forget('headroom-demo');
    expect(models.current).toBeNull();
    expect(models.chosenId).toBeNull();
  });

  it('the command line comes before the settings, the settings before the default', () => {
    const [mine, other] = [folder('mine', good), folder('other', good)];
    const choice = {
      library: library(demo(), mine, other),
      givenId: mine,
      chosenId: other,
      defaultId: 'headroom-demo',
    };
    expect(createModels(choice).current?.info.name).toBe('mine');
    expect(createModels({ ...choice, givenId: null }).current?.info.name).toBe('other');
    expect(createModels({ ...choice, givenId: null, chosenId: null }).current?.info.id).toBe('headroom-demo');
  });

  it('a chosen folder that has gone stays chosen and says where it went, and works again when it is back', () => {
    const mine = folder('mine', good);
    const models = createModels({ library: library(mine), ...none, chosenId: mine });
    expect(models.required().info.id).toBe(mine);
    rmSync(mine, { recursive: true });
    expect(() => models.required()).toThrow(/no folder/);
    expect(models.current).toBeNull();
    expect(models.chosenId).toBe(mine);
    folder('mine', good);
    expect(models.required().info.id).toBe(mine);
  });

  it('what is used for now leaves the choice as it is, which comes back when it is deleted', () => {
    const [mine, other] = [folder('mine', good), folder('other', good)];
    const models = createModels({ library: library(mine, other), ...none, chosenId: mine });
    expect(models.chooseForNow(other).info.id).toBe(other);
    expect([models.inUseId, models.chosenId, models.required().info.id]).toEqual([other, mine, other]);
    expect(() => models.chooseForNow('/etc')).toThrow(AppFault);
    expect(models.inUseId).toBe(other);
    models.forget(mine);
    expect([models.inUseId, models.chosenId]).toEqual([other, null]);
    models.choose(mine);
    models.chooseForNow(other);
    models.forget(other);
    expect([models.inUseId, models.current?.info.id]).toEqual([mine, mine]);
  });

  it('refuses what it does not know', () => {
    const models = createModels({ library: library(demo()), ...none });
    expect(() => models.choose('/etc')).toThrow(AppFault);
  });
});
