/**
 * The models Headroom names by itself, best first. Whether one works on this Mac is computed from its config and sizes,
 * never written here.
 */

export interface CatalogModel {
  readonly repository: string;
  readonly name: string;
  readonly licence: string;
  readonly goodFor: string;
  /** What MLX holds once it is loaded. */
  readonly weightsBytes: number;
  /** Everything that is fetched; the hub's own numbers take its place once it was asked. */
  readonly downloadBytes: number;
  /**
   * The parts of config.json that memory depends on, so that there is a verdict before anything is fetched. The
   * downloaded file takes their place.
   */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What gpt-oss-20b's config says, whoever packs its weights. */
export const gptOss20b = (): Readonly<Record<string, unknown>> => gptOss20bConfig;

/** OpenAI's published config of gpt-oss-20b; weights of the Q8 layout measured with MLX 0.32.4. */
const gptOss20bConfig = {
  model_type: 'gpt_oss',
  num_hidden_layers: 24,
  layer_types: Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 'sliding_attention' : 'full_attention')),
  sliding_window: 128,
  hidden_size: 2_880,
  intermediate_size: 2_880,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 64,
  num_local_experts: 32,
  num_experts_per_tok: 4,
  vocab_size: 201_088,
  max_position_embeddings: 131_072,
  tie_word_embeddings: false,
} as const;

/** Qwen3's published configs; weights by arithmetic: 4 bits in groups of 64 take 0.5625 bytes a parameter. */
const qwen3Config = {
  model_type: 'qwen3',
  num_key_value_heads: 8,
  head_dim: 128,
  vocab_size: 151_936,
  max_position_embeddings: 40_960,
} as const;

/** Tokenizer, vocabulary and chat template beside the weights. */
const GPT_OSS_TOKENIZER_BYTES = 28_000_000;
const QWEN3_TOKENIZER_BYTES = 16_000_000;

export const CATALOG: readonly CatalogModel[] = [
  {
    repository: 'mlx-community/gpt-oss-20b-MXFP4-Q8',
    name: 'gpt-oss-20b',
    licence: 'Apache-2.0',
    goodFor: 'Reasoning, writing, code and tools: a strong all-rounder.',
    weightsBytes: 12_076_119_168,
    downloadBytes: 12_076_119_168 + GPT_OSS_TOKENIZER_BYTES,
    config: gptOss20bConfig,
  },
  {
    repository: 'mlx-community/gpt-oss-20b-MXFP4-Q4',
    name: 'gpt-oss-20b, 4-bit',
    licence: 'Apache-2.0',
    goodFor: 'The same model with everything but its experts in 4 bits: 0.9 GB smaller, slightly less exact.',
    weightsBytes: 11_178_868_736,
    downloadBytes: 11_178_868_736 + GPT_OSS_TOKENIZER_BYTES,
    config: gptOss20bConfig,
  },
  {
    repository: 'mlx-community/Qwen3-14B-4bit',
    name: 'Qwen3 14B, 4-bit',
    licence: 'Apache-2.0',
    goodFor: 'Chat in many languages, writing and code. Some 4 GB smaller than gpt-oss-20b.',
    weightsBytes: 8_307_783_680,
    downloadBytes: 8_307_783_680 + QWEN3_TOKENIZER_BYTES,
    config: {
      ...qwen3Config,
      num_hidden_layers: 40,
      hidden_size: 5_120,
      intermediate_size: 17_408,
      num_attention_heads: 40,
      tie_word_embeddings: false,
    },
  },
  {
    repository: 'mlx-community/Qwen3-4B-4bit',
    name: 'Qwen3 4B, 4-bit',
    licence: 'Apache-2.0',
    goodFor: 'Quick answers and short texts, with little memory.',
    weightsBytes: 2_262_920_192,
    downloadBytes: 2_262_920_192 + QWEN3_TOKENIZER_BYTES,
    config: {
      ...qwen3Config,
      num_hidden_layers: 36,
      hidden_size: 2_560,
      intermediate_size: 9_728,
      num_attention_heads: 32,
      tie_word_embeddings: true,
    },
  },
];

export const catalogModel = (repository: string): CatalogModel | null =>
  CATALOG.find((each) => each.repository === repository) ?? null;

/** What the demo model is, as the list says it. */
export const DEMO = {
  licence: 'MIT',
  goodFor: 'Looking around in Headroom without a download. It knows a little about Headroom and nothing else.',
} as const;
