/** Models, downloads, the context slider and the pre-flight as they may stand on a 16 GB Mac, for the fake bridge. */
import type {
  ContextPlan,
  ContextStop,
  DownloadState,
  FitPrediction,
  FitVerdict,
  FitWay,
  HubSettings,
  MachineInfo,
  ModelEntry,
  Preflight,
} from '../../preload/contract.ts';
import type { FakeModels } from './fake-bridge.ts';

const MIB = 1_048_576;
const GIB = 1_024 * MIB;
const HUB = '/Users/ada/.cache/huggingface/hub';
export const GPT_OSS_ID = 'mlx-community/gpt-oss-20b-MXFP4-Q8';
const GPT_OSS_Q4_ID = 'mlx-community/gpt-oss-20b-MXFP4-Q4';

/** gpt-oss-20b: 12 full layers and 12 that keep 128 tokens, 8 heads of 64, keys and values, 2 bytes each. */
const kvBytes = (tokens: number): number => 12 * 2 * 8 * 64 * 2 * (tokens + Math.min(tokens, 128));

const prediction = (weightsMiB: number, contextTokens: number, over: Partial<FitPrediction> = {}): FitPrediction => {
  const kv = kvBytes(contextTokens);
  const parts = { weightsBytes: weightsMiB * MIB, kvBytes: kv, kvCopiesBytes: kv / 2, prefillBytes: 410 * MIB };
  return {
    contextTokens,
    ...parts,
    prefillStepTokens: 512,
    prefillFrom: 'default',
    runtimeBytes: 90 * MIB,
    peakBytes: parts.weightsBytes + 1.5 * kv + parts.prefillBytes + 90 * MIB,
    measuredLoads: 0,
    ...over,
  };
};

const fitsAfterRaise: FitVerdict = {
  kind: 'fits-after-raise',
  message: 'At its peak it takes 11.9 GB. The GPU may keep 10,922 MiB now and needs 12,800 MiB.',
  toMiB: 12_800,
};
const fits: FitVerdict = { kind: 'fits', message: 'At its peak it takes 11.9 GB and leaves 1.4 GB for your Mac.' };
const sibling: FitWay = {
  kind: 'other-model',
  modelId: GPT_OSS_Q4_ID,
  name: 'gpt-oss-20b, smaller',
  peakBytes: 11.1 * GIB,
};
const quitApps: FitWay = {
  kind: 'quit-apps',
  apps: [
    { name: 'Google Chrome', bytes: 2.1 * GIB },
    { name: 'Xcode', bytes: 1.3 * GIB },
  ],
  freesBytes: 3.4 * GIB,
};

