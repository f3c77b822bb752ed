import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FitVerdict } from '../../preload/contract.ts';
import { CATALOG } from './catalog.ts';
import { contextStops, predictFor, stopTokens } from './context-stops.ts';
import { NO_CORRECTION } from './fit.ts';
import { readModelShape } from './model-shape.ts';
import { type Candidate, type Room, leavesBytes, needOf, stepRoom, verdictOf } from './verdict.ts';

const GIB = 2 ** 30;

function macWith(memoryGB: number, macosMajor: number, change: Partial<Room> = {}): Room {
  const wiredBeforeLoadMiB = 2_488;
  return {
    memoryBytes: memoryGB * GIB,
    wiredLimit: {
      memoryMiB: memoryGB * 1_024,
      macosMajor,
      settingMiB: 0,
      workingSetMiB: null,
      ourValuesMiB: [],
      wiredBeforeLoadMiB,
      ownProcessesMiB: 200,
    },
    wiredBeforeLoadBytes: wiredBeforeLoadMiB * 2 ** 20,
    ownProcessesBytes: 200 * 2 ** 20,
    availableBytes: null,
    engineActiveBytes: 0,
    apps: [],
    ...change,
  };
}

const onMachine = (index: number) => {
  const model = CATALOG[index];
  const shape = model === undefined ? null : readModelShape(model.config);
  if (model === undefined || shape === null) throw new Error('no such model');
  return { shape, weightsBytes: model.weightsBytes, calibration: null, correction: NO_CORRECTION };
};

function candidate(index: number, room: Room, contextTokens = 4_096, disk: Candidate['disk'] = null): Candidate {
  const model = onMachine(index);
  return {
    prediction: predictFor(model, contextTokens, room),
    shorter: stopTokens(model.shape.maxContextTokens).map((tokens) => predictFor(model, tokens, room)),
    others: CATALOG.flatMap(({ repository, name }, other) =>
      other === index
        ? []
        : [{ modelId: repository, name, prediction: predictFor(onMachine(other), contextTokens, room) }],
    ),
    disk,
  };
}

const Q8 = 0;
const Q4 = 1;
const QWEN_14B = 2;
const QWEN_4B = 3;
const short = (verdict: FitVerdict): string => ('toMiB' in verdict ? `raise to ${verdict.toMiB}` : verdict.kind);

it('names what the system holds where that is what is in the way', () => {
  const words = (change: Partial<Room>): string => {
    const room = macWith(16, 15, change);
    return verdictOf(candidate(Q8, room), room).message;
  };
  expect(words({ wiredBeforeLoadBytes: 4.5 * GIB })).toMatch(
    /^It takes 1\d\.\d GB at 4k tokens; of this Mac’s 16 GB the system holds 4\.5 GB in place\.$/,
  );
  expect(words({ wiredBeforeLoadBytes: 8 * GIB })).toMatch(
    /holds 8\.0 GB in place\. A restart may give some of it back\.$/,
  );
  expect(words({ memoryBytes: 8 * GIB })).toMatch(/this Mac has 8 GB for everything\.$/);
});

describe('the catalog at 4k, before anything was measured', () => {
  /** GB, macOS, then the verdict for each model. */
  const tableOf: readonly (readonly [number, number, string, string, string, string])[] = [
    [8, 15, 'not-on-this-mac', 'not-on-this-mac', 'not-on-this-mac', 'fits'],
    [8, 26, 'not-on-this-mac', 'not-on-this-mac', 'not-on-this-mac', 'fits'],
    [16, 15, 'raise to 12800', 'raise to 11900', 'fits', 'fits'],
    [16, 26, 'raise to 12800', 'fits', 'fits', 'fits'],
    [18, 15, 'raise to 12800', 'fits', 'fits', 'fits'],
    [18, 26, 'fits', 'fits', 'fits', 'fits'],
    [24, 15, 'fits', 'fits', 'fits', 'fits'],
    [24, 26, 'fits', 'fits', 'fits', 'fits'],
    [32, 15, 'fits', 'fits', 'fits', 'fits'],
    [64, 26, 'fits', 'fits', 'fits', 'fits'],
    [16, 13, 'not-on-this-mac', 'not-on-this-mac', 'not-on-this-mac', 'not-on-this-mac'],
  ];
  it.each(tableOf)('%d GB, macOS %d: %s, %s, %s, %s', (memoryGB, macosMajor, ...expected) => {
    const room = macWith(memoryGB, macosMajor);
    expect([Q8, Q4, QWEN_14B, QWEN_4B].map((index) => short(verdictOf(candidate(index, room), room)))).toEqual(
      expected,
    );
  });
});

