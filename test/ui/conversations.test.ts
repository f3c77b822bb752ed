/** Conversations in a real browser over a fake main: everything that can be done to them, by pointer and by keyboard. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { RouteName } from '../../preload/contract.ts';
import { whyNoChromium } from './chromium.ts';
import { conversationStates, longConversation } from './conversation-states.ts';
import { axe, fakeWindows, lookAt, settled } from './fake-window.ts';
import { states } from './states.ts';

const noChromium = whyNoChromium();

const focused = (page: Page) =>
  expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')));

const called = (page: Page, route: RouteName) =>
  page.evaluate((name) => window.fakeMain.calls.filter((call) => call.route === name).map(({ input }) => input), route);

describe.skipIf(noChromium !== null)('conversations in the window', () => {
  const open = fakeWindows();

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    const rules = colorScheme === 'light' ? 'all' : 'contrast';
    test.each(Object.keys(conversationStates) as (keyof typeof conversationStates)[])('%s', async (name) => {
      const { page, complaints, close } = await open(conversationStates[name], { colorScheme, freeze: true });
      await settled(page);
      if (name === 'list') {
        await page.getByRole('button', { name: 'Conversations' }).click();
        await page.getByRole('button', { name: 'Why the sky is dark at night', exact: true }).hover();
        await page.getByRole('button', { name: 'More for “Why the sky is dark at night”' }).click();
      }
      if (name === 'branches') await page.getByTestId('answer').last().hover();
      if (name === 'full') {
        await page.getByRole('textbox', { name: 'Message' }).fill('One more question');
        await page.getByTestId('context-fit').waitFor();
      }
      if (name === 'summarised') await page.getByRole('button', { name: 'Show it' }).click();
      await page.waitForTimeout(250);
      await lookAt(page, `conversation-${name}`, colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });

    test('search, settings and shortcuts', async () => {
      const { page, complaints, close } = await open(states.complete, { colorScheme, freeze: true });
      await settled(page);
      await page.keyboard.press('Meta+k');
      await page.getByRole('searchbox', { name: 'Search conversations' }).fill('wired');
      await page.getByTestId('hit').first().waitFor();
      await lookAt(page, 'conversation-search', colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('Meta+i');
      await page.getByRole('textbox', { name: 'Instructions' }).fill('Answer in one sentence.');
      await page.getByText('Sampling').click();
      await page.getByLabel('Temperature').fill('7');
      await lookAt(page, 'conversation-settings', colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Meta+/');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await lookAt(page, 'shortcuts', colorScheme);
      expect(await axe(page, rules)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });
  });

  test('a conversation is renamed, pinned, archived, deleted, and each taken back', async () => {
    const { page, complaints, close } = await open(conversationStates.list);
    await settled(page);
    const title = 'Why the sky is dark at night';
    const more = async (what: string, of = title) => {
      await page.getByRole('button', { name: of, exact: true }).hover();
      await page.getByRole('button', { name: `More for “${of}”` }).click();
      await page.getByRole('menuitem', { name: what, exact: true }).click();
    };
    await page.getByRole('button', { name: 'Conversations' }).click();

    await more('Rename');
    await page.getByRole('textbox', { name: 'Title' }).fill('Olbers’ paradox');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Olbers’ paradox', exact: true }).waitFor();

    await more('Pin', 'Olbers’ paradox');
    await page.getByRole('heading', { name: 'Pinned' }).waitFor();
    await more('Unpin', 'Olbers’ paradox');
    await page.getByRole('heading', { name: 'Pinned' }).waitFor({ state: 'detached' });

    await more('Delete', 'Olbers’ paradox');
    const gone = page.getByRole('button', { name: 'Olbers’ paradox', exact: true });
    await gone.waitFor({ state: 'detached' });
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await gone.waitFor();
    expect(await called(page, 'chat.undelete')).toHaveLength(1);

    await more('Archive', 'Olbers’ paradox');
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    expect((await called(page, 'chat.archive')).map((input) => (input as { archived: boolean }).archived)).toEqual([
      true,
      false,
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('the conversation that is shown and deleted gives way to a new one', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    await page.getByTestId('user-message').first().waitFor();
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.locator('[aria-current="true"]').press('Backspace');
    await page.getByTestId('undo').waitFor();
    // What goes leaves the focus in the list.
    expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByTestId('user-message').waitFor({ state: 'detached' });
    await close();
  });

  test('a message is edited in its place; Escape leaves it as it was; the versions are walked', async () => {
    const { page, complaints, close } = await open(states.complete);
    await settled(page);
    await page.keyboard.press('Meta+ArrowUp');
    const editor = page.getByRole('textbox', { name: 'Edit the message' });
    await editor.fill('Something else');
    await page.keyboard.press('Escape');
    await editor.waitFor({ state: 'detached' });
    await focused(page).toBe('Message');
    expect(await called(page, 'chat.edit')).toEqual([]);
    expect(await called(page, 'window.hide')).toEqual([]);

    await page.keyboard.press('Meta+ArrowUp');
    await editor.fill('What is a wired limit, in one sentence?');
    await page.keyboard.press('Enter');
    await page.getByText('What is a wired limit, in one sentence?').waitFor();
    await page.locator('[data-testid="answer"][data-status="complete"]').waitFor();
    const walker = page.getByTestId('branches').first();
    await walker.getByText('2 / 2').waitFor();
    await walker.getByRole('button', { name: 'Earlier version' }).press('Enter');
    await page.getByText('What is a wired limit?', { exact: true }).waitFor();
    await page.getByTestId('branches').first().getByText('1 / 2').waitFor();
    // The version that was left took its buttons with it.
    await focused(page).toBe('Later version');
    expect(complaints).toEqual([]);
    await close();
  });

  test('an answer is asked for again, and a stopped one goes on', async () => {
    const { page, close } = await open(conversationStates.stopped);
    await settled(page);
    await page.getByTestId('end').getByRole('button', { name: 'Continue' }).click();
    await expect.poll(() => called(page, 'chat.continue')).toHaveLength(1);
    await page.locator('[data-testid="answer"][data-status="complete"]').waitFor();
    await page.getByTestId('answer').hover();
    await page.getByRole('button', { name: 'Answer again' }).press('Enter');
    await expect.poll(() => called(page, 'chat.regenerate')).toHaveLength(1);
    await focused(page).toBe('Message');
    await close();
  });

  test('while an answer runs a message waits its turn and can be taken back', async () => {
    const { page, close } = await open({ ...states.complete, reply: { ...states.complete.reply, pieceMs: 400 } });
    await settled(page);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('First');
    await field.press('Enter');
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await field.fill('Second');
    await field.press('Enter');
    await page.getByTestId('queued').waitFor();
    expect(await field.inputValue()).toBe('');
    await page.getByRole('button', { name: 'Edit the waiting message' }).click();
    await expect.poll(() => field.inputValue()).toBe('Second');
    expect(await page.getByTestId('queued').count()).toBe(0);

    await field.press('Enter');
    await page.getByTestId('queued').waitFor();
    await field.fill('Third');
    await page.getByRole('button', { name: 'Edit the waiting message' }).click();
    // Nothing of what was being written goes.
    await expect.poll(() => field.inputValue()).toBe('Second\n\nThird');
    await field.press('Meta+.');
    await expect.poll(() => called(page, 'chat.stop')).toHaveLength(1);
    await close();
  });

  test('a screen reader hears each answer once, also one like the answer before it', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    await page.evaluate(() => {
      const region = document.querySelector('[data-testid="announcement"]');
      const heard: string[] = [];
      Object.assign(window, { heard });
      const listen = () => heard.push(region?.textContent ?? '');
      if (region !== null)
        new MutationObserver(listen).observe(region, { childList: true, subtree: true, characterData: true });
    });
    const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    const field = page.getByRole('textbox', { name: 'Message' });
    for (const times of [1, 2]) {
      await field.fill('Again');
      await field.press('Enter');
      await expect.poll(async () => (await heard()).length).toBe(times);
      await page.getByRole('button', { name: 'Send' }).waitFor();
    }
    await page.waitForTimeout(500);
    const [first, second, ...more] = await heard();
    expect(first).not.toBe('');
    expect(second).toBe(first);
    expect(more).toEqual([]);
    await close();
  });

  test('a long paste becomes a block with its cost, a file too; both are sent with the message', async () => {
    const { page, complaints, close } = await open(states.complete);
    await settled(page);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.focus();
    await page.evaluate(async () => {
      await navigator.clipboard.writeText('a line of a long log\n'.repeat(400));
    });
    await page.keyboard.press('Control+v');
    await page.getByTestId('attachment').getByText('Pasted text').waitFor();
    expect(await field.inputValue()).toBe('');
    await page.getByTestId('attach-input').setInputFiles({
      name: 'state.ts',
      mimeType: 'text/plain',
      buffer: Buffer.from('export const a = 1;\n'),
    });
    await page.getByTestId('attachment').getByText('state.ts').waitFor();
    await page.getByTestId('attachment').getByText('state.ts').click();
    await page.getByText('export const a = 1;').waitFor();
    await field.fill('What is in these?');
    await field.press('Enter');
    await expect.poll(() => called(page, 'chat.send')).toHaveLength(1);
    const [sent] = await called(page, 'chat.send');
    expect((sent as { attachmentIds: string[] }).attachmentIds).toHaveLength(2);
    expect(complaints).toEqual([]);
    await close();
  });

  test('several files are attached at once, and are a message without a word', async () => {
    const { page, complaints, close } = await open(states.complete);
    await settled(page);
    const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from('const a = 1;\n') });
    await page.getByTestId('attach-input').setInputFiles([file('a.ts'), file('b.ts'), file('c.ts')]);
    await expect.poll(() => page.getByTestId('attachment').count()).toBe(3);
    await page.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => called(page, 'chat.send')).toHaveLength(1);
    const [sent] = await called(page, 'chat.send');
    expect(sent).toMatchObject({
      text: '',
      attachmentIds: [expect.any(String), expect.any(String), expect.any(String)],
    });
    const message = page.getByTestId('user-message').last();
    await message.getByText('c.ts').waitFor();
    expect(await message.locator('[data-find]').count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test('a file may be dropped anywhere on the window', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    const drop = (type: string) =>
      page.getByRole('log', { name: 'Conversation' }).evaluate((element, name) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['const a = 1;'], 'a.ts', { type: 'text/plain' }));
        const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
        return !element.dispatchEvent(event);
      }, type);
    expect(await drop('dragover')).toBe(true);
    await page.locator('[data-dropping="true"]').waitFor();
    expect(await drop('drop')).toBe(true);
    await page.getByTestId('attachment').getByText('a.ts').waitFor();
    expect(await page.locator('[data-dropping="true"]').count()).toBe(0);
    // What is in front of the conversation takes none, and the page stays.
    await page.keyboard.press('Meta+i');
    await page.getByRole('dialog').waitFor();
    expect(await drop('drop')).toBe(true);
    await page.keyboard.press('Escape');
    expect(await page.getByTestId('attachment').count()).toBe(1);
    await close();
  });

  test('a conversation has a model of its own, of those that are here', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    await page.keyboard.press('Meta+i');
    const model = page.getByLabel('Model', { exact: true });
    const here = states.complete.models.entries.filter(({ presence }) => presence.kind === 'here');
    expect(await model.getByRole('option').allInnerTexts()).toEqual(['As everywhere', ...here.map(({ name }) => name)]);
    const [first] = here;
    await model.selectOption({ label: first?.name ?? '' });
    await expect.poll(() => called(page, 'chat.configure')).toHaveLength(1);
    const [configured] = await called(page, 'chat.configure');
    expect(configured).toMatchObject({ settings: { modelId: first?.id } });
    await close();
  });

  test('what is written in the settings is kept, however they are left', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    const kept = async () =>
      (await called(page, 'chat.configure')).map((input) => (input as { settings: object }).settings);
    await page.keyboard.press('Meta+i');
    await page.getByRole('textbox', { name: 'Instructions' }).fill('Be brief.');
    await page.keyboard.press('Meta+k');
    await page.getByRole('dialog', { name: 'Conversations' }).waitFor();
    await expect.poll(kept).toEqual([{ systemText: 'Be brief.' }]);
    await page.keyboard.press('Meta+i');
    await page.getByLabel('Answer', { exact: true }).fill('512');
    await page.keyboard.press('Meta+k');
    await expect.poll(kept).toEqual([{ systemText: 'Be brief.' }, { maxAnswerTokens: 512 }]);
    // The window may be hidden and gone while it still has the focus.
    await page.keyboard.press('Meta+i');
    await page.getByRole('textbox', { name: 'Instructions' }).fill('Be long.');
    await expect.poll(kept).toContainEqual({ systemText: 'Be long.' });
    await close();
  });

  test('what was deleted in the archive comes back there', async () => {
    const { page, close } = await open(conversationStates.list);
    await settled(page);
    const title = 'Why the sky is dark at night';
    const row = page.getByRole('button', { name: title, exact: true });
    const more = async (what: string) => {
      await row.hover();
      await page.getByRole('button', { name: `More for “${title}”` }).click();
      await page.getByRole('menuitem', { name: what, exact: true }).click();
    };
    await page.getByRole('button', { name: 'Conversations' }).click();
    await more('Archive');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Archived' }).click();
    await row.waitFor();
    await more('Delete');
    await row.waitFor({ state: 'detached' });
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    await more('Unarchive');
    await row.waitFor({ state: 'detached' });
    // Less, and no more than that.
    await page.keyboard.press('Escape');
    await row.waitFor();
    await close();
  });

  test('what no longer fits is the person’s to leave out, and can be taken back', async () => {
    const { page, close } = await open(conversationStates.full);
    await settled(page);
    await page.getByRole('textbox', { name: 'Message' }).fill('One more question');
    await page.getByTestId('context-fit').getByRole('button', { name: 'Leave out the oldest' }).click();
    await page.getByTestId('context-cut').waitFor();
    await page.getByTestId('context-cut').getByRole('button', { name: 'Undo' }).click();
    await page.getByTestId('context-cut').waitFor({ state: 'detached' });
    expect((await called(page, 'chat.fit')).map((input) => (input as { how: string }).how)).toEqual([
      'trim',
      'everything',
    ]);
    await close();
  });

  test('what does not fit is said once, with ways that lead out of it', async () => {
    const { complete } = states;
    const [first] = complete.conversations;
    if (first === undefined) throw new Error('The state has no conversation.');
    const { page, close } = await open({
      ...complete,
      app: { ...complete.app, settings: { ...complete.app.settings, contextTokens: 1_024 } },
      // One exchange, and a limit of its own: the slider would not move it.
      conversations: [{ ...first, settings: { ...first.settings, contextTokens: 1_024 } }],
      refuse: { 'chat.send': { code: 'context-full', message: 'This takes 930 tokens.', nextStep: 'Make room.' } },
    });
    await settled(page);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('word '.repeat(1_000));
    const fit = page.getByTestId('context-fit');
    await fit.waitFor();
    await field.press('Enter');
    await expect.poll(() => called(page, 'chat.send')).toHaveLength(1);
    await expect.poll(() => field.inputValue()).toContain('word');
    expect(await page.getByText('This takes 930 tokens.').count()).toBe(0);
    expect(await fit.getByRole('button').allInnerTexts()).toEqual([
      'Leave out the oldest',
      'Summarise them',
      'Its own limit…',
    ]);
    await fit.getByRole('button', { name: 'Its own limit…' }).click();
    await page.getByRole('dialog', { name: 'Conversation settings' }).waitFor();
    await close();
  });

  test('an import says what it brought; a refused one says why and that nothing changed', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    await page.getByRole('button', { name: 'Conversations' }).click();
    const file = { name: 'conversations.json', mimeType: 'application/json', buffer: Buffer.from('[]') };
    await page.getByTestId('import-input').setInputFiles(file);
    await page.getByTestId('import-report').getByText('12 conversations and 340 messages from ChatGPT').waitFor();
    await close();

    const refused = await open({
      ...states.complete,
      refuse: {
        'chat.import': {
          code: 'refused',
          message: 'This is no export of conversations.',
          nextStep: 'Choose another file.',
        },
      },
    });
    await settled(refused.page);
    await refused.page.getByRole('button', { name: 'Conversations' }).click();
    await refused.page.getByTestId('import-input').setInputFiles(file);
    await refused.page.getByTestId('import-report').getByText('Nothing was changed.').waitFor();
    await refused.close();
  });

  test('what was found is opened at the message it was found in', async () => {
    const { page, close } = await open(longConversation);
    await settled(page);
    await page.keyboard.press('Meta+n');
    await page.keyboard.press('Meta+k');
    await page.getByRole('searchbox', { name: 'Search conversations' }).fill('needle');
    await page.getByTestId('hit').getByText('needle').last().click();
    await expect.poll(() => page.getByTestId('user-message').getByText('A needle').isVisible()).toBe(true);
    const inView = await page.evaluate(() => {
      const view = document.querySelector('[role="log"]')?.getBoundingClientRect();
      const message = [...document.querySelectorAll('[data-testid="user-message"]')]
        .find(({ textContent }) => textContent?.includes('A needle'))
        ?.getBoundingClientRect();
      return view !== undefined && message !== undefined && message.top >= view.top && message.bottom <= view.bottom;
    });
    expect(inView).toBe(true);
    await close();
  });

  test('drafts stay with their conversation', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    const field = page.getByRole('textbox', { name: 'Message' });
    await field.fill('Half a thought');
    await page.keyboard.press('Meta+n');
    await expect.poll(() => field.inputValue()).toBe('');
    await field.fill('Another');
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.getByRole('button', { name: 'What is a wired limit?', exact: true }).click();
    await expect.poll(() => field.inputValue()).toBe('Half a thought');
    await page.keyboard.press('Meta+n');
    await expect.poll(() => field.inputValue()).toBe('Another');
    await expect.poll(async () => (await called(page, 'chat.draft')).length).toBeGreaterThan(1);
    await close();
  });

  test('text zoom enlarges the text and is remembered', async () => {
    const { page, close } = await open(states.complete);
    await settled(page);
    const size = () => page.evaluate(() => Number.parseFloat(getComputedStyle(document.body).fontSize));
    const before = await size();
    await page.keyboard.press('Meta+=');
    await page.keyboard.press('Meta+=');
    const larger = await size();
    expect(larger).toBeGreaterThan(before * 1.2);
    await page.reload();
    await settled(page);
    expect(await size()).toBeCloseTo(larger);
    await page.keyboard.press('Meta+0');
    expect(await size()).toBeCloseTo(before);
    await close();
  });
});
