/** The window of an app on a simulated Mac, as it is served, in a real browser. */
import type { Browser, Page } from 'playwright-core';
import type { AppOnMac } from '../macos/running-app.ts';
import { complaintsOf } from './fake-window.ts';

export async function openMacWindow(
  browser: Browser,
  app: AppOnMac,
  timeoutMs: number,
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const { url } = await app.ready;
  const context = await browser.newContext({ viewport: { width: 420, height: 640 }, deviceScaleFactor: 2 });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(url);
  await page.getByTestId('gauge').waitFor({ timeout: timeoutMs });
  return { page, complaints };
}
