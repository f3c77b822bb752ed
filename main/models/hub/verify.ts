/** Compares a model that is here with its checksums, without changing anything. Repairing is downloading again. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DownloadState } from '../../../preload/contract.ts';
import type { Clock } from '../../engine/clock.ts';
import { matches } from './blob-file.ts';
import { modelPaths } from './cache-layout.ts';
import { createBoard } from './download-board.ts';
import { diskFault } from './hub-fault.ts';
import type { Manifest } from './manifest.ts';

export interface FileProblem {
  readonly path: string;
  readonly problem: 'missing' | 'differs';
}

/**
 * Reads every file as a program that loads the model would find it. Throws HubFault where the disk refuses, and the
 * signal's reason when aborted.
 */
export async function verifyModel(
  manifest: Manifest,
  cacheFolder: string,
  clock: Clock,
  signal: AbortSignal,
  onState: (state: DownloadState) => void,
): Promise<readonly FileProblem[]> {
  const folder = join(modelPaths(cacheFolder, manifest.repository).snapshots, manifest.commit);
  const board = createBoard(manifest, clock, onState);
  const problems: FileProblem[] = [];
  board.lane().checking();
  try {
    for (const file of manifest.files) {
      const path = join(folder, file.path);
      let read = 0;
      const isRight = await matches(path, file, signal, (bytes) => board.set(file, (read += bytes)));
      if (!isRight) problems.push({ path: file.path, problem: (await exists(path)) ? 'differs' : 'missing' });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw diskFault(error, cacheFolder);
  } finally {
    board.dispose();
  }
  return problems;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** "2 files are damaged and 1 is missing." */
export function problemsInWords(problems: readonly FileProblem[]): string {
  const count = (kind: FileProblem['problem']): number => problems.filter(({ problem }) => problem === kind).length;
  const files = (n: number): string => (n === 1 ? '1 file is' : `${n} files are`);
  const parts = [
    count('differs') > 0 ? `${files(count('differs'))} damaged` : '',
    count('missing') > 0 ? `${files(count('missing'))} missing` : '',
  ].filter((part) => part !== '');
  return `${parts.join(' and ')}.`;
}
