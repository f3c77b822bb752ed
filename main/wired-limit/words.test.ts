import { expect, test } from 'vitest';
import { type WiredLimitReading, plan } from './plan.ts';
import { causeOfPlan, refusalInWords } from './words.ts';

const reading: WiredLimitReading = {
  memoryMiB: 16_384,
  macosMajor: 26,
  settingMiB: 0,
  workingSetMiB: null,
  ourValuesMiB: [],
  wiredBeforeLoadMiB: 2_488,
  ownProcessesMiB: 0,
};
const gptOss = { weightsMiB: 11_516, calibratedPeakMiB: null };

test('why the model was not started, with numbers and what to do', () => {
  expect(causeOfPlan(plan(reading, gptOss), { canAsk: true })).toEqual({
    code: 'wired-limit-needed',
    message: 'The GPU may keep 12,124 MiB in place; this model needs 12,800 MiB.',
    nextStep: 'Raise the limit in Headroom’s window, or start without: it will be slow.',
  });
  expect(causeOfPlan(plan({ ...reading, macosMajor: 15 }, gptOss), { canAsk: true }).nextStep).toBe(
    'Raise the limit in Headroom’s window. It lasts until the Mac restarts, and one click puts it back.',
  );
  expect(causeOfPlan(plan({ ...reading, memoryMiB: 8_192 }, gptOss), { canAsk: true })).toMatchObject({
    code: 'memory-too-small',
    message: expect.stringContaining('12,160 MiB at its peak; of this Mac’s 8,192 MiB no more than 6,963 MiB'),
  });
  expect(causeOfPlan(plan({ ...reading, macosMajor: 13 }, gptOss), { canAsk: true }).message).toContain(
    'debug.iogpu.wired_limit in bytes',
  );
});

test('a refused value comes with its range', () => {
  const bounds = { leastMiB: 8_192, mostMiB: 13_926, settingMiB: 13_000 };
  expect(refusalInWords('above-85-percent', bounds)).toEqual([
    'A limit above 85 % of the memory leaves too little for the Mac itself.',
    'Choose from 8,192 MiB to 13,926 MiB.',
  ]);
  expect(refusalInWords('would-lower', bounds)[0]).toBe('The limit is higher already: 13,000 MiB.');
});