describe('what would make it work', () => {
  const waysOf = (verdict: FitVerdict) => ('ways' in verdict ? (verdict.ways ?? []) : []);

  it('16 GB, macOS 26: raise, or the 4-bit sibling without a password', () => {
    const room = macWith(16, 26);
    const verdict = verdictOf(candidate(Q8, room), room);
    expect(verdict.message).toMatch(/leaves 1\.\d GB.*12,124 MiB.*12,800 MiB/);
    expect(waysOf(verdict)).toEqual([
      { kind: 'raise-limit', toMiB: 12_800 },
      expect.objectContaining({ kind: 'other-model', modelId: 'mlx-community/gpt-oss-20b-MXFP4-Q4' }),
    ]);
  });

  it('16 GB, 32k: a shorter context, or the sibling', () => {
    const room = macWith(16, 26);
    const verdict = verdictOf(candidate(Q8, room, 32_768), room);
    expect(verdict.kind).toBe('works-if');
    expect(waysOf(verdict).map(({ kind }) => kind)).toEqual(['smaller-context', 'other-model']);
    expect(waysOf(verdict)[0]).toEqual({ kind: 'smaller-context', tokens: 8_192 });
  });

  it('8 GB: the small model', () => {
    const room = macWith(8, 15);
    expect(waysOf(verdictOf(candidate(Q8, room), room))).toEqual([
      expect.objectContaining({ kind: 'other-model', modelId: 'mlx-community/Qwen3-4B-4bit' }),
    ]);
  });

  const apps = [
    { name: 'Mail', bytes: 0.4 * GIB, canQuit: true, isOurs: false },
    { name: 'Chrome', bytes: 3 * GIB, canQuit: true, isOurs: false },
    { name: 'WindowServer', bytes: 5 * GIB, canQuit: false, isOurs: false },
    { name: 'Headroom', bytes: 9 * GIB, canQuit: true, isOurs: true },
    { name: 'Xcode', bytes: 2 * GIB, canQuit: true, isOurs: false },
  ];

  it('a crowded Mac: the fewest and biggest apps, never ours, never what cannot quit', () => {
    const room = macWith(16, 26, { availableBytes: 9.2 * GIB, apps });
    const verdict = verdictOf(candidate(Q8, room), room);
    expect(verdict.kind).toBe('works-if');
    expect(waysOf(verdict)[0]).toEqual({
      kind: 'quit-apps',
      apps: [{ name: 'Chrome', bytes: 3 * GIB }],
      freesBytes: 3 * GIB,
    });
    expect(verdict.message).toMatch(/raised to 12,800 MiB too/);
  });

  it('no apps where all of them would not be enough', () => {
    const room = macWith(16, 26, { availableBytes: 1 * GIB, apps });
    expect(waysOf(verdictOf(candidate(Q8, room), room)).some(({ kind }) => kind === 'quit-apps')).toBe(false);
  });

  it('a loaded model makes room for the next', () => {
    const room = macWith(16, 26, { availableBytes: 1 * GIB, engineActiveBytes: 11.3 * GIB, apps });
    expect(verdictOf(candidate(Q8, room), room).kind).toBe('fits-after-raise');
  });

  it('the disk, with both numbers', () => {
    const room = macWith(24, 26);
    const needs = (freeBytes: number | null) =>
      verdictOf(candidate(Q8, room, 4_096, { neededBytes: 12.1e9, freeBytes }), room);
    expect(needs(5e9)).toEqual({
      kind: 'works-if',
      message: 'The download needs 12.1 GB of disk, 5.0 GB are free: make room first.',
      ways: [],
    });
    expect(needs(20e9).kind).toBe('fits');
    expect(needs(null).kind).toBe('fits');
  });

  it('nothing is promised where nothing is known', () => {
    expect(verdictOf(null, macWith(16, 26)).kind).toBe('unknown');
  });

  it('without a GPU limit only memory counts', () => {
    const linux = (availableBytes: number) =>
      macWith(16, 0, { wiredLimit: null, wiredBeforeLoadBytes: 0, availableBytes });
    expect(verdictOf(candidate(QWEN_4B, linux(10 * GIB)), linux(10 * GIB)).kind).toBe('fits');
    expect(verdictOf(candidate(QWEN_4B, linux(2 * GIB)), linux(2 * GIB)).kind).toBe('works-if');
  });

  it('every way that is offered works', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 16, 18, 24, 32),
        fc.constantFrom(14, 15, 26),
        fc.constantFrom(Q8, Q4, QWEN_14B, QWEN_4B),
        fc.constantFrom(1_024, 4_096, 16_384, 32_768),
        fc.double({ min: 0.5, max: 30, noNaN: true }),
        (memoryGB, macosMajor, index, tokens, availableGiB) => {
          const room = macWith(memoryGB, macosMajor, {
            availableBytes: Math.min(availableGiB, memoryGB - 3) * GIB,
            apps,
          });
          const works = (verdict: FitVerdict): boolean =>
            verdict.kind === 'fits' || verdict.kind === 'fits-after-raise';
          for (const way of waysOf(verdictOf(candidate(index, room, tokens), room))) {
            switch (way.kind) {
              case 'smaller-context':
                expect(works(verdictOf(candidate(index, room, way.tokens), room))).toBe(true);
                break;
              case 'other-model': {
                const other = CATALOG.findIndex(({ repository }) => repository === way.modelId);
                expect(works(verdictOf(candidate(other, room, tokens), room))).toBe(true);
                break;
              }
              case 'quit-apps': {
                const after = { ...room, availableBytes: (room.availableBytes ?? 0) + way.freesBytes };
                expect(works(verdictOf(candidate(index, after, tokens), after))).toBe(true);
                break;
              }
              case 'raise-limit':
                expect(way.toMiB).toBeLessThanOrEqual(memoryGB * 1_024 * 0.85);
            }
          }
        },
      ),
    );
  });
});

