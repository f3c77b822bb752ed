import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HeaderFault,
  LARGEST_HEADER_BYTES,
  loadedBytes,
  readTensors,
  readTensorsOfFile,
} from './safetensors-header.ts';

function file(header: string | object, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const read = (bytes: Uint8Array, fileBytes = bytes.length) =>
  readTensors(async (offset, length) => bytes.subarray(offset, offset + length), fileBytes);

const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('a header', () => {
  it('names its tensors and their bytes, and leaves the metadata out', async () => {
    const bytes = file(
      { __metadata__: { format: 'mlx' }, a: entry('BF16', [2, 3], 0, 12), b: entry('U32', [5], 12, 32) },
      32,
    );
    expect(await read(bytes)).toEqual([
      { name: 'a', bytes: 12 },
      { name: 'b', bytes: 20 },
    ]);
  });

  it('is read in two small ranges, whatever the size of the file', async () => {
    const bytes = file({ a: entry('U8', [2 ** 40], 0, 2 ** 40) });
    const asked: [number, number][] = [];
    const tensors = await readTensors(
      async (offset, length) => {
        asked.push([offset, length]);
        return bytes.subarray(offset, offset + length);
      },
      bytes.length + 2 ** 40,
    );
    expect(tensors).toEqual([{ name: 'a', bytes: 2 ** 40 }]);
    expect(asked).toEqual([
      [0, 8],
      [8, bytes.length - 8],
    ]);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['no header', new Uint8Array(8)],
    ['no JSON', file('{]')],
    ['a list', file('[]')],
    ['null', file('null')],
    ['a tensor that is none', file({ a: 3 })],
    ['a negative offset', file({ a: entry('U8', [1], -1, 0) }, 8)],
    ['offsets that turn back', file({ a: entry('U8', [1], 2, 1) }, 8)],
    ['data beyond the end', file({ a: entry('U8', [9], 0, 9) }, 8)],
    ['a size that is not that of the shape', file({ a: entry('BF16', [3], 0, 3) }, 8)],
    ['a shape whose product wraps around', file({ a: entry('U8', [2 ** 32, 2 ** 32], 0, 0) }, 8)],
    ['no UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe)],
  ])('is refused: %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toThrow(HeaderFault);
  });

  it('is refused by its claim alone, before a byte of it is asked for', async () => {
    const bytes = new Uint8Array(8);
    for (const claim of [BigInt(LARGEST_HEADER_BYTES) + 1n, 100_000_000n, 2n ** 64n - 1n]) {
      new DataView(bytes.buffer).setBigUint64(0, claim, true);
      let reads = 0;
      const reading = readTensors(async (offset, length) => {
        reads += 1;
        return bytes.subarray(offset, offset + length);
      }, Number.MAX_SAFE_INTEGER);
      await expect(reading).rejects.toThrow(HeaderFault);
      expect(reads).toBe(1);
    }
  });

  it('never reads past the end, and either understands or refuses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(1_000), async (noise, more) => {
        const fileBytes = noise.length + more;
        try {
          const tensors = await readTensors(async (offset, length) => {
            expect(offset + length).toBeLessThanOrEqual(Math.max(fileBytes, 8));
            return noise.subarray(offset, offset + length);
          }, fileBytes);
          expect(loadedBytes(tensors, [])).toBeLessThanOrEqual(fileBytes * Math.max(1, tensors.length));
        } catch (error) {
          expect(error).toBeInstanceOf(HeaderFault);
        }
      }),
    );
  });

  it('sums up to the data of any well-formed file', async () => {
    const shapes = fc.array(
      fc.tuple(fc.constantFrom('BF16', 'F32', 'U8', 'U32'), fc.array(fc.nat(9), { maxLength: 4 })),
      {
        maxLength: 20,
      },
    );
    const size = { BF16: 2, F32: 4, U8: 1, U32: 4 } as const;
    await fc.assert(
      fc.asyncProperty(shapes, async (tensors) => {
        let end = 0;
        const header = Object.fromEntries(
          tensors.map(([dtype, shape], index) => {
            const begin = end;
            end += size[dtype] * shape.reduce((a, b) => a * b, 1);
            return [`t${index}`, entry(dtype, shape, begin, end)];
          }),
        );
        expect(loadedBytes(await read(file(header, end)), [])).toBe(end);
      }),
    );
  });

  it('is read from a disk too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headroom-header-'));
    try {
      const path = join(folder, 'model.safetensors');
      writeFileSync(path, file({ a: entry('F16', [4], 0, 8) }, 8));
      expect(readTensorsOfFile(path)).toEqual([{ name: 'a', bytes: 8 }]);
      writeFileSync(path, file({ a: entry('F16', [4], 0, 8) }, 7));
      expect(() => readTensorsOfFile(path)).toThrow('a lies outside the file');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('leaves out what is in the files but never loaded', () => {
  const tensors = [
    { name: 'vision_tower.blocks.0', bytes: 5 },
    { name: 'language_model.norm', bytes: 7 },
  ];
  expect(loadedBytes(tensors, ['vision_tower.'])).toBe(7);
});
