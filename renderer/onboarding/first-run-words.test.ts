import { expect, test } from 'vitest';
import type { MachineInfo, ModelEntry, ModelPresence } from '../../preload/contract.ts';
import { arrivalStep, firstRunStep, isFirstRun, machineWords, setupNews } from './first-run-words.ts';

const mac: MachineInfo = { chip: 'Apple M2', memoryBytes: 17_179_869_184, system: 'macOS 15.6', cannotRun: null };
const entry = (over: Partial<ModelEntry>): ModelEntry => ({
  id: 'owner/model',
  origin: 'catalog',
  name: 'model',
  repository: 'owner/model',
  sizeBytes: 1,
  licence: null,
  goodFor: null,
  isToy: false,
  isRecommended: false,
  isShared: false,
  presence: { kind: 'absent' },
  verdict: { kind: 'fits', message: '' },
  prediction: null,
  measured: null,
  ...over,
});
const here: ModelPresence = { kind: 'here', folder: '/m', checked: 'hub' };
const getting: ModelPresence = { kind: 'getting', download: { kind: 'listing' } };
const demo = entry({ id: 'headroom-demo', isToy: true, presence: here });
const first = entry({ id: 'first', isRecommended: true });
const other = entry({ id: 'other' });

test('a machine that cannot run one says so, whatever else there is', () => {
  const cannotRun = { message: 'An Intel Mac.', nextStep: 'None.' };
  expect(firstRunStep({ ...mac, cannotRun }, [first, demo])).toEqual({ kind: 'cannot-run', ...cannotRun });
});

test('the steps, one after the other', () => {
  expect(firstRunStep(mac, null).kind).toBe('looking');
  expect(firstRunStep(mac, [other, first, demo])).toEqual({ kind: 'choose', entry: first, found: null, demo });
  expect(firstRunStep(mac, [first])).toEqual({ kind: 'choose', entry: first, found: null, demo: null });
  const begun = { ...first, presence: getting };
  expect(firstRunStep(mac, [other, begun, demo])).toMatchObject({ kind: 'getting', entry: { id: 'first' } });
  expect(firstRunStep(mac, [other, { ...first, presence: here }, demo])).toMatchObject({ kind: 'here' });
});

test('what the user has begun or has comes before what is recommended', () => {
  expect(firstRunStep(mac, [{ ...other, presence: getting }, first, demo])).toMatchObject({
    kind: 'getting',
    entry: { id: 'other' },
  });
  expect(firstRunStep(mac, [{ ...other, presence: here }, first, demo])).toMatchObject({
    kind: 'here',
    entry: { id: 'other' },
  });
});

test('what another tool fetched is offered beside the first choice, and comes first only where there is none', () => {
  const found = entry({ id: 'found', origin: 'found', presence: here });
  const unknown = entry({ id: 'odd', origin: 'found', presence: here, verdict: { kind: 'unknown', message: '' } });
  expect(firstRunStep(mac, [unknown, found, first, demo])).toEqual({ kind: 'choose', entry: first, found, demo });
  expect(firstRunStep(mac, [unknown, other, demo])).toEqual({ kind: 'here', entry: unknown });
});

test('nothing recommended: the demo is left', () => {
  expect(firstRunStep(mac, [other, demo])).toEqual({ kind: 'nothing-fits', demo });
});

test('the first run comes back only when it is wanted', () => {
  const app = (model: object | null, firstRun: string) => ({ model, settings: { firstRun } }) as never;
  expect(isFirstRun(app(null, 'todo'), false)).toBe(true);
  expect(isFirstRun(app(null, 'done'), false)).toBe(true);
  expect(isFirstRun(app({ isToy: true }, 'todo'), false)).toBe(false);
  expect(isFirstRun(app({ isToy: true }, 'todo'), true)).toBe(true);
  expect(isFirstRun(app({ isToy: true }, 'done'), true)).toBe(false);
  expect(isFirstRun(app({ isToy: false }, 'todo'), true)).toBe(false);
});

test('the machine in one line, without what is not known', () => {
  expect(machineWords(mac)).toBe('Apple M2 · 16 GB · macOS 15.6');
  expect(machineWords({ ...mac, chip: null })).toBe('16 GB · macOS 15.6');
});

test('news for who looked around meanwhile: the recommended one first', () => {
  const app = (isToy: boolean, engine = 'off', firstRun = 'todo') =>
    ({ model: { id: 'x', name: 'x', isToy }, engine: { kind: engine }, settings: { firstRun } }) as never;
  expect(setupNews(app(true), null)).toBeNull();
  expect(setupNews(app(true), [demo, first])).toBeNull();
  const both = [demo, { ...other, presence: here }, { ...first, presence: here }];
  expect(setupNews(app(true, 'busy'), both)?.id).toBe('first');
  expect(setupNews(app(true), both.slice(0, 2))?.id).toBe('other');
  // Main has chosen it meanwhile.
  expect(setupNews(app(false), both)?.id).toBe('x');
  expect(setupNews(app(false, 'loading'), both)).toBeNull();
  expect(setupNews(app(false, 'off', 'done'), both)).toBeNull();
  expect(setupNews(app(true, 'off', 'done'), both)).toBeNull();
});

test('a download that ends in sight is started, whoever chooses it first', () => {
  expect(arrivalStep(null, null, [{ ...first, presence: here }])).toBe('none');
  expect(arrivalStep('first', null, [{ ...first, presence: getting }])).toBe('none');
  expect(arrivalStep('first', null, [{ ...first, presence: here }])).toBe('start');
  expect(arrivalStep('first', { id: 'first' }, [{ ...first, presence: getting }])).toBe('turn-on');
  expect(arrivalStep('first', { id: 'other' }, null)).toBe('none');
});
