/**
 * One app per data folder, also when the last one was killed.
 *
 * Each app puts an empty file `running-<pid>-<start>-<nonce>` into the folder and then looks for others. `start` tells a
 * process from a later one with the same number. The name says everything, so no half-written file can be misread, and
 * a dead claim can be removed by anybody because its name will never be used again. Of two apps that start at once, the
 * later to write sees the earlier; if both see each other both give way, wait a moment and try again.
 *
 * Rejected: a listening Unix socket in the folder (its path may be longer than the 103 bytes macOS takes) and a file
 * with the pid in it (two starters who find it stale can each remove the other's fresh one).
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type DataFolderLock =
  | { readonly kind: 'held'; release(): Promise<void> }
  | { readonly kind: 'taken'; readonly pid: number };

interface Claim {
  readonly file: string;
  readonly pid: number;
  readonly start: string;
}

/** A holder keeps its claim; somebody who is only starting has a new one each time. Seen this often, it is a holder. */
const SIGHTINGS = 2;
const ATTEMPTS = 9;

/** `startOf` gives a word that differs between two processes with the same number, null when there is no such process. */
export async function lockDataFolder(
  folder: string,
  startOf: (pid: number) => Promise<string | null> = processStart,
): Promise<DataFolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const start = (await startOf(process.pid)) ?? 'unknown';
  const sightings = new Map<string, number>();
  for (let attempt = 1; ; attempt += 1) {
    const own = `running-${process.pid}-${start}-${randomBytes(6).toString('hex')}`;
    await (await open(join(folder, own), 'wx', 0o600)).close();
    const other = await firstLiving(folder, own, startOf);
    if (other === null) return { kind: 'held', release: () => rm(join(folder, own), { force: true }) };
    await rm(join(folder, own), { force: true });
    const seen = (sightings.get(other.file) ?? 0) + 1;
    sightings.set(other.file, seen);
    if (seen === SIGHTINGS || attempt === ATTEMPTS) return { kind: 'taken', pid: other.pid };
    // Longer for each further attempt and never the same twice, so that two who collide do not collide again.
    await sleep(20 * attempt + Math.random() * 60 * attempt);
  }
}

async function firstLiving(
  folder: string,
  own: string,
  startOf: (pid: number) => Promise<string | null>,
): Promise<Claim | null> {
  for (const file of await readdir(folder)) {
    const claim = file === own ? null : parseClaim(file);
    if (claim === null) continue;
    if ((await startOf(claim.pid)) === claim.start) return claim;
    await rm(join(folder, file), { force: true });
  }
  return null;
}

export function parseClaim(file: string): Claim | null {
  const match = /^running-([1-9]\d{0,9})-([0-9a-z]+)-[0-9a-f]{12}$/.exec(file);
  return match?.[1] && match[2] ? { file, pid: Number(match[1]), start: match[2] } : null;
}

async function processStart(pid: number): Promise<string | null> {
  const text = process.platform === 'linux' ? await linuxStart(pid) : await psStart(pid);
  return text === null ? null : createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Clock ticks since boot (proc_pid_stat(5), field 22), with the boot's id: ticks repeat after a restart. */
async function linuxStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may itself hold spaces and brackets: count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    // A zombie has ended; only its parent has not noticed.
    return fields[0] === 'Z' ? null : `${boot.trim()} ${fields[19]}`;
  } catch {
    return null;
  }
}

function psStart(pid: number): Promise<string | null> {
  return new Promise((resolve) => {
    const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
    execFile('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env: environment, timeout: 5_000 }, (error, stdout) => {
      const text = stdout.trim();
      resolve(error || text === '' ? null : text);
    });
  });
}
