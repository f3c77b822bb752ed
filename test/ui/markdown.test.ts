/** Answers in the built window in a real browser: how they look, how they grow, how they are found, what they may not do. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import {
  answeredWith,
  BROKEN_ANSWER,
  CODE_ANSWER,
  DIRECTIONS_ANSWER,
  longAnswer,
  longConversation,
  MATH_ANSWER,
  NOTES_ANSWER,
} from './answers.ts';
import { whyNoChromium } from './chromium.ts';
import type { FakeScript } from './fake-bridge.ts';
import { axe, fakeWindows, lookAt, settled } from './fake-window.ts';
import { states } from './states.ts';

const ANSWERS = {
  code: CODE_ANSWER,
  formulas: MATH_ANSWER,
  'table-tasks-notes': NOTES_ANSWER,
  'right-to-left': DIRECTIONS_ANSWER,
  broken: BROKEN_ANSWER,
} as const;

const noChromium = whyNoChromium();

describe.skipIf(noChromium !== null)('answers', () => {
  const open = fakeWindows();
  /** Everything that comes later has come: formulas, colours. */
  const drawn = async (page: Page): Promise<void> => {
    await settled(page);
    await page.waitForFunction(() => document.querySelector('[data-formula]:not([data-drawn])') === null);
    await page.waitForTimeout(700);
  };

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[])('%s', async (name) => {
      const { page, url, complaints, close } = await open(answeredWith('Show me.', ANSWERS[name]), {
        colorScheme,
        freeze: true,
      });
      const elsewhere: string[] = [];
      page.on('request', (request) => {
        if (!request.url().startsWith(url)) elsewhere.push(request.url());
      });
      await page.setViewportSize({ width: 420, height: 900 });
      await drawn(page);
      if (name === 'code') await page.locator('pre span[class*=keyword]').first().waitFor();
      if (name === 'formulas') expect(await page.locator('math').count()).toBe(9);
      await lookAt(page, `answer-${name}`, colorScheme);
      expect(await axe(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(elsewhere).toEqual([]);
      await close();
    });

    test('found', async () => {
      const { page, complaints, close } = await open(longConversation(12), { colorScheme, freeze: true });
      await drawn(page);
      await page.keyboard.press('Meta+f');
      await page.keyboard.type('the whole cache');
      await page
        .getByTestId('find-count')
        .getByText(/^\d+ of \d+$/)
        .waitFor();
      await drawn(page);
      await lookAt(page, 'find', colorScheme);
      expect(await axe(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });
  });

  test('written piece by piece it ends as if drawn at once', async () => {
    const text = [CODE_ANSWER, MATH_ANSWER, NOTES_ANSWER, DIRECTIONS_ANSWER].join('\n\n');
    // Colours come when their worker has time: they are another test's.
    const tree = (page: Page): Promise<string> =>
      page
        .getByTestId('answer-text')
        .last()
        .evaluate((root) => {
          const copy = root.cloneNode(true) as Element;
          for (const run of copy.querySelectorAll('pre code span span')) run.replaceWith(run.textContent);
          copy.normalize();
          return copy.innerHTML.replace(/_r_\w+_/g, 'ID');
        });
    const whole = await open(answeredWith('Show me.', text));
    await drawn(whole.page);
    const expected = await tree(whole.page);
    await whole.close();

    const pieces = text.match(/[\s\S]{1,23}/g) ?? [];
    const { page, complaints, close } = await open({
      ...states.ready,
      reply: { reasoning: [], text: pieces, pieceMs: 4 },
    });
    await settled(page);
    await page.keyboard.type('Show me.');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid="answer"][data-status="complete"]').waitFor({ timeout: 30_000 });
    await drawn(page);
    expect(await tree(page)).toBe(expected);
    expect(complaints).toEqual([]);
    await close();
  });

  test('code is coloured line by line while it is written', async () => {
    const text = '```ts\nconst a = 1;\nconst b = "two"';
    const base = states.answering;
    const script: FakeScript = {
      ...base,
      conversations: base.conversations.map((conversation) => ({
        ...conversation,
        messages: conversation.messages.map((message) =>
          message.role === 'assistant' ? { ...message, text, reasoning: '' } : message,
        ),
      })),
    };
    const answer = script.conversations[0]?.messages.at(-1);
    if (answer === undefined) throw new Error('there is an answer');
    const { page, close } = await open(script);
    await settled(page);
    const keywords = page.locator('pre span[class*=keyword]');
    await keywords.first().waitFor();
    // The line that is being written has no colours yet.
    expect(await keywords.allInnerTexts()).toEqual(['const']);
    await page.evaluate(
      ({ conversationId, messageId, textStart }) =>
        window.fakeMain.emit('chat.delta', {
          conversationId,
          messageId,
          textStart,
          text: ';\n// done',
          reasoningStart: 0,
          reasoning: '',
          status: { kind: 'answering' },
          generatedTokens: 20,
          reasoningTokens: 0,
        }),
      { conversationId: answer.conversationId, messageId: answer.id, textStart: text.length },
    );
    await page.locator('pre span[class*=string]').waitFor();
    expect(await keywords.allInnerTexts()).toEqual(['const', 'const']);
    expect(await page.locator('pre span[class*=comment]').count()).toBe(0);
    await close();
  });

  test('a message that comes back into view has its colours at once', async () => {
    const { page, close } = await open(longConversation(30));
    await drawn(page);
    const last = page.locator('[data-index="29"]');
    await last.locator('pre span[class*=keyword]').first().waitFor();
    await page.waitForTimeout(1_000);
    const runs = await last.locator('pre span[class*=keyword]').count();
    await page.getByRole('log').evaluate((view) => (view.scrollTop = 0));
    await last.waitFor({ state: 'detached' });
    const atOnce = await page.getByRole('log').evaluate(
      (view) =>
        new Promise<number>((resolve) => {
          const observer = new MutationObserver(() => {
            const row = view.querySelector('[data-index="29"]');
            if (row === null) return;
            observer.disconnect();
            resolve(row.querySelectorAll('pre span[class*=keyword]').length);
          });
          observer.observe(view, { childList: true, subtree: true });
          view.scrollTop = view.scrollHeight;
        }),
    );
    expect(atOnce).toBe(runs);
    expect(runs).toBeGreaterThan(0);
    await close();
  });

  test('long lines wrap when asked to', async () => {
    const { page, close } = await open(answeredWith('Code', CODE_ANSWER));
    await drawn(page);
    const pre = page.locator('pre').first();
    const hidden = () => pre.evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(await hidden()).toBeGreaterThan(50);
    await page.getByRole('button', { name: 'Wrap long lines' }).first().click();
    expect(await hidden()).toBe(0);
    await close();
  });

  test('copied code is what was written, not what is shown', async () => {
    const code = 'if (a\u202e) // \u001b[0m';
    const { page, close } = await open(answeredWith('Code', `\`\`\`js\n${code}\n\`\`\``));
    await drawn(page);
    expect(await page.locator('pre').innerText()).toContain('⟨U+202E⟩');
    await page.getByRole('button', { name: 'Copy the code' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);
    await close();
  });

  test('a footnote is reached and left by keyboard', async () => {
    const { page, complaints, close } = await open(answeredWith('Notes', NOTES_ANSWER));
    await drawn(page);
    await page.getByRole('link', { name: 'Footnote 1', exact: true }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Apple calls it');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Footnote 1');
    expect(new URL(page.url()).hash).toBe('');
    expect(complaints).toEqual([]);
    await close();
  });

  test('hostile answers leave the window and their neighbours as they were', async () => {
    const hostile = [
      `${'>'.repeat(5_000)} deep`,
      'word '.repeat(200_000),
      `\`\`\`json\n${'{"a":1},'.repeat(120_000)}\n\`\`\``,
      `\`\`\`js\n${'/*'.repeat(900)}${'('.repeat(900)}\n\`\`\``,
      `\\[ ${'\\frac{1}{'.repeat(300)} \\]`,
      '\\( \\def\\a{\\a\\a}\\a \\)',
      '\u0310\u0311\u0312'.repeat(500),
      '\u202e\u2067'.repeat(500),
      `${'| a '.repeat(300)}|\n${'| - '.repeat(300)}|\n${'| b '.repeat(300)}|`,
    ];
    const base = longConversation(hostile.length * 2);
    const script: FakeScript = {
      ...base,
      conversations: base.conversations.map((conversation) => ({
        ...conversation,
        messages: conversation.messages.map((message, n) =>
          message.role === 'user' ? message : { ...message, text: hostile[(n - 1) / 2] ?? '' },
        ),
      })),
    };
    const { page, complaints, close } = await open(script);
    await settled(page);
    // Every neighbour can be reached, past whatever lies between, and is drawn.
    for (let n = 0; n < hostile.length; n += 1) {
      await page.keyboard.press('Meta+f');
      await page.keyboard.type(`Question ${n * 2 + 1}:`);
      await page.getByTestId('find-count').getByText('1 of 1').waitFor();
      const question = page.getByText(`Question ${n * 2 + 1}:`);
      await expect
        .poll(
          () =>
            question.evaluate((element) => {
              const { top, bottom } = element.getBoundingClientRect();
              return top > 40 && bottom < 640;
            }),
          { timeout: 15_000 },
        )
        .toBe(true);
      expect(await page.locator(`[data-index="${n * 2 + 1}"]`).count()).toBe(1);
    }
    // The window still takes a key at once.
    const startedMs = performance.now();
    await page.getByRole('textbox', { name: 'Message' }).fill('still here');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(complaints).toEqual([]);
    await close();
  });

  describe('find', () => {
    const found = (page: Page) => page.getByTestId('find-count').innerText();
    const highlighted = (page: Page, name: string) =>
      page.evaluate(
        (which) => [...(CSS.highlights.get(which) ?? [])].map((range) => (range as Range).toString().toLowerCase()),
        name,
      );
    const isInView = (page: Page) =>
      page.evaluate(() => {
        const [range] = CSS.highlights.get('find-current') ?? [];
        const view = document.querySelector('[role="log"]')?.getBoundingClientRect();
        const place = (range as Range | undefined)?.getBoundingClientRect();
        return (
          view !== undefined &&
          place !== undefined &&
          place.height > 0 &&
          place.top >= view.top &&
          place.bottom <= view.bottom
        );
      });

    test('goes through a hundred and twenty messages, drawn or not, and comes round', async () => {
      const { page, complaints, close } = await open(longConversation(120));
      await settled(page);
      await page.keyboard.press('Meta+f');
      await page.keyboard.type('Question 1');
      // 1, 11, 13, 15, 17, 19, 101 … 119: every other message is a question.
      await page
        .getByTestId('find-count')
        .getByText(/of 16$/)
        .waitFor();
      const seen = new Set<string>();
      for (let step = 0; step < 16; step += 1) {
        seen.add(await found(page));
        await page.waitForFunction(() => CSS.highlights.get('find-current')?.size === 1);
        await expect.poll(() => isInView(page), { timeout: 15_000 }).toBe(true);
        expect(await highlighted(page, 'find-current')).toEqual(['question 1']);
        await page.keyboard.press('Enter');
      }
      expect(seen.size).toBe(16);
      // Back where it began, and one back from there.
      expect([...seen]).toContain(await found(page));
      const here = await found(page);
      await page.keyboard.press('Shift+Enter');
      expect(await found(page)).not.toBe(here);
      // Escape closes the bar, wherever the focus is, then the window.
      await page.getByRole('log').focus();
      const hides = () =>
        page.evaluate(() => window.fakeMain.calls.filter(({ route }) => route === 'window.hide').length);
      await page.keyboard.press('Escape');
      expect(await hides()).toBe(0);
      expect(await page.getByRole('search').count()).toBe(0);
      expect(await page.evaluate(() => CSS.highlights.size)).toBe(0);
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Message');
      await page.keyboard.press('Escape');
      expect(await hides()).toBe(1);
      expect(complaints).toEqual([]);
      await close();
    });

    test('counts what the reader sees: not marks, not addresses, across bold and code', async () => {
      const text =
        'A **wi**red limit, [wired](https://wired.example), `wired`\n\n```sh\nwired\n```\n\n| wired |\n| - |\n| x |';
      const { page, close } = await open(answeredWith('wired?', text));
      await drawn(page);
      await page.keyboard.press('Meta+f');
      await page.keyboard.type('WIRED');
      await page.getByTestId('find-count').getByText(/of 6$/).waitFor();
      const all = [...(await highlighted(page, 'find')), ...(await highlighted(page, 'find-current'))];
      expect(all).toEqual(Array.from({ length: 6 }, () => 'wired'));
      await close();
    });

    test('a letter that is everywhere is counted, and marked within bounds', async () => {
      const { page, complaints, close } = await open(answeredWith('What?', 'eee '.repeat(50_000)));
      await settled(page);
      await page.keyboard.press('Meta+f');
      await page.keyboard.type('e');
      await page.getByTestId('find-count').getByText('of 150,000').waitFor();
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => CSS.highlights.get('find-current')?.size === 1);
      expect(await page.evaluate(() => CSS.highlights.get('find')?.size ?? 0)).toBeLessThanOrEqual(1_000);
      expect(complaints).toEqual([]);
      await close();
    });

    test('nothing there is said, and a reader who is found is not pulled away', async () => {
      const { page, close } = await open(longConversation(20));
      await settled(page);
      await page.keyboard.press('Meta+f');
      await page.keyboard.type('no such words');
      await page.getByText('Not found').waitFor();
      expect(await page.getByRole('button', { name: 'Next match' }).isDisabled()).toBe(true);
      await close();
    });
  });

  test('a long conversation is drawn in part, opens at its end, and keeps what holds the focus', async () => {
    const { page, close } = await open(longConversation(120));
    await settled(page);
    const rows = () => page.locator('[data-index]').count();
    expect(await rows()).toBeLessThan(20);
    expect(await page.locator('[data-index="119"]').count()).toBe(1);
    const gap = await page.getByRole('log').evaluate((view) => view.scrollHeight - view.clientHeight - view.scrollTop);
    expect(gap).toBeLessThanOrEqual(1);
    const copy = page.locator('[data-index="119"]').getByRole('button', { name: 'Copy the answer' });
    await copy.focus();
    await page.getByRole('log').evaluate((view) => (view.scrollTop = 0));
    await page.locator('[data-index="0"]').waitFor();
    expect(await copy.evaluate((button) => button === document.activeElement)).toBe(true);
    await close();
  });

  test('thoughts that are opened stay under the pointer', async () => {
    const base = longConversation(10);
    const { page, close } = await open({
      ...base,
      conversations: base.conversations.map((conversation) => ({
        ...conversation,
        messages: conversation.messages.map((message) =>
          message.role === 'assistant'
            ? { ...message, text: 'Short.', reasoning: 'One thought after another.\n\n'.repeat(40), reasoningMs: 4_000 }
            : message,
        ),
      })),
    });
    await settled(page);
    const fold = page.getByRole('button', { name: /^Thought for/ }).last();
    const top = () => fold.evaluate((button) => button.getBoundingClientRect().top);
    const before = await top();
    await fold.click();
    await page.getByText('One thought after another.').first().waitFor();
    await page.waitForTimeout(600);
    expect(await top()).toBe(before);
    await fold.click();
    await page.waitForTimeout(600);
    expect(await top()).toBe(before);
    await close();
  });

  test('a conversation that is opened again is where its reader left it', async () => {
    const base = longConversation(60);
    const [first] = base.conversations;
    if (first === undefined) throw new Error('there is a conversation');
    const otherId = base.app.conversations[1]?.id ?? '';
    const other = {
      ...first,
      id: otherId,
      title: 'Another',
      messages: first.messages.slice(0, 4).map((message) => ({ ...message, conversationId: otherId })),
    };
    const { page, close } = await open({ ...base, conversations: [first, other] });
    await settled(page);
    const view = page.getByRole('log');
    const firstLine = () =>
      view.evaluate((root) => {
        const line = [...root.querySelectorAll('p, pre, h3')].find(
          (element) => element.getBoundingClientRect().top >= root.getBoundingClientRect().top,
        );
        return `${line?.textContent} at ${Math.round(line?.getBoundingClientRect().top ?? 0)}`;
      });
    await view.hover();
    await page.mouse.wheel(0, -9_000);
    await page.waitForTimeout(600);
    const left = await firstLine();
    const go = async (title: string): Promise<void> => {
      await page.getByRole('button', { name: 'Conversations', exact: true }).click();
      await page.getByRole('dialog').getByText(title).first().click();
      await page.waitForTimeout(600);
    };
    await go(base.app.conversations[1]?.title ?? '');
    expect(await page.locator('[data-index="3"]').count()).toBe(1);
    await go(base.app.conversations[0]?.title ?? '');
    expect(await firstLine()).toBe(left);
    await close();
  });

  test('a reader who has scrolled up in a long answer is not moved by what is written below', async () => {
    const pieces = longAnswer(16_000).match(/[\s\S]{1,40}/g) ?? [];
    const { page, close } = await open({
      ...longConversation(30),
      reply: { reasoning: [], text: pieces, pieceMs: 12 },
    });
    await settled(page);
    await page.keyboard.type('Go on');
    await page.keyboard.press('Enter');
    await page.locator('[data-status="answering"]').waitFor();
    await page.waitForTimeout(1_000);
    await page.getByRole('log').hover();
    await page.mouse.wheel(0, -600);
    await page.waitForTimeout(400);
    // The first line in view stays where it is, to the pixel.
    const look = () =>
      page.evaluate(() => {
        const view = document.querySelector('[role="log"]')?.getBoundingClientRect();
        const lines = [...document.querySelectorAll('[data-index] p, [data-index] pre, [data-index] h3')];
        const line = lines.find((element) => element.getBoundingClientRect().top >= (view?.top ?? 0));
        return `${line?.textContent.slice(0, 40)} at ${line?.getBoundingClientRect().top}`;
      });
    const before = await look();
    for (let moment = 0; moment < 12; moment += 1) {
      await page.waitForTimeout(100);
      expect(await look()).toBe(before);
    }
    expect(await page.locator('[data-status="answering"]').count()).toBe(1);
    await close();
  });
});
