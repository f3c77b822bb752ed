/**
 * Gets a model into the cache: what is there is compared with its checksum, what is missing is fetched, two files at
 * once, and only when all is right does the model appear. Nothing but the files themselves is remembered, so any end
 * (pause, kill, sleep, full disk) is followed by the same beginning.
 *
 *   checking ─► downloading ⇄ waiting ─► done | paused | failed
 */
import type { DownloadState, FailureCause } from '../../../preload/contract.ts';
import { type Clock, pause } from '../../engine/clock.ts';
import { type PartialFile, matches, openPartial, partialBytes } from './blob-file.ts';
import { type ModelPaths, modelPaths } from './cache-layout.ts';
import { type DownloadBoard, type Lane, createBoard } from './download-board.ts';
import { HubFault, connectionFault, damagedAtSource, diskFault, diskFull, stalled, volumeGone } from './hub-fault.ts';
import { type Hub, RangeRefused, openFile } from './hub.ts';
import { type Manifest, type ManifestFile, distinctFiles } from './manifest.ts';
import { isWeights } from './file-names.ts';
import { lockModel } from './model-lock.ts';
import { retryDelayMs } from './retry.ts';
import { locate, prepareFolders, publish } from './snapshot.ts';
import { freePart } from './transport.ts';

export interface DownloadPorts {
  readonly hub: Hub;
  readonly cacheFolder: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly isConnected: (folder: string) => Promise<boolean>;
  readonly limits?: Partial<DownloadLimits>;
}

interface DownloadLimits {
  /** Less than `leastBytesPerStall` in this time, and the connection is given up for a new one. */
  readonly stallMs: number;
  readonly leastBytesPerStall: number;
  /** What must stay free beside the model, to begin. macOS swaps onto the same disk. */
  readonly reserveBytes: number;
  /** Below this the download stops, whoever fills the disk. */
  readonly leastFreeBytes: number;
}

const LIMITS: DownloadLimits = {
  stallMs: 30_000,
  leastBytesPerStall: 32 * 2 ** 10,
  reserveBytes: 2 ** 30,
  leastFreeBytes: 2 ** 28,
};

export type DownloadOutcome =
  | { readonly kind: 'done'; readonly folder: string }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly cause: FailureCause };

const FILES_AT_ONCE = 2;
/** An answer that makes no sense, a range not honoured, contents that are wrong: this often, then something is done. */
const MOST_ODD_ANSWERS = 5;
/** May be an accident once; what says the same each time needs a person. */
const HOPELESS_IF_REPEATED = new Set(['hub-answer', 'address-expired']);
const MOST_REFUSED_RANGES = 2;
const MOST_WRONG_CONTENTS = 2;
const BYTES_BETWEEN_SPACE_CHECKS = 32 * 2 ** 20;

/**
 * Resolves when the model is here, `signal` was aborted, or something needs a person; rejects on a bug. `onState` is
 * told every state but the last success, at most four times a second while bytes come.
 */
export async function downloadModel(
  manifest: Manifest,
  ports: DownloadPorts,
  signal: AbortSignal,
  onState: (state: DownloadState) => void,
): Promise<DownloadOutcome> {
  const board = createBoard(manifest, ports.clock, onState);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { kind: 'done', folder: await downloadOnce(manifest, ports, signal, board) };
      } catch (error) {
        signal.throwIfAborted();
        const fault = await faultOf(error, ports);
        if (fault === null) throw error;
        if (fault.again === 'never') {
          board.failed(fault.reason);
          return { kind: 'failed', cause: fault.reason };
        }
        const delayMs = retryDelayMs(Math.min(attempt, 4), ports.random(), fault.retryAfterMs);
        const lane = board.lane();
        lane.waiting(ports.clock.nowMs() + delayMs, fault.reason);
        await pause(ports.clock, delayMs, signal);
        lane.leave();
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    board.paused();
    return { kind: 'paused' };
  } finally {
    board.dispose();
  }
}

/** Something the disk said, told apart from what the network said: both come as errors with the same codes. */
class DiskTrouble extends Error {}

const onDisk = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof Error && 'syscall' in error ? new DiskTrouble('disk', { cause: error }) : error;
  });

async function faultOf(error: unknown, { cacheFolder, isConnected }: DownloadPorts): Promise<HubFault | null> {
  if (error instanceof HubFault) return error;
  if (!(error instanceof DiskTrouble)) return null;
  if (!(await isConnected(cacheFolder))) return volumeGone(cacheFolder);
  return diskFault(error.cause, cacheFolder);
}

