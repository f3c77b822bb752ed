/** Which processes a process has started, and which of them still run. */
import { execFileSync } from 'node:child_process';

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
}

function allProcesses(): ProcessEntry[] {
  // A zombie has ended; only its parent has not noticed.
  return execFileSync('ps', ['-axww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
      if (match === null || match[3]?.startsWith('Z')) return [];
      return [{ pid: Number(match[1]), parentPid: Number(match[2]), command: match[4] ?? '' }];
    });
}

/** The process and everything below it. */
export function processTree(rootPid: number): ProcessEntry[] {
  const all = allProcesses();
  const tree = all.filter(({ pid }) => pid === rootPid);
  for (const entry of tree) tree.push(...all.filter(({ parentPid }) => parentPid === entry.pid));
  return tree;
}

/** Those of the processes that are still there: same number and same command. */
function stillRunning(processes: readonly ProcessEntry[]): ProcessEntry[] {
  const now = allProcesses();
  return processes.filter(({ pid, command }) => now.some((other) => other.pid === pid && other.command === command));
}

/** Resolves with what is left after `deadlineMs`, or as soon as nothing is left. */
export async function leftAfter(processes: readonly ProcessEntry[], deadlineMs: number): Promise<ProcessEntry[]> {
  const until = Date.now() + deadlineMs;
  for (;;) {
    const left = stillRunning(processes);
    if (left.length === 0 || Date.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
