/** What the menu bar tells of memory while the window is hidden, in a real Electron with a real model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';
import { REPOSITORY } from './electron-at-hand.ts';

const surroundings = await prepareSurroundings();
/** Memory is read every two seconds while the model is on, every ten while it is off. */
const READ_WITHIN = { timeout: 15_000 };

// The Mac's level comes from sysctl, which is not replaced here.
if (process.platform !== 'linux') console.log('Skipped: memory in the menu bar: only on Linux can the level be set');
describe.skipIf(surroundings.kind === 'missing' || process.platform !== 'linux')('memory in the menu bar', () => {
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
  const picture = (shape: string): Promise<string> =>
    app.electron.evaluate(
      ({ nativeImage }, file) => nativeImage.createFromPath(file).toDataURL(),
      join(REPOSITORY, 'main', 'resources', 'tray', `${shape}Template.png`),
    );

  it('the icon follows the level', async () => {
    await expect.poll(tooltip, { timeout: 30_000 }).toMatch(/ is off$/);
    await app.chooseFromTray('toggle');
    await expect.poll(tooltip, { timeout: 60_000 }).toMatch(/ is ready$/);
    expect((await app.tray()).image).toBe(await picture('ready'));
    await app.setWaitingForMemory(20);
    await expect.poll(tooltip, READ_WITHIN).toMatch(/ is ready, memory pressure is at Warning$/);
    const { image, items } = await app.tray();
    expect(image).toBe(await picture('ready-warning'));
    expect(items[0]?.label).toMatch(/ is ready, memory pressure is at Warning$/);
  });

  it('yellow alone is no reason for a notification', async () => {
    expect(await app.notifications()).toEqual([]);
  });

  it('a step of protection is told once', async () => {
    await app.setWaitingForMemory(50);
    await expect.poll(tooltip, READ_WITHIN).toContain('memory pressure is at Critical');
    expect((await app.tray()).image).toBe(await picture('ready-critical'));
    await expect
      .poll(() => app.notifications(), READ_WITHIN)
      .toEqual([
        {
          title: 'Memory is getting short',
          body: expect.stringContaining('memory pressure is at Critical'),
          isShown: true,
        },
      ]);
  });

  it('the idle model is lent, which is not told, and what was told before is taken back', async () => {
    await expect.poll(tooltip, { timeout: 30_000 }).toContain('the model is off, memory pressure is at Critical');
    expect((await app.tray()).image).toBe(await picture('off-critical'));
    expect(readFileSync(join(app.home, 'logs', 'main.log'), 'utf8')).toContain('protection: lent');
    expect((await app.notifications()).map(({ isShown }) => isShown)).toEqual([false]);
  });

  it('a click on a notification shows the window', async () => {
    expect(await app.isShown()).toBe(false);
    await app.clickNotification();
    await expect.poll(() => app.isShown(), { timeout: 10_000 }).toBe(true);
  });

  it('what was lent is loaded at critical only when it is asked for', async () => {
    const page = await app.page();
    const load = page.getByTestId('protection').getByRole('button', { name: 'Load it now' });
    await load.waitFor();
    expect(await tooltip()).toContain('the model is off');
    await load.click();
    await expect.poll(tooltip, { timeout: 60_000 }).toContain('is ready, memory pressure is at Critical');
  });

  it('what the window shows is not told again, and with the pressure its shape goes', async () => {
    await app.setWaitingForMemory(0);
    await expect.poll(tooltip, READ_WITHIN).not.toContain('pressure');
    expect(await app.notifications()).toHaveLength(1);
  });
});
