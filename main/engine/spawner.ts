/**
 * Starts the engine's process in its own terminal. The only file that knows node-pty.
 *
 * Why a terminal: when the app dies, however hard, the kernel closes our end, and the child gets SIGHUP. A child of
 * child_process.spawn would live on. The child leads its own session, so its pid names its process group too.
 */
import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { spawn as spawnInTerminal } from 'node-pty';

interface ChildCommand {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

export interface ChildExit {
  readonly exitCode: number;
  /** Signal number, 0 for none. */
  readonly signal: number;
}

export interface Child {
  readonly pid: number;
  /** To the process and everything it has started. Does nothing when they are gone. */
  signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface Spawner {
  /** Throws when no process can be made. `onExit` comes once, after the last output. */
  spawn(command: ChildCommand, handlers: { onOutput(piece: string): void; onExit(exit: ChildExit): void }): Child;
}

/** Wide, so that no program wraps its lines. */
const TERMINAL = { name: 'dumb', cols: 1_000, rows: 50 } as const;

/** Output beyond this is made to wait in the terminal: a flooding child must not hold up the app. UTF-16 units. */
const MAX_OUTPUT_PER_WINDOW = 128 * 1024;
const OUTPUT_WINDOW_MS = 100;

export const terminalSpawner: Spawner = {
  spawn(command, { onOutput, onExit }) {
    if (process.platform === 'darwin') makeHelperExecutable();
    const terminal = spawnInTerminal(command.file, [...command.args], {
      ...TERMINAL,
      cwd: command.folder,
      env: { ...command.env },
    });
    const { pid } = terminal;
    let gone = false;
    let received = 0;
    let windowTimer: ReturnType<typeof setTimeout> | null = null;

    terminal.onData((piece) => {
      received += piece.length;
      windowTimer ??= setTimeout(() => {
        windowTimer = null;
        if (received > MAX_OUTPUT_PER_WINDOW && !gone) terminal.resume();
        received = 0;
      }, OUTPUT_WINDOW_MS);
      if (received > MAX_OUTPUT_PER_WINDOW) terminal.pause();
      onOutput(piece);
    });
    terminal.onExit(({ exitCode, signal }) => {
      gone = true;
      if (windowTimer !== null) clearTimeout(windowTimer);
      // Whatever the process had started and left behind goes with it. The number cannot have been given to another
      // group yet while a member lives, and when none does this finds nothing.
      send(-pid, 'SIGKILL');
      onExit({ exitCode, signal: signal ?? 0 });
    });
    return {
      pid,
      signalGroup: (signal) => {
        // Just forked, a process has no group of its own yet and would miss what is sent there.
        if (!gone && !send(-pid, signal)) send(pid, signal);
      },
    };
  },
};

/** False when there is nobody to receive it. */
function send(target: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    // EPERM is what macOS says of a group in which only zombies are left.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    return false;
  }
}

/** node-pty 1.1.0 is published with a spawn-helper that may not be executed (microsoft/node-pty#850). */
function makeHelperExecutable(): void {
  const root = dirname(createRequire(import.meta.url).resolve('node-pty/package.json')).replace(
    /app\.asar(?=\/)/,
    'app.asar.unpacked',
  );
  for (const folder of ['build/Release', `prebuilds/darwin-${process.arch}`]) {
    const helper = join(root, folder, 'spawn-helper');
    try {
      accessSync(helper, constants.F_OK);
    } catch {
      continue;
    }
    try {
      accessSync(helper, constants.X_OK);
    } catch {
      chmodSync(helper, 0o755);
    }
  }
}
