import { expect, test } from 'vitest';
import { addedBy } from './added-by.ts';

const repository = { by: 'repository', repository: 'mlx-community/Qwen3-4B-4bit' };

test.each([
  ['mlx-community/Qwen3-4B-4bit', repository],
  ['  mlx-community/Qwen3-4B-4bit \n', repository],
  ['https://huggingface.co/mlx-community/Qwen3-4B-4bit', repository],
  ['https://huggingface.co/mlx-community/Qwen3-4B-4bit/', repository],
  ['https://huggingface.co/mlx-community/Qwen3-4B-4bit/tree/main', repository],
  ['/Volumes/Models/my model', { by: 'folder', folder: '/Volumes/Models/my model' }],
  ['', null],
  ['/', null],
  ['gpt-oss', null],
  ['a/b/c', null],
  ['https://example.org/a/b', null],
  ['../secrets/model', null],
  ['owner/.hidden', null],
])('%j names %j', (text, expected) => {
  expect(addedBy(text)).toEqual(expected);
});
