/** Models, downloads, the context slider, the pre-flight and the first run in the window, over a fake main. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RouteName } from '../../preload/contract.ts';
import { type BundleServer, serveBundle } from './bundle-server.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import type { FakeModels, FakeScript } from './fake-bridge.ts';
import { axe, lookAt, openFakeWindow, settled, type WindowOptions } from './fake-window.ts';
import { contextStates, detailStates, firstRunStates, modelsStates, preflightStates } from './models-states.ts';
import { NOW_MS, states } from './states.ts';

const running = (models: FakeModels): FakeScript => ({ ...states.complete, models });
const off = (models: FakeModels): FakeScript => ({ ...states.off, models });
const firstRun = (name: string): FakeScript => {
  const state = firstRunStates(NOW_MS)[name];
  if (state === undefined) throw new Error(`There is no first run "${name}".`);
  const { app } = states.off;
  return {
    ...states.off,
    app: {
      ...app,
      machine: state.machine,
      model: null,
      settings: { ...app.settings, modelId: null, firstRun: 'todo' },
    },
    models: state.models,
  };
};

describe.skipIf(whyNoChromium() !== null)('models in the window', () => {
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

  async function open(script: FakeScript, options: WindowOptions = {}) {
    const opened = await openFakeWindow(browser, server.url, script, { freeze: true, ...options });
    await settled(opened.page);
    return opened;
  }
  const openModels = async (page: Page): Promise<void> => {
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('dialog', { name: 'Models' }).waitFor();
  };
  const calls = (page: Page, route: RouteName): Promise<unknown[]> =>
    page.evaluate(
      (name) => window.fakeMain.calls.filter((call) => call.route === name).map(({ input }) => input),
      route,
    );

  /** Each state: what it is called, how it is reached, and a picture of it in both schemes, looked at by axe. */
  const pictures: readonly (readonly [name: string, script: FakeScript, reach: (page: Page) => Promise<void>])[] = [
    ...Object.entries(modelsStates).map(([name, models]) => [`models-${name}`, running(models), openModels] as const),
    ...Object.entries(detailStates).map(
      ([name, state]) =>
        [
          `model-${name}`,
          running(state.models),
          async (page: Page) => {
            await openModels(page);
            const about = page.getByRole('button', { name: `About ${state.name}` });
            if ((await about.count()) > 0) await about.click();
            else await page.getByRole('dialog').getByRole('button', { name: state.name }).first().click();
            await page.getByRole('button', { name: 'Back' }).waitFor();
          },
        ] as const,
    ),
    ...Object.entries({ add: 'Add a model…', 'hub-settings': 'Downloads: folder', endpoint: 'For other programs' }).map(
      ([name, link]) =>
        [
          `models-${name}`,
          states.complete,
          async (page: Page) => {
            await openModels(page);
            await page.getByRole('button', { name: link }).click();
            await page.getByRole('button', { name: 'Back' }).waitFor();
          },
        ] as const,
    ),
    ...Object.entries(preflightStates).map(
      ([name, preflight]) =>
        [
          `preflight-${name}`,
          {
            ...off({ ...contextStates.fits, preflight }),
            refuse: { 'engine.start': { code: 'refused', message: preflight.message, nextStep: '' } },
          },
          async (page: Page) => {
            if (preflight.verdict === 'go') {
              await openModels(page);
              await page.getByRole('button', { name: 'About gpt-oss-20b' }).click();
              await page.getByRole('button', { name: 'Can it load now?' }).click();
            } else await page.getByRole('switch').click();
            await page.locator('[data-testid="preflight"][data-state="known"]').waitFor();
          },
        ] as const,
    ),
    ...(['fits', 'closed', 'fresh'] as const).map(
      (name) =>
        [
          `context-${name}`,
          running(name === 'fresh' ? contextStates.fresh : contextStates.fits),
          async (page: Page) => {
            await page.getByRole('button', { name: /^Context/ }).click();
            const slider = page.getByRole('slider', { name: 'Context' });
            await slider.waitFor();
            if (name === 'closed') await slider.fill('5');
          },
        ] as const,
    ),
    ...Object.keys(firstRunStates(NOW_MS)).map(
      (name) =>
        [
          `first-run-${name}`,
          firstRun(name),
          async (page: Page) => {
            await page.getByTestId('first-run').waitFor();
          },
        ] as const,
    ),
  ];

  test.each(pictures)('%s', async (name, script, reach) => {
    const { page, complaints, close } = await open(script);
    await reach(page);
    await page.waitForTimeout(200);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, name, colorScheme);
      expect(await axe(page)).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  void calls;
});
