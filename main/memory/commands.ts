/**
 * The only way to macOS's own commands: a fixed list of names at fixed places, arguments passed as they are, no shell.
 * Whoever needs one takes this port, so that tests and the simulated Mac can answer in its place.
 */
import { execFile } from 'node:child_process';
import { homedir, userInfo } from 'node:os';

export type CommandName =
  | 'sysctl'
  | 'vm_stat'
  | 'memory_pressure'
  | 'ioreg'
  | 'footprint'
  | 'top'
  | 'sw_vers'
  | 'pmset'
  | 'osascript'
  | 'launchctl'
  | 'lsof'
  | 'tmutil';

interface CommandOptions {
  /** Ends the command. */
  readonly signal?: AbortSignal;
  /** Usual is ten seconds; 0 for as long as it takes (a password dialog). */
  readonly timeoutMs?: number;
  /** Written to its stdin. */
  readonly input?: string;
}

export interface CommandResult {
  /** Null when it could not be started, ran too long, said too much or was ended; `stderr` then says which. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Commands {
  /** Never rejects. */
  run(name: CommandName, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

const USUAL_TIMEOUT_MS = 10_000;
/** The longest honest answer is ioreg's, some 46 KB. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

const macPaths: Readonly<Record<CommandName, string>> = {
  sysctl: '/usr/sbin/sysctl',
  vm_stat: '/usr/bin/vm_stat',
  memory_pressure: '/usr/bin/memory_pressure',
  ioreg: '/usr/sbin/ioreg',
  footprint: '/usr/bin/footprint',
  top: '/usr/bin/top',
  sw_vers: '/usr/bin/sw_vers',
  pmset: '/usr/bin/pmset',
  osascript: '/usr/bin/osascript',
  launchctl: '/bin/launchctl',
  lsof: '/usr/sbin/lsof',
  tmutil: '/usr/bin/tmutil',
};

/** Commands at these absolute paths. `environment` is added to the few variables every command gets. */
export function commandsAt(
  paths: Readonly<Record<CommandName, string>>,
  environment: Readonly<Record<string, string>> = {},
): Commands {
  return {
    run: (name, args, { signal, timeoutMs = USUAL_TIMEOUT_MS, input = '' } = {}) =>
      new Promise((resolve) => {
        const settings = {
          encoding: 'utf8',
          maxBuffer: MAX_OUTPUT_BYTES,
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          env: { ...environmentOf(name), ...environment },
          ...(signal === undefined ? {} : { signal }),
        } as const;
        try {
          const child = execFile(paths[name], [...args], settings, (error, stdout, stderr) => {
            if (error === null) return resolve({ code: 0, stdout, stderr });
            // A number is the exit status; words are Node's own reason for ending it.
            if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
            resolve({ code: null, stdout, stderr: stderr === '' ? error.message : stderr });
          });
          // One that ends without reading its input breaks the pipe; its exit says all there is to say.
          child.stdin?.on('error', () => {});
          child.stdin?.end(input);
        } catch (error) {
          resolve({ code: null, stdout: '', stderr: String(error) });
        }
      }),
  };
}

/** sysctl and top print numbers in the user's locale (a decimal comma in French). AppleScript needs UTF-8. */
function environmentOf(name: CommandName): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: homedir(),
    USER: userInfo().username,
    LC_ALL: name === 'osascript' ? 'en_US.UTF-8' : 'C',
  };
}

export const macCommands: Commands = commandsAt(macPaths);

/** A machine that is no Mac: every command is missing. */
export const noCommands: Commands = {
  run: (name) => Promise.resolve({ code: null, stdout: '', stderr: `${name}: there is no such command here` }),
};
