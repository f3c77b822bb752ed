/**
 * An app driven through main's own debugger only. Playwright would do, but it also attaches to every page and makes it
 * believe that it is seen and focused at all times: a hidden window would go on drawing, and show again too fast.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { leftAfter, type ProcessEntry, processTree } from '../electron/process-tree.ts';
import type { Arm } from './electron-arms.ts';

interface Evaluated {
  readonly id?: number;
  readonly result?: { readonly result: { readonly value?: unknown }; readonly exceptionDetails?: unknown };
}

export class DrivenApp {
  readonly #child: ChildProcess;
  readonly #home: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve(answer: Evaluated): void; reject(error: Error): void }>();
  #lastId = 0;

  private constructor(child: ChildProcess, home: string, socket: WebSocket) {
    this.#child = child;
    this.#home = home;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      const answer = JSON.parse(String(data)) as Evaluated;
      this.#waiting.get(answer.id ?? 0)?.resolve(answer);
    });
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the app ended'));
    });
  }

  /** Resolves when the icon is there, with no window opened. */
  static async launch(arm: Arm): Promise<DrivenApp> {
    const home = mkdtempSync(join(tmpdir(), 'headroom-bench-'));
    const args = ['--inspect=0', arm.appFolder, '--no-sandbox', '--home', home, '--hidden'];
    const child = spawn(arm.electron.executable, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(await debuggerAddress(child));
    await once(socket, 'open');
    const app = new DrivenApp(child, home, socket);
    // Without the debugger's `require`, which an app that is still starting does not survive.
    while (!(await app.#evaluate('Boolean(globalThis.headroomTray?.tray)', false))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return app;
  }

  /** Runs the function in main. It sees nothing from around it here; what it returns comes back as JSON would. */
  evaluate<T>(run: (electron: typeof Electron) => T | Promise<T>): Promise<T> {
    return this.#evaluate(`(${run.toString()})(require('electron'))`, true) as Promise<T>;
  }

  /** The same for a function that is written down as text, because it needs something from here. */
  evaluateSource<T>(source: string): Promise<T> {
    return this.#evaluate(`(${source})(require('electron'))`, true) as Promise<T>;
  }

  async #evaluate(expression: string, includeCommandLineAPI: boolean): Promise<unknown> {
    const id = ++this.#lastId;
    const params = { expression, awaitPromise: true, returnByValue: true, includeCommandLineAPI };
    const answer = new Promise<Evaluated>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
    const { result } = await answer;
    this.#waiting.delete(id);
    if (result === undefined || result.exceptionDetails !== undefined) {
      throw new Error(`in main: ${JSON.stringify(result?.exceptionDetails)}`);
    }
    return result.result.value;
  }

  tree(): ProcessEntry[] {
    return processTree(this.#child.pid ?? 0);
  }

  async end(): Promise<void> {
    await endTree(this.#child, this.#home);
  }
}

/** Ends the app the hard way, with all it has started, and removes its data. */
async function endTree(child: ChildProcess, home: string): Promise<void> {
  const tree = processTree(child.pid ?? 0);
  child.kill('SIGKILL');
  for (const { pid } of await leftAfter(tree, 5_000)) process.kill(pid, 'SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

/** Node says it on stderr; what follows there is read on, so that the pipe never fills. */
function debuggerAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stderr === null) throw new Error('stderr is needed');
    createInterface(child.stderr).on('line', (line) => {
      const address = /ws:\/\/\S+/.exec(line)?.[0];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error('the app ended before its debugger answered')));
  });
}
