import { expect, test } from 'vitest';
import type { ProtectionState, ProtectionStep } from '../../preload/contract.ts';
import { bannerOf } from './protection-words.ts';

const step: ProtectionStep = {
  sinceMs: 1_000,
  trigger: 'critical',
  because: {
    level: 'critical',
    needle: 0.7,
    swapUsedBytes: 3_000_000_000,
    swapOutBytesPerSecond: 120_000_000,
    decodeTokensPerSecond: 9,
    usualDecodeTokensPerSecond: 41,
  },
  message: 'The answer was ended.',
  nextStep: 'Close apps.',
};

test('a yellow level alone shows nothing over the conversation', () => {
  const quiet: readonly ProtectionState[] = [{ kind: 'off' }, { kind: 'calm' }, { kind: 'watching', ...step }];
  for (const state of quiet) expect(bannerOf(state)).toBeNull();
});

test('every step that was taken is told and can be overruled', () => {
  for (const kind of ['easing', 'cancelled', 'unloaded'] as const)
    expect(bannerOf({ kind, ...step })).toEqual({
      message: 'The answer was ended.',
      nextStep: 'Close apps.',
      isOfPressure: true,
      isAmber: true,
      action: 'overrule',
    });
});

test('lent memory is no alarm and comes back with a click', () => {
  expect(bannerOf({ kind: 'lent', ...step })).toMatchObject({ isAmber: false, action: 'load' });
});

test('an overruled protection says until when', () => {
  const untilMs = new Date('2026-11-23T10:52:00').getTime();
  expect(bannerOf({ kind: 'undone', sinceMs: 0, untilMs })?.message).toBe(
    'Protection rests until 10:52, as you asked.',
  );
});
