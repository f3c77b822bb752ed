import { beforeEach, describe, expect, it } from 'vitest';
import type { DownloadState } from '../../preload/contract.ts';
import { type TransferKind, type TransferOutcome, type Transfers, createTransfers } from './transfers.ts';

interface Begun {
  readonly repository: string;
  readonly kind: TransferKind;
  readonly signal: AbortSignal;
  tell(state: DownloadState): void;
  end(outcome: TransferOutcome): Promise<void>;
  fail(error: unknown): Promise<void>;
}

const downloading = (doneBytes: number): DownloadState => ({
  kind: 'downloading',
  doneBytes,
  totalBytes: 10,
  bytesPerSecond: null,
  remainingSeconds: null,
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let begun: Begun[];
let ended: string[];
let logged: string[];
let transfers: Transfers;

beforeEach(() => {
  [begun, ended, logged] = [[], [], []];
  transfers = createTransfers({
    perform: (repository, kind, signal, onState) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        begun.push({
          repository,
          kind,
          signal,
          tell: onState,
          end: (outcome) => {
            resolve(outcome);
            return settled();
          },
          fail: (error) => {
            reject(error);
            return settled();
          },
        });
      }),
    ended: (repository, kind, outcome) => ended.push(`${kind} ${repository} ${outcome.kind}`),
    changed: () => {},
    log: (_, message) => logged.push(message),
  });
});
const running = (): string[] => begun.filter(({ signal }) => !signal.aborted).map(({ repository }) => repository);
const at = (index: number): Begun => {
  const found = begun[index];
  if (found === undefined) throw new Error(`only ${begun.length} have begun`);
  return found;
};

describe('transfers', () => {
  it('run one at a time, in the order they were asked for', async () => {
    for (const each of ['a', 'b', 'c', 'a']) transfers.start(each, 'get');
    await settled();
    expect(running()).toEqual(['a']);
    expect(transfers.state('b')).toEqual({ kind: 'queued' });
    await at(0).end({ kind: 'done' });
    await at(1).end({ kind: 'done' });
    expect(begun.map(({ repository }) => repository)).toEqual(['a', 'b', 'c']);
    expect(transfers.state('a')).toBeNull();
    expect(ended).toEqual(['get a done', 'get b done']);
  });

  it('paused shows at once how far it was, tells nothing more, and begins again where it is asked to', async () => {
    transfers.start('a', 'get');
    await settled();
    at(0).tell(downloading(4));
    const pausing = transfers.pause('a');
    expect(transfers.state('a')).toEqual({ kind: 'paused', doneBytes: 4, totalBytes: 10 });
    at(0).tell(downloading(5));
    transfers.start('a', 'get');
    await pausing;
    await settled();
    expect(begun).toHaveLength(2);
    expect(at(1).signal.aborted).toBe(false);
    expect(ended).toEqual([]);
  });

  it('one that waits its turn can be paused and dropped without ever having begun', async () => {
    transfers.start('a', 'get');
    transfers.start('b', 'get');
    transfers.start('c', 'verify');
    await settled();
    await transfers.pause('b');
    await transfers.drop('c');
    expect(transfers.state('b')).toMatchObject({ kind: 'paused' });
    expect(transfers.state('c')).toBeNull();
    await at(0).end({ kind: 'done' });
    expect(begun).toHaveLength(1);
  });

  it('a failure stays shown with what was there, and the next one begins', async () => {
    transfers.start('a', 'get');
    transfers.start('b', 'get');
    await settled();
    at(0).tell(downloading(4));
    const cause = { code: 'disk-full', message: 'Full.', nextStep: 'Free some.' };
    await at(0).end({ kind: 'failed', cause });
    expect(transfers.state('a')).toEqual({ kind: 'failed', doneBytes: 4, totalBytes: 10, cause });
    expect(running().at(-1)).toBe('b');
  });

  it('what nobody foresaw is logged and does not stop the others', async () => {
    transfers.start('a', 'get');
    transfers.start('b', 'get');
    await settled();
    await at(0).fail(new Error('a bug'));
    expect(transfers.state('a')).toMatchObject({ kind: 'failed', cause: { code: 'internal' } });
    expect(logged.join()).toContain('a bug');
    expect(begun).toHaveLength(2);
  });

  it('asleep nothing begins; awake the one that ran goes first', async () => {
    transfers.start('a', 'get');
    transfers.start('b', 'get');
    await settled();
    at(0).tell(downloading(4));
    await transfers.suspend();
    expect(transfers.state('a')).toMatchObject({ kind: 'paused', doneBytes: 4 });
    await settled();
    expect(begun).toHaveLength(1);
    transfers.resume();
    await settled();
    expect(begun.map(({ repository }) => repository)).toEqual(['a', 'a']);
  });

  it('disposed, what runs has let go and nothing begins', async () => {
    transfers.start('a', 'get');
    transfers.start('b', 'get');
    await settled();
    await transfers.dispose();
    expect(at(0).signal.aborted).toBe(true);
    transfers.resume();
    await settled();
    expect(begun).toHaveLength(1);
  });
});
