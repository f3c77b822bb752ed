import { expect, test } from 'vitest';
import type { AppState, ModelEntry } from '../../preload/contract.ts';
import { otherModel } from './other-model.ts';

const small = { id: 'a/small', name: 'Small', sizeBytes: 1, isToy: false };
const large = { id: 'a/large', name: 'Large', sizeBytes: 9, isToy: false };
const app: Pick<AppState, 'model' | 'chosenModelId' | 'availableModels'> = {
  model: large,
  chosenModelId: large.id,
  availableModels: [small, large],
};
const here: readonly ModelEntry[] = [
  { id: small.id, name: 'Small, 4-bit', presence: { kind: 'here' } } as ModelEntry,
  { id: 'a/gone', name: 'Gone', presence: { kind: 'absent' } } as ModelEntry,
];

test('nothing is said where the model in use answers', () => {
  expect(otherModel(app, null, here)).toBeNull();
  expect(otherModel(app, large.id, here)).toBeNull();
  expect(otherModel({ ...app, model: null }, small.id, here)).toBeNull();
  expect(otherModel({ ...app, chosenModelId: null }, null, here)).toBeNull();
});

test('a conversation’s own model is named, also where its files are gone', () => {
  const own = { id: small.id, isOwn: true, isHere: true };
  expect(otherModel(app, small.id, here)).toEqual({ ...own, name: 'Small, 4-bit' });
  expect(otherModel(app, small.id, null)).toEqual({ ...own, name: 'Small' });
  expect(otherModel(app, 'a/gone', here)).toEqual({ id: 'a/gone', name: 'Gone', isOwn: true, isHere: false });
  expect(otherModel(app, 'a/unheard-of', here)).toMatchObject({ name: 'a/unheard-of', isHere: false });
});

test('the chosen one comes back after another conversation’s or a program’s', () => {
  expect(otherModel({ ...app, chosenModelId: small.id }, null, here)).toMatchObject({
    name: 'Small, 4-bit',
    isOwn: false,
  });
});
