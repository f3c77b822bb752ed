/** The commands port on the simulated Mac: real processes, started as the real ones are, with the Mac behind them. */
import { join } from 'node:path';
import { type CommandName, type Commands, commandsAt } from '../../main/memory/commands.ts';
import type { SimulatedMac } from './simulated-mac.ts';

const bin = (name: CommandName): string => join(import.meta.dirname, 'bin', name);

export function simulatedCommands(socketPath: string): Commands {
  const paths: Readonly<Record<CommandName, string>> = {
    sysctl: bin('sysctl'),
    vm_stat: bin('vm_stat'),
    memory_pressure: bin('memory_pressure'),
    ioreg: bin('ioreg'),
    footprint: bin('footprint'),
    top: bin('top'),
    sw_vers: bin('sw_vers'),
    pmset: bin('pmset'),
    osascript: bin('osascript'),
    launchctl: bin('launchctl'),
    lsof: bin('lsof'),
    tmutil: bin('tmutil'),
  };
  return commandsAt(paths, { SIMULATED_MAC_NODE: process.execPath, SIMULATED_MAC_SOCKET: socketPath });
}

/** The same without processes, for tests in which hours pass in seconds. */
export function directCommands(mac: SimulatedMac): Commands {
  return { run: (name, args) => Promise.resolve(mac.answer(name, args)) };
}
