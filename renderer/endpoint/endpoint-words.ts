/** The endpoint in words. Pure. */
import type { EndpointClient, EndpointRequest } from '../../preload/contract.ts';
import { seconds } from '../ui/numbers.ts';

export function stageWords({ stage, ahead }: Pick<EndpointRequest, 'stage' | 'ahead'>): string {
  switch (stage) {
    case 'queued':
      return ahead === 0 ? 'next' : ahead === 1 ? 'waits, 1 before it' : `waits, ${ahead} before it`;
    case 'loading':
      return 'waits for the model to load';
    case 'reading':
      return 'is read';
    case 'answering':
      return 'is answered';
  }
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function lastUsedWords({ lastUsedAtMs }: Pick<EndpointClient, 'lastUsedAtMs'>, nowMs: number): string {
  if (lastUsedAtMs === null) return 'not used yet';
  const ago = nowMs - lastUsedAtMs;
  if (ago < 2 * MINUTE) return 'used just now';
  if (ago < HOUR) return `used ${Math.floor(ago / MINUTE)} minutes ago`;
  if (ago < 2 * HOUR) return 'used an hour ago';
  if (ago < DAY) return `used ${Math.floor(ago / HOUR)} hours ago`;
  if (ago < 2 * DAY) return 'used yesterday';
  return `used ${Math.floor(ago / DAY)} days ago`;
}

/** Null when nothing is about to be unloaded. */
export const countdownWords = (unloadsAtMs: number | null, nowMs: number): string | null =>
  unloadsAtMs === null ? null : `Unloads in ${seconds(unloadsAtMs - nowMs)} unless somebody asks.`;

/** Choices for an idle model, minutes; 0 for never. */
export const UNLOAD_CHOICES = [0, 5, 15, 30, 60, 240] as const;

export const unloadWords = (minutes: number): string =>
  minutes === 0
    ? 'Never'
    : minutes < 60
      ? `After ${minutes} minutes`
      : minutes === 60
        ? 'After an hour'
        : `After ${Math.round(minutes / 60)} hours`;
