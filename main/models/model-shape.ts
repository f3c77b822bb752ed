/** What a model's config.json says about the memory it will take: layers, KV heads, windows. Pure. */
import * as v from 'valibot';

export interface ModelShape {
  readonly modelType: string;
  /**
   * `known`: the cache is laid out as mlx_lm lays it out for this architecture. `over-estimated`: an architecture not
   * known here, counted as if every layer kept everything.
   */
  readonly layout: 'known' | 'over-estimated';
  /** Layers that keep every token. */
  readonly fullLayers: number;
  /** Layers that keep the last `windowTokens` only. */
  readonly slidingLayers: number;
  /** 0 without sliding layers. */
  readonly windowTokens: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly queryHeads: number;
  /** Of one number in the KV cache. */
  readonly elementBytes: 2 | 4;
  readonly hiddenSize: number;
  /** Width of what a token goes through in one layer's feed-forward part, all its experts together. */
  readonly feedForwardSize: number;
  /** Null when the config does not say. */
  readonly maxContextTokens: number | null;
  /** Tensors with these beginnings are in the files but never loaded. */
  readonly unloadedPrefixes: readonly string[];
}

const count = (most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(most));
/** A field that is missing or makes no sense is left out: what can be done without it decides later. */
const lenient = <T>(schema: v.GenericSchema<unknown, T>) => v.fallback(v.optional(schema), undefined);

const fields = v.object({
  model_type: lenient(v.string()),
  num_hidden_layers: lenient(count(10_000)),
  num_attention_heads: lenient(count(10_000)),
  num_key_value_heads: lenient(count(10_000)),
  head_dim: lenient(count(100_000)),
  hidden_size: lenient(count(10_000_000)),
  intermediate_size: lenient(count(100_000_000)),
  moe_intermediate_size: lenient(count(100_000_000)),
  num_experts_per_tok: lenient(count(10_000)),
  layer_types: lenient(v.pipe(v.array(v.string()), v.maxLength(10_000))),
  sliding_window: lenient(count(2 ** 31)),
  sliding_window_pattern: lenient(count(10_000)),
  max_position_embeddings: lenient(count(2 ** 31)),
  torch_dtype: lenient(v.string()),
  dtype: lenient(v.string()),
});
type Fields = v.InferOutput<typeof fields>;

const config = v.object({ ...fields.entries, text_config: lenient(fields) });

/** What mlx_lm assumes where a config is silent (the ModelArgs of `mlx_lm/models/*.py`, 0.32.2). */
const gptOssDefaults = {
  num_hidden_layers: 36,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  head_dim: 64,
  hidden_size: 2_880,
  intermediate_size: 2_880,
  num_experts_per_tok: 4,
  sliding_window: 128,
} as const;
const gemma3Defaults = {
  num_hidden_layers: 26,
  num_attention_heads: 4,
  num_key_value_heads: 1,
  head_dim: 256,
  hidden_size: 1_152,
  intermediate_size: 6_912,
  sliding_window: 512,
  sliding_window_pattern: 6,
  max_position_embeddings: 32_768,
} as const;
/** The multimodal wrapper sets two of them itself. */
const gemma3WrapperDefaults = { ...gemma3Defaults, num_attention_heads: 8, num_key_value_heads: 4 } as const;

/** Every layer keeps everything, whatever `sliding_window` says: mlx_lm reads it for none of these. */
const ALL_FULL = new Set(['qwen2', 'qwen3', 'qwen3_moe', 'mistral']);

/** Null when not even the number of layers and heads can be told. `parsed` is config.json after JSON.parse. */
export function readModelShape(parsed: unknown): ModelShape | null {
  const result = v.safeParse(config, parsed);
  if (!result.success) return null;
  const { text_config: text, ...outer } = result.output;
  const modelType = outer.model_type ?? text?.model_type ?? 'unknown';
  switch (modelType) {
    case 'gpt_oss': {
      const own = filled(outer, gptOssDefaults);
      return shaped(modelType, own, layersByType(own, alternating(own.num_hidden_layers)));
    }
    case 'gemma3': {
      const own = filled(text ?? {}, gemma3WrapperDefaults);
      const shape = shaped(modelType, own, layersByPattern(own));
      return shape && { ...shape, unloadedPrefixes: ['vision_tower.', 'multi_modal_projector.'] };
    }
    case 'gemma3_text': {
      const own = filled(outer, gemma3Defaults);
      return shaped(modelType, own, layersByPattern(own));
    }
    case 'llama':
      return shaped(modelType, outer, layersByType(outer, undefined));
    default:
      if (ALL_FULL.has(modelType)) return shaped(modelType, outer, allFull(outer));
      // The language part of a multimodal model is nested; what it does not repeat stands outside.
      return shaped(modelType, { ...outer, ...present(text) }, null);
  }
}

interface Layers {
  readonly full: number;
  readonly sliding: number;
  readonly windowTokens: number;
}

function shaped(modelType: string, own: Fields, layers: Layers | null): ModelShape | null {
  const { num_hidden_layers: layerCount, num_attention_heads: heads, hidden_size: hidden } = own;
  if (layerCount === undefined || heads === undefined) return null;
  const headSize = own.head_dim ?? (hidden === undefined ? undefined : Math.ceil(hidden / heads));
  if (headSize === undefined) return null;
  const { full, sliding, windowTokens } = layers ?? { full: layerCount, sliding: 0, windowTokens: 0 };
  const wide = hidden ?? heads * headSize;
  const dtype = own.torch_dtype ?? own.dtype;
  return {
    modelType,
    layout: layers === null ? 'over-estimated' : 'known',
    fullLayers: full,
    slidingLayers: sliding,
    windowTokens,
    kvHeads: own.num_key_value_heads ?? heads,
    headSize,
    queryHeads: heads,
    elementBytes: dtype === 'float32' ? 4 : 2,
    hiddenSize: wide,
    feedForwardSize: feedForwardSize(own, wide),
    maxContextTokens: own.max_position_embeddings ?? null,
    unloadedPrefixes: [],
  };
}

function feedForwardSize(own: Fields, hidden: number): number {
  const experts = own.num_experts_per_tok;
  if (experts !== undefined) return experts * (own.moe_intermediate_size ?? own.intermediate_size ?? hidden);
  return own.intermediate_size ?? 4 * hidden;
}

const allFull = ({ num_hidden_layers: layers = 0 }: Fields): Layers => ({ full: layers, sliding: 0, windowTokens: 0 });

/** `layer_types` as the config has it, or what the architecture does without. */
function layersByType(own: Fields, otherwise: readonly string[] | undefined): Layers {
  const types = own.layer_types ?? otherwise;
  const window = own.sliding_window;
  if (types === undefined || window === undefined) return allFull(own);
  const full = types.filter((type) => type === 'full_attention').length;
  return { full, sliding: types.length - full, windowTokens: window };
}

/** Every `pattern`-th layer is full, the others slide. */
function layersByPattern(own: Fields): Layers {
  const { num_hidden_layers: layers = 0, sliding_window_pattern: pattern = 1, sliding_window: window = 0 } = own;
  const full = Math.floor(layers / pattern);
  return { full, sliding: layers - full, windowTokens: window };
}

const alternating = (layers = 0): readonly string[] =>
  Array.from({ length: layers }, (_, i) => (i % 2 === 0 ? 'sliding_attention' : 'full_attention'));

const present = (own: Fields | undefined): Fields =>
  Object.fromEntries(Object.entries(own ?? {}).filter(([, value]) => value !== undefined)) as Fields;

const filled = (own: Fields, defaults: Fields): Fields => ({ ...defaults, ...present(own) });
