import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expertLayersOnCpu, ggufModel } from './gguf-fit.ts';
import { readGgufHeader } from './gguf-header.ts';
import { besideWeightsBytes } from './llama-cpp/llama-flags.ts';
import { readModelShape } from '../models/model-shape.ts';

type Value =
  | { readonly kind: 4 | 5; readonly value: number }
  | { readonly kind: 7; readonly value: boolean }
  | { readonly kind: 8; readonly value: string }
  | { readonly kind: 9; readonly value: readonly string[] };

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function encoded({ kind, value }: Value): Buffer {
  switch (kind) {
    case 4:
      return u32(value);
    case 5: {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(value);
      return bytes;
    }
    case 7:
      return Buffer.from([value ? 1 : 0]);
    case 8:
      return text(value);
    case 9:
      return Buffer.concat([u32(8), u64(value.length), ...value.map(text)]);
  }
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
}

function file(fields: readonly (readonly [string, Value])[], tensors: readonly Tensor[]): Buffer {
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(fields.length),
    ...fields.flatMap(([key, value]) => [text(key), u32(value.kind), encoded(value)]),
    ...tensors.flatMap(({ name, shape, type }) => [
      text(name),
      u32(shape.length),
      ...shape.map(u64),
      u32(type),
      u64(0),
    ]),
  ]);
}

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant(4 as const), value: fc.nat() }),
  fc.record({ kind: fc.constant(5 as const), value: fc.integer() }),
  fc.record({ kind: fc.constant(7 as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant(8 as const), value: fc.string() }),
  fc.record({ kind: fc.constant(9 as const), value: fc.array(fc.string(), { maxLength: 20 }) }),
);
const fieldsOf = fc.uniqueArray(fc.tuple(fc.string(), value), { selector: ([key]) => key, maxLength: 12 });
const tensorsOf = fc.array(
  fc.record({
    name: fc.string(),
    shape: fc.array(fc.integer({ min: 1, max: 4_096 }), { minLength: 1, maxLength: 3 }),
    type: fc.constantFrom(0, 1, 8, 39),
  }),
  { maxLength: 12 },
);
const BYTES_A_BLOCK: Readonly<Record<number, readonly [number, number]>> = {
  0: [4, 1],
  1: [2, 1],
  8: [34, 32],
  39: [17, 32],
};

describe('a GGUF header', () => {
  it('gives back every field and the size of every tensor that was written', () => {
    fc.assert(
      fc.property(fieldsOf, tensorsOf, (fields, tensors) => {
        const read = readGgufHeader(file(fields, tensors));
        if (read.kind !== 'header') throw new Error(`read as ${read.kind}`);
        for (const [key, { kind, value: written }] of fields) {
          expect(read.header.metadata.get(key)).toEqual(kind === 9 ? written.length : written);
        }
        expect(read.header.tensors).toEqual(
          tensors.map(({ name, shape, type }) => {
            const [bytes, values] = BYTES_A_BLOCK[type] ?? [0, 1];
            return { name, bytes: Math.ceil(shape.reduce((a, b) => a * b, 1) / values) * bytes };
          }),
        );
      }),
    );
  });

  it('wants more of anything that was cut short, and never throws', () => {
    fc.assert(
      fc.property(fieldsOf, tensorsOf, fc.nat(), (fields, tensors, at) => {
        const whole = file(fields, tensors);
        expect(readGgufHeader(whole.subarray(0, at % whole.length)).kind).toBe('more');
      }),
    );
  });

  it('refuses or wants more of anything else, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, isNamed) => {
        const all = isNamed ? Buffer.concat([Buffer.from('GGUF'), u32(3), bytes]) : bytes;
        expect(['more', 'not-gguf', 'header']).toContain(readGgufHeader(all).kind);
      }),
    );
  });

  it('refuses impossible counts at once', () => {
    const bytes = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(2 ** 52), u64(1)]);
    expect(readGgufHeader(bytes)).toEqual({ kind: 'not-gguf', why: 'has an impossible number of entries' });
    expect(readGgufHeader(Buffer.from('GGUF\x63\0\0\0')).kind).toBe('not-gguf');
  });
});

