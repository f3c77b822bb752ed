/**
 * What watching memory costs in an hour, with a process started for every command as on a Mac. The commands here print
 * recordings; what a Mac spends inside its own sysctl and vm_stat is not in these figures. The clock runs faster, so
 * that an hour's samples are taken in seconds; an idle process of the same program is the baseline.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { answer } from '../macos/answers.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type Bench, BenchUnavailable } from './figure.ts';

const REAL_SECONDS = 20;
const SPEED = 60;
const NAMES = ['kern.memorystatus_vm_pressure_level', 'hw.memsize', 'vm.swapusage', 'iogpu.wired_limit_mb'];

interface Arm {
  readonly cpuSeconds: number;
  readonly samples: number;
}

const bench: Bench = async () => {
  if (!existsSync('/proc/self/stat')) throw new BenchUnavailable('the time of ended children is read from /proc');
  const folder = mkdtempSync(join(tmpdir(), 'headroom-sampling-'));
  const { mac } = scenarios.fits;
  for (const [name, args] of [
    ['sysctl', NAMES],
    ['vm_stat', []],
  ] as const) {
    writeFileSync(join(folder, `${name}.txt`), answer(mac, name, args).stdout);
    writeFileSync(join(folder, name), `#!/bin/sh\nexec /bin/cat '${folder}/${name}.txt'\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const run = async (arm: 'idle' | 'hidden' | 'shown'): Promise<Arm> => {
    const program = join(import.meta.dirname, 'sampling-process.ts');
    const args = [program, arm, String(REAL_SECONDS), String(SPEED), folder];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout) as Arm;
  };
  try {
    // One after the other: side by side they would wait for each other's processes.
    const idle = await run('idle');
    const hidden = await run('hidden');
    const shown = await run('shown');
    const perHour = ({ cpuSeconds }: Arm): number => (cpuSeconds * 3_600) / (REAL_SECONDS * SPEED);
    const baseline = { what: 'idle Node process', value: (idle.cpuSeconds * 3_600) / REAL_SECONDS };
    const figure = (name: string, arm: Arm, mostPercent: number) =>
      ({
        name: `sampling, window ${name} (${Math.round((arm.samples * 3_600) / (REAL_SECONDS * SPEED))} samples an hour)`,
        unit: 'CPU s/h',
        value: perHour(arm),
        baseline,
        compare: 'value',
        aim: { at: 'most', value: (mostPercent * 3_600) / 100 },
      }) as const;
    return [figure('hidden', hidden, 0.5), figure('shown', shown, 1.5)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export default bench;
