import { expect, it } from 'vitest';
import { ApiFault } from './api-fault.ts';
import { type AdmissionInput, admit, apiName } from './model-admission.ts';

const big = { id: 'org/big', name: 'Big' };
const small = { id: '/models/small', name: 'small' };
const usual: AdmissionInput = {
  asked: 'default',
  current: big,
  available: () => [big, small],
  isPinned: false,
  isBusy: false,
};

it.each<[string, Partial<AdmissionInput>, string]>([
  ['default', {}, 'serve'],
  ['its name', { asked: 'Big' }, 'serve'],
  ['its id, in use and pinned', { asked: 'org/big', isBusy: true, isPinned: true }, 'serve'],
  ['another', { asked: 'small' }, 'switch /models/small'],
  ['another while this one is in use', { asked: 'small', isBusy: true }, '503 model_busy'],
  ['another while this one is pinned', { asked: 'small', isPinned: true }, '403 model_pinned'],
  ['none that is here', { asked: 'gpt-4o' }, '404 model_not_found'],
  ['none that is here, pinned', { asked: 'gpt-4o', isPinned: true }, '404 model_not_found'],
  ['default, nothing chosen', { current: null }, '503 no_model'],
  ['one, nothing chosen', { current: null, asked: 'Big' }, 'switch org/big'],
])('%s', (_name, input, expected) => {
  const outcome = (): string => {
    try {
      const admission = admit({ ...usual, ...input });
      return admission.kind === 'switch' ? `switch ${admission.modelId}` : admission.kind;
    } catch (thrown) {
      if (thrown instanceof ApiFault) return `${thrown.status} ${thrown.code}`;
      throw thrown;
    }
  };
  expect(outcome()).toBe(expected);
});

it('calls a model by its repository, and a folder by its name', () => {
  expect([big, small].map(apiName)).toEqual(['org/big', 'small']);
});

it('does not look at the others for the one that runs', () => {
  const available = (): never => {
    throw new Error('looked');
  };
  expect(admit({ ...usual, available })).toEqual({ kind: 'serve' });
});
