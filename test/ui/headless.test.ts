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
});
