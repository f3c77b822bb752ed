/** The window as it is served: real Chromium, real headless host, real engine, the demo model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { type HeadlessProcess, startHeadless } from '../headless/headless-process.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import { axe, complaintsOf } from './fake-window.ts';
import { runWindowScenario } from './scenario.ts';

/** The demo model writes long enough about this to be looked at in the middle. */
const LONG_PROMPT = 'Write a long story.';

describe.skipIf(whyNoChromium() !== null)('the window over the headless host', () => {
  let home: string;
  let host: HeadlessProcess;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'headroom-window-'));
    host = startHeadless(home, ['--model', modelFolder]);
    const { url } = await host.ready();
    browser = await launchChromium();
    const context = await browser.newContext({ viewport: { width: 420, height: 640 } });
    page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(url);
  });

  afterAll(async () => {
    await browser?.close();
    expect(await host?.end()).toBe(0);
    await rm(home, { recursive: true, force: true });
  });

  const lastAnswer = () => page.getByTestId('answer').last();
  test('the scenario of every host', async () => {
    await runWindowScenario(page, { longPrompt: LONG_PROMPT });
    expect(await axe(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('a reload in mid-answer loses nothing: the text goes on where it was', async () => {
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill(LONG_PROMPT);
    await page.keyboard.press('Enter');
    const text = lastAnswer().getByTestId('answer-text');
    await expect.poll(async () => (await text.innerText()).length, { timeout: 30_000 }).toBeGreaterThan(120);
    expect(await lastAnswer().getAttribute('data-status')).toBe('answering');
    const seen = await text.innerText();
    await page.reload();
    await lastAnswer().waitFor();
    const after = await text.innerText();
    expect(await lastAnswer().getAttribute('data-status')).toBe('answering');
    // Half-written Markdown at the end may still become something else.
    expect(after.startsWith(seen.slice(0, -20))).toBe(true);
    await expect.poll(async () => (await text.innerText()).length, { timeout: 30_000 }).toBeGreaterThan(after.length);
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect.poll(() => lastAnswer().getAttribute('data-status')).toBe('stopped');
    expect(await axe(page)).toEqual([]);

    // What was stopped is what main has kept.
    const kept = await text.innerText();
    await page.reload();
    await lastAnswer().waitFor();
    expect(await text.innerText()).toBe(kept);
    expect(complaints).toEqual([]);
  });

  test('two windows on one conversation stay in step', async () => {
    // A page opened by the page has its session, as a second tab would.
    const [second] = await Promise.all([
      page.context().waitForEvent('page'),
      page.evaluate(() => void window.open(location.href)),
    ]);
    const alsoComplains = complaintsOf(second);
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('What is the wired limit?');
    await page.keyboard.press('Enter');
    await expect.poll(() => lastAnswer().getAttribute('data-status'), { timeout: 30_000 }).toBe('complete');
    await second.getByRole('button', { name: 'Conversations', exact: true }).click();
    await second.getByRole('navigation').getByRole('button', { name: 'What is the wired limit?' }).first().click();
    const answer = (of: Page) => of.getByTestId('answer').last();
    const textOf = (of: Page) => answer(of).getByTestId('answer-text').innerText();
    await answer(second).waitFor();
    expect(await textOf(second)).toBe(await textOf(page));

    // Written anew in one, walked back in the other: both show the same version.
    await second.getByTestId('user-message').hover();
    await second.getByRole('button', { name: 'Edit', exact: true }).click();
    await second.getByRole('textbox', { name: 'Edit the message' }).fill('What is swap?');
    await second.keyboard.press('Enter');
    for (const each of [page, second]) {
      await each.getByTestId('user-message').getByText('What is swap?').waitFor();
      await expect.poll(() => answer(each).getAttribute('data-status'), { timeout: 30_000 }).toBe('complete');
    }
    expect(await textOf(second)).toBe(await textOf(page));
    await page.getByRole('button', { name: 'Earlier version' }).first().click();
    await second.getByTestId('user-message').getByText('What is the wired limit?').waitFor();

    // Gone in one, gone in the other; taken back, it is in both lists again.
    await page.getByRole('button', { name: 'Conversations', exact: true }).click();
    await page.locator('[aria-current="true"]').press('Backspace');
    await second.getByTestId('user-message').waitFor({ state: 'detached' });
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await second.getByRole('button', { name: 'Conversations', exact: true }).click();
    await second.getByRole('button', { name: 'What is the wired limit?', exact: true }).first().waitFor();
    expect(complaints).toEqual([]);
    expect(alsoComplains).toEqual([]);
    await second.close();
  });
});
