/** The first run from nothing to the first answer: the whole app on a simulated Mac, a local hub, a real browser. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { LARGE_MODEL } from '../macos/counted-bytes.ts';
import { launchChromium, whyNoChromium } from '../ui/chromium.ts';
import { lookAt } from '../ui/fake-window.ts';
import { type FirstRunStage, setUpFirstRun } from './first-run-stage.ts';
import { walkFirstRun } from './first-run-walk.ts';

const WAIT = { timeout: 60_000 };

describe.skipIf(whyNoChromium() !== null)('the first run', () => {
  let browser: Browser;
  let stage: FirstRunStage;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    stage = await setUpFirstRun(browser);
  });
  afterEach(async () => {
    await stage?.strike();
  });

  const firstRun = () => stage.page().getByTestId('first-run');

  test('takes three actions to the first answer', async () => {
    const page = stage.page();
    const { done } = await walkFirstRun(page, (step) => lookAt(page, `first-run-on-mac-${step}`, 'light'));
    expect(done).toEqual(['download', 'consent', 'ask']);
    const settings = JSON.parse(readFileSync(join(stage.home, 'settings.json'), 'utf8')) as Record<string, unknown>;
    expect(settings['modelId']).toBe(LARGE_MODEL);
    expect(stage.mac.mac().wiredLimitMiB).toBeGreaterThan(11_516);
    expect(stage.complaints()).toEqual([]);
  });

  test('killed in the middle of the download, it goes on by itself and nothing is asked again', async () => {
    const { hub } = stage;
    hub.behave(({ at, path }) =>
      at === 'storage' && path.endsWith('.safetensors') ? { kind: 'drip', bytesPerSecond: 400_000 } : null,
    );
    await firstRun()
      .getByRole('button', { name: /^Download/ })
      .click();
    await expect.poll(() => hub.sentBytes('model.safetensors'), WAIT).toBeGreaterThan(400_000);
    await stage.kill();
    hub.behave(null);
    await stage.open();
    // Nobody clicks: it comes to its end, in sight or before the window was there.
    const page = stage.page();
    const start = firstRun().getByRole('button', { name: /^Start/ });
    const consent = page.getByTestId('wired-limit');
    await start.or(consent).first().waitFor(WAIT);
    const { size } = statSync(join(modelFolder, 'model.safetensors'));
    expect(hub.sentBytes('model.safetensors')).toBeLessThan(size + 2 ** 20);

    // Not now: the ways without a password are one click away, and so is the raise, after which the model starts.
    if (await start.isVisible()) await start.click();
    await consent.getByRole('button', { name: 'Not now' }).click(WAIT);
    await page.getByRole('button', { name: 'Other ways…' }).click(WAIT);
    await page.getByText('at its peak, no password.').first().waitFor(WAIT);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Raise the limit…' }).click(WAIT);
    await consent.getByRole('button', { name: 'Raise…', exact: true }).click(WAIT);
    await page.getByTestId('engine-state').getByText('Ready').waitFor(WAIT);
  });
});
