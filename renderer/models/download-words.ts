/** A download in words: pure. */
import type { DownloadState, ModelEntry } from '../../preload/contract.ts';
import { bytes, bytesOf, seconds } from '../ui/numbers.ts';

export interface DownloadWords {
  /** One line; what comes first matters most. */
  readonly text: string;
  /** What to do about it, where something can be done. */
  readonly nextStep: string | null;
  /** Null: the bar rests. */
  readonly progress: { readonly done: number; readonly total: number } | 'indeterminate' | null;
  /** What a click does next. */
  readonly action: 'pause' | 'resume' | 'try-now' | null;
}

export function downloadWords(download: DownloadState, nowMs: number): DownloadWords {
  switch (download.kind) {
    case 'queued':
      return { text: 'Waits for another download', nextStep: null, progress: null, action: 'pause' };
    case 'listing':
      return { text: 'Asking for the list of files', nextStep: null, progress: 'indeterminate', action: 'pause' };
    case 'checking':
      return {
        text: `Checking, ${bytesOf(download.doneBytes, download.totalBytes)}`,
        nextStep: null,
        progress: { done: download.doneBytes, total: download.totalBytes },
        action: 'pause',
      };
    case 'downloading': {
      const { doneBytes, totalBytes, bytesPerSecond, remainingSeconds } = download;
      return {
        text: [
          bytesOf(doneBytes, totalBytes),
          bytesPerSecond === null ? null : `${bytes(bytesPerSecond)}/s`,
          remainingSeconds === null ? null : `${remaining(remainingSeconds)} left`,
        ]
          .filter((part) => part !== null)
          .join(' · '),
        nextStep: null,
        progress: { done: doneBytes, total: totalBytes },
        action: 'pause',
      };
    }
    case 'waiting': {
      const leftMs = download.retryAtMs - nowMs;
      return {
        text: download.cause.message,
        nextStep: `${leftMs > 0 ? `Goes on in ${seconds(leftMs)}` : 'Trying again'}. Nothing fetched is lost.`,
        progress: { done: download.doneBytes, total: download.totalBytes },
        action: 'try-now',
      };
    }
    case 'paused':
      return {
        text: `Paused at ${bytesOf(download.doneBytes, download.totalBytes)}`,
        nextStep: null,
        progress: { done: download.doneBytes, total: download.totalBytes },
        action: 'resume',
      };
    case 'failed':
      return {
        text: download.cause.message,
        nextStep: download.cause.nextStep,
        progress: download.totalBytes > 0 ? { done: download.doneBytes, total: download.totalBytes } : null,
        action: 'try-now',
      };
  }
}

/** What the hub's settings would change about it: the button that leads there. Null where they would not. */
export function hubRemedy(download: DownloadState): string | null {
  const code = 'cause' in download ? download.cause.code : null;
  if (code === 'proxy') return 'Proxy…';
  if (code === 'disk-full' || code === 'disk-format') return 'Folder…';
  return code === 'gated' || code === 'private' || code === 'token-refused' ? 'Token…' : null;
}

export const ACTION_WORDS = { pause: 'Pause', resume: 'Resume', 'try-now': 'Try now' } as const;

/** Coarser the longer it is, so that it does not flicker. */
export function remaining(totalSeconds: number): string {
  if (totalSeconds < 55) return `${Math.max(5, Math.ceil(totalSeconds / 5) * 5)} s`;
  const minutes = Math.max(1, Math.round(totalSeconds / 60));
  if (minutes < 60) return `${minutes} min`;
  // Over an hour five minutes do not matter.
  const coarse = Math.round(minutes / 5) * 5;
  return coarse % 60 === 0 ? `${coarse / 60} h` : `${Math.floor(coarse / 60)} h ${coarse % 60} min`;
}

/** How much was fetched already, which a cancelled download throws away. */
export const fetchedBytes = (download: DownloadState): number => ('doneBytes' in download ? download.doneBytes : 0);

/** What is worth saying aloud between two looks at the list; null when nothing is. */
export function downloadNews(before: readonly ModelEntry[] | null, now: readonly ModelEntry[] | null): string | null {
  for (const { id, name, presence } of now ?? []) {
    const was = before?.find((entry) => entry.id === id)?.presence;
    if (was?.kind !== 'getting') continue;
    if (presence.kind === 'here')
      return was.download.kind === 'checking' ? `${name} is checked.` : `${name} is on this computer.`;
    if (presence.kind === 'damaged') return `${name} is damaged. ${presence.message}`;
    if (presence.kind === 'getting' && presence.download.kind === 'failed' && was.download.kind !== 'failed')
      return `The download of ${name} stopped. ${presence.download.cause.message}`;
  }
  return null;
}
