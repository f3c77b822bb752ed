/** A whole chat in a real Electron: from the icon in the menu bar to quitting, with a real model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { runWindowScenario } from '../ui/scenario.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';
import { leftAfter } from './process-tree.ts';

const surroundings = await prepareSurroundings();
const ICON = { x: 700, y: 0, width: 24, height: 24 };

describe.skipIf(surroundings.kind === 'missing')('the app in the menu bar', () => {
  let app: AppUnderTest;

  beforeAll(async () => {
    if (surroundings.kind === 'missing') return;
    app = await launchApp(surroundings, { modelFolder, args: ['--hidden'] });
  });
  afterAll(async () => {
    await app?.dispose();
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  const tooltip = async (): Promise<string> => (await app.tray()).tooltip;

  it('started hidden, it is only an icon', async () => {
    await expect.poll(tooltip).toContain('off');
    expect(await app.windows()).toEqual([]);
  });

  it('the model is turned on from the menu, and the icon says so', async () => {
    const off = (await app.tray()).image;
    await app.chooseFromTray('toggle');
    await expect.poll(tooltip, { timeout: 60_000 }).toContain('is ready');
    const tray = await app.tray();
    expect(tray.image).not.toBe(off);
    expect(tray.items.find(({ id }) => id === 'toggle')?.label).toBe('Turn Model Off');
  });

  it('a click on the icon opens the window, in which a chat goes its whole way', async () => {
    await app.clickTray(ICON);
    const page = await app.page();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await runWindowScenario(page);
    expect(faults).toEqual([]);
  });

  it('the machine is kept awake while the model answers, and only then', async () => {
    const page = await app.page();
    const blocks = (): Promise<boolean> =>
      app.electron.evaluate(({ powerSaveBlocker }) => {
        // Numbers are given out in order; a few would be many.
        return Array.from({ length: 100 }, (_none, id) => powerSaveBlocker.isStarted(id)).some(Boolean);
      });
    expect(await blocks()).toBe(false);
    await page.getByRole('textbox', { name: 'Message' }).fill('Write a long story.');
    await page.keyboard.press('Enter');
    await expect.poll(tooltip).toContain('is answering');
    expect(await blocks()).toBe(true);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect.poll(tooltip).toContain('is ready');
    expect(await blocks()).toBe(false);
  });

  it('sleep cancels the answer, keeps its text and unloads the model', async () => {
    const page = await app.page();
    await page.getByRole('textbox', { name: 'Message' }).fill('Write a long story.');
    await page.keyboard.press('Enter');
    const answer = page.getByTestId('answer').last();
    await expect.poll(() => answer.getAttribute('data-status'), { timeout: 30_000 }).toMatch(/thinking|answering/);
    await expect.poll(async () => (await answer.innerText()).length).toBeGreaterThan(20);
    await app.electron.evaluate(({ powerMonitor }) => powerMonitor.emit('suspend'));
    await expect.poll(() => answer.getAttribute('data-status'), { timeout: 30_000 }).toBe('interrupted');
    await expect.poll(tooltip, { timeout: 30_000 }).toContain('is off');
    expect(app.tree().filter(({ command }) => command.includes('headroom_engine'))).toEqual([]);
  });

  it('quitting from the menu leaves no process', async () => {
    if ((await tooltip()).includes('is off')) await app.chooseFromTray('toggle');
    await expect.poll(tooltip, { timeout: 60_000 }).toContain('is ready');
    const tree = app.tree();
    const exit = new Promise<number | null>((resolve) => app.process.once('exit', (code) => resolve(code)));
    // The connection breaks while the answer is still on its way.
    await app.chooseFromTray('quit').catch(() => {});
    expect(await exit).toBe(0);
    expect(await leftAfter(tree, 1_000)).toEqual([]);
  });
});