describe('the slider', () => {
  it('doubles from 1k and ends at the model’s maximum', () => {
    expect(stopTokens(131_072)).toEqual([1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072]);
    expect(stopTokens(40_960).slice(-2)).toEqual([32_768, 40_960]);
    expect(stopTokens(512)).toEqual([512]);
    expect(stopTokens(null).at(-1)).toBe(32_768);
  });

  it('never works again beyond a stop that does not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 16, 18, 24, 32),
        fc.constantFrom(15, 26),
        fc.constantFrom(Q8, Q4, QWEN_14B, QWEN_4B),
        (memoryGB, macosMajor, index) => {
          const room = macWith(memoryGB, macosMajor);
          const stops = contextStops({ model: onMachine(index), room, others: () => [], prefillRate: 250 });
          const kinds = stops.map(({ verdict }) =>
            ['fits', 'fits-after-raise', 'works-if', 'not-on-this-mac'].indexOf(verdict.kind),
          );
          expect(kinds).toEqual(kinds.toSorted((a, b) => a - b));
          expect(stops.map(({ tokens, prefillSeconds }) => tokens / (prefillSeconds ?? 0))).toEqual(
            stops.map(() => 250),
          );
        },
      ),
    );
  });

  it('says what is left, and no wait before one was measured', () => {
    const room = macWith(16, 26);
    const [first] = contextStops({ model: onMachine(Q8), room, others: () => [], prefillRate: null });
    expect(first?.prefillSeconds).toBeNull();
    expect(first?.leavesBytes).toBe(leavesBytes(predictFor(onMachine(Q8), 1_024, room), room));
  });
});

it('a guess raises the limit only where it is more than the usual room', () => {
  const room = macWith(16, 26);
  const need = needOf(predictFor(onMachine(Q8), 4_096, room));
  expect(need.calibratedPeakMiB).toBeNull();
  expect(need.guessedPeakMiB).toBeLessThan(need.weightsMiB + 644);
});

it('a larger step may fill what is below the limit, but never the Mac', () => {
  const { asIsBytes, mostBytes } = stepRoom(macWith(16, 26));
  expect(asIsBytes).toBeLessThan(mostBytes);
  expect(mostBytes).toBeLessThanOrEqual(16 * GIB - 2_488 * 2 ** 20 - 200 * 2 ** 20 - GIB);
});
