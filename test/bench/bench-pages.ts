/** Pages to measure in: in a browser, and in the Electron at hand. Both tell what the page's main thread has spent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { majorVersion } from '../electron/electron-at-hand.ts';
import { launchChromium, whyNoChromium } from '../ui/chromium.ts';
import { DrivenApp } from './driven-app.ts';
import type { Arms } from './electron-arms.ts';
import { BenchUnavailable } from './figure.ts';

interface Spent {
  readonly scriptSeconds: number;
  readonly taskSeconds: number;
}

export interface BenchPage {
  /** Runs an expression in the page; what it comes to comes back as JSON would. */
  evaluate<T>(expression: string): Promise<T>;
  spent(): Promise<Spent>;
  /** Memory of the page's process that it shares with none, after its garbage is collected. */
  privateMiB(): Promise<number>;
  close(): Promise<void>;
}

export interface BenchHost {
  readonly name: string;
  /** `before` is a script that runs in the page before its own. */
  open(url: string, before?: string): Promise<BenchPage>;
}

interface Metric {
  readonly name: string;
  readonly value: number;
}

function spentOf(metrics: readonly Metric[]): Spent {
  const of = (name: string): number => {
    const metric = metrics.find((other) => other.name === name);
    if (metric === undefined) throw new Error(`the page does not tell ${name}`);
    return metric.value;
  };
  return { scriptSeconds: of('ScriptDuration'), taskSeconds: of('TaskDuration') };
}

/** Private pages of processes, from the kernel's own account. */
function privateMiBOf(pids: readonly number[]): number {
  if (process.platform !== 'linux') throw new BenchUnavailable('Private memory is read from /proc, on Linux only.');
  const kib = pids.map((pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]);
  });
  return kib.reduce((sum, value) => sum + value, 0) / 1024;
}

/** Each page in a browser of its own: processes are not shared, and nothing is warm. */
export function chromiumHost(): BenchHost {
  const reason = whyNoChromium();
  if (reason !== null) throw new BenchUnavailable(reason);
  return {
    name: 'Chromium',
    open: async (url, before) => {
      const browser = await launchChromium();
      const context = await browser.newContext({ viewport: { width: 420, height: 640 } });
      const page = await context.newPage();
      if (before !== undefined) await page.addInitScript(before);
      await page.goto(url);
      const session = await context.newCDPSession(page);
      await session.send('Performance.enable');
      return {
        evaluate: (expression) => page.evaluate(expression),
        spent: async () => spentOf((await session.send('Performance.getMetrics')).metrics),
        privateMiB: async () => {
          await session.send('HeapProfiler.collectGarbage');
          const whole = await browser.newBrowserCDPSession();
          const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
          return privateMiBOf(processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id));
        },
        close: () => browser.close(),
      };
    },
  };
}

/** A window of the empty app, on the Electron at hand. */
export function electronHost(arms: Arms): BenchHost {
  return {
    name: `Electron ${majorVersion(arms.empty.electron)}`,
    open: async (url, before) => {
      const folder = mkdtempSync(join(tmpdir(), 'headroom-bench-'));
      const preload = join(folder, 'before.js');
      writeFileSync(preload, before ?? '');
      const app = await DrivenApp.launch(arms.empty);
      const inMain = <T>(body: string): Promise<T> => app.evaluateSource<T>(`async (electron) => { ${body} }`);
      const inPage = 'globalThis.benchWindow.webContents';
      const pid = await inMain<number>(`
        const window = new electron.BrowserWindow({
          width: 420, height: 640, useContentSize: true,
          webPreferences: { contextIsolation: false, backgroundThrottling: false, preload: ${JSON.stringify(preload)} },
        });
        globalThis.benchWindow = window;
        await window.loadURL(${JSON.stringify(url)});
        window.webContents.debugger.attach('1.3');
        await window.webContents.debugger.sendCommand('Performance.enable');
        return window.webContents.getOSProcessId();`);
      return {
        evaluate: <T>(expression: string) =>
          inMain<T>(`return await ${inPage}.executeJavaScript(${JSON.stringify(expression)}, true)`),
        spent: async () =>
          spentOf(
            (await inMain<{ metrics: Metric[] }>(`return ${inPage}.debugger.sendCommand('Performance.getMetrics')`))
              .metrics,
          ),
        privateMiB: async () => {
          await inMain(`return ${inPage}.debugger.sendCommand('HeapProfiler.collectGarbage')`);
          return privateMiBOf([pid]);
        },
        close: async () => {
          await app.end();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
