/** Starts the app on a simulated Mac as a process of its own, so that it can end as hard as a process can. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface ReadyLine {
  readonly url: string;
  readonly api: string | null;
  readonly key: string | null;
  readonly model: string | null;
}

export interface AppOnMac {
  readonly child: ChildProcess;
  /** Rejects when the process ends without a ready line. */
  readonly ready: Promise<ReadyLine>;
  readonly exited: Promise<void>;
  stderr(): string;
  /** SIGTERM for an orderly end, SIGKILL for a sudden one. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** `environment` is added: `SSH_CONNECTION` for an app started from afar. */
export function startAppOnMac(
  socketPath: string,
  home: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): AppOnMac {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'app-on-mac.ts'), '--home', home, ...args], {
    env: { ...process.env, SIMULATED_MAC_SOCKET: socketPath, SSH_CONNECTION: undefined, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => (stderr += String(piece)));
  const exited = once(child, 'close').then(() => undefined);
  const ready = new Promise<ReadyLine>((resolve, reject) => {
    child.stdout.on('data', (piece: Buffer) => {
      stdout += String(piece);
      const [line, rest] = stdout.split('\n');
      if (rest !== undefined && line !== undefined) resolve(JSON.parse(line) as ReadyLine);
    });
    void exited.then(() => reject(new Error(`the app on the simulated Mac ended: ${stderr}`)));
  });
  // Not everybody waits for it.
  ready.catch(() => {});
  return {
    child,
    ready,
    exited,
    stderr: () => stderr,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
