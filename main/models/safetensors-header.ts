/**
 * Reads what weights take from the headers of safetensors files, a few kilobytes at the front of gigabytes: from a disk,
 * or from the hub before anything is downloaded.
 *
 * A file is 8 bytes of header length (little-endian), the header as JSON, then the tensors' bytes.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as v from 'valibot';

export interface Tensor {
  readonly name: string;
  readonly bytes: number;
}

/** The file is no safetensors file, or claims something impossible. `message` names what. */
export class HeaderFault extends Error {}

/** Part of a file; shorter than asked for only at the file's end. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** Headers of real models stay below 3 MB; the format's own limit is 100 MB. Checked before a byte is allocated. */
export const LARGEST_HEADER_BYTES = 32 * 1_048_576;
const LENGTH_BYTES = 8;
const MOST_TENSORS = 1_000_000;

const ELEMENT_BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F4: 4,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
};

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const tensor = v.object({
  dtype: v.string(),
  shape: v.pipe(v.array(whole), v.maxLength(16)),
  data_offsets: v.tuple([whole, whole]),
});

/** Two small reads, of a file far away. Throws HeaderFault, and whatever `read` throws. */
export async function readTensors(read: ReadRange, fileBytes: number): Promise<readonly Tensor[]> {
  const headerBytes = headerLength(await read(0, LENGTH_BYTES), fileBytes);
  return parseHeader(await read(LENGTH_BYTES, headerBytes), headerBytes, fileBytes);
}

/** From a file on disk. Links are followed. */
export function readTensorsOfFile(path: string): readonly Tensor[] {
  const file = openSync(path, 'r');
  const read = (offset: number, length: number): Uint8Array => {
    const buffer = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(file, buffer, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return buffer.subarray(0, done);
  };
  try {
    const fileBytes = fstatSync(file).size;
    const headerBytes = headerLength(read(0, LENGTH_BYTES), fileBytes);
    return parseHeader(read(LENGTH_BYTES, headerBytes), headerBytes, fileBytes);
  } finally {
    closeSync(file);
  }
}

/** What is loaded of these tensors: some models carry parts that mlx_lm leaves out. */
export function loadedBytes(tensors: readonly Tensor[], unloadedPrefixes: readonly string[]): number {
  return tensors
    .filter(({ name }) => !unloadedPrefixes.some((prefix) => name.startsWith(prefix)))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

function headerLength(first: Uint8Array, fileBytes: number): number {
  if (first.length < LENGTH_BYTES) throw new HeaderFault('it is too short to hold weights');
  const claimed = new DataView(first.buffer, first.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (claimed > BigInt(LARGEST_HEADER_BYTES)) throw new HeaderFault(`its header claims ${claimed} bytes`);
  const length = Number(claimed);
  if (length < 2) throw new HeaderFault('it has no header');
  if (LENGTH_BYTES + length > fileBytes) throw new HeaderFault('it ends within its header');
  return length;
}

function parseHeader(header: Uint8Array, headerBytes: number, fileBytes: number): readonly Tensor[] {
  if (header.length !== headerBytes) throw new HeaderFault('it ends within its header');
  const dataBytes = fileBytes - LENGTH_BYTES - headerBytes;
  const entries = Object.entries(parsedObject(header)).filter(([name]) => name !== '__metadata__');
  if (entries.length > MOST_TENSORS) throw new HeaderFault('it names more tensors than any model has');
  return entries.map(([name, value]) => {
    const result = v.safeParse(tensor, value);
    if (!result.success) throw new HeaderFault(`its header is malformed at ${name.slice(0, 100)}`);
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = result.output;
    if (end < begin || end > dataBytes) throw new HeaderFault(`${name.slice(0, 100)} lies outside the file`);
    const bits = ELEMENT_BITS[dtype];
    const elements = shape.reduce((product, size) => product * BigInt(size), 1n);
    // A kind of number not known here is taken by its place in the file.
    if (bits !== undefined && elements * BigInt(bits) !== BigInt(end - begin) * 8n) {
      throw new HeaderFault(`the size of ${name.slice(0, 100)} is not that of its shape`);
    }
    return { name, bytes: end - begin };
  });
}

function parsedObject(header: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch {
    throw new HeaderFault('its header is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HeaderFault('its header is no JSON object');
  }
  return value as Record<string, unknown>;
}
