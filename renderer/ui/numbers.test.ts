import { expect, test } from 'vitest';
import { bytes, bytesOf, count, exactMiB, memory, memoryOfMiB, seconds } from './numbers.ts';

test('sizes are decimal, as macOS shows them', () => {
  expect(bytes(0)).toBe('0 B');
  expect(bytes(999)).toBe('999 B');
  expect(bytes(5_400_000)).toBe('5.4 MB');
  expect(bytes(104_000_000)).toBe('104 MB');
  expect(bytes(12_100_000_000)).toBe('12.1 GB');
  expect(bytesOf(0, 12_100_000_000)).toBe('0.0 of 12.1 GB');
  expect(bytesOf(512_000, 5_400_000)).toBe('0.5 of 5.4 MB');
});

test('counts and times', () => {
  expect(count(1840)).toBe('1,840');
  expect(seconds(0)).toBe('1 s');
  expect(seconds(59_600)).toBe('1 min 0 s');
});

test('memory counts as macOS counts it', () => {
  expect(memory(17_179_869_184)).toBe('16 GB');
  expect(memory(2_254_857_830)).toBe('2.1 GB');
  expect(memory(0)).toBe('0 MB');
  expect(memory(104 * 1_048_576)).toBe('104 MB');
  expect(memory(1_073_741_823)).toBe('1 GB');
  expect(memory(128 * 1_073_741_824)).toBe('128 GB');
  expect(memoryOfMiB(-614)).toBe('−614 MB');
  expect(memoryOfMiB(3_584)).toBe('3.5 GB');
  expect(exactMiB(13_312)).toBe('13,312 MiB');
});
