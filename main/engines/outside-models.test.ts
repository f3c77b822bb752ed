import { describe, expect, it } from 'vitest';
import { EngineError } from '../engine/engine.ts';
import type { Library } from '../models/library.ts';
import type { OutsideEngine, OutsideModel, Pulled } from './outside-engine.ts';
import { createOutsideModels, withOutsideModels } from './outside-models.ts';

const here: OutsideModel = {
  id: 'ollama:a:1b',
  engine: 'ollama',
  ref: 'a:1b',
  name: 'a:1b',
  sizeBytes: 2_000,
  weightsBytes: 1_900,
  config: { model_type: 'gpt_oss' },
  maxContextTokens: 4_096,
  presence: 'here',
  lacks: [],
};
const offered: OutsideModel = { ...here, id: 'ollama:gpt-oss:20b', ref: 'gpt-oss:20b', presence: 'fetchable' };

function ollama() {
  let models = [here, offered];
  let progress: (pulled: Pulled) => void = () => undefined;
  let end: (error?: Error) => void = () => undefined;
  const engine: OutsideEngine = {
    kind: 'ollama',
    name: 'Ollama',
    detect: () =>
      Promise.resolve(
        models.length === 0
          ? { kind: 'not-found' as const, message: 'Nobody answers.', nextStep: 'Open Ollama.' }
          : {
              kind: 'found' as const,
              version: '0.17.4',
              at: 'http://127.0.0.1:11434',
              reach: 'this-computer' as const,
            },
      ),
    models: () => Promise.resolve(models),
    load: () => Promise.resolve(),
    unload: () => Promise.resolve(),
    chat: () => {
      throw new Error('not here');
    },
    count: () => Promise.resolve(null),
    footprintBytes: () => Promise.resolve(null),
    logTail: () => [],
    pull: (_model, onProgress, signal) => {
      progress = onProgress;
      return new Promise<void>((resolve, reject) => {
        end = (error) => (error === undefined ? resolve() : reject(error));
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    },
  };
  return {
    engine,
    progress: (pulled: Pulled) => progress(pulled),
    end: (error?: Error) => end(error),
    has: (next: OutsideModel[]) => void (models = next),
  };
}

const state = (models: ReturnType<typeof createOutsideModels>) =>
  models.models().find(({ id }) => id === offered.id)?.presence;

describe('models of other engines', () => {
  it('are listed with their engine’s name, and can be located and found', async () => {
    const models = createOutsideModels([ollama().engine], () => {});
    expect(models.models()).toEqual([]);
    await models.refresh();
    expect(models.models()).toMatchObject([
      { id: here.id, engineName: 'Ollama', weightsBytes: 1_900, presence: { kind: 'here' }, isShared: true },
      { id: offered.id, presence: { kind: 'absent' } },
    ]);
    expect(models.locate(here.id)).toMatchObject({ folder: here.id, maxContextTokens: 4_096, weightsBytes: 1_900 });
    expect((await models.find(here.id, new AbortController().signal)).model).toEqual(here);
  });

  it('say whom to start when they are gone', async () => {
    const { engine, has } = ollama();
    const lines: string[] = [];
    const models = createOutsideModels(
      [engine],
      () => {},
      (_level, line) => lines.push(line),
    );
    await models.refresh();
    await models.refresh();
    has([]);
    await models.refresh();
    expect(lines).toEqual(['engines: Ollama: 0.17.4, http://127.0.0.1:11434', 'engines: Ollama: gone']);
    expect(() => models.locate(here.id)).toThrow('Ollama does not have this model just now.');
    await expect(models.find('lm-studio:x', new AbortController().signal)).rejects.toThrow('No engine here');
    expect(() => createOutsideModels([engine], () => {}).locate(offered.id)).toThrow();
  });

  it('are those of engines that are switched on', async () => {
    let isOn = true;
    const { engine } = ollama();
    const models = createOutsideModels(
      [engine],
      () => {},
      () => {},
      () => isOn,
    );
    expect(await models.look('ollama')).toMatchObject({ kind: 'found', version: '0.17.4', models: 1 });
    expect(models.models()).toHaveLength(2);
    isOn = false;
    expect(await models.look('ollama')).toEqual({ kind: 'off' });
    expect(models.models()).toEqual([]);
    await expect(models.find(here.id, new AbortController().signal)).rejects.toThrow('Ollama is switched off here.');
    expect(() => models.locate(here.id)).toThrow('Ollama is switched off here.');
  });

  it('take no memory here where they run on another computer', async () => {
    const { engine, has } = ollama();
    has([{ ...here, host: 'studio.local', lacks: ['continue'] }]);
    const models = createOutsideModels([engine], () => {});
    await models.refresh();
    expect(models.models()).toMatchObject([{ host: 'studio.local' }]);
    expect(models.locate(here.id)).toMatchObject({ weightsBytes: 0, info: { lacks: ['continue'] } });
  });

  it('show how far a download is, can be paused, taken up and ended', async () => {
    let changes = 0;
    const { engine, progress, end, has } = ollama();
    const models = createOutsideModels([engine], () => (changes += 1));
    await models.refresh();
    models.download(offered.id);
    expect(state(models)).toEqual({ kind: 'getting', download: { kind: 'listing' } });
    progress({ doneBytes: 500, totalBytes: 1_000 });
    expect(state(models)).toMatchObject({
      kind: 'getting',
      download: { kind: 'downloading', doneBytes: 500, totalBytes: 2_000 },
    });
    await models.pause(offered.id);
    expect(state(models)).toMatchObject({ download: { kind: 'paused', doneBytes: 500 } });
    models.download(offered.id);
    has([here, { ...offered, presence: 'here' }]);
    end();
    await expect.poll(() => state(models)).toMatchObject({ kind: 'here' });
    expect(changes).toBeGreaterThan(4);
  });

  it('say why a download failed, and forget it when it is cancelled', async () => {
    const { engine, end } = ollama();
    const models = createOutsideModels([engine], () => {});
    await models.refresh();
    models.download(offered.id);
    end(new EngineError('failed', 'Ollama failed: disk full', 'Free some space.'));
    await expect
      .poll(() => state(models))
      .toMatchObject({ download: { kind: 'failed', cause: { message: 'Ollama failed: disk full' } } });
    await models.cancel(offered.id);
    expect(state(models)).toEqual({ kind: 'absent' });
    await models.dispose();
  });

  it('are in one list with the app’s own, and nothing is done with their files', async () => {
    const asked: string[] = [];
    const own = {
      models: () => [],
      refresh: async () => void asked.push('refresh'),
      locate: (id: string) => {
        throw new Error(`located ${id}`);
      },
      remove: () => Promise.resolve(7),
      check: (id: string) => void asked.push(`check ${id}`),
    } as unknown as Library;
    const library = withOutsideModels(
      own,
      createOutsideModels([ollama().engine], () => {}),
    );
    await library.refresh();
    expect(library.models().map(({ id }) => id)).toEqual([here.id, offered.id]);
    expect(library.locate(here.id).info.name).toBe('a:1b');
    expect(() => library.locate('/folder')).toThrow('located /folder');
    await expect(library.remove(here.id, true)).rejects.toThrow('belong to Ollama');
    expect(() => library.check(here.id, 'verify')).toThrow('belong to Ollama');
    expect(await library.remove('/folder', true)).toBe(7);
    library.check('/folder', 'verify');
    expect(asked).toEqual(['refresh', 'check /folder']);
  });
});
