import type { PressureLevel } from '../../preload/contract.ts';

/** The level by one name wherever it is told: the window’s gauge, the menu bar, notices, refusals. */
export const LEVEL_WORDS: Readonly<Record<PressureLevel, string>> = {
  normal: 'Normal',
  warning: 'Warning',
  critical: 'Critical',
};
