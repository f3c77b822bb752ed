/** The browser the window's tests run in: Debian's Chromium, or the one CHROMIUM_PATH names. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Why the browser tests cannot run here; null when they can. In CI they must. */
export function whyNoChromium(): string | null {
  if (existsSync(executablePath)) return null;
  const reason = `No Chromium at ${executablePath}: install it or set CHROMIUM_PATH.`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  console.warn(`Skipped: ${reason}`);
  return reason;
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    headless: true,
    // As root, as in most containers, Chromium has no sandbox to offer.
    chromiumSandbox: process.getuid?.() !== 0 && process.env['CI'] !== 'true',
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
