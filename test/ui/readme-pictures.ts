/**
 * The README's pictures: `node test/ui/readme-pictures.ts` after a build. Conversations are real, with the demo model over
 * the headless host; loading, which takes the demo model no time, and memory are played with a large model's numbers.
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { modelFolder } from '../engine/fixtures.ts';
import { startHeadless } from '../headless/headless-process.ts';
import { serveBundle } from './bundle-server.ts';
import { launchChromium } from './chromium.ts';
import { installFakeBridge } from './fake-bridge.ts';
import { memoryStates, states } from './states.ts';

const folder = join(import.meta.dirname, '../../renderer/pictures');
const MAX_BYTES = 150_000;

/** The window's own shape, which in a browser's page it does not have. */
const SHAPE = `
  body { background: transparent; }
  #root { overflow: hidden; border-radius: 12px; background: var(--window); }
`;

async function openWindow(browser: Browser, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 420, height: 640 },
    deviceScaleFactor: 2,
    colorScheme,
    bypassCSP: true,
  });
  return context.newPage();
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(210, 320);
  await page.waitForTimeout(400);
  const path = join(folder, name);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide', omitBackground: true, style: SHAPE });
  const { size } = statSync(path);
  console.log(`${name}: ${size} bytes`);
  if (size > MAX_BYTES) process.exitCode = 1;
}

async function ask(page: Page, question: string): Promise<void> {
  const answers = page.getByTestId('answer');
  const before = await answers.count();
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await page.keyboard.press('Enter');
  await answers.nth(before).waitFor();
  await page.locator('[data-testid="answer"][data-last="true"][aria-busy="false"]').waitFor();
}

const home = await mkdtemp(join(tmpdir(), 'headroom-pictures-'));
mkdirSync(folder, { recursive: true });
const host = startHeadless(home, ['--model', modelFolder]);
const browser = await launchChromium();
try {
  const { url } = await host.ready();
  const page = await openWindow(browser, 'light');
  await page.goto(url);
  await ask(page, 'What is the wired limit?');
  await page.getByRole('button', { name: /^Thought/ }).click();
  await ask(page, 'Show me a list of tips.');
  await take(page, 'chat-light.png');

  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('button', { name: 'New conversation' }).click();
  await ask(page, 'Show me some code.');
  await ask(page, 'Why is the gauge yellow?');
  await take(page, 'chat-dark.png');

  const server = await serveBundle();
  const loading = await openWindow(browser, 'light');
  await loading.addInitScript(installFakeBridge, states.loading);
  await loading.goto(server.url);
  await take(loading, 'loading.png');

  const memory = await openWindow(browser, 'dark');
  await memory.addInitScript(installFakeBridge, memoryStates['warning'] ?? states.ready);
  await memory.goto(server.url);
  await memory.getByRole('button', { name: /, memory$/ }).click();
  await memory.getByText('Google Chrome').waitFor();
  await take(memory, 'memory.png');
  await server.close();
} finally {
  await browser.close();
  await host.end();
  await rm(home, { recursive: true, force: true });
}
