import { describe, expect, it } from 'vitest';
import { type SavedEntry, type ShelfLimits, refusalToSave, tidied, withWritten } from './cache-rules.ts';

const limits: ShelfLimits = { totalBytes: 1_000, dailyBytes: 5_000, freeDiskBytes: 10_000, fewestTokens: 1 };
const entry = (file: string, bytes: number, usedAtMs: number, rest: Partial<SavedEntry> = {}): SavedEntry => ({
  ...{ key: file, file, model: 'm', bytes, tokens: 300, sha256: '', usedAtMs },
  ...rest,
});

describe('saving', () => {
  const written = { day: '2026-01-02', bytes: 4_500 };
  it.each([
    ['fits', { expectedBytes: 500, freeBytes: 50_000 }, '2026-01-02', null],
    ['more than all may be', { expectedBytes: 1_001, freeBytes: 50_000 }, '2026-01-02', /larger/],
    ['a short disk', { expectedBytes: 500, freeBytes: 10_499 }, '2026-01-02', /disk/],
    ['enough for a day', { expectedBytes: 501, freeBytes: 50_000 }, '2026-01-02', /today/],
    ['another day', { expectedBytes: 501, freeBytes: 50_000 }, '2026-01-03', null],
  ])('%s', (_, asked, today, because) => {
    const refusal = refusalToSave({ ...asked, written }, today, limits);
    if (because === null) expect(refusal).toBeNull();
    else expect(refusal).toMatch(because);
  });

  it('counts a day at a time', () => {
    expect(withWritten(written, 100, '2026-01-02')).toEqual({ day: '2026-01-02', bytes: 4_600 });
    expect(withWritten(written, 100, '2026-01-03')).toEqual({ day: '2026-01-03', bytes: 100 });
  });
});

describe('tidying', () => {
  it('keeps the last used for as long as there is room', () => {
    const { kept, dropped } = tidied([entry('a', 400, 1), entry('b', 400, 3), entry('c', 400, 2)], limits);
    expect(kept.map(({ file }) => file)).toEqual(['b', 'c']);
    expect(dropped.map(({ file }) => file)).toEqual(['a']);
  });

  it('keeps one for each conversation and model', () => {
    const all = [
      entry('a', 10, 1, { key: 'k' }),
      entry('b', 10, 2, { key: 'k' }),
      entry('c', 10, 3, { key: 'k', model: 'n' }),
    ];
    expect(tidied(all, limits).kept.map(({ file }) => file)).toEqual(['c', 'b']);
  });

  it('never keeps more than the limit, whatever there is', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const all = Array.from({ length: seed % 17 }, (_, i) =>
        entry(`${i}`, (seed * (i + 7) * 131) % 900, (i * seed) % 13),
      );
      const { kept, dropped } = tidied(all, limits);
      expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(limits.totalBytes);
      expect([...kept, ...dropped]).toHaveLength(all.length);
    }
  });
});
