import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOG } from './catalog.ts';
import { readModelShape } from './model-shape.ts';

const layersOf = (config: object) => {
  const shape = readModelShape(config);
  return shape && [shape.fullLayers, shape.slidingLayers, shape.windowTokens, shape.kvHeads, shape.headSize];
};

describe('the layers that a config describes', () => {
  const llama = { model_type: 'llama', num_hidden_layers: 4, num_attention_heads: 8, hidden_size: 512 };
  it.each([
    [
      'gpt_oss by its list',
      { model_type: 'gpt_oss', num_hidden_layers: 2, layer_types: ['full_attention', 'full_attention'] },
      [2, 0, 128, 8, 64],
    ],
    ['gpt_oss without a list: every other one', { model_type: 'gpt_oss', num_hidden_layers: 24 }, [12, 12, 128, 8, 64]],
    ['llama', { ...llama, num_key_value_heads: 2, head_dim: 32 }, [4, 0, 0, 2, 32]],
    ['llama with every head its own', llama, [4, 0, 0, 8, 64]],
    [
      'llama that slides',
      {
        ...llama,
        sliding_window: 64,
        layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'sliding_attention'],
      },
      [1, 3, 64, 8, 64],
    ],
    ['qwen3: its window is not used', { ...llama, model_type: 'qwen3', sliding_window: 4_096 }, [4, 0, 0, 8, 64]],
    ['qwen3_moe', { ...llama, model_type: 'qwen3_moe', num_key_value_heads: 4, head_dim: 128 }, [4, 0, 0, 4, 128]],
    ['gemma3_text', { model_type: 'gemma3_text', num_hidden_layers: 26 }, [4, 22, 512, 1, 256]],
    [
      'gemma3, nested, with the heads of its wrapper',
      { model_type: 'gemma3', text_config: { hidden_size: 2_560, num_hidden_layers: 34, sliding_window: 1_024 } },
      [5, 29, 1_024, 4, 256],
    ],
    [
      'an unknown architecture, nested: every layer full',
      { model_type: 'new_vl', text_config: { ...llama, model_type: 'new', sliding_window: 9 } },
      [4, 0, 0, 8, 64],
    ],
  ])('%s', (_, config, expected) => expect(layersOf(config)).toEqual(expected));

  it('says where it over-estimates', () => {
    expect(readModelShape({ ...llama, model_type: 'never_heard_of' })?.layout).toBe('over-estimated');
    expect(readModelShape(llama)?.layout).toBe('known');
  });

  it.each([
    ['nothing', null],
    ['a list', []],
    ['no layers', { model_type: 'llama', num_attention_heads: 8, hidden_size: 64 }],
    ['no heads', { model_type: 'mamba', num_hidden_layers: 8, hidden_size: 64 }],
    ['no sizes', { model_type: 'llama', num_hidden_layers: 8, num_attention_heads: 8 }],
    ['layers beyond reason', { ...llama, num_hidden_layers: 1e9 }],
  ])('does not understand %s', (_, config) => expect(readModelShape(config)).toBeNull());

  it('leaves what gemma3 does not load out of its weights', () => {
    expect(readModelShape({ model_type: 'gemma3', text_config: {} })?.unloadedPrefixes).toEqual([
      'vision_tower.',
      'multi_modal_projector.',
    ]);
  });

  it('understands every model of the catalog', () => {
    for (const { config } of CATALOG) expect(readModelShape(config)?.layout).toBe('known');
  });

  it('never throws, and never counts more layers than there are', () => {
    fc.assert(
      fc.property(
        fc.record({
          model_type: fc.constantFrom('gpt_oss', 'llama', 'gemma3', 'gemma3_text', 'qwen3', 'x'),
          num_hidden_layers: fc.anything(),
          num_attention_heads: fc.anything(),
          hidden_size: fc.anything(),
          layer_types: fc.anything(),
          text_config: fc.anything(),
          sliding_window_pattern: fc.anything(),
        }),
        (config) => {
          const shape = readModelShape(config);
          if (shape === null) return;
          expect(shape.fullLayers).toBeGreaterThanOrEqual(0);
          expect(shape.slidingLayers).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
