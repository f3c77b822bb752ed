import { expect, it } from 'vitest';
import { parseHeadlessArguments } from './arguments.ts';

const none = { modelFolder: null, port: 0, endpointPort: null, home: null };

it.each<[string, object]>([
  ['', none],
  ['--model /m', { ...none, modelFolder: '/m' }],
  [
    '--model=/m --port 8080 --endpoint-port 9090 --home h',
    { modelFolder: '/m', port: 8080, endpointPort: 9090, home: 'h' },
  ],
  ['--endpoint-port 0', { ...none, endpointPort: 0 }],
])('%s', (line, expected) => {
  const args = line === '' ? [] : line.split(' ');
  expect(parseHeadlessArguments(args)).toEqual({ kind: 'run', arguments: expected });
});

it.each<[string, string]>([
  ['--modle /m', '--modle'],
  ['folder', 'folder'],
  ['--model', '--model'],
  ['--model=', '--model'],
  ['--port 70000', '70000'],
  ['--port eighty', 'eighty'],
  ['--port=-1', '-1'],
  ['--endpoint-port 1e3', '1e3'],
  ['--help=yes', '--help'],
])('%s is wrong and says why', (line, named) => {
  const parsed = parseHeadlessArguments(line.split(' '));
  expect(parsed.kind).toBe('wrong');
  if (parsed.kind === 'wrong') expect(parsed.message).toContain(named);
});

it('explains itself', () => {
  expect(parseHeadlessArguments(['--help'])).toEqual({ kind: 'help' });
});
