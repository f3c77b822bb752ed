import { expect, test } from 'vitest';
import type { ContextStop, FitVerdict } from '../../preload/contract.ts';
import { accessOf, chosenIndex, costWords, openStops, stopSpoken, waitWords } from './context-words.ts';

const GIB = 1_073_741_824;
const fits: FitVerdict = { kind: 'fits', message: '' };
const asks: FitVerdict = { kind: 'fits-after-raise', message: '', toMiB: 13_312 };
const closed: FitVerdict = { kind: 'works-if', message: '', ways: [] };

const stop = (tokens: number, verdict: FitVerdict = fits): ContextStop => ({
  tokens,
  kvBytes: 24_576 * (tokens + 128),
  peakBytes: 12 * GIB,
  leavesBytes: 1.4 * GIB,
  prefillSeconds: null,
  verdict,
});

test('a stop is spoken in words', () => {
  expect(stopSpoken(stop(16_384))).toBe('16 thousand tokens, 406 megabytes');
  expect(stopSpoken(stop(1_024))).toBe('1 thousand tokens, 28 megabytes');
  expect(stopSpoken(stop(131_072, asks))).toBe('128 thousand tokens, 3.2 gigabytes, needs a permission');
  expect(stopSpoken(stop(32_768, closed))).toBe('32 thousand tokens, 808 megabytes, does not fit');
});

test('a model nobody understands has a slider that promises nothing', () => {
  const unknown: ContextStop = {
    ...stop(4_096, { kind: 'unknown', message: '' }),
    kvBytes: null,
    peakBytes: null,
    leavesBytes: null,
  };
  expect(stopSpoken(unknown)).toBe('4 thousand tokens, memory not known');
  expect(costWords(unknown)).toBe('What it costs is not known for this model.');
  expect(accessOf(unknown)).toBe('free');
});

test('what the verdict lets through', () => {
  expect(accessOf({ verdict: fits })).toBe('free');
  expect(accessOf({ verdict: { kind: 'unknown', message: '' } })).toBe('free');
  expect(accessOf({ verdict: asks })).toBe('asks');
  expect(accessOf({ verdict: closed })).toBe('closed');
  expect(accessOf({ verdict: { kind: 'not-on-this-mac', message: '', ways: [] } })).toBe('closed');
});

test('the thumb stands at the ceiling, or below it where the model has no such stop', () => {
  const stops = [1_024, 2_048, 4_096, 8_192].map((tokens) => stop(tokens));
  const at = (chosenTokens: number) => chosenIndex({ modelId: 'a', chosenTokens, stops });
  expect(at(4_096)).toBe(2);
  expect(at(5_000)).toBe(2);
  expect(at(131_072)).toBe(3);
  expect(at(100)).toBe(0);
});

test('what is hatched', () => {
  expect(openStops([stop(1_024), stop(2_048, asks), stop(4_096, closed), stop(8_192, closed)])).toBe(2);
  expect(openStops([stop(1_024)])).toBe(1);
});

test('what is left, also when nothing is; what to wait for, also when it is not known', () => {
  const kvBytes = 104e6;
  expect(costWords({ kvBytes, leavesBytes: 1.4 * GIB })).toBe('104 MB · leaves 1.4 GB for your Mac');
  expect(costWords({ kvBytes, leavesBytes: -0.6 * GIB })).toBe('104 MB · 614 MB more than your Mac has');
  expect(waitWords({ prefillSeconds: null })).toContain('after the first answer');
  expect(waitWords({ prefillSeconds: 0.4 })).toContain('under a second');
  expect(waitWords({ prefillSeconds: 51.2 })).toContain('about 51 s');
});