const gptOss: ModelEntry = {
  id: GPT_OSS_ID,
  origin: 'catalog',
  name: 'gpt-oss-20b',
  repository: GPT_OSS_ID,
  sizeBytes: 12_100_000_000,
  licence: 'Apache-2.0',
  goodFor: 'Thinks before it answers: writing, code, questions of every kind.',
  isToy: false,
  isRecommended: true,
  isShared: false,
  presence: { kind: 'absent' },
  verdict: fitsAfterRaise,
  prediction: prediction(11_516, 4_096),
  measured: null,
};
const gptOssQ4: ModelEntry = {
  ...gptOss,
  id: GPT_OSS_Q4_ID,
  name: 'gpt-oss-20b, smaller',
  repository: GPT_OSS_Q4_ID,
  sizeBytes: 11_200_000_000,
  goodFor: 'The same model, a little coarser. Fits without a password on macOS 26.',
  isRecommended: false,
  verdict: { kind: 'fits', message: 'At its peak it takes 11.1 GB and leaves 2.2 GB for your Mac.' },
  prediction: prediction(10_661, 4_096),
};
const qwen14: ModelEntry = {
  ...gptOss,
  id: 'mlx-community/Qwen3-14B-4bit',
  name: 'Qwen3 14B',
  repository: 'mlx-community/Qwen3-14B-4bit',
  sizeBytes: 8_310_000_000,
  goodFor: 'Leaves room for other apps. Many languages.',
  isRecommended: false,
  verdict: { kind: 'fits', message: 'At its peak it takes 9.1 GB and leaves 4.2 GB for your Mac.' },
  prediction: prediction(7_925, 4_096),
};
const qwen4: ModelEntry = {
  ...qwen14,
  id: 'mlx-community/Qwen3-4B-4bit',
  name: 'Qwen3 4B',
  repository: 'mlx-community/Qwen3-4B-4bit',
  sizeBytes: 2_280_000_000,
  goodFor: 'Small and quick. For Macs with 8 GB.',
  verdict: { kind: 'fits', message: 'At its peak it takes 3.1 GB and leaves 10.2 GB for your Mac.' },
  prediction: prediction(2_174, 4_096),
};
const demo: ModelEntry = {
  ...gptOss,
  id: 'headroom-demo',
  origin: 'demo',
  name: 'headroom-demo',
  repository: null,
  sizeBytes: 5_400_000,
  licence: 'MIT',
  goodFor: 'Shows the app and knows little.',
  isToy: true,
  isRecommended: false,
  presence: { kind: 'here', folder: '/Applications/Headroom.app/Contents/Resources/demo', checked: 'pinned' },
  verdict: { kind: 'fits', message: 'It takes 60 MB.' },
  prediction: null,
};
const found: ModelEntry = {
  ...qwen14,
  id: 'mlx-community/Mistral-7B-Instruct-v0.3-4bit',
  origin: 'found',
  name: 'Mistral-7B-Instruct-v0.3-4bit',
  repository: 'mlx-community/Mistral-7B-Instruct-v0.3-4bit',
  sizeBytes: 4_080_000_000,
  licence: null,
  goodFor: null,
  isShared: true,
  presence: {
    kind: 'here',
    folder: `${HUB}/models--mlx-community--Mistral-7B-Instruct-v0.3-4bit`,
    checked: 'unchecked',
  },
  verdict: { kind: 'fits', message: 'At its peak it takes 4.6 GB and leaves 8.7 GB for your Mac.' },
};
const folder: ModelEntry = {
  ...found,
  id: '/Volumes/Models/house-model',
  origin: 'added',
  name: 'house-model',
  repository: null,
  sizeBytes: 6_400_000_000,
  isShared: false,
  presence: { kind: 'here', folder: '/Volumes/Models/house-model', checked: 'unchecked' },
  verdict: {
    kind: 'unknown',
    message: 'Its config names a kind of model that Headroom cannot compute. It may work; the load will show.',
  },
  prediction: null,
};

/** Models that other engines have; their files are theirs. */
const inOllama: ModelEntry = {
  ...found,
  id: 'ollama:qwen3:4b',
  name: 'qwen3:4b',
  repository: null,
  sizeBytes: 2_500_000_000,
  engineName: 'Ollama',
  presence: { kind: 'here', folder: 'qwen3:4b', checked: 'unchecked' },
  verdict: { kind: 'fits', message: 'At its peak it takes 3.4 GB and leaves 9.9 GB for your Mac.' },
};
const inLlamaCpp: ModelEntry = {
  ...inOllama,
  id: 'llama.cpp:/Users/somebody/Library/Caches/llama.cpp/gpt-oss-20b-mxfp4.gguf',
  name: 'gpt-oss-20b-mxfp4',
  sizeBytes: 12_109_566_560,
  engineName: 'llama.cpp',
  presence: {
    kind: 'here',
    folder: '/Users/somebody/Library/Caches/llama.cpp/gpt-oss-20b-mxfp4.gguf',
    checked: 'unchecked',
  },
  verdict: gptOss.verdict,
};
const offeredByOllama: ModelEntry = {
  ...inOllama,
  id: 'ollama:gpt-oss:20b',
  name: 'gpt-oss:20b',
  sizeBytes: 13_780_173_839,
  presence: { kind: 'absent' },
  verdict: gptOss.verdict,
};

