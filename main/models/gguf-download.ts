/** One GGUF file into the Hugging Face cache, by the app's own downloader: resumed, compared, moved in at once. */
import type { DownloadState } from '../../preload/contract.ts';
import type { Clock } from '../engine/clock.ts';
import { EngineError } from '../engine/engine.ts';
import { downloadModel } from './hub/download.ts';
import { HubFault } from './hub/hub-fault.ts';
import { type Hub, listGguf } from './hub/hub.ts';
import { freeBytes, isConnected } from './hub/volume.ts';

export interface GgufDownloadPorts {
  readonly hub: () => Hub;
  readonly cacheFolder: () => string;
  readonly clock: Clock;
}

/** Resolves when the file is in the cache. Rejects with EngineError, or with the signal's reason. */
export type GgufDownload = (
  what: { readonly repository: string; readonly file: string },
  onState: (state: DownloadState) => void,
  signal: AbortSignal,
) => Promise<void>;

export const ggufDownload =
  ({ hub, cacheFolder, clock }: GgufDownloadPorts): GgufDownload =>
  async ({ repository, file }, onState, signal) => {
    try {
      onState({ kind: 'listing' });
      const manifest = await listGguf(hub(), repository, file, signal);
      const ports = { hub: hub(), cacheFolder: cacheFolder(), clock, random: Math.random, freeBytes, isConnected };
      const outcome = await downloadModel(manifest, ports, signal, onState);
      signal.throwIfAborted();
      if (outcome.kind === 'failed') throw new EngineError('failed', outcome.cause.message, outcome.cause.nextStep);
    } catch (error) {
      if (error instanceof HubFault && !signal.aborted) {
        throw new EngineError('failed', error.reason.message, error.reason.nextStep);
      }
      throw error;
    }
  };
