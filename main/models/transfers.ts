/**
 * Downloads and checks, one model at a time, the others behind it in the order they were asked for. What a transfer
 * does is the ports' business; here is only who goes next and what is told of it.
 */
import type { DownloadState, FailureCause } from '../../preload/contract.ts';
import type { Log } from '../log/log.ts';

/** `get`: fetch what is missing. `verify`: compare what is here. `repair`: fetch what was found damaged. */
export type TransferKind = 'get' | 'verify' | 'repair';

export type TransferOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'damaged'; readonly message: string }
  | { readonly kind: 'failed'; readonly cause: FailureCause };

export interface TransferPorts {
  /** Resolves with how it ended; rejects only when the signal aborts, or with what nobody foresaw. */
  perform(
    repository: string,
    kind: TransferKind,
    signal: AbortSignal,
    onState: (state: DownloadState) => void,
  ): Promise<TransferOutcome>;
  /** The transfer has ended by itself. */
  ended(repository: string, kind: TransferKind, outcome: TransferOutcome): void;
  /** A state has changed. */
  changed(): void;
  readonly log: Log;
}

export interface Transfers {
  /** Null when nothing goes on with this model and nothing is waiting for a click. */
  state(repository: string): DownloadState | null;
  /** Of what runs or waits its turn. */
  kind(repository: string): TransferKind | null;
  /** Idempotent: what runs or waits stays as it is. */
  start(repository: string, kind: TransferKind): void;
  /** Ends what runs, resolves when it has let go of the files. It stays shown as paused with `start` to go on. */
  pause(repository: string): Promise<void>;
  /** The same, and nothing is shown of it any longer. */
  drop(repository: string): Promise<void>;
  /** Shown as paused without having run: found so when the app started. */
  showPaused(repository: string, bytes: Bytes): void;
  /** The machine goes to sleep: everything stands still until `resume`. */
  suspend(): Promise<void>;
  resume(): void;
  /** Resolves when nothing runs any longer. */
  dispose(): Promise<void>;
}

interface Bytes {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

interface Job {
  readonly repository: string;
  readonly kind: TransferKind;
}

export function createTransfers(ports: TransferPorts): Transfers {
  const states = new Map<string, DownloadState>();
  let queue: readonly Job[] = [];
  let running: { readonly job: Job; readonly abort: AbortController; readonly over: Promise<void> } | null = null;
  let isAsleep = false;
  let isDisposed = false;

  const show = (repository: string, state: DownloadState | null): void => {
    if (state === null) states.delete(repository);
    else states.set(repository, state);
    ports.changed();
  };

  function next(): void {
    const [job] = queue;
    if (running !== null || job === undefined || isAsleep || isDisposed) return;
    queue = queue.slice(1);
    const abort = new AbortController();
    running = { job, abort, over: run(job, abort.signal) };
  }

  async function run(job: Job, signal: AbortSignal): Promise<void> {
    // Nothing is told before `running` is set.
    await Promise.resolve();
    const { repository, kind } = job;
    try {
      const outcome = await ports.perform(repository, kind, signal, (state) => {
        if (!signal.aborted) show(repository, state);
      });
      if (!signal.aborted) finish(job, outcome);
    } catch (error) {
      if (!signal.aborted) {
        ports.log('error', `transfer of ${repository}: ${error instanceof Error ? error.stack : String(error)}`);
        finish(job, { kind: 'failed', cause: UNFORESEEN });
      }
    }
    running = null;
    next();
  }

  function finish(job: Job, outcome: TransferOutcome): void {
    const { repository, kind } = job;
    if (outcome.kind === 'failed') {
      states.set(repository, { kind: 'failed', ...bytesOf(states.get(repository)), cause: outcome.cause });
    } else states.delete(repository);
    ports.ended(repository, kind, outcome);
    ports.changed();
  }

  /** Ends a job wherever it is. */
  async function end(repository: string): Promise<void> {
    queue = queue.filter((job) => job.repository !== repository);
    if (running?.job.repository !== repository) return;
    const { abort, over } = running;
    abort.abort();
    await over;
  }

  return {
    state: (repository) => states.get(repository) ?? null,
    kind: (repository) =>
      [...(running === null ? [] : [running.job]), ...queue].find((job) => job.repository === repository)?.kind ?? null,
    start(repository, kind) {
      const isThere = running?.job.repository === repository && !running.abort.signal.aborted;
      if (isThere || queue.some((job) => job.repository === repository)) return;
      queue = [...queue, { repository, kind }];
      show(repository, { kind: 'queued' });
      next();
    },
    async pause(repository) {
      const bytes = bytesOf(states.get(repository));
      // At once: letting go of the files may take a moment.
      if (states.has(repository)) show(repository, { kind: 'paused', ...bytes });
      await end(repository);
    },
    async drop(repository) {
      await end(repository);
      show(repository, null);
    },
    showPaused: (repository, bytes) => show(repository, { kind: 'paused', ...bytes }),
    async suspend() {
      isAsleep = true;
      if (running === null) return;
      const { job, abort, over } = running;
      const bytes = bytesOf(states.get(job.repository));
      // In front again: it was its turn.
      queue = [job, ...queue];
      abort.abort();
      show(job.repository, { kind: 'paused', ...bytes });
      await over;
    },
    resume() {
      isAsleep = false;
      next();
    },
    async dispose() {
      isDisposed = true;
      running?.abort.abort();
      await running?.over;
    },
  };
}

const UNFORESEEN: FailureCause = {
  code: 'internal',
  message: 'Something inside Headroom failed while it worked on this model.',
  nextStep: 'Try again. If it happens again, look into the log file.',
};

const bytesOf = (state: DownloadState | undefined): Bytes =>
  state !== undefined && 'doneBytes' in state
    ? { doneBytes: state.doneBytes, totalBytes: state.totalBytes }
    : { doneBytes: 0, totalBytes: 0 };
