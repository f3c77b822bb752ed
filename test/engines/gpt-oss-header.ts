/** The header of gpt-oss-20b's MXFP4 file, without its 12 GB. */
export function gptOss20bHeader(): Buffer {
  const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const numbers = {
    block_count: 24,
    context_length: 131_072,
    embedding_length: 2_880,
    feed_forward_length: 2_880,
    expert_feed_forward_length: 2_880,
    'attention.head_count': 64,
    'attention.head_count_kv': 8,
    'attention.key_length': 64,
    'attention.sliding_window': 128,
    expert_used_count: 4,
  };
  const fields = [
    Buffer.concat([text('general.architecture'), u32(8), text('gpt-oss')]),
    ...Object.entries(numbers).map(([key, value]) => Buffer.concat([text(`gpt-oss.${key}`), u32(4), u32(value)])),
  ];
  const tensor = (name: string, shape: readonly number[], type: number): Buffer =>
    Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(0)]);
  const tensors = [
    ...Array.from({ length: 24 }, (_, layer) =>
      ['gate', 'up', 'down'].map((part) => tensor(`blk.${layer}.ffn_${part}_exps.weight`, [2_880, 2_880, 32], 39)),
    ).flat(),
    tensor('token_embd.weight', [2_880, 201_088], 8),
    tensor('output.weight', [2_880, 201_088], 8),
  ];
  return Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(fields.length), ...fields, ...tensors]);
}