/** Three days before what the states call now. */
const CHECKED_AT_MS = new Date('2026-11-20T10:42:00').getTime();
const here = (entry: ModelEntry, checked: 'pinned' | 'hub' | 'unchecked' = 'pinned'): ModelEntry => ({
  ...entry,
  presence: {
    kind: 'here',
    folder: `${HUB}/models--${entry.id.replaceAll('/', '--')}/snapshots/3f1c9a`,
    checked,
    ...(checked === 'unchecked' ? {} : { checkedAtMs: CHECKED_AT_MS }),
  },
});
const getting = (entry: ModelEntry, download: DownloadState): ModelEntry => ({
  ...entry,
  presence: { kind: 'getting', download },
});
const measured: ModelEntry = {
  ...here(gptOss, 'hub'),
  verdict: fits,
  prediction: prediction(11_516, 4_096, { prefillFrom: 'calibrated', prefillBytes: 350 * MIB, measuredLoads: 8 }),
  measured: { predictedBytes: 11.9 * GIB, measuredBytes: 11.8 * GIB, loads: 8 },
};

const TOKENS = [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072] as const;

const stop = (tokens: number, verdict: FitVerdict, prefillSeconds: number | null): ContextStop => {
  const { peakBytes } = prediction(11_516, tokens);
  return { tokens, kvBytes: kvBytes(tokens), peakBytes, leavesBytes: 13.35 * GIB - peakBytes, prefillSeconds, verdict };
};

/** What raising to 12,800 MiB made room for. */
const raisedPlan: ContextPlan = {
  modelId: GPT_OSS_ID,
  chosenTokens: 4_096,
  stops: TOKENS.map((tokens) =>
    stop(
      tokens,
      tokens <= 8_192
        ? fits
        : tokens === 16_384
          ? {
              kind: 'fits-after-raise',
              message: '16k takes 12.4 GB at its peak. The GPU may keep 12,800 MiB now and needs 13,312 MiB.',
              toMiB: 13_312,
            }
          : tokens === 32_768
            ? {
                kind: 'works-if',
                message: '32k takes 12.9 GB at its peak, 1.1 GB more than other apps leave.',
                ways: [quitApps, { kind: 'smaller-context', tokens: 8_192 }, sibling],
              }
            : {
                kind: 'not-on-this-mac',
                message: `${tokens / 1_024}k takes ${(prediction(11_516, tokens).peakBytes / GIB).toFixed(1)} GB at its peak. No more than 13.6 GB can be the GPU’s here.`,
                ways: [{ kind: 'smaller-context', tokens: 8_192 }, sibling],
              },
      tokens / 640,
    ),
  ),
};
/** Before anything was raised or measured. */
const freshPlan: ContextPlan = {
  ...raisedPlan,
  stops: raisedPlan.stops.map((each) => ({
    ...each,
    prefillSeconds: null,
    ...(each.tokens <= 8_192 ? { verdict: fitsAfterRaise } : {}),
  })),
};

const go: Preflight = {
  modelId: GPT_OSS_ID,
  verdict: 'go',
  message: 'It takes 11.9 GB at its peak and leaves 1.4 GB for your Mac.',
  checks: [
    { name: 'memory', isFine: true, message: '13.3 GB can be had without swapping; 11.9 GB are needed.' },
    { name: 'working-set', isFine: true, message: '12,800 MiB; 12,160 MiB are needed.' },
    { name: 'pressure', isFine: true, message: 'Normal.' },
    { name: 'disk', isFine: true, message: '84 GB free, enough for swap.' },
  ],
  ways: [],
  canLoadAnyway: false,
};
const worksIf: Preflight = {
  ...go,
  verdict: 'works-if',
  message: 'Other apps leave 9.9 GB. It takes 11.9 GB at its peak: 2 GB are missing.',
  checks: [
    { name: 'memory', isFine: false, message: '9.9 GB can be had without swapping; 11.9 GB are needed.' },
    ...go.checks.slice(1, 2),
    { name: 'pressure', isFine: false, message: 'Warning: other apps are being compressed.' },
    ...go.checks.slice(3),
  ],
  ways: [quitApps, { kind: 'smaller-context', tokens: 2_048 }, sibling],
  canLoadAnyway: true,
};
const no: Preflight = {
  ...go,
  verdict: 'no',
  message: 'It takes 11.9 GB at its peak. This Mac has 8 GB, of which 6.8 GB can be the GPU’s at most.',
  checks: [
    { name: 'memory', isFine: false, message: '8 GB in all; 11.9 GB are needed.' },
    { name: 'working-set', isFine: false, message: '5,461 MiB, and no more than 6,963 MiB; 12,160 MiB are needed.' },
    ...go.checks.slice(2),
  ],
  ways: [{ kind: 'other-model', modelId: qwen4.id, name: qwen4.name, peakBytes: 3.1 * GIB }],
  canLoadAnyway: false,
};

