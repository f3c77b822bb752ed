/** What this machine is, as the first run shows it, and whether any model can run on it. */
import { cpus, totalmem } from 'node:os';
import type { AppState, MachineInfo } from '../../preload/contract.ts';
import { parseWhole } from '../memory/byte-size.ts';
import type { Commands } from '../memory/commands.ts';
import { parseSwVers } from '../memory/sw-vers.ts';
import { parseSysctl } from '../memory/sysctl.ts';
import { FIRST_MACOS } from '../wired-limit/plan.ts';

/** -i passes over what this macOS lacks: an Intel Mac has no `hw.optional.arm64` at all. */
const SYSCTL_ARGUMENTS = ['-i', 'machdep.cpu.brand_string', 'hw.memsize', 'hw.optional.arm64'] as const;

/** Never rejects. */
export async function readMachine(platform: AppState['platform'], commands: Commands): Promise<MachineInfo> {
  const fallback = { chip: cpus()[0]?.model.trim() || null, memoryBytes: totalmem() };
  if (platform !== 'darwin')
    return { ...fallback, system: platform === 'linux' ? 'Linux' : 'Unknown', cannotRun: null };
  const [sysctl, swVers] = await Promise.all([commands.run('sysctl', SYSCTL_ARGUMENTS), commands.run('sw_vers', [])]);
  return macMachine(sysctl.stdout, swVers.stdout, fallback);
}

/** Pure: the texts of sysctl and sw_vers in, the machine out. What cannot be read refuses nothing. */
export function macMachine(
  sysctlText: string,
  swVersText: string,
  fallback: Pick<MachineInfo, 'chip' | 'memoryBytes'>,
): MachineInfo {
  const { values } = parseSysctl(sysctlText);
  const version = parseSwVers(swVersText);
  const memoryBytes = parseWhole(values.get('hw.memsize') ?? '');
  const chip = values.get('machdep.cpu.brand_string') ?? fallback.chip;
  return {
    chip,
    memoryBytes: memoryBytes ?? fallback.memoryBytes,
    system: version === null ? 'macOS' : `macOS ${version.text}`,
    cannotRun: whyNot({
      // Without any answer from sysctl nothing is known about the processor.
      isIntel: memoryBytes !== null && values.get('hw.optional.arm64') !== '1',
      chip,
      macosMajor: version?.major ?? null,
      macosText: version?.text ?? '',
    }),
  };
}

function whyNot(mac: {
  readonly isIntel: boolean;
  readonly chip: string | null;
  readonly macosMajor: number | null;
  readonly macosText: string;
}): MachineInfo['cannotRun'] {
  if (mac.isIntel) {
    const named = mac.chip === null ? 'an Intel processor' : `an Intel processor (${mac.chip})`;
    return {
      message: `This Mac has ${named}. MLX, which runs the models, needs an Apple chip (M1 or later).`,
      nextStep: 'Headroom needs a Mac with an Apple chip. Nothing can be installed to change that.',
    };
  }
  if (mac.macosMajor !== null && mac.macosMajor < FIRST_MACOS) {
    return {
      message: `This Mac runs macOS ${mac.macosText}. MLX, which runs the models, needs macOS ${FIRST_MACOS} or later.`,
      nextStep: 'Update macOS in System Settings › General › Software Update, then open Headroom again.',
    };
  }
  return null;
}
