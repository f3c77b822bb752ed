/**
 * What a person does in the window, the same in every host: over Electron's IPC and over the headless host's socket.
 * It looks at roles and test ids only, so that it does not care what the model says.
 */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

export interface ScenarioOptions {
  /** Something the model answers within seconds. */
  readonly shortPrompt?: string;
  /** Something it writes about for long enough to be stopped. */
  readonly longPrompt?: string;
  /** False where the model at hand does not think before it answers. */
  readonly thinks?: boolean;
  /** Loads the page again, where the host allows it. */
  reload?(page: Page): Promise<void>;
  readonly timeoutMs?: number;
}

const FINAL = /^(complete|stopped|interrupted|length|failed)$/;

export async function runWindowScenario(page: Page, options: ScenarioOptions = {}): Promise<void> {
  const {
    shortPrompt = 'What is the wired limit?',
    longPrompt = 'Write a long story.',
    thinks = true,
    reload = async (reloaded) => {
      await reloaded.reload();
    },
    timeoutMs = 60_000,
  } = options;
  const timeout = timeoutMs;
  const composer = page.getByRole('textbox', { name: 'Message' });
  const power = page.getByRole('switch');
  const answers = page.getByTestId('answer');
  const lastAnswer = answers.last();
  const statusOf = (answer: Locator): Promise<string | null> => answer.getAttribute('data-status');
  const engineState = page.getByTestId('engine-state');

  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > deadline) assert.fail(`Not within ${timeoutMs} ms: ${what}`);
      await page.waitForTimeout(50);
    }
  };
  const send = async (text: string): Promise<void> => {
    const before = await answers.count();
    await composer.fill(text);
    await composer.press('Enter');
    await until('the message is taken', async () => (await answers.count()) === before + 1);
    assert.equal(await composer.inputValue(), '', 'the composer is empty after sending');
    assert.equal(await page.getByTestId('user-message').last().innerText().then(lastLine), text);
  };
  const finished = (): Promise<void> =>
    until('the answer is final', async () => FINAL.test((await statusOf(lastAnswer)) ?? ''));

  // A message, a streamed answer, what it cost.
  await composer.waitFor({ timeout });
  await page.getByRole('button', { name: 'New conversation' }).click();
  await until('the conversation is empty', async () => (await answers.count()) === 0);
  await send(shortPrompt);
  await finished();
  assert.equal(await statusOf(lastAnswer), 'complete', await lastAnswer.innerText());
  assert.match(await lastAnswer.getByTestId('meta').innerText(), /tokens?/);
  assert.equal(await lastAnswer.getAttribute('aria-busy'), 'false');
  assert.notEqual(await page.getByTestId('announcement').innerText(), '', 'a finished answer is announced');

  // The reasoning is folded and opens.
  if (thinks) {
    const fold = lastAnswer.getByRole('button', { name: /^Thought/ });
    assert.equal(await fold.getAttribute('aria-expanded'), 'false');
    const foldedLength = (await lastAnswer.innerText()).length;
    await fold.click();
    assert.equal(await fold.getAttribute('aria-expanded'), 'true');
    assert.ok((await lastAnswer.innerText()).length > foldedLength, 'the reasoning is shown');
    await fold.click();
  }

  // Stop in the middle: the text stays.
  await send(longPrompt);
  const busyText = async (): Promise<string> => lastAnswer.innerText();
  await until(
    'text arrives',
    async () => (await statusOf(lastAnswer)) === 'answering' && (await busyText()).length > 40,
  );
  assert.equal(await lastAnswer.getAttribute('aria-busy'), 'true');
  const whenStopped = await lastAnswer.locator('p').first().innerText();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await finished();
  assert.equal(await statusOf(lastAnswer), 'stopped');
  assert.ok((await lastAnswer.innerText()).includes(whenStopped.slice(0, 20)), 'the text is kept');
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout });

  // Off and on.
  await power.click();
  await until('the model is off', async () => (await engineState.innerText()) === 'Off');
  assert.equal(await power.getAttribute('aria-checked'), 'false');
  await power.click();
  await until('the model is ready', async () => (await engineState.innerText()) === 'Ready');
  assert.equal(await power.getAttribute('aria-checked'), 'true');

  // The same after a reload, with the draft.
  await composer.fill('A draft');
  const before = await page.getByRole('log').innerText();
  await reload(page);
  await lastAnswer.waitFor({ timeout });
  await until('the draft is back', async () => (await composer.inputValue()) === 'A draft');
  assert.equal(await page.getByRole('log').innerText(), before);
  await composer.fill('');

  // A new conversation, and back to the old one.
  await page.getByRole('button', { name: 'New conversation' }).click();
  await until('the conversation is empty', async () => (await answers.count()) === 0);
  await page.getByRole('button', { name: 'Conversations', exact: true }).click();
  const sheet = page.getByRole('dialog', { name: 'Conversations' });
  await sheet.getByRole('navigation').getByRole('button').first().click();
  await until('both answers are there', async () => (await answers.count()) === 2);
  assert.equal(await sheet.count(), 0);
}

/** What is said to screen readers alone stands before the text. */
const lastLine = (text: string): string => text.split('\n').at(-1) ?? '';
