/** The built window over a fake main, opened in a browser's page. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { type BundleServer, serveBundle } from './bundle-server.ts';
import { launchChromium } from './chromium.ts';
import { type FakeScript, installFakeBridge } from './fake-bridge.ts';
import { NOW_MS } from './states.ts';

const pictures = join(import.meta.dirname, '../../test-results/pictures');

export interface WindowOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly contrast?: 'more' | 'no-preference';
  readonly reducedMotion?: 'reduce' | 'no-preference';
  /** The clock stands still: for pictures. */
  readonly freeze?: boolean;
}

export interface OpenedWindow {
  readonly page: Page;
  /** Where the window was served. */
  readonly url: string;
  /** Errors, warnings and policy reports of the page. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** What a page complains of, from now on. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

async function openFakeWindow(
  browser: Browser,
  url: string,
  script: FakeScript,
  options: WindowOptions = {},
): Promise<OpenedWindow> {
  const context = await browser.newContext({
    viewport: { width: 420, height: 640 },
    deviceScaleFactor: 2,
    colorScheme: options.colorScheme ?? 'light',
    contrast: options.contrast ?? 'no-preference',
    reducedMotion: options.reducedMotion ?? 'no-preference',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  if (options.freeze === true) await page.clock.setFixedTime(NOW_MS);
  const complaints = complaintsOf(page);
  await page.addInitScript(() =>
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
  await page.addInitScript(installFakeBridge, script);
  await page.goto(url);
  if (script.staysConnected === false) {
    await page.getByTestId('engine-state').waitFor();
    await page.evaluate(() => window.fakeMain.setConnected(false));
  }
  return { page, url, complaints, close: () => context.close() };
}

/** Everything drawn, nothing moving. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main').waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => document.querySelector('#root')?.textContent !== '');
  await page.waitForTimeout(250);
}

export async function lookAt(page: Page, name: string, scheme: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}-${scheme}.png`), animations: 'disabled' });
}

/** What axe finds wrong. `contrast`: that alone, for the second scheme of a page whose markup was looked at already. */
export async function axe(page: Page, rules: 'all' | 'contrast' = 'all'): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules === 'all' ? builder : builder.withRules('color-contrast')).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/**
 * The built window and a browser for all tests of a suite; what it returns opens a window over a fake main. Called inside
 * of `describe`.
 */
export function fakeWindows(): (script: FakeScript, options?: WindowOptions) => Promise<OpenedWindow> {
  let browser: Browser;
  let server: BundleServer;
  beforeAll(async () => {
    server = await serveBundle();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  return (script, options) => openFakeWindow(browser, server.url, script, options);
}
