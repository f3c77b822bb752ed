/**
 * "Ask me only once" from the window, through every state of the helper: root's own texts are run, what they install is
 * looked at and talked to. The real app and engine on the simulated Mac, the window in a real browser.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BOOT_PLIST_PATH, HELPER_PLIST_PATH, helperPlist } from '../../main/wired-limit/helper/plist.ts';
import { HELPER_LABEL, HELPER_PATH, HELPER_SCRIPT } from '../../main/wired-limit/helper/script.ts';
import { type AppOnMac, startAppOnMac } from '../macos/running-app.ts';
import { scenarios } from '../macos/scenarios.ts';
import { type SimulatedMac, startSimulatedMac } from '../macos/simulated-mac.ts';
import { systemPath } from '../macos/system-folder.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import { axe, lookAt } from './fake-window.ts';
import { openMacWindow } from './mac-window.ts';

const WAIT = { timeout: 30_000 };

describe.skipIf(whyNoChromium() !== null)('ask me only once', () => {
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
    home = mkdtempSync(join(tmpdir(), 'headroom-helper-'));
    mac = await startSimulatedMac(scenarios['fits-after-a-raise']);
    app = startAppOnMac(mac.socketPath, home);
    ({ page, complaints } = await openMacWindow(browser, app, WAIT.timeout));
  });
  afterEach(async () => {
    await page?.context().close();
    await app?.end('SIGTERM');
    await mac?.dispose();
    rmSync(home, { recursive: true, force: true });
    expect(complaints).toEqual([]);
  });

  const file = (path: string): string => systemPath(mac.socketPath, path);
  const limit = () => page.getByTestId('wired-limit');
  const once = () => limit().locator('details');
  const says = (words: string | RegExp) => once().getByText(words).waitFor(WAIT);

  /** The helper is looked at anew whenever the sheet opens. */
  async function look(): Promise<void> {
    while ((await page.getByRole('dialog').count()) > 0) {
      await page.keyboard.press('Escape');
      await page.waitForTimeout(300);
    }
    await page.getByTestId('gauge').getByRole('button').click();
    await page.getByRole('button', { name: 'Look…' }).click();
    await limit().waitFor(WAIT);
    await once().getByText('Ask me only once').click();
  }
  async function pictures(name: string): Promise<void> {
    await once().scrollIntoViewIfNeeded();
    await page.mouse.move(0, 0);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, `helper-${name}`, colorScheme);
    }
    expect(await axe(page)).toEqual([]);
  }

  test('not installed, installed, outdated, switched off, another user’s, unsafe, removed', async () => {
    await look();
    await says('Installing it asks once.');
    await pictures('not-installed');

    await once().getByRole('button', { name: 'Install the helper…' }).click();
    await says('Installed, version 1. No password is asked for.');
    await says('From now on Headroom sets the limit without asking for the password.');
    await pictures('installed');
    expect(readFileSync(file(HELPER_PATH), 'utf8')).toBe(HELPER_SCRIPT);
    expect(readFileSync(file(HELPER_PLIST_PATH), 'utf8')).toBe(helperPlist(userInfo().uid));

    // From here on any dialog would fail: the helper is what raises, and what puts back.
    mac.change({ kind: 'prompt', prompt: 'cancelled' });
    await limit().getByText('no password is asked for', { exact: false }).first().waitFor(WAIT);
    await limit().getByRole('button', { name: 'Raise', exact: true }).click();
    await expect.poll(() => limit().getAttribute('data-state'), WAIT).toBe('raised');
    expect(mac.mac().wiredLimitMiB).toBeGreaterThan(12_000);
    await limit().getByRole('button', { name: 'Put everything back', exact: true }).click();
    await limit().getByText('Everything is put back').waitFor(WAIT);
    expect(mac.mac().wiredLimitMiB).toBe(0);
    mac.change({ kind: 'prompt', prompt: 'allowed' });

    writeFileSync(file(HELPER_PATH), HELPER_SCRIPT.replace('# version 1', '# version 0'));
    await look();
    await says('Version 0 is installed. Install the current one to use it.');
    await pictures('outdated');
    await once().getByRole('button', { name: 'Install the helper…' }).click();
    await says('Installed, version 1. No password is asked for.');

    mac.change({ kind: 'login-item', label: HELPER_LABEL, isOn: false });
    await look();
    await says(/switched off in System Settings, General, Login Items/);
    await pictures('switched-off');
    mac.change({ kind: 'login-item', label: HELPER_LABEL, isOn: true });

    writeFileSync(file(HELPER_PLIST_PATH), helperPlist(userInfo().uid + 502));
    await look();
    await says('Installed by another user of this Mac; it answers only them.');
    expect(
      await once()
        .getByRole('button', { name: /helper…/ })
        .count(),
    ).toBe(0);
    await pictures('other-user');
    writeFileSync(file(HELPER_PLIST_PATH), helperPlist(userInfo().uid));

    chmodSync(file(HELPER_PATH), 0o777);
    await look();
    await says(/its program can be changed by others/);
    await pictures('unsafe');

    await once().getByRole('button', { name: 'Remove the helper…' }).click();
    await says('Installing it asks once.');
    await says('The helper is gone. macOS asks for the password again at every change.');
    await pictures('removed');
    expect(() => readFileSync(file(HELPER_PATH))).toThrow('ENOENT');
    expect(() => readFileSync(file(HELPER_PLIST_PATH))).toThrow('ENOENT');
    expect(mac.mac().daemons.loaded).toEqual([]);
  });

  test('a cancelled password changes nothing and says so', async () => {
    mac.change({ kind: 'prompt', prompt: 'cancelled' });
    await look();
    await once().getByRole('button', { name: 'Install the helper…' }).click();
    // In the sheet: what it covers nobody sees.
    await says(/^You cancelled\. Nothing was changed\./);
    await pictures('cancelled');
    await says('Installing it asks once.');
  });

  test('the limit at every start of the Mac: off until asked for, and gone when no longer wanted', async () => {
    await look();
    await limit().getByRole('button', { name: 'Raise…', exact: true }).click();
    await expect.poll(() => limit().getAttribute('data-state'), WAIT).toBe('raised');
    await once().getByText('Ask me only once').click();
    const atBoot = once().getByRole('switch', { name: /whenever the Mac starts/ });
    expect(await atBoot.getAttribute('aria-checked')).toBe('false');
    await atBoot.click();
    await says('The limit is set whenever the Mac starts.');
    await expect.poll(() => atBoot.getAttribute('aria-checked'), WAIT).toBe('true');
    await pictures('at-boot');
    const raisedMiB = mac.mac().wiredLimitMiB;
    mac.change({ kind: 'reboot' });
    await expect.poll(() => mac.mac().wiredLimitMiB, WAIT).toBe(raisedMiB);
    await atBoot.click();
    await expect.poll(() => atBoot.getAttribute('aria-checked'), WAIT).toBe('false');
    expect(() => readFileSync(file(BOOT_PLIST_PATH))).toThrow('ENOENT');
  });
});