async function downloadOnce(
  manifest: Manifest,
  ports: DownloadPorts,
  signal: AbortSignal,
  board: DownloadBoard,
): Promise<string> {
  const { cacheFolder } = ports;
  const paths = modelPaths(cacheFolder, manifest.repository);
  // Never onto the system's disk in place of an external one.
  if (!(await ports.isConnected(cacheFolder))) throw volumeGone(cacheFolder);
  const lock = await onDisk(lockModel(paths));
  try {
    await onDisk(prepareFolders(paths, manifest));
    const missing = await checkPresent(manifest, paths, signal, board);
    await checkSpace(missing, paths, ports);
    await fetchAll(missing, { manifest, ports, paths, board }, signal);
    return await onDisk(publish(paths, manifest));
  } finally {
    // A disk that is gone takes the claim with it.
    await lock.release().catch(() => {});
  }
}

/** Compares what is there with its checksums. Returns what has to be fetched, in a good order. */
async function checkPresent(
  manifest: Manifest,
  paths: ModelPaths,
  signal: AbortSignal,
  board: DownloadBoard,
): Promise<readonly ManifestFile[]> {
  const missing: ManifestFile[] = [];
  const lane = board.lane();
  lane.checking();
  try {
    for (const file of distinctFiles(manifest.files)) {
      const at = await onDisk(locate(paths, manifest, file));
      board.set(file, 0);
      const isRight =
        at !== null && (await onDisk(matches(at, file, signal, (bytes) => board.set(file, board.of(file) + bytes))));
      if (isRight) continue;
      board.set(file, 0);
      missing.push(file);
    }
  } finally {
    lane.leave();
  }
  return inGoodOrder(missing);
}

/**
 * The small files tell at once whether the model may be had at all. Then the largest, so that at the end not one large
 * file is left to come alone.
 */
function inGoodOrder(files: readonly ManifestFile[]): readonly ManifestFile[] {
  const isSmall = (file: ManifestFile): boolean => !isWeights(file.path);
  return files.toSorted((a, b) => Number(isSmall(b)) - Number(isSmall(a)) || b.bytes - a.bytes);
}

async function checkSpace(missing: readonly ManifestFile[], paths: ModelPaths, ports: DownloadPorts): Promise<void> {
  if (missing.length === 0) return;
  let neededBytes = 0;
  for (const file of missing) neededBytes += file.bytes - (await partialBytes(paths.blobs, file));
  const free = await onDisk(ports.freeBytes(paths.blobs));
  const reserveBytes = ports.limits?.reserveBytes ?? LIMITS.reserveBytes;
  if (free < neededBytes + reserveBytes) throw diskFull(neededBytes, free, ports.cacheFolder, reserveBytes);
}

interface Errand {
  readonly manifest: Manifest;
  readonly ports: DownloadPorts;
  readonly paths: ModelPaths;
  readonly board: DownloadBoard;
}

