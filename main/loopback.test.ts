import { expect, it } from 'vitest';
import { isOwnHost } from './loopback.ts';

it.each<[string | undefined, boolean]>([
  ['127.0.0.1:4000', true],
  ['localhost:4000', true],
  ['LOCALHOST:4000', true],
  ['127.0.0.1', false],
  ['127.0.0.1:4001', false],
  ['127.0.0.1:40000', false],
  ['localhost.evil.example:4000', false],
  ['evil.example:4000', false],
  ['127.0.0.1:4000, evil.example', false],
  ['user@127.0.0.1:4000', false],
  ['0.0.0.0:4000', false],
  ['2130706433:4000', false],
  ['', false],
  [undefined, false],
])('Host %j is ours: %s', (host, ours) => {
  expect(isOwnHost(host, 4000, ['127.0.0.1', 'localhost'])).toBe(ours);
});
