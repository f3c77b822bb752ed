import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppFault } from '../fault.ts';
import { readModelFolder } from './model-folder.ts';
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

describe('createModels', () => {
  const demo = () => folder('headroom-demo', good);

  it('offers the demo model and chooses nothing on a Mac', () => {
    const models = createModels({ demoFolder: demo(), givenFolder: null, chosenId: null, demoIsDefault: false });
    expect(models.current).toBeNull();
    expect(models.available()).toMatchObject([{ id: 'headroom-demo', isToy: true }]);
    expect(models.choose('headroom-demo').info.isToy).toBe(true);
    expect(models.current?.info.id).toBe('headroom-demo');
  });

  it('a folder from the command line comes first', () => {
    const given = folder('mine', good);
    const models = createModels({ demoFolder: demo(), givenFolder: given, chosenId: null, demoIsDefault: true });
    expect(models.current?.info.name).toBe('mine');
    expect(models.available()).toHaveLength(2);
  });

  it('a chosen folder that has gone leaves nothing chosen, or the demo where that is the default', () => {
    const gone = join(root, 'gone');
    const choice = { demoFolder: demo(), givenFolder: null, chosenId: gone };
    expect(createModels({ ...choice, demoIsDefault: false }).current).toBeNull();
    expect(createModels({ ...choice, demoIsDefault: true }).current?.info.id).toBe('headroom-demo');
  });

  it('refuses what it does not know', () => {
    const models = createModels({ demoFolder: demo(), givenFolder: null, chosenId: null, demoIsDefault: true });
    expect(() => models.choose('/etc')).toThrow(AppFault);
  });
});
