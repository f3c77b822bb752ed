/** The first run from nothing to the first answer: the whole app on a simulated Mac, a local hub, a real browser. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type LocalHub, startLocalHub } from '../hub/local-hub.ts';
import { repositoryFromFolder } from '../hub/repositories.ts';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';
import { launchChromium, whyNoChromium } from '../ui/chromium.ts';
import { complaintsOf, lookAt } from '../ui/fake-window.ts';
import { walkFirstRun } from './first-run-walk.ts';

const Q8 = 'mlx-community/gpt-oss-20b-MXFP4-Q8';
const WAIT = { timeout: 60_000 };

describe.skipIf(whyNoChromium() !== null)('the first run', () => {
  let browser: Browser;
  let home: string;
  let hub: LocalHub;
  let mac: SimulatedMac;
  let app: AppOnMac;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'headroom-first-run-'));
    hub = await startLocalHub([repositoryFromFolder(Q8, modelFolder)], { bytesPerSecond: 4_000_000 });
    mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
    await openApp();
  });
  afterEach(async () => {
    await page?.context().close();
    await app?.end('SIGTERM');
    await mac?.dispose();
    await hub.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function openApp(): Promise<void> {
    app = startAppOnMac(mac.socketPath, home, [], { SIMULATED_HUB_URL: hub.url });
    await openWindow((await app.ready).url);
  }
  async function openWindow(url: string): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
    page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(url);
    await page.getByTestId('gauge').waitFor(WAIT);
  }
  const settings = (): Record<string, unknown> =>
    JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as Record<string, unknown>;

  test('takes three actions to the first answer', async () => {
    const { done } = await walkFirstRun(page, (step) => lookAt(page, `first-run-on-mac-${step}`, 'light'));
    expect(done).toEqual(['download', 'consent', 'ask']);
    expect(settings()['modelId']).toBe(Q8);
    expect(mac.mac().wiredLimitMiB).toBeGreaterThan(11_516);
    expect(complaints).toEqual([]);
  });

  test('killed in the middle of the download, it goes on by itself and is not asked about again', async () => {
    hub.behave(({ at, path }) =>
      at === 'storage' && path.endsWith('.safetensors') ? { kind: 'drip', bytesPerSecond: 400_000 } : null,
    );
    await page
      .getByTestId('first-run')
      .getByRole('button', { name: /^Download/ })
      .click();
    await expect.poll(() => hub.sentBytes('model.safetensors'), WAIT).toBeGreaterThan(400_000);
    await page.context().close();
    await app.end('SIGKILL');
    hub.behave(null);
    await openApp();
    // It is on its way again, or here already: either way there is nothing to download.
    await page
      .getByTestId('first-run')
      .locator('[data-testid="download"], button:has-text("Start")')
      .first()
      .waitFor(WAIT);
    await page
      .getByTestId('first-run')
      .getByRole('button', { name: /^Start/ })
      .or(page.getByTestId('wired-limit'))
      .first()
      .waitFor(WAIT);
    // At most 1 MiB twice.
    const bytes = readFileSync(join(modelFolder, 'model.safetensors')).length;
    expect(hub.sentBytes('model.safetensors')).toBeLessThan(bytes + 2 ** 20);
  });
});
