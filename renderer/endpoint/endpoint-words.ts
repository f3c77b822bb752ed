/** The endpoint in words. Pure. */
import type { EndpointClient, EndpointRequest } from '../../preload/contract.ts';
import { ago, seconds } from '../ui/numbers.ts';

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

export function lastUsedWords({ lastUsedAtMs }: Pick<EndpointClient, 'lastUsedAtMs'>, nowMs: number): string {
  return lastUsedAtMs === null ? 'not used yet' : `used ${ago(nowMs - lastUsedAtMs)}`;
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
      ? `After ${minutes < 1 ? seconds(minutes * 60_000) : `${minutes} minutes`}`
      : minutes === 60
        ? 'After an hour'
        : `After ${Math.round(minutes / 60)} hours`;