const hub: HubSettings = { proxyUrl: null, cacheFolder: null, cacheFolderInUse: HUB, token: 'none' };

const downloading: DownloadState = {
  kind: 'downloading',
  doneBytes: 3_200_000_000,
  totalBytes: 12_100_000_000,
  bytesPerSecond: 42_000_000,
  remainingSeconds: 212,
};
const offline = {
  code: 'offline',
  message: 'There is no connection to huggingface.co.',
  nextStep: 'It goes on when the network is back.',
};
const diskFull = {
  code: 'disk-full',
  message: 'The disk has 6.1 GB free; 8.9 GB are still needed.',
  nextStep: 'Free at least 2.8 GB, or choose another folder under Downloads, then try again.',
};
const done = { doneBytes: 3_200_000_000, totalBytes: 12_100_000_000 };

/** A download, by what it is doing. */
const downloads = (nowMs: number): Readonly<Record<DownloadState['kind'], DownloadState>> => ({
  queued: { kind: 'queued' },
  listing: { kind: 'listing' },
  checking: { kind: 'checking', ...done },
  downloading,
  waiting: { kind: 'waiting', ...done, retryAtMs: nowMs + 12_000, cause: offline },
  paused: { kind: 'paused', ...done },
  failed: { kind: 'failed', ...done, cause: diskFull },
});

const models = (over: Partial<FakeModels>): FakeModels => ({
  entries: [gptOss, gptOssQ4, qwen14, qwen4, demo],
  plan: null,
  preflight: go,
  hub,
  stepMs: 10,
  ...over,
});

/** The ordinary case for other tests: gpt-oss-20b runs. */
export const runningModels: FakeModels = models({
  entries: [measured, gptOssQ4, qwen14, qwen4, demo],
  plan: raisedPlan,
});

/** The models sheet and its pages; the chosen model is gpt-oss-20b. */
export const modelsStates: Readonly<Record<string, FakeModels>> = {
  list: models({
    entries: [measured, found, folder, demo, gptOssQ4, qwen14, qwen4],
    plan: raisedPlan,
  }),
  empty: models({ entries: [gptOss, gptOssQ4, qwen14, qwen4, demo] }),
  'other-engines': models({
    entries: [measured, demo, inOllama, inLlamaCpp, getting(offeredByOllama, downloading)],
    plan: raisedPlan,
  }),
  downloads: models({
    entries: [
      getting(gptOss, downloading),
      getting(gptOssQ4, { kind: 'paused', doneBytes: 1_100_000_000, totalBytes: 11_200_000_000 }),
      getting(qwen14, { kind: 'queued' }),
      { ...qwen4, presence: { kind: 'damaged', folder: HUB, message: 'model.safetensors differs from its checksum.' } },
      demo,
    ],
  }),
};

/** A model's own page. */
export const detailStates: Readonly<Record<string, { readonly models: FakeModels; readonly name: string }>> = {
  measured: { models: runningModels, name: 'gpt-oss-20b' },
  absent: { models: models({}), name: 'gpt-oss-20b' },
  'too-large': {
    models: models({
      entries: [
        { ...gptOss, isRecommended: false, verdict: { kind: 'not-on-this-mac', message: no.message, ways: no.ways } },
        qwen4,
        demo,
      ],
    }),
    name: 'gpt-oss-20b',
  },
  unknown: { models: models({ entries: [folder, gptOss, demo] }), name: 'house-model' },
  damaged: {
    models: models({
      entries: [
        {
          ...gptOss,
          presence: {
            kind: 'damaged',
            folder: `${HUB}/models--mlx-community--gpt-oss-20b-MXFP4-Q8/snapshots/3f1c9a`,
            message: 'model-00002-of-00003.safetensors differs from its checksum.',
          },
        },
        demo,
      ],
    }),
    name: 'gpt-oss-20b',
  },
};

