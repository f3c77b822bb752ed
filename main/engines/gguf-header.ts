/**
 * The beginning of a GGUF file: its metadata and the list of its tensors, without their data. Pure: bytes in, a header
 * out. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3).
 */
interface GgufTensor {
  readonly name: string;
  readonly bytes: number;
}

export interface GgufHeader {
  /** Numbers, texts and truths; arrays only by their length (a tokenizer's lists are megabytes long). */
  readonly metadata: ReadonlyMap<string, string | number | boolean>;
  readonly tensors: readonly GgufTensor[];
}

export type GgufRead =
  | { readonly kind: 'header'; readonly header: GgufHeader }
  /** The header is longer than these bytes. */
  | { readonly kind: 'more' }
  | { readonly kind: 'not-gguf'; readonly why: string };

/** Bytes of one block and the values in it, by ggml's number of the type (ggml.h, ggml-common.h). */
const BLOCKS: Readonly<Record<number, readonly [bytes: number, values: number]>> = {
  0: [4, 1], // F32
  1: [2, 1], // F16
  2: [18, 32], // Q4_0
  3: [20, 32], // Q4_1
  6: [22, 32], // Q5_0
  7: [24, 32], // Q5_1
  8: [34, 32], // Q8_0
  9: [36, 32], // Q8_1
  10: [84, 256], // Q2_K
  11: [110, 256], // Q3_K
  12: [144, 256], // Q4_K
  13: [176, 256], // Q5_K
  14: [210, 256], // Q6_K
  15: [292, 256], // Q8_K
  16: [66, 256], // IQ2_XXS
  17: [74, 256], // IQ2_XS
  18: [98, 256], // IQ3_XXS
  19: [50, 256], // IQ1_S
  20: [18, 32], // IQ4_NL
  21: [110, 256], // IQ3_S
  22: [82, 256], // IQ2_S
  23: [136, 256], // IQ4_XS
  24: [1, 1], // I8
  25: [2, 1], // I16
  26: [4, 1], // I32
  27: [8, 1], // I64
  28: [8, 1], // F64
  29: [56, 256], // IQ1_M
  30: [2, 1], // BF16
  34: [54, 256], // TQ1_0
  35: [66, 256], // TQ2_0
  39: [17, 32], // MXFP4
};

const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const STRING = 8;
const ARRAY = 9;

/** More than any model has: a wrong number must not make anybody wait. */
const MOST_ENTRIES = 1_000_000;

export function readGgufHeader(bytes: Uint8Array): GgufRead {
  const cursor = new Cursor(bytes);
  try {
    const magic = cursor.text(4);
    if (magic !== 'GGUF') throw new NotGguf('does not begin like a GGUF file');
    const version = cursor.u32();
    if (version !== 2 && version !== 3) throw new NotGguf(`has version ${version} of the format`);
    const tensorCount = cursor.count();
    const fieldCount = cursor.count();
    const metadata = new Map<string, string | number | boolean>();
    for (let i = 0; i < fieldCount; i += 1) {
      const key = cursor.string();
      metadata.set(key, cursor.value(cursor.u32()));
    }
    const tensors: GgufTensor[] = [];
    for (let i = 0; i < tensorCount; i += 1) tensors.push(readTensor(cursor));
    return { kind: 'header', header: { metadata, tensors } };
  } catch (error) {
    if (error instanceof EndOfBytes) return { kind: 'more' };
    if (error instanceof NotGguf) return { kind: 'not-gguf', why: error.message };
    throw error;
  }
}

function readTensor(cursor: Cursor): GgufTensor {
  const name = cursor.string();
  const dimensions = cursor.u32();
  if (dimensions > 8) throw new NotGguf('has a tensor of too many dimensions');
  let values = 1;
  for (let d = 0; d < dimensions; d += 1) values *= cursor.u64();
  const [blockBytes, blockValues] = BLOCKS[cursor.u32()] ?? [2, 1];
  cursor.u64();
  const size = Math.ceil(values / blockValues) * blockBytes;
  if (!Number.isSafeInteger(size)) throw new NotGguf('has a tensor of an impossible size');
  return { name, bytes: size };
}

class EndOfBytes extends Error {}
class NotGguf extends Error {}

class Cursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new EndOfBytes();
    this.#at = start + length;
    return start;
  }

  text(length: number): string {
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length)).toString('utf8');
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new NotGguf('has an impossible number in it');
    return Number(value);
  }

  count(): number {
    const count = this.u64();
    if (count > MOST_ENTRIES) throw new NotGguf('has an impossible number of entries');
    return count;
  }

  string(): string {
    return this.text(this.u64());
  }

  value(kind: number): string | number | boolean {
    switch (kind) {
      case STRING:
        return this.string();
      case ARRAY:
        return this.#array();
      case 7:
        return this.#bytes[this.#take(1)] !== 0;
      case 0:
        return this.#view.getUint8(this.#take(1));
      case 1:
        return this.#view.getInt8(this.#take(1));
      case 2:
        return this.#view.getUint16(this.#take(2), true);
      case 3:
        return this.#view.getInt16(this.#take(2), true);
      case 4:
        return this.u32();
      case 5:
        return this.#view.getInt32(this.#take(4), true);
      case 6:
        return this.#view.getFloat32(this.#take(4), true);
      case 10:
        return Number(this.#view.getBigUint64(this.#take(8), true));
      case 11:
        return Number(this.#view.getBigInt64(this.#take(8), true));
      case 12:
        return this.#view.getFloat64(this.#take(8), true);
      default:
        throw new NotGguf(`has a value of an unknown kind (${kind})`);
    }
  }

  /** Passes over an array and returns its length. */
  #array(depth = 0): number {
    const kind = this.u32();
    const length = this.u64();
    if (kind === STRING) {
      for (let i = 0; i < length; i += 1) this.#take(this.u64());
    } else if (kind === ARRAY) {
      if (depth > 3) throw new NotGguf('has arrays nested too deeply');
      for (let i = 0; i < length; i += 1) this.#array(depth + 1);
    } else {
      const each = SCALAR_BYTES[kind];
      if (each === undefined) throw new NotGguf(`has a value of an unknown kind (${kind})`);
      this.#take(each * length);
    }
    return length;
  }
}
