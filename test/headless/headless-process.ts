/** Starts the headless host as its own process, the way `npm start -- --headless` does, in a data folder of its own. */
import { type ChildProcess, type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');

/** `Url`: null from a packaged app, which has no window to offer. */
export interface Ready<Url = string> {
  readonly ready: true;
  readonly url: Url;
  readonly api: string;
  readonly key: string;
  readonly model: string | null;
}

export interface HeadlessProcess<Url = string> {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout(): string;
  stderr(): string;
  /** The ready line, parsed. Rejects with what was said on stderr when the process ends without one. */
  ready(): Promise<Ready<Url>>;
  /** SIGTERM, then the exit code. */
  end(): Promise<number | NodeJS.Signals>;
}

/** `home` is the data folder. The endpoint gets any free port unless `args` say otherwise. */
export function startHeadless(home: string, args: readonly string[] = []): HeadlessProcess {
  const child = spawn(process.execPath, ['main/headless.ts', '--endpoint-port', '0', ...args], {
    cwd: root,
    // What lies in the cache of whoever runs the tests is nobody's business here.
    env: { ...process.env, HEADROOM_HOME: home, HF_HOME: join(home, 'huggingface'), HF_HUB_CACHE: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return followHeadless(child);
}

/** Whatever has been started to print the ready line. */
export function followHeadless<Url = string>(
  child: ChildProcessByStdio<null, Readable, Readable>,
): HeadlessProcess<Url> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += String(data)));
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)));
  const exited = once(child, 'close').then(([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals));
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')));
    });
    void exited.then((code) => reject(new Error(`the headless host ended with ${code}: ${stderr}`)));
  });
  // Not every test waits for it.
  firstLine.catch(() => {});
  return {
    child,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    ready: async () => JSON.parse(await firstLine) as Ready<Url>,
    end: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Command lines of the engines this app started, also when it has ended: their socket's folder has its number. */
export async function enginesOf({ child }: HeadlessProcess): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes('headroom_engine') && line.includes(`headroom-${child.pid}-`));
}
