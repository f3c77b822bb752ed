import { describe, expect, it } from 'vitest';
import type { FitPrediction, FitVerdict, FitWay, Preflight } from '../../preload/contract.ts';
import { type PreflightInput, preflight, waysInWords } from './preflight.ts';

const GB = 1e9;
const GIB = 2 ** 30;
const prediction: FitPrediction = {
  contextTokens: 4_096,
  weightsBytes: 12.08 * GB,
  kvBytes: 0.1 * GB,
  kvCopiesBytes: 0.2 * GB,
  prefillBytes: 0.2 * GB,
  prefillStepTokens: 512,
  prefillFrom: 'default',
  runtimeBytes: 0.22 * GB,
  peakBytes: 12.8 * GB,
  measuredLoads: 0,
};
const quit: FitWay = { kind: 'quit-apps', apps: [{ name: 'Google Chrome', bytes: 4.2 * GIB }], freesBytes: 4.2 * GIB };
const fits: FitVerdict = { kind: 'fits', message: 'Takes 12.8 GB at 4k tokens, leaves 1.5 GB.' };
const crowded: FitVerdict = { kind: 'works-if', message: 'It takes 12.8 GB; 1.2 GB are missing.', ways: [quit] };
const tooLarge: FitVerdict = { kind: 'not-on-this-mac', message: 'It takes 12.8 GB of 8 GB.', ways: [] };

const input: PreflightInput = {
  modelId: 'm',
  verdict: fits,
  prediction,
  room: {
    memoryBytes: 16 * 2 ** 30,
    wiredLimit: {
      memoryMiB: 16_384,
      macosMajor: 15,
      settingMiB: 13_312,
      workingSetMiB: null,
      ourValuesMiB: [13_312],
      wiredBeforeLoadMiB: 2_500,
      ownProcessesMiB: 200,
    },
    wiredBeforeLoadBytes: 2_500 * 2 ** 20,
    ownProcessesBytes: 200 * 2 ** 20,
    availableBytes: 11 * GB,
    engineActiveBytes: 0,
    apps: [],
  },
  level: 'normal',
  diskFreeBytes: 100 * GB,
};

const fine = (made: Preflight): Record<string, boolean> =>
  Object.fromEntries(made.checks.map(({ name, isFine }) => [name, isFine]));

describe('preflight', () => {
  it('is green with its numbers', () => {
    const made = preflight(input);
    expect(made).toMatchObject({ verdict: 'go', canLoadAnyway: true, message: fits.message });
    expect(fine(made)).toEqual({ memory: true, 'working-set': true, pressure: true, disk: true });
    expect(made.checks[0]?.message).toBe('Takes up to 11.9 GB of 16 GB and leaves 1.4 GB. 10.2 GB are free now.');
  });

  it('what takes free memory only is not kept back by pressure that others make', () => {
    const small = { ...prediction, peakBytes: 0.4 * GB };
    const made = preflight({ ...input, prediction: small, level: 'critical' });
    expect(made.verdict).toBe('go');
    expect(fine(made)['pressure']).toBe(false);
  });

  it('memory that other apps have is not fine', () => {
    expect(fine(preflight({ ...input, verdict: crowded }))['memory']).toBe(false);
  });

  it('a limit that has to be raised is no obstacle: the user is asked for it', () => {
    const low = {
      ...input.room.wiredLimit,
      settingMiB: 0,
      workingSetMiB: 10_922,
    } as PreflightInput['room']['wiredLimit'];
    const raise: FitVerdict = { kind: 'fits-after-raise', message: 'Takes 12.8 GB.', toMiB: 12_800, ways: [] };
    const made = preflight({ ...input, verdict: raise, room: { ...input.room, wiredLimit: low } });
    expect(made.verdict).toBe('go');
    expect(fine(made)['working-set']).toBe(false);
    expect(made.checks[1]?.message).toMatch(/10,922 MiB, macOS’s own choice; the model wants 12,\d{3} MiB/);
  });

  it.each([
    ['memory is taken by apps', { verdict: crowded }, true, 'It takes 12.8 GB; 1.2 GB are missing.'],
    ['the disk is nearly full', { diskFreeBytes: 1 * GB }, true, /1\.0 GB free, less than the 4\.0 GB/],
    ['pressure is critical', { level: 'critical' as const }, false, /Critical/],
    [
      'it is critical and taken',
      { level: 'critical' as const, verdict: crowded },
      false,
      /1\.2 GB are missing.*Critical/,
    ],
  ])('works if: %s', (_name, change, canLoadAnyway, message) => {
    const made = preflight({ ...input, ...change });
    expect(made).toMatchObject({ verdict: 'works-if', canLoadAnyway });
    expect(made.message).toMatch(message);
  });

  it('raised pressure alone is the ordinary state with a large model', () => {
    expect(preflight({ ...input, level: 'warning' }).verdict).toBe('go');
  });

  it('what never fits cannot be forced', () => {
    expect(preflight({ ...input, verdict: tooLarge })).toMatchObject({ verdict: 'no', canLoadAnyway: false });
  });

  it('a model nobody understands is offered, with what can be said', () => {
    const made = preflight({ ...input, verdict: { kind: 'unknown', message: 'Not known.' }, prediction: null });
    expect(made.verdict).toBe('go');
    expect(made.checks.map(({ name }) => name)).toEqual(['pressure', 'disk']);
  });

  it('elsewhere than on a Mac there is no limit and no swap disk to look at', () => {
    const made = preflight({ ...input, room: { ...input.room, wiredLimit: null }, diskFreeBytes: null, level: null });
    expect(made.checks.map(({ name }) => name)).toEqual(['memory']);
  });
});

describe('waysInWords', () => {
  it.each<[readonly FitWay[], boolean, string]>([
    [[quit], true, 'Quit Google Chrome (4.2 GB), or load it anyway.'],
    [[{ kind: 'smaller-context', tokens: 2_048 }], false, 'Set the context to 2,048 tokens.'],
    [
      [
        { kind: 'raise-limit', toMiB: 12_800 },
        { kind: 'smaller-context', tokens: 2_048 },
        { kind: 'other-model', modelId: 'q4', name: 'gpt-oss-20b, 4-bit', peakBytes: 11.9 * GIB },
      ],
      false,
      'Raise the GPU’s limit to 12,800 MiB, set the context to 2,048 tokens, or use gpt-oss-20b, 4-bit (11.9 GB).',
    ],
    [[], false, 'Choose a smaller model.'],
    [[], true, 'Load it anyway.'],
  ])('%j', (ways, canLoadAnyway, words) => {
    expect(waysInWords(ways, canLoadAnyway)).toBe(words);
  });
});