async function fetchAll(missing: readonly ManifestFile[], errand: Errand, signal: AbortSignal): Promise<void> {
  const queue = [...missing];
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let first: { readonly error: unknown } | null = null;
  const work = async (): Promise<void> => {
    const lane = errand.board.lane();
    try {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        await fetchFile(file, errand, both, lane);
      }
    } catch (error) {
      // What ends one ends both; what the other then throws is only the echo.
      first ??= { error };
      stop.abort();
    } finally {
      lane.leave();
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
  const failure = first as { readonly error: unknown } | null;
  if (failure !== null) throw failure.error;
}

/** Fetches one file to its end, however often the network breaks; throws when that needs a person, or `signal` says so. */
async function fetchFile(file: ManifestFile, errand: Errand, signal: AbortSignal, lane: Lane): Promise<void> {
  const { ports, board, paths } = errand;
  const partial = await onDisk(
    openPartial(paths.blobs, file, signal, (bytes) => {
      // Said only where there is something to check: going from file to file is no news.
      lane.checking();
      board.set(file, board.of(file) + bytes);
    }),
  );
  let attempt = 0;
  let oddAnswers = 0;
  let refusedRanges = 0;
  // What an earlier run left may be at fault itself (a power cut): that is not the source's doing.
  let wrongContents = partial.position > 0 ? -1 : 0;
  const startOver = async (): Promise<void> => {
    await onDisk(partial.restart());
    board.set(file, 0);
  };
  try {
    for (;;) {
      const before = partial.position;
      try {
        if (partial.position < file.bytes) await receive(file, partial, errand, signal, lane);
        if (await onDisk(partial.complete())) return;
        board.set(file, 0);
        wrongContents += 1;
        if (wrongContents === MOST_WRONG_CONTENTS) throw damagedAtSource(file.path);
      } catch (error) {
        signal.throwIfAborted();
        if (partial.position > before) {
          attempt = 0;
          oddAnswers = 0;
        }
        attempt += 1;
        if (error instanceof RangeRefused) {
          refusedRanges += 1;
          // Another of the storage's machines may do better. If none does, from the beginning is the only way.
          if (refusedRanges > MOST_REFUSED_RANGES) {
            refusedRanges = 0;
            await startOver();
          }
          await pause(ports.clock, retryDelayMs(1, ports.random(), null) / 2, signal);
          continue;
        }
        if (!(error instanceof HubFault) || error.again === 'never') throw error;
        if (HOPELESS_IF_REPEATED.has(error.reason.code)) oddAnswers += 1;
        if (oddAnswers === MOST_ODD_ANSWERS) throw new HubFault(error.reason, 'never', { cause: error });
        const delayMs = retryDelayMs(attempt, ports.random(), error.retryAfterMs);
        lane.waiting(ports.clock.nowMs() + delayMs, error.reason);
        await pause(ports.clock, delayMs, signal);
      }
    }
  } finally {
    await partial.close();
  }
}

/** One answer of the hub, appended as it comes. Throws when it ends before the file does. */
async function receive(
  file: ManifestFile,
  partial: PartialFile,
  { manifest, ports, board, paths }: Errand,
  signal: AbortSignal,
  lane: Lane,
): Promise<void> {
  const { hub } = ports;
  const limits = { ...LIMITS, ...ports.limits };
  const stall = watchForStalls(ports.clock, limits);
  const both = AbortSignal.any([signal, stall.signal]);
  try {
    const response = await openFile(hub, manifest, file, partial.position, both);
    lane.moving();
    let unchecked = 0;
    try {
      for await (const part of response.body) {
        // More than was promised is not looked at: the checksum decides about the rest.
        const wanted = part.subarray(0, file.bytes - partial.position);
        await onDisk(partial.append(wanted));
        stall.saw(part.length);
        unchecked += wanted.length;
        freePart(part);
        board.set(file, partial.position);
        if (partial.position === file.bytes) return;
        if (unchecked < BYTES_BETWEEN_SPACE_CHECKS) continue;
        unchecked = 0;
        const free = await onDisk(ports.freeBytes(paths.blobs));
        if (free < limits.leastFreeBytes) {
          throw diskFull(board.leftBytes(), free, ports.cacheFolder, limits.leastFreeBytes);
        }
      }
      throw new Error('the answer ended before the file did');
    } finally {
      response.cancel();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (stall.signal.aborted) throw stall.signal.reason;
    if (error instanceof DiskTrouble) throw await fullDisk(error, board, ports, paths);
    if (error instanceof RangeRefused) throw error;
    throw connectionFault(error, hub.url.host);
  } finally {
    stall.stop();
  }
}

/** The same trouble, with numbers where the disk is full. */
async function fullDisk(
  trouble: DiskTrouble,
  board: DownloadBoard,
  ports: DownloadPorts,
  paths: ModelPaths,
): Promise<Error> {
  const code = trouble.cause instanceof Error && 'code' in trouble.cause ? trouble.cause.code : null;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return trouble;
  const free = await ports.freeBytes(paths.blobs).catch(() => 0);
  return diskFull(board.leftBytes(), free, ports.cacheFolder);
}

/** Silence and a trickle are the same: a new connection is worth a try. */
function watchForStalls(
  clock: Clock,
  { stallMs, leastBytesPerStall }: DownloadLimits,
): { readonly signal: AbortSignal; saw(bytes: number): void; stop(): void } {
  const controller = new AbortController();
  let seen = 0;
  const look = (): void => {
    if (seen < leastBytesPerStall) {
      controller.abort(stalled(Math.round(stallMs / 1_000)));
      return;
    }
    seen = 0;
    cancel = clock.after(stallMs, look);
  };
  let cancel = clock.after(stallMs, look);
  return {
    signal: controller.signal,
    saw: (bytes) => (seen += bytes),
    stop: () => cancel(),
  };
}
