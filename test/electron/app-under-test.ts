/** The real app in a real Electron, driven by Playwright. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ElectronApplication, _electron, type Page } from 'playwright-core';
import { buildTestApp } from './build.ts';
import { openDisplay } from './display.ts';
import { type ElectronAtHand, REPOSITORY } from './electron-at-hand.ts';
import { ensureElectron } from './fetch-electron.ts';
import { leftAfter, type ProcessEntry, processTree } from './process-tree.ts';
import type { KernelStandIn } from './kernel.ts';
import type { NotificationRecord, TrayRecord } from './tray-record.ts';

export type Surroundings =
  | { readonly kind: 'ready'; readonly electron: ElectronAtHand; readonly appFolder: string; dispose(): Promise<void> }
  | { readonly kind: 'missing'; readonly reason: string };

/** Electron, a screen and the test build; or the reason why the suite cannot run, which in CI is a failure. */
export async function prepareSurroundings(): Promise<Surroundings> {
  const found = ensureElectron();
  if ('reason' in found) return missing(found.reason);
  const display = await openDisplay();
  if (display.kind === 'missing') return missing(display.reason);
  const appFolder = await buildTestApp(found.electron, join(REPOSITORY, 'out', 'test-electron'));
  return { kind: 'ready', electron: found.electron, appFolder, dispose: display.dispose };
}

function missing(reason: string): Surroundings {
  if (process.env['CI'] === 'true') throw new Error(`The Electron suite must run in CI. ${reason}`);
  console.log(`Electron suite skipped: ${reason}`);
  return { kind: 'missing', reason };
}

export interface TrayView {
  readonly tooltip: string;
  readonly image: string;
  readonly items: readonly { readonly id: string; readonly label: string; readonly enabled: boolean }[];
}

export class AppUnderTest {
  readonly electron: ElectronApplication;
  /** Kept from the start: Playwright forgets it when the app ends. */
  readonly process: ChildProcess;
  readonly home: string;

  constructor(electron: ElectronApplication, home: string) {
    this.electron = electron;
    this.process = electron.process();
    this.home = home;
  }

  tree(): ProcessEntry[] {
    return processTree(this.process.pid ?? 0);
  }

  /** The window's page; waits until there is one and it has something to show. */
  async page(): Promise<Page> {
    const page = this.electron.windows()[0] ?? (await this.electron.waitForEvent('window'));
    await page.waitForLoadState('load');
    return page;
  }

  tray(): Promise<TrayView> {
    return this.electron.evaluate(() => {
      const { tooltip, image, menu } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
      const items = (menu?.items ?? []).map(({ id, label, enabled }) => ({ id, label, enabled }));
      return { tooltip, image, items };
    });
  }

  /** A left click on the icon, as the desktop would report it; `metaKey`: with ⌘ held. */
  clickTray(bounds: Electron.Rectangle, metaKey = false): Promise<void> {
    return this.electron.evaluate(
      (_electron, [at, isMetaHeld]) => {
        const { tray } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
        tray?.emit('click', { metaKey: isMetaHeld }, at, { x: at.x, y: at.y });
      },
      [bounds, metaKey] as const,
    );
  }

  chooseFromTray(id: 'toggle' | 'open' | 'quit'): Promise<void> {
    return this.electron.evaluate((_electron, chosen) => {
      const { tray, menu } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
      tray?.emit('right-click', {}, tray.getBounds());
      menu?.getMenuItemById(chosen)?.click();
    }, id);
  }

  /** Every notification so far, oldest first. */
  notifications(): Promise<{ title: string; body: string; isShown: boolean }[]> {
    return this.electron.evaluate(() =>
      (globalThis as unknown as { headroomNotifications: NotificationRecord[] }).headroomNotifications.map(
        ({ title, body, isShown }) => ({ title, body, isShown }),
      ),
    );
  }

  /** A click on the newest notification. */
  clickNotification(): Promise<void> {
    return this.electron.evaluate(() => {
      (globalThis as unknown as { headroomNotifications: NotificationRecord[] }).headroomNotifications
        .at(-1)
        ?.emit('click');
    });
  }

  /** Share of the time some task waits for memory: from 10 % on Linux's level is warning, from 40 % critical. */
  setWaitingForMemory(percent: number): Promise<void> {
    return this.electron.evaluate((_electron, waitingPercent) => {
      (globalThis as unknown as { headroomKernel: KernelStandIn }).headroomKernel.waitingPercent = waitingPercent;
    }, percent);
  }

  windows(): Promise<{ visible: boolean; focused: boolean; bounds: Electron.Rectangle; resizable: boolean }[]> {
    return this.electron.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => ({
        visible: window.isVisible(),
        focused: window.isFocused(),
        bounds: window.getBounds(),
        resizable: window.isResizable(),
      })),
    );
  }

  async isShown(): Promise<boolean> {
    return (await this.windows()).some(({ visible }) => visible);
  }

  /** Ends it if it still runs, the hard way when it must be (then Chromium leaves a folder), and takes its data with it. */
  async dispose(options: { readonly keepHome?: boolean } = {}): Promise<void> {
    const tree = this.tree();
    if (tree.length > 0) {
      this.process.kill('SIGTERM');
      for (const { pid } of await leftAfter(tree, 10_000)) process.kill(pid, 'SIGKILL');
    }
    if (!options.keepHome) rmSync(this.home, { recursive: true, force: true });
  }
}

export async function launchApp(
  surroundings: Surroundings & { kind: 'ready' },
  options: { readonly home?: string; readonly modelFolder?: string; readonly args?: readonly string[] } = {},
): Promise<AppUnderTest> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'headroom-electron-'));
  const electron = await _electron.launch({
    executablePath: surroundings.electron.executable,
    args: [
      surroundings.appFolder,
      // Chromium refuses to run as root with its sandbox, and containers often cannot have it at all.
      '--no-sandbox',
      '--home',
      home,
      ...(options.modelFolder === undefined ? [] : ['--model', options.modelFolder]),
      ...(options.args ?? []),
    ],
    env: { ...(process.env as Record<string, string>), ELECTRON_DISABLE_SECURITY_WARNINGS: '' },
    timeout: 30_000,
  });
  return new AppUnderTest(electron, home);
}
