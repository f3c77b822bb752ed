/** The page for other programs, over a fake main: keys, settings to copy, who asks, how long the model stays. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { EndpointStatus, RouteName } from '../../preload/contract.ts';
import { PROGRAMS } from '../../renderer/endpoint/programs.ts';
import { whyNoChromium } from './chromium.ts';
import { axe, fakeWindows, lookAt, settled } from './fake-window.ts';
import { NOW_MS, states } from './states.ts';

const uuid = (index: number): string => `20000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const busy: Partial<EndpointStatus> = {
  url: 'http://127.0.0.1:8081/v1',
  portTaken: 'Port 8080 is used by ollama (process 412), so Headroom uses 8081.',
  clients: [
    { id: uuid(1), name: 'Zed', keyEnd: 'x7Qa', createdAtMs: NOW_MS - 9e8, lastUsedAtMs: NOW_MS - 30_000 },
    { id: uuid(2), name: 'Open WebUI', keyEnd: 'R2mm', createdAtMs: NOW_MS - 9e8, lastUsedAtMs: NOW_MS - 9_000_000 },
    { id: uuid(3), name: 'A nightly script', keyEnd: 'p0_k', createdAtMs: NOW_MS - 9e8, lastUsedAtMs: null },
  ],
  requests: [
    { id: uuid(4), client: 'Zed', path: '/v1/chat/completions', sinceMs: NOW_MS, stage: 'answering', ahead: 0 },
    { id: uuid(5), client: 'Open WebUI', path: '/v1/chat/completions', sinceMs: NOW_MS, stage: 'queued', ahead: 1 },
  ],
  unloadAfterMinutes: 15,
  unloadsAtMs: null,
};
const idle: Partial<EndpointStatus> = { unloadAfterMinutes: 15, unloadsAtMs: NOW_MS + 252_000 };

describe.skipIf(whyNoChromium() !== null)('the page for other programs', () => {
  const openWindow = fakeWindows();

  async function open(endpoint: Partial<EndpointStatus>) {
    const opened = await openWindow({ ...states.complete, endpoint }, { freeze: true });
    const { page } = opened;
    await settled(page);
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('button', { name: 'For other programs' }).click();
    await page.getByRole('heading', { name: 'Set up a program' }).waitFor();
    return opened;
  }
  const calls = (page: Page, route: RouteName): Promise<unknown[]> =>
    page.evaluate(
      (name) => window.fakeMain.calls.filter((call) => call.route === name).map(({ input }) => input),
      route,
    );
  const set = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

  const pictures: readonly (readonly [string, Partial<EndpointStatus>, (page: Page) => Promise<void>])[] = [
    ['endpoint-idle', idle, async (page) => page.getByText('Unloads in 4 min 12 s').scrollIntoViewIfNeeded()],
    ['endpoint-busy', busy, async () => {}],
    ['endpoint-queue', busy, async (page) => page.getByText('waits, 1 before it').scrollIntoViewIfNeeded()],
    [
      'endpoint-settings',
      idle,
      async (page) => {
        await set(page, 'Claude Code');
        await page.getByLabel('Settings for Claude Code').scrollIntoViewIfNeeded();
      },
    ],
    [
      'endpoint-doors',
      idle,
      async (page) => {
        await page.getByText('Port and web pages').click();
        await page.getByRole('button', { name: 'Save' }).scrollIntoViewIfNeeded();
      },
    ],
  ];
  test.each(pictures)('%s', async (name, endpoint, reach) => {
    const { page, complaints, close } = await open(endpoint);
    await reach(page);
    await page.waitForTimeout(200);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, name, colorScheme);
      expect(await axe(page, colorScheme === 'light' ? 'all' : 'contrast')).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test('where people look for the key first, the settings, leads here', async () => {
    const { page, complaints, close } = await openWindow(states.complete, { freeze: true });
    await settled(page);
    await page.keyboard.press('Meta+,');
    const sheet = page.getByRole('dialog', { name: 'Settings' });
    await sheet.getByText('For other programs').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, 'settings', colorScheme);
      expect(await axe(page, colorScheme === 'light' ? 'all' : 'contrast')).toEqual([]);
    }
    await sheet.getByRole('button', { name: 'Open…' }).click();
    await page.getByRole('heading', { name: 'Set up a program' }).waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByText('On this computer').waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test('every program gets a key of its own, and settings with it in them to copy', async () => {
    const { page, close } = await open({});
    for (const { name } of PROGRAMS) {
      await set(page, name);
      const text = await page.getByLabel(`Settings for ${name}`).innerText();
      expect(text).toContain('hr-mW4bN8qXzR2sVtYc6LdKj0pHfGaU1eIo5TvBxQwEyZi');
      expect(text).toMatch(/(127\.0\.0\.1|host\.docker\.internal):11435/);
    }
    expect(await calls(page, 'endpoint.addClient')).toHaveLength(PROGRAMS.length);
    await page.getByRole('button', { name: 'Copy the settings' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('curl http://127.0.0.1:11435/v1');
    await page.getByLabel('Another program').fill('A nightly script');
    await page.getByRole('button', { name: 'Make a key' }).click();
    expect((await calls(page, 'endpoint.addClient')).at(-1)).toEqual({ name: 'A nightly script' });
    await page.getByRole('button', { name: 'Hide the settings' }).click();
    expect(await page.getByText('hr-mW4b').count()).toBe(0);
    await close();
  });

  test('revokes, ends, pins and unloads', async () => {
    const { page, close } = await open(busy);
    await page.getByRole('button', { name: 'Revoke the key of Zed' }).click();
    await page.getByRole('button', { name: 'End the request of Open WebUI' }).click();
    await page.getByRole('switch', { name: /^Keep .* loaded/ }).click();
    await page.getByLabel('Unload when nobody asks').isDisabled();
    await page.getByRole('switch', { name: /^Keep .* loaded/ }).click();
    await page.getByLabel('Unload when nobody asks').selectOption('60');
    await page.getByText('Port and web pages').click();
    await page.getByLabel('Port', { exact: true }).fill('9000');
    await page.getByLabel('Web pages that may ask').fill('https://app.example');
    await page.getByRole('button', { name: 'Save' }).click();
    expect(await calls(page, 'endpoint.revokeClient')).toEqual([{ clientId: uuid(1) }]);
    expect(await calls(page, 'endpoint.endRequest')).toEqual([{ requestId: uuid(5) }]);
    expect(await calls(page, 'endpoint.configure')).toEqual([
      { isPinned: true },
      { isPinned: false },
      { unloadAfterMinutes: 60 },
      { port: 9_000, origins: ['https://app.example'] },
    ]);
    await close();
  });
});
