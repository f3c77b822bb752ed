import { describe, expect, it } from 'vitest';
import { CATALOG } from './catalog.ts';
import { NO_CORRECTION } from './fit.ts';
import type { KnownModel } from './library.ts';
import { type Circumstances, contextPlan, modelEntries } from './model-list.ts';

const GIB = 2 ** 30;

const catalog: readonly KnownModel[] = CATALOG.map((model) => ({
  id: model.repository,
  origin: 'catalog',
  name: model.name,
  repository: model.repository,
  sizeBytes: model.downloadBytes,
  weightsBytes: model.weightsBytes,
  licence: model.licence,
  goodFor: model.goodFor,
  isToy: false,
  isShared: false,
  presence: { kind: 'absent' },
  config: model.config,
}));
const demo: KnownModel = {
  ...(catalog[0] as KnownModel),
  id: 'headroom-demo',
  origin: 'demo',
  name: 'Demo model',
  isToy: true,
  weightsBytes: 2_700_000,
  presence: { kind: 'here', folder: '/demo', checked: 'unchecked' },
  config: { model_type: 'gpt_oss', num_hidden_layers: 4, num_attention_heads: 6, head_dim: 32, hidden_size: 192 },
};

/** A Mac of this size with a quarter of its memory in use, as macOS comes. */
function around(memoryGib: number, change: Partial<Circumstances> = {}): Circumstances {
  const memoryMiB = memoryGib * 1_024;
  return {
    machine: { chip: 'Apple M4', memoryBytes: memoryGib * GIB, system: 'macOS 15.6', cannotRun: null },
    isMac: true,
    room: {
      memoryBytes: memoryGib * GIB,
      wiredLimit: {
        memoryMiB,
        macosMajor: 15,
        settingMiB: 0,
        workingSetMiB: Math.floor(memoryMiB * (memoryGib > 36 ? 0.75 : 2 / 3)),
        ourValuesMiB: [],
        wiredBeforeLoadMiB: 2_486,
        ownProcessesMiB: 200,
      },
      wiredBeforeLoadBytes: 2_486 * 2 ** 20,
      ownProcessesBytes: 200 * 2 ** 20,
      availableBytes: memoryGib * GIB * 0.75,
      engineActiveBytes: 0,
      apps: [],
    },
    contextTokens: 4_096,
    diskFreeBytes: 500e9,
    models: [...catalog, demo],
    learned: () => ({ calibration: null, correction: NO_CORRECTION, measured: null, prefillRate: null }),
    countEngineBytes: (bytes) => bytes,
    ...change,
  };
}

const recommended = (about: Circumstances): readonly string[] =>
  modelEntries(about)
    .filter(({ isRecommended }) => isRecommended)
    .map(({ name }) => name);
const verdicts = (about: Circumstances): readonly string[] => modelEntries(about).map(({ verdict }) => verdict.kind);

describe('the list on Macs of every size', () => {
  const raise = 'fits-after-raise';
  const never = 'not-on-this-mac';
  it.each([
    [8, 'Qwen3 4B, 4-bit', [never, never, never, 'fits', 'fits']],
    [16, 'gpt-oss-20b', [raise, raise, 'fits', 'fits', 'fits']],
    [18, 'gpt-oss-20b', [raise, 'fits', 'fits', 'fits', 'fits']],
    [24, 'gpt-oss-20b', ['fits', 'fits', 'fits', 'fits', 'fits']],
    [32, 'gpt-oss-20b', ['fits', 'fits', 'fits', 'fits', 'fits']],
    [64, 'gpt-oss-20b', ['fits', 'fits', 'fits', 'fits', 'fits']],
  ])('%i GB: %s first', (memoryGib, first, kinds) => {
    expect(recommended(around(memoryGib))).toEqual([first]);
    expect(verdicts(around(memoryGib))).toEqual(kinds);
  });

  it('on macOS 26 the 4-bit sibling needs no password on 16 GB', () => {
    const about = around(16);
    const limit = about.room.wiredLimit && { ...about.room.wiredLimit, macosMajor: 26, workingSetMiB: 12_124 };
    const tahoe = { ...about, room: { ...about.room, wiredLimit: limit } };
    expect(verdicts(tahoe).slice(0, 2)).toEqual([raise, 'fits']);
    const [first] = modelEntries(tahoe);
    expect(first?.verdict).toMatchObject({
      ways: expect.arrayContaining([expect.objectContaining({ kind: 'other-model', name: 'gpt-oss-20b, 4-bit' })]),
    });
  });

  it('what runs at the moment changes verdicts, not the recommendation', () => {
    const about = around(16);
    const crowded = { ...about, room: { ...about.room, availableBytes: 3 * GIB } };
    expect(verdicts(crowded)[0]).toBe('works-if');
    expect(recommended(crowded)).toEqual(['gpt-oss-20b']);
  });

  it('a disk that is too full is said before the download', () => {
    const [first] = modelEntries(around(16, { diskFreeBytes: 5e9 }));
    expect(first?.verdict).toMatchObject({
      kind: 'works-if',
      message: expect.stringMatching(/12\.1 GB of disk, 5\.0 GB/),
    });
  });

  it('elsewhere than on a Mac the demo model is recommended', () => {
    const about = around(32, { isMac: false });
    expect(recommended({ ...about, room: { ...about.room, wiredLimit: null } })).toEqual(['Demo model']);
  });

  it('where nothing can run, nothing is recommended', () => {
    const about = around(16);
    const cannotRun = { message: 'An Intel processor.', nextStep: 'Use another Mac.' };
    const intel = { ...about, machine: { ...about.machine, cannotRun } };
    expect(recommended(intel)).toEqual([]);
    expect(new Set(verdicts(intel))).toEqual(new Set([never]));
  });

  it('a config nobody understands is offered with what is known of it', () => {
    const alien = { ...(catalog[0] as KnownModel), id: 'a/b', config: { model_type: 'alien' } };
    const [entry] = modelEntries(around(16, { models: [alien] }));
    expect(entry).toMatchObject({ verdict: { kind: 'unknown' }, prediction: null, isRecommended: false });
    // Its context is the user's to set all the same.
    const { stops } = contextPlan(alien, around(16));
    expect(stops.map(({ tokens }) => tokens)).toEqual([1, 2, 4, 8, 16, 32].map((k) => k * 1_024));
    expect(stops.every(({ kvBytes, verdict }) => kvBytes === null && verdict.kind === 'unknown')).toBe(true);
  });
});

describe('a model of another engine', () => {
  const theirs: KnownModel = {
    ...(catalog[0] as KnownModel),
    id: 'ollama:gpt-oss:20b',
    origin: 'found',
    engineName: 'Ollama',
    presence: { kind: 'here', folder: 'gpt-oss:20b', checked: 'unchecked' },
  };
  const entryOf = (model: KnownModel) => modelEntries(around(8, { models: [model] }))[0];

  it('on another computer takes nothing of this one', () => {
    expect(entryOf(theirs)?.verdict.kind).not.toBe('fits');
    const away = { ...theirs, host: 'studio.local' };
    expect(entryOf(away)).toMatchObject({
      verdict: { kind: 'fits', message: 'It runs on studio.local and takes no memory here.' },
      prediction: null,
    });
    expect(contextPlan(away, around(8, { models: [away] })).stops.every(({ verdict }) => verdict.kind === 'fits')).toBe(
      true,
    );
  });

  it('that tells nothing of itself is not called broken', () => {
    expect(entryOf({ ...theirs, config: null })?.verdict).toMatchObject({
      kind: 'unknown',
      message: expect.stringMatching(/^Ollama tells too little/) as string,
    });
  });
});
