/**
 * The first run as a person walks it: the real app and engine on a simulated Mac, a local hub in the place of the real
 * one, the window in a real browser. The demo model is served under the recommended model's name.
 */
import { mkdtempSync, rmSync } from 'node:fs';
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
import { launchChromium, whyNoChromium } from './chromium.ts';
import { axe, complaintsOf, lookAt } from './fake-window.ts';

const WAIT = { timeout: 60_000 };
const RECOMMENDED = 'mlx-community/gpt-oss-20b-MXFP4-Q8';

describe.skipIf(whyNoChromium() !== null)('the first run on a simulated Mac', () => {
  let browser: Browser;
  let home: string;
  let hub: LocalHub;
  let mac: SimulatedMac;
  let app: AppOnMac;
  let page: Page;
  let actions = 0;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    actions = 0;
    home = mkdtempSync(join(tmpdir(), 'headroom-first-run-'));
    // Slow enough to be seen on its way.
    hub = await startLocalHub([repositoryFromFolder(RECOMMENDED, modelFolder)], { bytesPerSecond: 2_000_000 });
    mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
    app = startAppOnMac(mac.socketPath, home, [], { SIMULATED_HUB_URL: hub.url });
  });
  afterEach(async () => {
    await page?.context().close();
    await app?.end('SIGTERM');
    await mac?.dispose();
    await hub?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** What is clicked or written counts; the password is typed into macOS's own dialog. */
  async function act(name: string | RegExp): Promise<void> {
    actions += 1;
    await page.getByRole('button', { name }).click();
  }
  const step = () => page.getByTestId('first-run').getAttribute('data-step');

  test('three actions to the first answer, with the window closed in between', async () => {
    const { url } = await app.ready;
    const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
    page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(url);
    await expect.poll(step, WAIT).toBe('choose');
    await page.getByText('gpt-oss-20b', { exact: true }).waitFor();
    await page.getByText('Apple M2 Pro · 16 GB · macOS').waitFor();
    await lookAt(page, 'real-first-run-choose', 'light');
    expect(await axe(page)).toEqual([]);

    await act(/^Download/);
    await expect.poll(step, WAIT).toBe('getting');
    await page.locator('[data-testid="download"][data-state="downloading"]').waitFor(WAIT);
    await lookAt(page, 'real-first-run-getting', 'light');

    // Closed and opened again, it is where it was.
    await page.reload();
    await expect.poll(step, WAIT).toBe('getting');

    // It arrives, is loaded, and asks for the one thing it may not do alone.
    const limit = page.getByTestId('wired-limit');
    await limit.getByText('Let the GPU keep more memory?').waitFor(WAIT);
    expect(mac.mac().wiredLimitMiB).toBe(0);
    await lookAt(page, 'real-first-run-consent', 'light');
    await act('Raise…');
    await expect.poll(() => page.getByTestId('engine-state').innerText(), WAIT).toBe('Ready');
    expect(mac.mac().wiredLimitMiB).toBeGreaterThan(10_922);
    // The permission was the last thing to ask: its sheet goes by itself.
    await limit.waitFor({ state: 'detached' });
    await lookAt(page, 'real-first-run-ready', 'light');
    await act('Give me five dinner ideas for this week');
    await page.locator('[data-testid="answer"][data-last="true"][aria-busy="false"]').waitFor(WAIT);
    expect(await page.getByTestId('answer').last().getAttribute('data-status')).toBe('complete');
    expect(actions).toBe(3);
    await lookAt(page, 'real-first-run-answer', 'light');
    expect(complaints).toEqual([]);

    // The slider and the list, from main's own numbers.
    await page.getByRole('button', { name: /^Context/ }).click();
    await page.getByRole('slider', { name: 'Context' }).waitFor(WAIT);
    await lookAt(page, 'real-context', 'light');
    await page.keyboard.press('Escape');
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('dialog', { name: 'Models' }).getByText('To download').waitFor(WAIT);
    await lookAt(page, 'real-models', 'light');
    expect(await axe(page)).toEqual([]);
    await page.getByRole('button', { name: 'About gpt-oss-20b', exact: true }).click();
    await page.getByText('Checked against the hub, not pinned.').waitFor(WAIT);
    await lookAt(page, 'real-model', 'light');
  });

  test('offline: it says so and goes on by itself; the demo is there meanwhile', async () => {
    await hub.close();
    const { url } = await app.ready;
    const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
    page = await context.newPage();
    await page.goto(url);
    await expect.poll(step, WAIT).toBe('choose');
    await act(/^Download/);
    await page.locator('[data-testid="download"][data-state="waiting"]').waitFor(WAIT);
    await page.getByText('Nothing fetched is lost.').waitFor();
    await lookAt(page, 'real-first-run-offline', 'light');
    expect(await axe(page)).toEqual([]);

    await act('Look around meanwhile');
    // The demo stands for a model of 11.2 GB here: it asks for what such a one needs.
    const limit = page.getByTestId('wired-limit');
    await limit.waitFor(WAIT);
    await limit.getByRole('button', { name: 'Raise…', exact: true }).click();
    await expect.poll(() => page.getByTestId('engine-state').innerText(), WAIT).toBe('Ready');
    await page.keyboard.press('Escape');
    await act('What is the wired limit?');
    await page.locator('[data-testid="answer"][data-last="true"][aria-busy="false"]').waitFor(WAIT);
    // Back to where it was, by the ring in the header or the stage.
    await page.getByRole('button', { name: /^Download of gpt-oss-20b/ }).click();
    const sheet = page.getByRole('dialog', { name: 'Models' });
    await sheet.getByText('Nothing fetched is lost.').waitFor();
    await sheet.getByRole('button', { name: 'Cancel, gpt-oss-20b' }).click();
    await sheet.getByRole('button', { name: /^Download/ }).waitFor(WAIT);
  });
});