/** gpt-oss-20b as its MXFP4 GGUF has it, tensors by kind (shapes from its config). */
const gptOss20b = ((): Buffer => {
  const key = (name: string): string => `gpt-oss.${name}`;
  const number = (name: string, given: number): readonly [string, Value] => [key(name), { kind: 4, value: given }];
  const layers = 24;
  const tensors = Array.from({ length: layers }, (_, layer): Tensor[] => [
    ...['gate', 'up', 'down'].map((part) => ({
      name: `blk.${layer}.ffn_${part}_exps.weight`,
      shape: [2_880, 2_880, 32],
      type: 39,
    })),
    { name: `blk.${layer}.attn_q.weight`, shape: [2_880, 4_096], type: 8 },
    { name: `blk.${layer}.attn_k.weight`, shape: [2_880, 512], type: 8 },
    { name: `blk.${layer}.attn_v.weight`, shape: [2_880, 512], type: 8 },
    { name: `blk.${layer}.attn_output.weight`, shape: [4_096, 2_880], type: 8 },
  ]).flat();
  return file(
    [
      ['general.architecture', { kind: 8, value: 'gpt-oss' }],
      number('block_count', layers),
      number('context_length', 131_072),
      number('embedding_length', 2_880),
      number('feed_forward_length', 2_880),
      number('expert_feed_forward_length', 2_880),
      number('attention.head_count', 64),
      number('attention.head_count_kv', 8),
      number('attention.key_length', 64),
      number('attention.sliding_window', 128),
      number('expert_used_count', 4),
      ['tokenizer.ggml.tokens', { kind: 9, value: ['a', 'b'] }],
    ],
    [
      ...tensors,
      { name: 'token_embd.weight', shape: [2_880, 201_088], type: 8 },
      { name: 'output.weight', shape: [2_880, 201_088], type: 8 },
    ],
  );
})();

describe('what a header says about memory', () => {
  const read = readGgufHeader(gptOss20b);
  if (read.kind !== 'header') throw new Error('not read');
  const model = ggufModel(read.header);

  it('is gpt-oss-20b as its published file of 12.1 GB has it', () => {
    expect(model.weightsBytes / 1e9).toBeGreaterThan(11.9);
    expect(model.weightsBytes / 1e9).toBeLessThan(12.2);
    expect(model.expertBytes).toHaveLength(24);
    expect(model.maxContextTokens).toBe(131_072);
  });

  it('has the shape that the model’s own config has', () => {
    expect(readModelShape(model.config)).toMatchObject({
      modelType: 'gpt_oss',
      layout: 'known',
      fullLayers: 12,
      slidingLayers: 12,
      windowTokens: 128,
      kvHeads: 8,
      headSize: 64,
      queryHeads: 64,
      elementBytes: 2,
      maxContextTokens: 131_072,
    });
  });

  it('counts the KV cache of 12 full layers: 24 KiB a token', () => {
    const more = besideWeightsBytes(model.config, 16_384) - besideWeightsBytes(model.config, 8_192);
    expect(more / 8_192).toBe(24 * 1_024);
  });

  it('leaves with the CPU the fewest layers that make the rest fit', () => {
    const beside = besideWeightsBytes(model.config, 8_192);
    expect(expertLayersOnCpu(model, beside, 64e9)).toBe(0);
    expect(expertLayersOnCpu(model, beside, 1e9)).toBeNull();
    fc.assert(
      fc.property(fc.integer({ min: 2e9, max: 14e9 }), (limit) => {
        const layers = expertLayersOnCpu(model, beside, limit);
        const held = (onCpu: number): number =>
          model.weightsBytes + beside - model.expertBytes.slice(0, onCpu).reduce((a, b) => a + b, 0);
        if (layers === null) {
          expect(held(24)).toBeGreaterThan(limit);
          return;
        }
        expect(held(layers)).toBeLessThanOrEqual(limit);
        if (layers > 0) expect(held(layers - 1)).toBeGreaterThan(limit);
      }),
    );
  });

  it('needs experts with the CPU below the default limit of a 16 GB Mac, and none after the raise', () => {
    const beside = besideWeightsBytes(model.config, 8_192);
    const mib = 1_048_576 * 0.95;
    expect(expertLayersOnCpu(model, beside, 10_922 * mib)).toBeGreaterThan(0);
    expect(expertLayersOnCpu(model, beside, 10_922 * mib)).toBeLessThan(12);
    expect(expertLayersOnCpu(model, beside, 13_312 * mib)).toBe(0);
  });
});
