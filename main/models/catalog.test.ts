import { describe, expect, it } from 'vitest';
import { CATALOG, catalogModel } from './catalog.ts';
import { isRepositoryName } from './hub/manifest.ts';
import { readModelShape } from './model-shape.ts';

/** Quantised weights of a transformer by its config alone: `bytes` a parameter, and what is not quantised beside it. */
function weightsByArithmetic(config: Readonly<Record<string, unknown>>, bytes: number): number {
  const n = (key: string): number => Number(config[key]);
  const [hidden, heads, kvHeads, head] = [
    n('hidden_size'),
    n('num_attention_heads'),
    n('num_key_value_heads'),
    n('head_dim'),
  ];
  const attention = 2 * hidden * heads * head + 2 * hidden * kvHeads * head;
  const layer = attention + 3 * hidden * n('intermediate_size');
  const embedding = n('vocab_size') * hidden * (config['tie_word_embeddings'] === true ? 1 : 2);
  const norms = n('num_hidden_layers') * (2 * hidden + 2 * head) + hidden;
  return (n('num_hidden_layers') * layer + embedding) * bytes + norms * 2;
}

describe('the catalog', () => {
  it('names repositories once each, with a shape that can be computed with', () => {
    expect(new Set(CATALOG.map(({ repository }) => repository)).size).toBe(CATALOG.length);
    for (const model of CATALOG) {
      expect(isRepositoryName(model.repository)).toBe(true);
      expect(readModelShape(model.config)?.layout).toBe('known');
      expect(model.downloadBytes).toBeGreaterThan(model.weightsBytes);
    }
  });

  it('Qwen3’s weights are what their configs come to at 4 bits in groups of 64', () => {
    for (const repository of ['mlx-community/Qwen3-14B-4bit', 'mlx-community/Qwen3-4B-4bit']) {
      const model = catalogModel(repository);
      expect(model?.weightsBytes).toBe(weightsByArithmetic(model?.config ?? {}, 0.5625));
    }
  });
});
