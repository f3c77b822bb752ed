/** The files under /proc that linux-reading.ts and apps.ts read. */
import { readdir, readFile } from 'node:fs/promises';
import type { Process } from './apps.ts';
import { linuxReading } from './linux-reading.ts';
import type { MemoryReading } from './reading.ts';

/** Of x86-64, and of arm64 as nearly all distributions build it. */
const PAGE_BYTES = 4096;

const textOf = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);

export async function readLinuxMemory(): Promise<MemoryReading | null> {
  const [meminfo, pressure, vmstat, bootId] = await Promise.all([
    textOf('/proc/meminfo'),
    textOf('/proc/pressure/memory'),
    textOf('/proc/vmstat'),
    textOf('/proc/sys/kernel/random/boot_id'),
  ]);
  return meminfo === null ? null : linuxReading({ meminfo, pressure, vmstat, bootId, pageBytes: PAGE_BYTES });
}

/** Every process there is, by its resident size; kernel threads have none. */
export async function readLinuxProcesses(): Promise<readonly Process[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) =>
      processOf(Number(pid), await textOf(`/proc/${pid}/status`), await textOf(`/proc/${pid}/cmdline`)),
    ),
  );
  return found.filter((process) => process !== null);
}

/** Named by its program: a process may call itself what it likes ("MainThread"). Pure. */
export function processOf(pid: number, status: string | null, commandLine: string | null): Process | null {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s+(.+?)(?: kB)?$`, 'm').exec(status ?? '')?.[1];
  const [name, parent, kib] = [field('Name'), field('PPid'), field('VmRSS')];
  return name === undefined || kib === undefined
    ? null
    : { pid, parentPid: Number(parent), bytes: Number(kib) * 1024, command: programIn(commandLine) ?? name };
}

/** `/usr/lib/chromium/chromium` of `/usr/lib/chromium/chromium\0--type=renderer\0`; some write blanks in between. */
function programIn(commandLine: string | null): string | null {
  const [path = ''] = (commandLine ?? '').split(/[\0 ]/);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name === '' ? null : name;
}
