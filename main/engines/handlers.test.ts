import { expect, it } from 'vitest';
import type { OutsideEngineLook, OutsideEngineSettings } from '../../preload/contract.ts';
import { engineHandlers } from './handlers.ts';
import type { OutsideKind } from './outside-engine.ts';

const look: OutsideEngineLook = { kind: 'not-found', message: 'Nobody answers.', nextStep: 'Open it.' };

function room(inUse: OutsideKind | null) {
  const updates: unknown[] = [];
  let changes = 0;
  const handlers = engineHandlers({
    places: {
      isOn: () => true,
      server: () => null,
      llamaServer: () => null,
      unusable: () => null,
      modelsFolder: () => null,
      settings: (kind) => ({ kind, isOn: true }) as OutsideEngineSettings,
      update: (kind, change) => void updates.push([kind, change]),
    },
    outside: { look: () => Promise.resolve(look) },
    inUse: () => inUse,
    changed: () => (changes += 1),
  });
  return { handlers, updates, changes: () => changes };
}

it('tells of all three, each looked for now', async () => {
  const { engines } = await room(null).handlers['engines.list'](null);
  expect(engines.map(({ kind, look: found }) => [kind, found.kind])).toEqual([
    ['llama.cpp', 'not-found'],
    ['ollama', 'not-found'],
    ['lm-studio', 'not-found'],
  ]);
});

it('looks again where nothing changes, and changes what is not in use', async () => {
  const { handlers, updates, changes } = room('llama.cpp');
  await handlers['engines.update']({ kind: 'llama.cpp' });
  expect(updates).toEqual([]);
  await handlers['engines.update']({ kind: 'ollama', address: '127.0.0.1:1' });
  expect(updates).toEqual([['ollama', { address: '127.0.0.1:1' }]]);
  expect(changes()).toBe(2);
});

it('moves no engine away from under its model', async () => {
  const { handlers, updates } = room('ollama');
  await expect(handlers['engines.update']({ kind: 'ollama', isOn: false })).rejects.toThrow(
    'A model of Ollama is loaded.',
  );
  expect(updates).toEqual([]);
});
