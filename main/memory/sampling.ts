/** When memory is read next. Pure. */

/** Who wants to know. */
export interface Attention {
  readonly isWindowVisible: boolean;
  /** Loading, loaded or on its way: anything but off or failed. */
  readonly isEngineOn: boolean;
}

const WATCHED_INTERVAL_MS = 2_000;
const RESTING_INTERVAL_MS = 10_000;

export function sampleIntervalMs({ isWindowVisible, isEngineOn }: Attention): number {
  return isWindowVisible || isEngineOn ? WATCHED_INTERVAL_MS : RESTING_INTERVAL_MS;
}

/**
 * Pause until the next reading begins: at once when none was made or the last is too old (the window opened, the Mac
 * woke up), never longer than one interval, so that a clock set back does not stop the gauge.
 */
export function nextSampleDelayMs(attention: Attention, lastStartedAtMs: number | null, nowMs: number): number {
  if (lastStartedAtMs === null) return 0;
  const intervalMs = sampleIntervalMs(attention);
  return Math.min(intervalMs, Math.max(0, lastStartedAtMs + intervalMs - nowMs));
}
