/** A window of its own, its place, the shortcut from anywhere and saving a file, in a real Electron. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bridge } from '../../preload/contract.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';

const surroundings = await prepareSurroundings();
const ICON = { x: 700, y: 0, width: 24, height: 24 };
const modifier = process.platform === 'darwin' ? 'Meta' : 'Control';

describe.skipIf(surroundings.kind === 'missing')('window manners', () => {
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

  const shownWindow = async () => (await app.windows()).find(({ visible }) => visible);
  const isResizable = (expected: boolean) =>
    expect.poll(async () => (await shownWindow())?.resizable, { timeout: 10_000 }).toBe(expected);

  it('a click with ⌘ takes the window out of the menu bar; it keeps the draft', async () => {
    await expect.poll(() => app.isShown(), { timeout: 10_000 }).toBe(true);
    // On a desktop without a tray it opens as a normal window: first under the icon, then out of it.
    await app.clickTray(ICON);
    await expect.poll(() => app.isShown()).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await app.clickTray(ICON);
    await isResizable(false);
    const page = await app.page();
    await page.getByRole('textbox', { name: 'Message' }).fill('Half a thought');
    // Main is told when the typing rests.
    const draftInMain = () =>
      page.evaluate(async () => {
        const { headroom } = window as unknown as { headroom: Bridge };
        const state = await headroom.call('app.state', null);
        return state.ok ? state.value.newDraft?.text : state.error.message;
      });
    await expect.poll(draftInMain).toBe('Half a thought');
    await app.clickTray(ICON, true);
    await isResizable(true);
    const detached = await app.page();
    await expect.poll(() => detached.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('Half a thought');
  });

  it('its size is remembered, and the menu leads back under the icon', async () => {
    await app.electron.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 120, y: 90, width: 640, height: 560 }),
    );
    const page = await app.page();
    await page.keyboard.press(`${modifier}+k`);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Back to the menu bar' }).click();
    await isResizable(false);
    expect(JSON.parse(readFileSync(join(app.home, 'window-place.json'), 'utf8'))).toMatchObject({
      width: 640,
      height: 560,
    });
    await app.clickTray(ICON, true);
    await isResizable(true);
    expect((await shownWindow())?.bounds).toMatchObject({ width: 640, height: 560 });
  });

  it('the shortcut from anywhere is off until set; one that is taken is told and not kept', async () => {
    const page = await app.page();
    const registered = (accelerator: string) =>
      app.electron.evaluate(({ globalShortcut }, name) => globalShortcut.isRegistered(name), accelerator);
    expect(await registered('Control+Alt+7')).toBe(false);
    await page.keyboard.press(`${modifier}+,`);
    await page.getByRole('button', { name: 'Set…' }).click();
    await page.keyboard.press('Control+Alt+7');
    await expect.poll(() => registered('Control+Alt+7')).toBe(true);

    // Taken by somebody else meanwhile, as the system would say.
    await app.electron.evaluate(({ globalShortcut }) => {
      const { register } = globalShortcut;
      globalShortcut.register = (accelerator: never, run: never) =>
        String(accelerator) === 'Control+Alt+8' ? false : register.call(globalShortcut, accelerator, run);
    });
    await page.getByRole('dialog', { name: 'Settings' }).getByRole('button', { name: /7$/ }).click();
    await page.keyboard.press('Control+Alt+8');
    await page.getByText('Another program uses this shortcut.').waitFor();
    expect(await registered('Control+Alt+7')).toBe(true);
    expect(JSON.parse(readFileSync(join(app.home, 'settings.json'), 'utf8')).globalShortcut).toBe('Control+Alt+7');
    await page.getByRole('button', { name: 'Off', exact: true }).click();
    await expect.poll(() => registered('Control+Alt+7')).toBe(false);
    await page.keyboard.press('Escape');
  });

  it('a folder is chosen in the system’s dialog, over a popover that stays', async () => {
    await app.clickTray(ICON, true);
    await isResizable(true);
    await (await app.page()).keyboard.press(`${modifier}+k`);
    await (await app.page()).getByRole('button', { name: 'More', exact: true }).click();
    await (await app.page()).getByRole('menuitem', { name: 'Back to the menu bar' }).click();
    await isResizable(false);
    // The system's dialog cannot be driven: the answer comes when the test says so.
    await app.electron.evaluate(({ dialog }) => {
      const asked: unknown[] = [];
      const record = { asked, answer: (_path: string | null) => {} };
      Object.assign(globalThis, { headroomDialog: record });
      dialog.showOpenDialog = ((...given: unknown[]) => {
        asked.push({ hasOwner: given.length === 2, ...(given.at(-1) as object) });
        return new Promise((resolve) => {
          record.answer = (path) => resolve({ canceled: path === null, filePaths: path === null ? [] : [path] });
        });
      }) as never;
    });
    type Dialog = { headroomDialog: { asked: unknown[]; answer(path: string | null): void } };
    const asked = () => app.electron.evaluate(() => (globalThis as unknown as Dialog).headroomDialog.asked);
    const answer = (path: string | null) =>
      app.electron.evaluate((_electron, at) => (globalThis as unknown as Dialog).headroomDialog.answer(at), path);

    const page = await app.page();
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('button', { name: 'Add a model…' }).click();
    await page.getByRole('button', { name: 'Choose a folder…' }).click();
    await expect
      .poll(asked)
      .toEqual([{ hasOwner: true, properties: ['openDirectory', 'createDirectory'], buttonLabel: 'Choose' }]);
    // The dialog has the focus now.
    await app.electron.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0];
      Object.assign(window ?? {}, { isFocused: () => false });
      window?.emit('blur');
    });
    await page.waitForTimeout(500);
    expect(await app.isShown()).toBe(true);
    await app.electron.evaluate(({ BrowserWindow }) =>
      Object.assign(BrowserWindow.getAllWindows()[0] ?? {}, { isFocused: () => true }),
    );
    await answer(null);
    await page.getByRole('button', { name: 'Choose a folder…' }).click();
    await expect.poll(async () => (await asked()).length).toBe(2);
    await answer(app.home);
    await page.getByRole('alert').filter({ hasText: app.home }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  });

  it('what the page has made can be saved, where the person says', async () => {
    const file = join(app.home, 'saved.json');
    await app.electron.evaluate(({ session }, path) => {
      session.defaultSession.on('will-download', (_event, item) => item.setSavePath(path));
    }, file);
    const page = await app.page();
    await page.keyboard.press(`${modifier}+k`);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Export everything' }).click();
    await expect.poll(() => existsSync(file), { timeout: 10_000 }).toBe(true);
  });
});
