/** A 16 GB Mac on which Headroom was never opened, a hub with the recommended model, and a browser for the window. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { modelFolder } from '../engine/fixtures.ts';
import { type LocalHub, startLocalHub } from '../hub/local-hub.ts';
import { repositoryFromFolder } from '../hub/repositories.ts';
import { LARGE_MODEL } from '../macos/counted-bytes.ts';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';
import { complaintsOf } from '../ui/fake-window.ts';

export interface FirstRunStage {
  readonly home: string;
  readonly hub: LocalHub;
  readonly mac: SimulatedMac;
  app(): AppOnMac;
  page(): Page;
  /** What the page complained of since it was opened. */
  complaints(): readonly string[];
  /** Starts the app, again if it was ended, and opens its window. */
  open(): Promise<void>;
  /** Ends the app without warning. */
  kill(): Promise<void>;
  strike(): Promise<void>;
}

export async function setUpFirstRun(browser: Browser): Promise<FirstRunStage> {
  const home = mkdtempSync(join(tmpdir(), 'headroom-first-run-'));
  const hub = await startLocalHub([repositoryFromFolder(LARGE_MODEL, modelFolder)], { bytesPerSecond: 4_000_000 });
  const mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
  let app: AppOnMac | null = null;
  let page: Page | null = null;
  let complaints: readonly string[] = [];
  const there = <T>(part: T | null): T => {
    if (part === null) throw new Error('the app is not open');
    return part;
  };
  const stage: FirstRunStage = {
    home,
    hub,
    mac,
    app: () => there(app),
    page: () => there(page),
    complaints: () => complaints,
    async open() {
      app = startAppOnMac(mac.socketPath, home, [], { SIMULATED_HUB_URL: hub.url });
      const { url } = await app.ready;
      const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
      page = await context.newPage();
      complaints = complaintsOf(page);
      await page.goto(url);
      await page.getByTestId('gauge').waitFor({ timeout: 60_000 });
    },
    async kill() {
      await page?.context().close();
      await app?.end('SIGKILL');
    },
    async strike() {
      await page?.context().close();
      await app?.end('SIGTERM');
      await mac.dispose();
      await hub.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
  await stage.open();
  return stage;
}
