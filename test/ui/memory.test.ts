/** The gauge, its sheets and protection's banner at work, over a fake main. What they look like: window.test.ts. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { RouteName } from '../../preload/contract.ts';
import { whyNoChromium } from './chromium.ts';
import type { FakeScript } from './fake-bridge.ts';
import { fakeWindows, settled } from './fake-window.ts';
import { memoryStates, NOW_MS, noticeStates, wiredLimitStates } from './states.ts';

describe.skipIf(whyNoChromium() !== null)('memory in the window', () => {
  const openWindow = fakeWindows();

  async function open(script: FakeScript | undefined) {
    if (script === undefined) throw new Error('There is no such state.');
    const opened = await openWindow(script, { freeze: true });
    await settled(opened.page);
    return opened;
  }
  const calls = (page: Page, route: RouteName): Promise<unknown[]> =>
    page.evaluate(
      (name) => window.fakeMain.calls.filter((call) => call.route === name).map(({ input }) => input),
      route,
    );
  const focusedName = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? '');

  test('the gauge says its level, moves with a reading and rests when nothing changes', async () => {
    const { page, complaints, close } = await open(memoryStates['normal']);
    const gauge = page.getByTestId('gauge');
    const meter = gauge.getByRole('meter', { name: 'Memory pressure' });
    expect(await meter.getAttribute('aria-valuetext')).toBe('Normal, 36 % of movable memory compressed');
    const [latest] = (memoryStates['normal']?.memory.samples ?? []).slice(-1);
    if (latest === undefined) throw new Error('There is no sample.');

    await page.evaluate(() => {
      const target = document.querySelector('[data-testid="gauge"]');
      if (target === null) throw new Error('There is no gauge.');
      const seen = { changes: 0 };
      Object.assign(window, { seen });
      new MutationObserver((list) => (seen.changes += list.length)).observe(target, {
        subtree: true,
        attributes: true,
        childList: true,
        characterData: true,
      });
    });
    const changes = () => page.evaluate(() => (window as unknown as { seen: { changes: number } }).seen.changes);
    const sample = (over: object) =>
      page.evaluate((payload) => window.fakeMain.emit('memory.sample', payload), { ...latest, ...over });
    for (let second = 1; second <= 5; second += 1) await sample({ atMs: NOW_MS + second * 2_000 });
    expect(await changes()).toBe(0);

    await sample({ atMs: NOW_MS + 20_000, level: 'critical', needle: 0.8 });
    await expect.poll(() => gauge.getAttribute('data-level')).toBe('critical');
    expect(await meter.getAttribute('aria-valuetext')).toBe('Critical, 80 % of movable memory compressed');
    expect(await meter.getAttribute('aria-valuenow')).toBe('80');
    expect(await gauge.innerText()).toBe('Critical');
    expect(complaints).toEqual([]);
    await close();
  });

  test('by keyboard: the sheet opens, every number names its source, Escape leads back', async () => {
    const { page, complaints, close } = await open(memoryStates['critical']);
    await page.getByRole('button', { name: 'Critical, memory' }).focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Memory' });
    await sheet.getByRole('button', { name: 'Quit Notes…' }).waitFor();
    const source = sheet.getByTestId('source');
    expect(await source.innerText()).toBe('Point at a number to see where it comes from');
    const seen = new Map<string, string>();
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab');
      const number = await page.evaluate(() => {
        const at = document.activeElement;
        return at?.tagName === 'SPAN' ? (at.firstChild?.textContent ?? '') : null;
      });
      if (number !== null) seen.set(number, await source.innerText());
    }
    expect(Object.fromEntries(seen)).toMatchObject({
      Critical: 'The kernel’s verdict: kern.memorystatus_vm_pressure_level',
      '16 GB': 'sysctl hw.memsize',
      '1.6 GB': 'vm_stat: free, purgeable and file-backed pages',
      '3.2 GB': 'sysctl vm.swapusage',
      '13.7 GB': 'vm_stat: Pages wired down',
      '11.3 GB': 'The engine: MLX’s active memory',
      '2.1 GB': 'top: MEM, helpers counted with their app',
      '10,922 MiB': 'Metal: recommended working set',
    });
    // The same by pointing.
    await sheet.getByText('3.2 GB').hover();
    await expect.poll(() => source.innerText()).toBe('sysctl vm.swapusage');

    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Critical');
    expect(complaints).toEqual([]);
    await close();
  });

  test('an app is asked to quit only after the person was', async () => {
    const { page, close } = await open(memoryStates['warning']);
    await page.getByRole('button', { name: 'Warning, memory' }).click();
    await page.getByRole('button', { name: 'Quit Xcode…' }).click();
    expect(await focused(page)).toBe('Quit');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Quit Google Chrome…' }).click();
    expect(await calls(page, 'memory.quitApp')).toEqual([]);
    await page.getByText('Ask Google Chrome to quit? It may ask you about unsaved work.').waitFor();
    await page.getByRole('button', { name: 'Quit', exact: true }).click();
    await page.getByRole('dialog').getByText('Google Chrome has quit.').waitFor();
    expect(await calls(page, 'memory.quitApp')).toEqual([{ pid: 900, name: 'Google Chrome' }]);
    // Looked at again, because there is news.
    expect(await calls(page, 'memory.apps')).toHaveLength(2);
    // Neither the system's own programs nor this app can be quit from here.
    expect(await page.getByRole('button', { name: 'Quit WindowServer…' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Quit Headroom…' }).count()).toBe(0);
    await close();
  });

  test('a raise: shown by itself after the person’s click, chosen, granted, put back', async () => {
    const { page, complaints, close } = await open(wiredLimitStates['asking']);
    const sheet = page.getByTestId('wired-limit');
    await sheet.waitFor();
    // Enter meant for the composer must not raise anything.
    expect(await focused(page)).toBe('Let the GPU keep more memory?');
    await page.keyboard.press('Enter');
    expect(await calls(page, 'wiredLimit.raise')).toEqual([]);

    await sheet.getByRole('radio', { name: /usual recipe/ }).check();
    expect(await sheet.locator('code').innerText()).toBe('sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=13312');
    await sheet.getByRole('button', { name: 'Raise…' }).click();
    expect(await calls(page, 'wiredLimit.raise')).toEqual([{ limitMiB: 13_312, by: 'prompt' }]);
    await sheet.getByText('macOS is asking for your password').waitFor();
    expect(await focused(page)).toBe('macOS is asking for your password');

    const emit = (state: object) =>
      page.evaluate((payload) => window.fakeMain.emit('wiredLimit.state', payload as never), state);
    await emit({
      kind: 'trouble',
      during: 'raise',
      cause: { code: 'wired-limit-cancelled', message: 'You cancelled.', nextStep: 'Try again.' },
      settingMiB: 0,
      originalMiB: null,
      command: 'sudo /usr/sbin/sysctl -w iogpu.wired_limit_mb=13312',
    });
    await sheet.getByRole('button', { name: 'Try again…' }).click();
    expect(await calls(page, 'wiredLimit.raise')).toHaveLength(2);
    expect((await calls(page, 'wiredLimit.raise'))[1]).toEqual({ limitMiB: 13_312, by: 'prompt' });

    await emit({ kind: 'raised', settingMiB: 13_312, originalMiB: 0, fromEarlierRun: false });
    await sheet.getByRole('button', { name: 'Put everything back…' }).click();
    expect(await calls(page, 'wiredLimit.restore')).toEqual([{ by: 'prompt' }]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('by hand: the command can be copied, and the value is watched', async () => {
    const { page, close } = await open(wiredLimitStates['asking']);
    const sheet = page.getByTestId('wired-limit');
    await sheet.getByRole('button', { name: 'I’ll run it myself' }).click();
    expect(await calls(page, 'wiredLimit.raise')).toEqual([{ limitMiB: 12_800, by: 'myself' }]);
    await sheet.getByText('Headroom looks every two seconds').waitFor();
    await sheet.getByRole('button', { name: 'Copy the command' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('iogpu.wired_limit_mb=12800');
    await sheet.getByRole('button', { name: 'Stop watching' }).click();
    expect(await calls(page, 'wiredLimit.cancel')).toHaveLength(1);
    await close();
  });

  test('not now leaves everything as it is', async () => {
    const { page, close } = await open(wiredLimitStates['asking']);
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.getByTestId('wired-limit').waitFor({ state: 'detached' });
    expect(await calls(page, 'wiredLimit.cancel')).toHaveLength(1);
    expect(await calls(page, 'wiredLimit.raise')).toEqual([]);
    await close();
  });

  test('starting anyway is offered only where the weights fit', async () => {
    const dangerous = await open(wiredLimitStates['asking']);
    expect(await dangerous.page.getByRole('button', { name: 'Start without raising' }).count()).toBe(0);
    await dangerous.close();
    const slow = await open(wiredLimitStates['asking-capped']);
    await slow.page.getByRole('button', { name: 'Start without raising' }).click();
    expect(await calls(slow.page, 'wiredLimit.startAnyway')).toHaveLength(1);
    await slow.close();
  });

  test('another program’s request is a notice, never a dialog', async () => {
    const { page, close } = await open(noticeStates['limit-asked-by-endpoint']);
    await page.getByText('Another program asked for the model.').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByTestId('limit-request').getByRole('button', { name: 'Look…' }).click();
    await page.getByTestId('wired-limit').waitFor();
    await close();
  });

  test('protection is told once, can be overruled and dismissed', async () => {
    const { page, close } = await open(noticeStates['protection-cancelled']);
    const banner = page.getByTestId('protection');
    const text = await banner.locator('p').first().innerText();
    expect(await page.locator('[aria-live]').allInnerTexts()).toContain(text);
    await banner.getByRole('button', { name: 'Overrule for 10 minutes' }).click();
    expect(await calls(page, 'protection.undo')).toHaveLength(1);
    await banner.getByText('Protection rests until 10:52, as you asked.').waitFor();
    // The button is gone; the focus is where writing goes on.
    expect(await focusedName(page)).toBe('Message');
    await banner.getByRole('button', { name: 'Dismiss' }).click();
    await banner.waitFor({ state: 'detached' });
    expect(await focusedName(page)).toBe('Message');
    await close();
  });

  test('lent memory comes back when the composer has the focus', async () => {
    const { page, close } = await open(noticeStates['protection-lent']);
    // The window opens with the focus there.
    expect((await calls(page, 'engine.warm')).length).toBeGreaterThan(0);
    await close();
  });

  test('protection can be switched off', async () => {
    const { page, close } = await open(memoryStates['normal']);
    await page.getByRole('button', { name: 'Normal, memory' }).click();
    const protection = page.getByRole('switch', { name: 'Step in before it swaps' });
    expect(await protection.getAttribute('aria-checked')).toBe('true');
    await protection.click();
    await expect.poll(() => protection.getAttribute('aria-checked')).toBe('false');
    expect(await calls(page, 'settings.update')).toEqual([{ protection: 'off' }]);
    await close();
  });
});
