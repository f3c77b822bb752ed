import type { EngineState } from '../../preload/contract.ts';
import { bytesOf, seconds } from '../ui/numbers.ts';

/** The engine's state for the header: a few words, and where the switch stands. */
export interface EngineWords {
  readonly words: string;
  readonly isOn: boolean;
  /** Null when nothing is under way, `indeterminate` when how far is not known. */
  readonly progress: { readonly done: number; readonly total: number } | 'indeterminate' | null;
}

/** No fault, but something only the user can decide. */
const FOR_THE_USER: Readonly<Record<string, string>> = {
  'wired-limit-needed': 'Needs a higher limit',
  'wired-limit-being-changed': 'Waits for the limit',
  preflight: 'Needs more room',
};

export const isForTheUser = (code: string): boolean => code in FOR_THE_USER;

export function engineWords(engine: EngineState, nowMs: number): EngineWords {
  switch (engine.kind) {
    case 'off':
      return { words: 'Off', isOn: false, progress: null };
    case 'preparing':
      return { words: 'Checking memory', isOn: true, progress: 'indeterminate' };
    case 'starting':
      return {
        words: engine.attempt > 1 ? `Starting, attempt ${engine.attempt}` : 'Starting',
        isOn: true,
        progress: 'indeterminate',
      };
    case 'loading':
      return engine.totalBytes > 0
        ? {
            words: `Loading, ${bytesOf(engine.loadedBytes, engine.totalBytes)}`,
            isOn: true,
            progress: { done: engine.loadedBytes, total: engine.totalBytes },
          }
        : { words: 'Loading', isOn: true, progress: 'indeterminate' };
    case 'ready':
      return { words: 'Ready', isOn: true, progress: null };
    case 'busy':
      return { words: 'Working', isOn: true, progress: null };
    case 'waiting': {
      const leftMs = engine.retryAtMs - nowMs;
      return { words: leftMs > 0 ? `Trying again in ${seconds(leftMs)}` : 'Trying again', isOn: true, progress: null };
    }
    case 'stopping':
      return { words: 'Turning off', isOn: false, progress: 'indeterminate' };
    case 'failed':
      // No fault: it waits for a click.
      return { words: FOR_THE_USER[engine.cause.code] ?? 'Stopped by a fault', isOn: false, progress: null };
  }
}
