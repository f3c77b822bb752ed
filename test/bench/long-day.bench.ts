/**
 * Does memory stay flat over a day? Eight hours of the whole app with the real engine on the simulated Mac, and
 * twenty-four of what watches and protects alone, each with the heap after every half hour or so.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench, Figure } from './figure.ts';

interface Point {
  readonly hour: number;
  readonly bytes: number;
}

interface GuardDay {
  readonly heaps: readonly Point[];
  readonly counts: Readonly<Record<'samples' | 'told' | 'unloads' | 'answers', number>>;
}

interface AppDay {
  readonly held: readonly {
    readonly hour: number;
    readonly heapBytes: number;
    readonly rssBytes: number;
    readonly files: number;
  }[];
  readonly counts: Readonly<Record<'samples' | 'answers' | 'interrupted' | 'loads' | 'lent' | 'events', number>>;
  readonly turns: number;
  readonly realSeconds: number;
}

/** The first hours fill the history and compile what runs often. */
const SETTLED_HOUR = 4;

/** Least squares, KiB an hour. */
function slope(all: readonly Point[]): number {
  const points = all.filter(({ hour }) => hour >= SETTLED_HOUR);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hour = mean(points.map((point) => point.hour));
  const bytes = mean(points.map((point) => point.bytes));
  const rise = points.reduce((sum, point) => sum + (point.hour - hour) * (point.bytes - bytes), 0);
  return rise / points.reduce((sum, point) => sum + (point.hour - hour) ** 2, 0) / 1_024;
}

async function run<Day>(program: string, ...args: readonly string[]): Promise<Day> {
  const file = join(import.meta.dirname, program);
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file, ...args]);
  return JSON.parse(stdout) as Day;
}

async function guardDay(): Promise<readonly Figure[]> {
  const watched = await run<GuardDay>('long-day-process.ts');
  const alone = await run<GuardDay>('long-day-process.ts', 'alone');
  const { samples, told, unloads, answers } = watched.counts;
  if (samples < 10_000 || unloads === 0 || answers < 50) {
    throw new Error(`that was no day: ${JSON.stringify(watched.counts)}`);
  }
  return [
    {
      name: `heap over 24 simulated hours of watching (${samples} samples, ${answers} answers, ${unloads} unloads, ${told} steps told)`,
      unit: 'KiB/h',
      value: slope(watched.heaps),
      baseline: { what: 'the simulated Mac alone', value: slope(alone.heaps) },
      compare: 'difference',
      aim: { at: 'most', value: 32 },
    },
  ];
}

async function appDay(): Promise<readonly Figure[]> {
  // Side by side: both wait most of the time.
  const [used, idle] = await Promise.all([
    run<AppDay>('long-day-app-process.ts'),
    run<AppDay>('long-day-app-process.ts', 'idle'),
  ]);
  const { samples, answers, loads, lent } = used.counts;
  // A turn loads when asked, lends, and loads again when looked at; and asks four times.
  const { turns } = used;
  if (turns < 25 || lent < turns || loads < 2 * turns || answers < 4 * turns || samples < 5_000) {
    throw new Error(`that was no day: ${JSON.stringify(used)}`);
  }
  const of = (day: AppDay, what: 'heapBytes' | 'rssBytes'): number =>
    slope(day.held.map((point) => ({ hour: point.hour, bytes: point[what] })));
  const files = (day: AppDay): number => (day.held.at(-1)?.files ?? 0) - (day.held[0]?.files ?? 0);
  const name = `over 8 hours of the whole app in ${Math.round(used.realSeconds)} s (${loads} loads, ${answers} answers, ${lent} times lent, ${samples} samples)`;
  const baseline = (value: number) => ({ what: 'the same day with the model off', value });
  return [
    {
      name: `heap ${name}`,
      unit: 'KiB/h',
      value: of(used, 'heapBytes'),
      baseline: baseline(of(idle, 'heapBytes')),
      compare: 'difference',
      aim: { at: 'most', value: 64 },
    },
    {
      name: 'its private resident memory',
      unit: 'KiB/h',
      value: of(used, 'rssBytes'),
      baseline: baseline(of(idle, 'rssBytes')),
      compare: 'difference',
      aim: { at: 'most', value: 256 },
    },
    {
      name: 'its open files more than at first',
      unit: 'files',
      value: files(used),
      baseline: baseline(files(idle)),
      compare: 'value',
      aim: { at: 'most', value: 0 },
    },
  ];
}

const bench: Bench = async () => [...(await guardDay()), ...(await appDay())];

export default bench;
