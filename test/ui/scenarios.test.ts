/** What a person sees of each scenario of the simulated Mac: the real app and engine, the window in a real browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { type ScenarioName, scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import { axe, complaintsOf, lookAt } from './fake-window.ts';

/** Longer than the slowest of protection's own delays on a busy machine. */
const WAIT = { timeout: 60_000 };

describe.skipIf(whyNoChromium() !== null)('on a simulated Mac', () => {
  let browser: Browser;
  let home: string;
  let mac: SimulatedMac;
  let app: AppOnMac;
  let page: Page;
  let complaints: readonly string[];
  let done: ScenarioName[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'headroom-scenario-'));
    complaints = [];
  });
  afterEach(async () => {
    await page?.context().close();
    await app?.end('SIGTERM');
    await mac?.dispose();
    rmSync(home, { recursive: true, force: true });
    expect(complaints).toEqual([]);
  });

  const engineState = () => page.getByTestId('engine-state');
  const gauge = () => page.getByTestId('gauge');
  const banner = () => page.getByTestId('protection');
  const limit = () => page.getByTestId('wired-limit');
  const turn = () => page.getByRole('banner').getByRole('switch').click();
  const becomes = (words: string) => expect.poll(() => engineState().innerText(), WAIT).toBe(words);
  const level = (is: string) => expect.poll(() => gauge().getAttribute('data-level'), WAIT).toBe(is);

  async function openWindow(): Promise<void> {
    const { url } = await app.ready;
    const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
    page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(url);
    await gauge().waitFor(WAIT);
  }
  async function begin(name: ScenarioName): Promise<void> {
    mac = await startSimulatedMac(scenarios[name]);
    app = startAppOnMac(mac.socketPath, home);
    await openWindow();
    done = [...done, name];
  }
  async function pictures(name: ScenarioName): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(250);
      await lookAt(page, `mac-${name}`, colorScheme);
    }
    expect(await axe(page)).toEqual([]);
  }
  async function ask(text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.keyboard.press('Enter');
    await page.getByTestId('answer').last().waitFor(WAIT);
  }
  async function allowRaise(): Promise<void> {
    await limit().getByRole('button', { name: 'Raise…', exact: true }).click();
    await expect.poll(() => limit().getAttribute('data-state'), WAIT).toBe('raised');
  }
  const openMemory = async (): Promise<void> => {
    await gauge().getByRole('button').click();
    await page.getByRole('dialog', { name: 'Memory' }).getByText('Headroom').first().waitFor(WAIT);
  };

  test('fits', async () => {
    await begin('fits');
    await turn();
    await becomes('Ready');
    await openMemory();
    const sheet = page.getByRole('dialog', { name: 'Memory' });
    await expect.poll(() => sheet.getByText('13.6 GB').count(), WAIT).toBeGreaterThan(0);
    expect(await gauge().getAttribute('data-level')).toBe('normal');
    await pictures('fits');
  });

  test('fits after a raise', async () => {
    await begin('fits-after-a-raise');
    await turn();
    await limit().getByText('12,800 MiB').first().waitFor(WAIT);
    expect(mac.mac().wiredLimitMiB).toBe(0);
    await pictures('fits-after-a-raise');
    await allowRaise();
    expect(mac.mac().wiredLimitMiB).toBe(12_800);
    await becomes('Ready');
    await limit().getByRole('button', { name: 'Put everything back…' }).click();
    await becomes('Off');
    await limit().getByText('Everything is put back: the limit is macOS’s own choice.').waitFor(WAIT);
    expect(mac.mac().wiredLimitMiB).toBe(0);
  });

  test('the prompt is cancelled', async () => {
    await begin('cancelled-prompt');
    await turn();
    await limit().getByRole('button', { name: 'Raise…', exact: true }).click();
    await limit().getByText('You cancelled.').waitFor(WAIT);
    expect(mac.mac().wiredLimitMiB).toBe(0);
    await pictures('cancelled-prompt');
  });

  test('the browser eats 4 GB while an answer is written', async () => {
    await begin('browser-eats-4-gb');
    await turn();
    await becomes('Ready');
    await ask('Write a long story.');
    await banner().waitFor(WAIT);
    await pictures('browser-eats-4-gb');
    expect(await page.getByTestId('answer').last().innerText()).not.toBe('');
  });

  test('another program needs 11 GB', async () => {
    await begin('memory-needed-elsewhere');
    await turn();
    await becomes('Ready');
    await banner().waitFor(WAIT);
    await becomes('Off');
    await pictures('memory-needed-elsewhere');
  });

  test('yellow but calm: the gauge says so, and nothing else happens', async () => {
    await begin('yellow-but-calm');
    await turn();
    await becomes('Ready');
    await ask('What is the wired limit?');
    await level('warning');
    await page.waitForTimeout(4_000);
    expect(await banner().count()).toBe(0);
    expect(await engineState().innerText()).toBe('Ready');
    await openMemory();
    await pictures('yellow-but-calm');
  });

  test('a swap storm', async () => {
    await begin('swap-storm');
    await turn();
    await banner().waitFor(WAIT);
    await pictures('swap-storm');
  });

  test('a panic and a reboot: the limit is macOS’s own again, which is said without a dialog', async () => {
    await begin('panic-and-reboot');
    const reboot = new Promise<void>((resolve) => {
      mac.onChange(({ kind }) => {
        if (kind === 'reboot') resolve();
      });
    });
    await turn();
    await allowRaise();
    await becomes('Ready');
    await page.keyboard.press('Escape');
    await ask('Write a long story.');
    await reboot;
    await page.context().close();
    await app.end('SIGKILL');
    app = startAppOnMac(mac.socketPath, home);
    await openWindow();
    expect(mac.mac().wiredLimitMiB).toBe(0);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByTestId('answer').last().waitFor(WAIT);
    await gauge().getByRole('button').click();
    await page.getByText('Restarting the Mac has given the limit back to macOS.').scrollIntoViewIfNeeded(WAIT);
    await pictures('panic-and-reboot');
  });

  test('leaked wired memory', async () => {
    await begin('leaked-wired-memory');
    await turn();
    await becomes('Ready');
    // Loaded for long enough to be seen in a reading.
    await page.waitForTimeout(5_000);
    await turn();
    await becomes('Off');
    await banner().getByText('Only a restart').waitFor(WAIT);
    await pictures('leaked-wired-memory');
  });

  test('a French Mac', async () => {
    await begin('french-locale');
    await openMemorySheet();
    // Numbers have a decimal comma: read wrongly it would be nothing, or a hundred times as much.
    await expect
      .poll(() => page.getByRole('img', { name: /^Swap over the last ten minutes/ }).getAttribute('aria-label'), WAIT)
      .toMatch(/to [1-9]\d\d MB$/);
    await pictures('french-locale');
  });

  test('macOS 26', async () => {
    await begin('macos-26');
    await openMemorySheet();
    await page.getByRole('dialog').getByText('GPU memory limit').scrollIntoViewIfNeeded(WAIT);
    await pictures('macos-26');
  });

  test('every scenario has its pictures', () => {
    expect([...done].sort()).toEqual(Object.keys(scenarios).sort());
  });

  /** With the model off Headroom is too small to be among the largest. */
  async function openMemorySheet(): Promise<void> {
    await gauge().getByRole('button').click();
    await page.getByRole('dialog', { name: 'Memory' }).getByText('Google Chrome').waitFor(WAIT);
  }
});
