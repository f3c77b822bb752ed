import { describe, expect, it } from 'vitest';
import { judgeRelease } from './wired-baseline.ts';

const GIB = 1024 ** 3;
// The baseline is the recorded one of a 16 GB M1 Pro on macOS 15.7.5: 159,117 pages of 16 KiB.
const BASELINE = 159_117 * 16_384;

describe('wired memory after the model has ended', () => {
  it.each([
    ['all came back', BASELINE, BASELINE + 100_000, 3_000, 'released'],
    ['less than before', BASELINE, BASELINE - GIB, 3_000, 'released'],
    ['two GiB are chance', BASELINE, BASELINE + 2 * GIB, 60_000, 'released'],
    ['not yet', BASELINE, BASELINE + 11 * GIB, 14_999, 'pending'],
    ['never will', BASELINE, BASELINE + 11 * GIB, 15_000, 'left'],
    ['just above the bound', BASELINE, BASELINE + 2 * GIB + 1, 15_000, 'left'],
    ['no baseline', null, BASELINE, 60_000, 'unknown'],
    ['no reading', BASELINE, null, 60_000, 'unknown'],
  ] as const)('%s', (_, baselineBytes, wiredBytes, sinceExitMs, kind) =>
    expect(judgeRelease({ baselineBytes, wiredBytes, sinceExitMs }).kind).toBe(kind),
  );

  it('says how much', () =>
    expect(judgeRelease({ baselineBytes: BASELINE, wiredBytes: BASELINE + 5 * GIB, sinceExitMs: 20_000 })).toEqual({
      kind: 'left',
      leftBytes: 5 * GIB,
      baselineBytes: BASELINE,
    }));
});
