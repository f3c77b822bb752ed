/** What one transfer does: asks the hub, fetches, compares. Everything it learns of a model is recorded on the way. */
import type { DownloadState } from '../../preload/contract.ts';
import { pause } from '../engine/clock.ts';
import type { Log } from '../log/log.ts';
import { type DownloadPorts, downloadModel } from './hub/download.ts';
import { HubFault } from './hub/hub-fault.ts';
import { fileRole } from './hub/file-names.ts';
import { type Hub, type Listing, listRepository, readPart, readSmallFile } from './hub/hub.ts';
import { type Manifest, totalBytes } from './hub/manifest.ts';
import { retryDelayMs } from './hub/retry.ts';
import { problemsInWords, verifyModel } from './hub/verify.ts';
import type { ModelRecords } from './model-records.ts';
import { readModelShape } from './model-shape.ts';
import { type ReadRange, loadedBytes, readTensors } from './safetensors-header.ts';
import type { TransferOutcome, TransferPorts } from './transfers.ts';

const MOST_CONFIG_BYTES = 4 * 2 ** 20;
/** Two requests a file: with very many of them the sizes are good enough. */
const MOST_WEIGHED_FILES = 64;
const WEIGHED_AT_ONCE = 4;
/** Whoever adds a model waits for it. */
const WEIGH_WITHIN_MS = 8_000;
/** What the hub says when the version that was being fetched is no longer to be had. */
const OUTDATED = new Set(['revision-gone', 'changed-at-source']);

export interface GettingPorts extends Omit<DownloadPorts, 'hub' | 'cacheFolder'> {
  readonly hub: () => Hub;
  readonly cacheFolder: () => string;
  readonly records: ModelRecords;
  readonly pinned: ReadonlyMap<string, Manifest>;
  readonly log: Log;
  /** The version that lies in the cache; null when none does. */
  presentCommit(repository: string): string | null;
}

export interface Getting {
  readonly perform: TransferPorts['perform'];
  /** Asks the hub once and records what it says. Throws HubFault. */
  ask(repository: string, revision: string, signal: AbortSignal): Promise<Listing>;
  /**
   * Records what the headers of the weights say is loaded, before any of it is here. Where they cannot be had in time
   * the sizes of the files stand for it, which is more where parts are left out. Never rejects.
   */
  weigh(repository: string): Promise<void>;
}

export function createGetting(ports: GettingPorts): Getting {
  const { records, clock } = ports;

  async function ask(repository: string, revision: string, signal: AbortSignal): Promise<Listing> {
    const hub = ports.hub();
    const listing = await listRepository(hub, repository, revision, signal);
    const { manifest, licence } = listing;
    const config = await readConfig(hub, manifest, signal);
    const isSame = records.repository(repository)?.manifest?.commit === manifest.commit;
    records.change(repository, { manifest, licence, config, ...(isSame ? {} : { weightsBytes: null }) });
    return listing;
  }

  async function weigh(repository: string): Promise<void> {
    const { manifest, config } = records.repository(repository) ?? {};
    if (manifest == null) return;
    const left = manifest.files.filter(({ path }) => fileRole(path) === 'weights');
    if (left.length > MOST_WEIGHED_FILES) return;
    const hub = ports.hub();
    const unloaded = readModelShape(config)?.unloadedPrefixes ?? [];
    const signal = AbortSignal.timeout(WEIGH_WITHIN_MS);
    let weightsBytes = 0;
    const weighNext = async (): Promise<void> => {
      for (let file = left.pop(); file !== undefined; file = left.pop()) {
        const at = file;
        const read: ReadRange = (offset, length) => readPart(hub, manifest, at, offset, length, signal);
        weightsBytes += loadedBytes(await readTensors(read, file.bytes), unloaded);
      }
    };
    try {
      await Promise.all(Array.from({ length: WEIGHED_AT_ONCE }, weighNext));
      records.change(repository, { weightsBytes });
    } catch (error) {
      ports.log('info', `the weights of ${repository} are told by their files: ${String(error)}`);
    }
  }

  /** Until the hub answers, or says something that waiting does not change. */
  async function askUntilAnswered(
    repository: string,
    revision: string,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<Manifest> {
    for (let attempt = 1; ; attempt += 1) {
      onState({ kind: 'listing' });
      try {
        return (await ask(repository, revision, signal)).manifest;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HubFault) || error.again === 'never') throw error;
        const delayMs = retryDelayMs(attempt, ports.random(), error.retryAfterMs);
        const known = records.repository(repository)?.manifest;
        onState({
          kind: 'waiting',
          doneBytes: 0,
          totalBytes: known == null ? 0 : totalBytes(known),
          retryAtMs: clock.nowMs() + delayMs,
          cause: error.reason,
        });
        await pause(clock, delayMs, signal);
      }
    }
  }

  async function fetchOnce(
    repository: string,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<TransferOutcome> {
    const record = records.repository(repository);
    const kept = record?.transfer === 'asked' ? null : (record?.manifest ?? null);
    const manifest =
      ports.pinned.get(repository) ?? kept ?? (await askUntilAnswered(repository, 'main', signal, onState));
    records.change(repository, { manifest, transfer: 'running' });
    return download(manifest, signal, onState);
  }

  async function fetch(
    repository: string,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<TransferOutcome> {
    const outcome = await fetchOnce(repository, signal, onState);
    if (outcome.kind !== 'failed' || !OUTDATED.has(outcome.cause.code) || ports.pinned.has(repository)) return outcome;
    // The version that was begun is gone: what the present one has in common with it is not fetched again.
    records.change(repository, { transfer: 'asked' });
    return fetchOnce(repository, signal, onState);
  }

  async function download(
    manifest: Manifest,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<TransferOutcome> {
    const outcome = await downloadModel(
      manifest,
      { ...ports, hub: ports.hub(), cacheFolder: ports.cacheFolder() },
      signal,
      onState,
    );
    signal.throwIfAborted();
    return outcome.kind === 'failed' ? outcome : { kind: 'done' };
  }

  /** What another tool fetched is compared with its own version, whatever the hub has by now. */
  async function presentManifest(
    repository: string,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<Manifest> {
    const present = ports.presentCommit(repository);
    const known = [ports.pinned.get(repository), records.repository(repository)?.manifest].find(
      (each) => each != null && (present === null || each.commit === present),
    );
    return known ?? askUntilAnswered(repository, present ?? 'main', signal, onState);
  }

  return {
    ask,
    weigh,
    async perform(repository, kind, signal, onState) {
      try {
        if (kind === 'get') return await fetch(repository, signal, onState);
        const manifest = await presentManifest(repository, signal, onState);
        if (kind === 'repair') return await download(manifest, signal, onState);
        const problems = await verifyModel(manifest, ports.cacheFolder(), clock, signal, onState);
        return problems.length === 0 ? { kind: 'done' } : { kind: 'damaged', message: problemsInWords(problems) };
      } catch (error) {
        if (error instanceof HubFault && !signal.aborted) return { kind: 'failed', cause: error.reason };
        throw error;
      }
    },
  };
}

async function readConfig(hub: Hub, manifest: Manifest, signal: AbortSignal): Promise<unknown> {
  const file = manifest.files.find(({ path }) => path === 'config.json');
  if (file === undefined) return null;
  const bytes = await readSmallFile(hub, manifest, file, MOST_CONFIG_BYTES, signal);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    // Nobody can tell what it takes; the engine will say what it makes of it.
    return null;
  }
}
