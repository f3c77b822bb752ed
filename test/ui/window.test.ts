/** The built window in a real browser over a fake main: pictures, accessibility, keyboard, policy. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { whyNoChromium } from './chromium.ts';
import type { FakeScript } from './fake-bridge.ts';
import { axe, fakeWindows, lookAt, settled } from './fake-window.ts';
import { runWindowScenario } from './scenario.ts';
import { memoryStates, noticeStates, type StateName, states, wiredLimitStates } from './states.ts';

const noChromium = whyNoChromium();

describe.skipIf(noChromium !== null)('the window', () => {
  const open = fakeWindows();

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    const rules = colorScheme === 'light' ? 'all' : 'contrast';
    test.each(Object.keys(states) as StateName[])('%s', async (name) => {
      const { page, complaints, close } = await open(states[name], { colorScheme, freeze: true });
      await settled(page);
      if (name === 'failed') await page.getByText('What the engine said last').click();
      if (name === 'complete') await page.getByRole('button', { name: /Thought for/ }).click();
      await lookAt(page, name, colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });

    test.each(Object.keys(memoryStates))('memory, %s', async (name) => {
      const { page, complaints, close } = await open(memoryStates[name] ?? states.ready, { colorScheme, freeze: true });
      await settled(page);
      await page.getByRole('button', { name: /, memory$/ }).click();
      await page.getByRole('dialog', { name: 'Memory' }).waitFor();
      if (name === 'warning') await page.getByText('What the colours mean').click();
      if (name === 'critical') await page.getByRole('button', { name: 'Quit Google Chrome…' }).click();
      await page.waitForTimeout(300);
      await lookAt(page, `memory-${name}`, colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });

    test.each(Object.keys(wiredLimitStates))('wired limit, %s', async (name) => {
      const { page, complaints, close } = await open(wiredLimitStates[name] ?? states.ready, {
        colorScheme,
        freeze: true,
      });
      await settled(page);
      const sheet = page.getByTestId('wired-limit');
      // Asked by the person's own click it is there already.
      if ((await sheet.count()) === 0) {
        await page.getByRole('button', { name: /, memory$/ }).click();
        await page.getByRole('button', { name: 'Look…' }).click();
      }
      await sheet.waitFor();
      if (name === 'raised-earlier') await page.getByText('Ask me only once').click();
      await page.waitForTimeout(300);
      await lookAt(page, `wired-limit-${name}`, colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });

    test.each(Object.keys(noticeStates))('%s', async (name) => {
      const { page, complaints, close } = await open(noticeStates[name] ?? states.ready, { colorScheme, freeze: true });
      await settled(page);
      await lookAt(page, name, colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });

    test('conversations', async () => {
      const { page, complaints, close } = await open(states.complete, { colorScheme, freeze: true });
      await settled(page);
      await page.getByRole('button', { name: 'Conversations' }).click();
      await page.getByRole('dialog', { name: 'Conversations' }).waitFor();
      await page.waitForTimeout(250);
      await lookAt(page, 'conversations', colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });
  });

  const type = async (page: Page, text: string): Promise<void> => {
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  };
  const answerStatus = (page: Page, status: string) =>
    page.locator(`[data-testid="answer"][data-status="${status}"]`).last();
  const slowly = (words: number): FakeScript => ({
    ...states.ready,
    reply: {
      reasoning: ['I think', ' a little.'],
      text: Array.from({ length: words }, (_, index) => `word${index} ${index % 12 === 11 ? '\n\n' : ''}`),
      pieceMs: 10,
    },
  });

  test('the scenario of every host', async () => {
    const { page, complaints, close } = await open(slowly(60));
    // The fake is born anew with the page: reloading is for hosts that remember.
    await runWindowScenario(page, { timeoutMs: 10_000, reload: async () => undefined });
    expect(complaints).toEqual([]);
    await close();
  });

  test('by keyboard alone', async () => {
    const { page, complaints, close } = await open(slowly(30));
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
    await settled(page);
    expect(await focused()).toBe('Message');
    await page.keyboard.type('first');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second');
    expect(await page.getByRole('textbox').inputValue()).toBe('first\nsecond');
    await page.keyboard.press('Enter');
    await answerStatus(page, 'complete').waitFor();
    expect(await focused()).toBe('Message');

    // Effort by arrow keys.
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Effort');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => window.fakeMain.calls.some(({ route }) => route === 'settings.update'));
    expect(await page.getByRole('combobox', { name: 'Effort' }).inputValue()).toBe('high');

    // Every control has a place in the order, and the order comes round.
    await page.getByRole('textbox').focus();
    const seen = new Set<string>();
    for (let step = 0; step < 24; step += 1) {
      await page.keyboard.press('Shift+Tab');
      seen.add(
        await page.evaluate(
          () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
        ),
      );
    }
    for (const name of [
      'Conversations',
      'New conversation',
      'gpt-oss-20b',
      'Conversation',
      'Effort',
      'Copy the answer',
    ])
      expect([...seen]).toContain(name);
    expect([...seen].some((name) => name.startsWith('Thought'))).toBe(true);

    // The list: opened, walked, closed by Escape, and the focus comes back.
    await page.getByRole('button', { name: 'Conversations', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused()).toBe('Conversations');
    const hides = () =>
      page.evaluate(() => window.fakeMain.calls.filter(({ route }) => route === 'window.hide').length);
    expect(await hides()).toBe(0);
    await page.keyboard.press('Escape');
    expect(await hides()).toBe(1);

    // A new conversation by its shortcut.
    await page.keyboard.press('Meta+n');
    await page.getByTestId('stage').waitFor();
    expect(await focused()).toBe('Message');

    // The switch by Space.
    await page.getByRole('switch').focus();
    await page.keyboard.press('Space');
    await page.getByText('is off').waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test('an input method keeps its Enter', async () => {
    const { page, close } = await open(states.ready);
    await settled(page);
    const sent = () => page.evaluate(() => window.fakeMain.calls.some(({ route }) => route === 'chat.send'));
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await page.evaluate(() =>
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }),
      ),
    );
    expect(await sent()).toBe(false);
    await cdp.send('Input.insertText', { text: '日本' });
    expect(await page.getByRole('textbox').inputValue()).toBe('日本');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => window.fakeMain.calls.some(({ route }) => route === 'chat.send'));
    await close();
  });

  test('a long answer keeps its end in view until the reader scrolls up', async () => {
    const { page, close } = await open(slowly(600));
    await settled(page);
    // Looked at right after a frame: between two frames a line may have come that has not been laid out yet.
    const distance = () =>
      page.getByRole('log').evaluate(
        (view) =>
          new Promise<number>((resolve) => {
            const look = () => resolve(view.scrollHeight - view.clientHeight - view.scrollTop);
            requestAnimationFrame(() => setTimeout(look));
          }),
      );
    const twoLines = 48;
    await type(page, 'Tell me more');
    await page.waitForFunction(() => {
      const view = document.querySelector('[role="log"]');
      return view !== null && view.scrollHeight > view.clientHeight + 200;
    });
    for (let look = 0; look < 10; look += 1) {
      expect(await distance()).toBeLessThanOrEqual(twoLines);
      await page.waitForTimeout(20);
    }
    await page.getByRole('log').hover();
    await page.mouse.wheel(0, -150);
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor();
    const top = () => page.getByRole('log').evaluate((view) => view.scrollTop);
    await page.waitForTimeout(150);
    const held = await top();
    const gap = await distance();
    await page.waitForTimeout(500);
    expect(await top()).toBe(held);
    expect(await distance()).toBeGreaterThan(gap);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await page.waitForTimeout(100);
    expect(await distance()).toBeLessThanOrEqual(twoLines);
    await close();
  });

  test('a lost piece of an answer is fetched', async () => {
    const { page, close } = await open(states.answering);
    await settled(page);
    const opens = () => page.evaluate(() => window.fakeMain.calls.filter(({ route }) => route === 'chat.open').length);
    const before = await opens();
    await page.evaluate(() =>
      window.fakeMain.emit('chat.delta', {
        conversationId: '10000000-0000-4000-8000-000000000001',
        messageId: '30000000-0000-4000-8000-000000000001',
        textStart: 100_000,
        text: 'later',
        reasoningStart: 0,
        reasoning: '',
        status: { kind: 'answering' },
        generatedTokens: 900,
        reasoningTokens: 0,
      }),
    );
    await page.waitForFunction(
      (count) => window.fakeMain.calls.filter(({ route }) => route === 'chat.open').length > count,
      before,
    );
    // Main never has the missing text: asking again is bounded.
    await page.waitForTimeout(1_200);
    expect((await opens()) - before).toBeLessThanOrEqual(4);
    await close();
  });

  test('a link shows where it goes and is opened by main', async () => {
    const { page, url, close } = await open(states.markdown);
    await settled(page);
    const link = page.getByRole('link', { name: 'Apple’s page' });
    await link.hover();
    expect(await page.getByTestId('link-status').innerText()).toBe('support.apple.com/guide/activity-monitor');
    await link.click();
    const calls = await page.evaluate(() => window.fakeMain.calls.filter(({ route }) => route === 'link.open'));
    expect(calls).toEqual([{ route: 'link.open', input: { url: 'https://support.apple.com/guide/activity-monitor' } }]);
    expect(new URL(page.url()).origin).toBe(new URL(url).origin);
    await close();
  });

  test('copying takes what was written', async () => {
    const { page, close } = await open(states.code);
    await settled(page);
    await page.getByRole('button', { name: 'Copy the code' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.startsWith('select *\nfrom (\n  select m.*')).toBe(true);
    await close();
  });

  test('a refused message stays in the composer and says why', async () => {
    const { page, close } = await open({
      ...states.ready,
      refuse: { 'chat.send': { code: 'no-model', message: 'No model is chosen.', nextStep: 'Choose one above.' } },
    });
    await settled(page);
    await type(page, 'Hello');
    await page.getByRole('alert').getByText('No model is chosen.').waitFor();
    expect(await page.getByRole('textbox').inputValue()).toBe('Hello');
    expect(await axe(page)).toEqual([]);
    await close();
  });

  test('a connection that comes back shows what main has now', async () => {
    const { page, close } = await open(states.disconnected);
    await page.getByText('The connection to Headroom is lost.').waitFor();
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    await page.evaluate(() => window.fakeMain.setConnected(true));
    await page.getByText('The connection to Headroom is lost.').waitFor({ state: 'detached' });
    expect(await page.getByTestId('engine-state').innerText()).toBe('Ready');
    await close();
  });

  test('the demo model answers a suggestion', async () => {
    const { page, close } = await open({ ...states['ready-toy'], reply: slowly(5).reply });
    await settled(page);
    await page.getByRole('button', { name: 'What is the wired limit?' }).click();
    await answerStatus(page, 'complete').waitFor();
    expect(await page.getByText('toy', { exact: true }).count()).toBe(1);
    await close();
  });

  test.each(['light', 'dark'] as const)('more contrast, larger text, no motion: %s', async (colorScheme) => {
    const { page, complaints, close } = await open(states.markdown, {
      colorScheme,
      contrast: 'more',
      reducedMotion: 'reduce',
      freeze: true,
    });
    await settled(page);
    expect(await axe(page)).toEqual([]);
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
    // Text zoom as the browser's settings do it: a larger root size. Nothing may be cut off sideways.
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    await page.waitForTimeout(150);
    await lookAt(page, 'zoomed-contrast', colorScheme);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await close();
  });
});
