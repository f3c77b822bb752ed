import type { Handlers, MemoryUser } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import { LIST_APPS_SCRIPT, memoryUsers, parseRunningApps, parseTop, TOP_ARGUMENTS } from './apps.ts';
import type { Commands } from './commands.ts';
import { readLinuxProcesses } from './linux-files.ts';
import type { MemoryMonitor } from './monitor.ts';
import { quitApp } from './quit-app.ts';

type MemoryHandlers = Pick<Handlers, 'memory.history' | 'memory.apps' | 'memory.quitApp'>;

export function memoryHandlers(ports: {
  readonly monitor: MemoryMonitor;
  readonly commands: Commands;
  readonly isMac: boolean;
  readonly ourPid: number;
}): MemoryHandlers {
  const { monitor, commands, isMac, ourPid } = ports;

  async function macUsers(): Promise<readonly MemoryUser[]> {
    const [top, apps] = await Promise.all([
      commands.run('top', TOP_ARGUMENTS),
      commands.run('osascript', ['-l', 'JavaScript', '-e', LIST_APPS_SCRIPT]),
    ]);
    return memoryUsers(parseTop(top.stdout), parseRunningApps(apps.stdout), ourPid);
  }

  return {
    'memory.history': () => ({ samples: monitor.history() }),
    'memory.apps': async () => ({
      apps: isMac ? await macUsers() : memoryUsers(await readLinuxProcesses(), [], ourPid),
    }),
    'memory.quitApp': (app) => {
      if (!isMac) throw new AppFault('refused', 'Apps can be asked to quit on a Mac only.', 'Quit it yourself.');
      return quitApp(commands, app);
    },
  };
}
