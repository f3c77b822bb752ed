/** A new user's way from the first window to the first answer, with everything they do counted. */
import type { Page } from 'playwright-core';

const WAIT = { timeout: 60_000 };

/** Each is a click, or a text that is typed and sent. The password in macOS's own dialog comes with the second. */
export interface FirstRunActions {
  readonly done: readonly string[];
}

/** Begins at the first run's screen with nothing chosen; ends with a complete answer. */
export async function walkFirstRun(
  page: Page,
  look: (step: string) => Promise<void> = () => Promise.resolve(),
): Promise<FirstRunActions> {
  const done: string[] = [];
  const act = async (what: string, how: () => Promise<void>): Promise<void> => {
    await how();
    done.push(what);
  };
  const screen = page.getByTestId('first-run');
  const download = screen.getByRole('button', { name: /^Download/ });
  await download.waitFor(WAIT);
  await look('choose');
  await act('download', () => download.click());
  await screen.getByRole('progressbar').or(page.getByTestId('wired-limit')).first().waitFor(WAIT);
  await look('getting');
  const raise = page.getByTestId('wired-limit').getByRole('button', { name: 'Raise…', exact: true });
  await raise.waitFor(WAIT);
  await look('consent');
  await act('consent', () => raise.click());
  await page.getByTestId('engine-state').getByText('Ready').waitFor(WAIT);
  // The composer has the focus: nobody has to click it, or anything out of its way.
  const composer = page.getByRole('textbox', { name: 'Message' });
  await page.waitForFunction((element) => element === document.activeElement, await composer.elementHandle(), WAIT);
  await act('ask', async () => {
    await page.keyboard.type('What is the wired limit?');
    await page.keyboard.press('Enter');
  });
  await page.locator('[data-testid="answer"][data-last="true"][data-status="complete"]').waitFor(WAIT);
  await look('answer');
  return { done };
}
