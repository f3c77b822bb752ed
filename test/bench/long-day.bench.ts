/** Does memory stay flat over a day? Twenty-four simulated hours, with the heap after every half of one. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from './figure.ts';

interface Day {
  readonly heaps: readonly { readonly hour: number; readonly bytes: number }[];
  readonly counts: Readonly<Record<'samples' | 'told' | 'unloads' | 'answers', number>>;
}

/** The first hours fill the history and compile what runs often. */
const SETTLED_HOUR = 4;

/** Least squares, KiB an hour. */
function slope({ heaps }: Day): number {
  const points = heaps.filter(({ hour }) => hour >= SETTLED_HOUR);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hour = mean(points.map((point) => point.hour));
  const bytes = mean(points.map((point) => point.bytes));
  const rise = points.reduce((sum, point) => sum + (point.hour - hour) * (point.bytes - bytes), 0);
  return rise / points.reduce((sum, point) => sum + (point.hour - hour) ** 2, 0) / 1_024;
}

async function day(...args: readonly string[]): Promise<Day> {
  const program = join(import.meta.dirname, 'long-day-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, ...args]);
  return JSON.parse(stdout) as Day;
}

const bench: Bench = async () => {
  const watched = await day();
  const alone = await day('alone');
  const { samples, told, unloads, answers } = watched.counts;
  if (samples < 10_000 || unloads === 0 || answers < 50) {
    throw new Error(`that was no day: ${JSON.stringify(watched.counts)}`);
  }
  return [
    {
      name: `heap over 24 simulated hours (${samples} samples, ${answers} answers, ${unloads} unloads, ${told} steps told)`,
      unit: 'KiB/h',
      value: slope(watched),
      baseline: { what: 'the simulated Mac alone', value: slope(alone) },
      compare: 'difference',
      aim: { at: 'most', value: 32 },
    },
  ];
};

export default bench;
