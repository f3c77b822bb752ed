/** Answers in a real Electron, under its own policy: what is loaded for them comes, and nothing else may. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type AppUnderTest, launchApp, prepareSurroundings } from './app-under-test.ts';

const surroundings = await prepareSurroundings();

describe.skipIf(surroundings.kind === 'missing')('answers in the app', () => {
  let app: AppUnderTest;

  beforeAll(async () => {
    if (surroundings.kind === 'missing') return;
    app = await launchApp(surroundings, { modelFolder, args: [] });
  });
  afterAll(async () => {
    await app?.dispose();
    if (surroundings.kind === 'ready') await surroundings.dispose();
  });

  it('code is coloured by its worker, which the policy lets in', async () => {
    const page = await app.page();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.getByRole('textbox', { name: 'Message' }).fill('Show me some code.');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid="answer"][data-status="complete"]').waitFor({ timeout: 90_000 });
    await expect.poll(() => page.locator('pre span[class*=keyword]').count(), { timeout: 30_000 }).toBeGreaterThan(0);
    expect(page.workers().length).toBe(1);
    // Only this one address may become a worker.
    const refused = await page.evaluate(() => {
      try {
        new Worker('other.js').terminate();
        return 'started';
      } catch (error) {
        return error instanceof Error ? error.name : String(error);
      }
    });
    expect(refused).toBe('TypeError');
    expect(faults.filter((fault) => !fault.includes('TrustedScriptURL'))).toEqual([]);
  });
});
