/**
 * What a GGUF's header says about memory: the same facts a config.json has, so that the fit's arithmetic holds for both,
 * and how many layers' experts have to stay with the CPU for the rest to go into what the GPU may hold. Pure.
 */
import type { GgufHeader } from './gguf-header.ts';

export interface GgufModel {
  readonly architecture: string;
  readonly name: string | null;
  /** As config.json names things; null for an architecture that says too little. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly weightsBytes: number;
  readonly maxContextTokens: number | null;
  /** Of each layer's experts; empty where there are none. */
  readonly expertBytes: readonly number[];
}

/** Where architectures have another name in config.json. */
const MODEL_TYPES: Readonly<Record<string, string>> = {
  'gpt-oss': 'gpt_oss',
  gptoss: 'gpt_oss',
  llama: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  qwen3moe: 'qwen3_moe',
  gemma3: 'gemma3_text',
};

export function ggufModel({ metadata, tensors }: GgufHeader): GgufModel {
  const architecture = textOf(metadata.get('general.architecture')) ?? 'unknown';
  const own = (key: string): number | undefined => countOf(metadata.get(`${architecture}.${key}`));
  const layers = own('block_count');
  const heads = own('attention.head_count');
  const maxContextTokens = own('context_length') ?? null;
  const expertBytes = Array.from({ length: Math.min(layers ?? 0, 10_000) }, () => 0);
  for (const { name, bytes } of tensors) {
    const [, layer] = /^blk\.(\d+)\.ffn_(?:gate|up|down|gate_up)_exps\./.exec(name) ?? [];
    if (layer !== undefined && Number(layer) < expertBytes.length) {
      expertBytes[Number(layer)] = (expertBytes[Number(layer)] ?? 0) + bytes;
    }
  }
  return {
    architecture,
    name: textOf(metadata.get('general.name')) ?? null,
    config:
      layers === undefined || heads === undefined
        ? null
        : present({
            model_type: MODEL_TYPES[architecture] ?? architecture,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            // An array, one for each layer, is known here only by its length.
            num_key_value_heads: own('attention.head_count_kv'),
            head_dim: own('attention.key_length'),
            hidden_size: own('embedding_length'),
            intermediate_size: own('feed_forward_length'),
            moe_intermediate_size: own('expert_feed_forward_length'),
            num_experts_per_tok: own('expert_used_count'),
            sliding_window: own('attention.sliding_window'),
            max_position_embeddings: maxContextTokens ?? undefined,
            torch_dtype: 'float16',
          }),
    weightsBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    maxContextTokens,
    expertBytes: expertBytes.some((bytes) => bytes > 0) ? expertBytes : [],
  };
}

/**
 * How many layers' experts stay with the CPU so that the rest fits: the fewest, 0 when all of it fits, null when not
 * even without any experts. llama.cpp counts from the first layer (`--n-cpu-moe`).
 */
export function expertLayersOnCpu(
  { weightsBytes, expertBytes }: Pick<GgufModel, 'weightsBytes' | 'expertBytes'>,
  besideBytes: number,
  gpuLimitBytes: number,
): number | null {
  let onGpu = weightsBytes + besideBytes;
  for (let layers = 0; layers <= expertBytes.length; layers += 1) {
    if (onGpu <= gpuLimitBytes) return layers;
    onGpu -= expertBytes[layers] ?? 0;
  }
  return null;
}

const present = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
