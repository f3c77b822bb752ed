/** How much memory the app takes without a model, beside an empty Electron app with the same window. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leftAfter, type ProcessEntry, processTree } from '../electron/process-tree.ts';
import { type Arm, prepareArms } from './electron-arms.ts';
import { type Bench, BenchUnavailable, median } from './figure.ts';

const ROUNDS = 3;
/** Start-up garbage is collected and Chromium's spare processes are there by then. */
const SETTLE_MS = 6_000;

/** Proportional set size: pages that processes share are counted once, in parts. */
function proportionalMiB(processes: readonly ProcessEntry[]): number {
  const kib = processes.map(({ pid }) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]);
  });
  return kib.reduce((sum, value) => sum + value, 0) / 1024;
}

/** Started as a user would, without a debugger, which takes memory of its own. */
async function footprintMiB(arm: Arm, window: 'closed' | 'open'): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'headroom-bench-'));
  const args = [arm.appFolder, '--no-sandbox', '--home', home, ...(window === 'closed' ? ['--hidden'] : [])];
  const child = spawn(arm.electron.executable, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const tree = processTree(child.pid ?? 0);
    const pages = tree.filter(({ command }) => command.includes('--type=renderer')).length;
    if (tree.length === 0) throw new Error(`${arm.appFolder} ended by itself`);
    if (pages !== (window === 'open' ? 1 : 0))
      throw new Error(`${arm.appFolder} has ${pages} pages, its window ${window}`);
    return proportionalMiB(tree.filter(({ command }) => !command.includes('headroom_engine')));
  } finally {
    const tree = processTree(child.pid ?? 0);
    child.kill('SIGKILL');
    await exited;
    for (const { pid } of await leftAfter(tree, 5_000)) process.kill(pid, 'SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
}

const bench: Bench = async () => {
  if (process.platform !== 'linux')
    throw new BenchUnavailable('Proportional memory is read from /proc, on Linux only.');
  const arms = await prepareArms();
  try {
    const measured = { closed: { headroom: [], empty: [] }, open: { headroom: [], empty: [] } } as Record<
      'closed' | 'open',
      Record<'headroom' | 'empty', number[]>
    >;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const window of ['closed', 'open'] as const) {
        for (const arm of ['empty', 'headroom'] as const) {
          measured[window][arm].push(await footprintMiB(arms[arm], window));
        }
      }
    }
    return (['closed', 'open'] as const).map((window) => ({
      name: `memory, window ${window}, model off`,
      unit: 'MiB',
      value: median(measured[window].headroom),
      baseline: { what: 'empty Electron app', value: median(measured[window].empty) },
      compare: 'ratio',
      aim: { at: 'most', value: window === 'closed' ? 1.15 : 1.5 },
    }));
  } finally {
    await arms.dispose();
  }
};

export default bench;
