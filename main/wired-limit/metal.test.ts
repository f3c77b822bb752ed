import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askMetal, workingSetMiB } from './metal.ts';

test('what MLX said on a 16 GB Mac', () => {
  const recording = join(import.meta.dirname, '../../test/macos/recordings/mlx_device_info_m2_16gb_macos26.json.txt');
  const [json = ''] = readFileSync(recording, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'));
  expect(workingSetMiB(json)).toBeCloseTo(12_124.2, 1);
});

test('no Metal, no answer', async () => {
  expect(workingSetMiB('{"architecture": "x86_64", "device_name": "CPU"}')).toBeNull();
  expect(workingSetMiB('')).toBeNull();
  expect(workingSetMiB('{"max_recommended_working_set_size": "12"}')).toBeNull();
  expect(await askMetal('/nowhere/python')).toBeNull();
});