export const contextStates = {
  fits: models({ entries: [measured, demo], plan: raisedPlan }),
  fresh: models({ entries: [here(gptOss), demo], plan: freshPlan }),
};

const goAfterRaise: Preflight = {
  ...go,
  ways: [{ kind: 'raise-limit', toMiB: 12_800 }],
  checks: [
    ...go.checks.slice(0, 1),
    { name: 'working-set', isFine: false, message: 'The GPU may keep 10,922 MiB; the model wants 12,800 MiB.' },
    ...go.checks.slice(2),
  ],
};

export const preflightStates = { go, 'go-after-raise': goAfterRaise, 'works-if': worksIf, no } satisfies Record<
  string,
  Preflight
>;

const tooLarge: FitVerdict = { kind: 'not-on-this-mac', message: no.message, ways: [] };

const mac16: MachineInfo = { chip: 'Apple M2', memoryBytes: 16 * GIB, system: 'macOS 15.6', cannotRun: null };
const mac8: MachineInfo = { ...mac16, chip: 'Apple M1', memoryBytes: 8 * GIB };

interface FirstRunState {
  readonly machine: MachineInfo;
  readonly models: FakeModels;
}

/** Every step of the first run, and what can stand in its way. */
export const firstRunStates = (nowMs: number): Readonly<Record<string, FirstRunState>> => {
  const kinds = downloads(nowMs);
  const at = (kind: DownloadState['kind']): FirstRunState => ({
    machine: mac16,
    models: models({ entries: [getting(gptOss, kinds[kind]), gptOssQ4, qwen14, qwen4, demo] }),
  });
  return {
    choose: { machine: mac16, models: models({}) },
    found: { machine: mac16, models: models({ entries: [gptOss, gptOssQ4, qwen14, qwen4, found, demo] }) },
    downloading: at('downloading'),
    paused: at('paused'),
    offline: at('waiting'),
    'disk-full': at('failed'),
    checking: at('checking'),
    here: { machine: mac16, models: models({ entries: [here(gptOss), gptOssQ4, qwen14, qwen4, demo] }) },
    '8-gb': {
      machine: mac8,
      models: models({
        entries: [
          {
            ...qwen4,
            isRecommended: true,
            verdict: { kind: 'fits', message: 'At its peak it takes 3.1 GB and leaves 2.2 GB for your Mac.' },
          },
          { ...gptOss, isRecommended: false, verdict: { kind: 'not-on-this-mac', message: no.message, ways: no.ways } },
          demo,
        ],
      }),
    },
    'nothing-fits': {
      machine: { ...mac8, memoryBytes: 4 * GIB },
      models: models({
        entries: [{ ...gptOss, isRecommended: false, verdict: tooLarge }, { ...qwen4, verdict: tooLarge }, demo],
      }),
    },
    intel: {
      machine: {
        chip: 'Intel Core i7',
        memoryBytes: 32 * GIB,
        system: 'macOS 14.7',
        cannotRun: {
          message: 'This Mac has an Intel processor.',
          nextStep: 'Headroom’s engine needs Apple silicon, an M1 or newer. Nothing here can change that.',
        },
      },
      models: models({ entries: [] }),
    },
    'old-macos': {
      machine: {
        ...mac16,
        system: 'macOS 13.6',
        cannotRun: {
          message: 'This macOS is too old.',
          nextStep: 'Headroom’s engine needs macOS 14 or newer. Update in System Settings, General, Software Update.',
        },
      },
      models: models({ entries: [] }),
    },
  };
};
