/** The look before loading as a person meets it: the real app and engine on a simulated Mac whose memory is taken. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GIB } from '../macos/model.ts';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import { axe, lookAt } from './fake-window.ts';
import { openMacWindow } from './mac-window.ts';

const WAIT = { timeout: 60_000 };

describe.skipIf(whyNoChromium() !== null)('the look before loading on a simulated Mac', () => {
  let browser: Browser;
  let home: string;
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
    home = mkdtempSync(join(tmpdir(), 'headroom-preflight-'));
    mac = await startSimulatedMac(scenarios.fits);
    app = startAppOnMac(mac.socketPath, home);
    ({ page, complaints } = await openMacWindow(browser, app, WAIT.timeout));
    mac.change({ kind: 'grow', command: 'Google Chrome', bytes: 4 * GIB, overSeconds: 0.1 });
    mac.pass(500);
  });
  afterEach(async () => {
    await page?.context().close();
    await app?.end('SIGTERM');
    await mac?.dispose();
    rmSync(home, { recursive: true, force: true });
  });

  test('turning on says what is missing and who has it; the app is quit, and the model loads', async () => {
    const power = page.getByRole('banner').getByRole('switch');
    await power.click();
    const sheet = page.getByRole('dialog', { name: 'Before loading' });
    await sheet.getByRole('heading', { name: /needs a little room first$/ }).waitFor(WAIT);
    await sheet.getByText(/^Quit Google Chrome \(\d\.\d GB\)/).waitFor();
    await lookAt(page, 'real-preflight', 'light');
    expect(await axe(page)).toEqual([]);
    expect(await page.getByTestId('engine-state').innerText()).toBe('Off');

    await sheet.getByRole('button', { name: /^Quit apps…/ }).click();
    const memory = page.getByRole('dialog', { name: 'Memory' });
    await memory.getByRole('button', { name: 'Quit Google Chrome…' }).click(WAIT);
    await memory.getByRole('button', { name: 'Quit', exact: true }).click();
    await memory.getByText(/Google Chrome has quit/).waitFor(WAIT);
    await page.keyboard.press('Escape');

    await power.click();
    await expect.poll(() => page.getByTestId('engine-state').innerText(), WAIT).toBe('Ready');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('or it is loaded anyway', async () => {
    await page.getByRole('banner').getByRole('switch').click();
    const sheet = page.getByRole('dialog', { name: 'Before loading' });
    await sheet.getByRole('button', { name: 'Load anyway' }).click(WAIT);
    await expect.poll(() => page.getByTestId('engine-state').innerText(), WAIT).toBe('Ready');
    expect(complaints).toEqual([]);
  });
});
