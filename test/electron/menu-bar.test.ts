/** The icon, its menu, and when the window comes and goes, in a real Electron. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';
import { REPOSITORY } from './electron-at-hand.ts';
import type { TrayRecord } from './tray-record.ts';

const surroundings = await prepareSurroundings();
const isMac = process.platform === 'darwin';

/** An icon in the top bar of the test's screen. */
const ICON = { x: 700, y: 0, width: 24, height: 24 };
/** Longer than a blur takes to hide, and than a click is taken for a part of that blur. */
const SETTLED_MS = 500;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLED_MS));

describe.skipIf(surroundings.kind === 'missing')('the menu bar', () => {
  let app: AppUnderTest;

  beforeAll(async () => {
    if (surroundings.kind === 'missing') return;
    app = await launchApp(surroundings);
    await app.page();
  });
  afterAll(async () => {
    await app?.dispose();
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  const shown = (expected: boolean): Promise<void> =>
    expect.poll(() => app.isShown(), { timeout: 5_000 }).toBe(expected);

  it('shows that the model is off, by shape and in words', async () => {
    const tray = await app.tray();
    expect(tray.tooltip).toBe('Headroom – the model is off');
    const off = await app.electron.evaluate(
      ({ nativeImage }, file) => nativeImage.createFromPath(file).toDataURL(),
      join(REPOSITORY, 'main', 'resources', 'tray', 'offTemplate.png'),
    );
    expect(tray.image).toBe(off);
  });

  it('has a menu with the state, the toggle, open and quit', async () => {
    const { items } = await app.tray();
    expect(items.filter(({ label }) => label !== '').map(({ label, enabled }) => [label, enabled])).toEqual([
      ['Headroom, the model is off', false],
      ['Turn Model On', true],
      ['Open Headroom', true],
      ['Quit Headroom', true],
    ]);
  });

  it('opens as a normal window where the icon cannot be found', async () => {
    await shown(true);
    const [window] = await app.windows();
    if (isMac) return;
    expect(window?.resizable).toBe(true);
  });

  it('a click on the icon hides the window, another shows it under the icon', async () => {
    await app.clickTray(ICON);
    await shown(false);
    await app.clickTray(ICON);
    await shown(true);
    const workArea = await app.electron.evaluate(({ screen }) => screen.getPrimaryDisplay().workArea);
    const [window] = await app.windows();
    expect(window?.bounds).toMatchObject({ width: 420, height: 640, y: workArea.y });
    expect(window?.bounds.x).toBe(ICON.x + ICON.width / 2 - 210);
    expect(window?.resizable).toBe(false);
  });

  it('Escape in the page hides it', async () => {
    const page = await app.page();
    await page.locator('textarea').focus();
    await page.keyboard.press('Escape');
    await shown(false);
  });

  it('the window tells its page when it is shown, and the composer has the focus', async () => {
    await app.clickTray(ICON);
    await shown(true);
    const page = await app.page();
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
  });

  it('losing the focus hides the popover, and the click that took it does not open it again', async () => {
    await settle();
    await app.electron.evaluate(async ({ BrowserWindow }, at) => {
      // From inside: a click that comes over the wire may be too late to be a part of the blur.
      BrowserWindow.getAllWindows()[0]?.once('hide', () =>
        setImmediate(() => {
          const { tray } = (globalThis as unknown as { headroomTray: TrayRecord }).headroomTray;
          tray?.emit('click', {}, at, { x: at.x, y: at.y });
          (globalThis as { isClicked?: boolean }).isClicked = true;
        }),
      );
      const other = new BrowserWindow({ width: 200, height: 200, x: 0, y: 400 });
      (globalThis as { otherWindow?: unknown }).otherWindow = other;
      await new Promise((resolve) => other.once('focus', resolve));
    }, ICON);
    const popoverShown = () =>
      app.electron.evaluate(
        ({ BrowserWindow }) =>
          BrowserWindow.getAllWindows().filter(
            (window) => window.getTitle() === 'Headroom' && window.isVisible() && !window.isResizable(),
          ).length,
      );
    await expect
      .poll(() => app.electron.evaluate(() => (globalThis as { isClicked?: boolean }).isClicked), { timeout: 5_000 })
      .toBe(true);
    expect(await popoverShown()).toBe(0);
    await settle();
    await app.clickTray(ICON);
    await expect.poll(popoverShown).toBe(1);
    await app.electron.evaluate(() =>
      (globalThis as unknown as { otherWindow: { destroy(): void } }).otherWindow.destroy(),
    );
  });

  it('a second start shows the window of the first, and ends', async () => {
    if (surroundings.kind === 'missing') return;
    if (await app.isShown()) {
      await settle();
      await app.clickTray(ICON);
    }
    await shown(false);
    const second = spawn(surroundings.electron.executable, [
      surroundings.appFolder,
      '--no-sandbox',
      '--home',
      app.home,
    ]);
    const [code] = (await once(second, 'exit')) as [number | null];
    expect(code).toBe(0);
    await shown(true);
  });

  it('choosing Open shows the window', async () => {
    const page = await app.page();
    await page.locator('textarea').focus();
    await page.keyboard.press('Escape');
    await shown(false);
    await app.chooseFromTray('open');
    await shown(true);
  });

  it('a window that is closed is made again', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await expect.poll(async () => (await app.windows()).length).toBe(0);
    await app.chooseFromTray('open');
    await shown(true);
    const page = await app.page();
    await page.locator('textarea').waitFor();
  });

  it('a page that dies is loaded again while its window is open', async () => {
    const before = await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.id);
    await app.electron.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer(),
    );
    await expect
      .poll(() => app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.id))
      .not.toBe(before);
    await shown(true);
    await expect.poll(() => readFileSync(join(app.home, 'logs', 'main.log'), 'utf8')).toContain('page died');
    const page = await app.page();
    await page.locator('textarea').waitFor();
  });

  it('has the editing keys in the application menu', async () => {
    const roles = await app.electron.evaluate(({ Menu }) =>
      Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items.map(({ role }) => String(role)) ?? []),
    );
    // Electron spells them in small letters.
    expect(roles?.map((role) => role.toLowerCase())).toEqual(
      expect.arrayContaining(['undo', 'redo', 'cut', 'copy', 'paste', 'selectall', 'quit']),
    );
  });
});
