/** What other engines' processes take, as the system counts them: their footprint on a Mac, their share on Linux. */
import { readFile, readdir } from 'node:fs/promises';
import { parseTop, TOP_ARGUMENTS } from '../memory/apps.ts';
import type { Commands } from '../memory/commands.ts';
import { parseFootprint } from '../memory/footprint.ts';

export interface ProcessMemory {
  /** Null where it cannot be read. */
  ofPid(pid: number): Promise<number | null>;
  /** Of all processes whose program is called so, together; null when there are none. */
  ofNamed(names: readonly string[]): Promise<number | null>;
}

export const macProcessMemory = (commands: Commands): ProcessMemory => ({
  async ofPid(pid) {
    const { stdout } = await commands.run('footprint', ['-p', String(pid)]);
    return parseFootprint(stdout)?.bytes ?? null;
  },
  async ofNamed(names) {
    const { stdout } = await commands.run('top', TOP_ARGUMENTS);
    const found = parseTop(stdout).filter(({ command }) => names.some((name) => isNamed(command, name)));
    return found.length === 0 ? null : found.reduce((sum, { bytes }) => sum + bytes, 0);
  },
});

/** A helper carries its app's name first; `top` cuts at 16 characters. */
const isNamed = (command: string, name: string): boolean =>
  command === name.slice(0, 16) || command.startsWith(`${name} `);

export const linuxProcessMemory: ProcessMemory = {
  ofPid: (pid) => proportionalBytes(String(pid)),
  async ofNamed(names) {
    const processes = await readdir('/proc').catch(() => []);
    const sizes = await Promise.all(
      processes
        .filter((name) => /^\d+$/.test(name))
        .map(async (pid) => {
          const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
          // The kernel cuts it at 15 characters.
          return names.some((name) => command.trim() === name.slice(0, 15)) ? proportionalBytes(pid) : null;
        }),
    );
    const found = sizes.filter((size) => size !== null);
    return found.length === 0 ? null : found.reduce((sum, size) => sum + size, 0);
  },
};

async function proportionalBytes(pid: string): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(text) ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024;
}
