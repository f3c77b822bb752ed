/** Models, downloads, the context slider, the pre-flight and the first run in the window, over a fake main. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { RouteName } from '../../preload/contract.ts';
import { whyNoChromium } from './chromium.ts';
import type { FakeModels, FakeScript } from './fake-bridge.ts';
import { axe, fakeWindows, lookAt, settled, type WindowOptions } from './fake-window.ts';
import { contextStates, detailStates, firstRunStates, modelsStates, preflightStates } from './models-states.ts';
import { NOW_MS, states, wiredLimitStates } from './states.ts';

const running = (models: FakeModels): FakeScript => ({ ...states.complete, models });
const off = (models: FakeModels): FakeScript => ({ ...states.off, models });
const firstRun = (name: string): FakeScript => {
  const state = firstRunStates(NOW_MS)[name];
  if (state === undefined) throw new Error(`There is no first run "${name}".`);
  const { app } = states.off;
  return {
    ...states.off,
    app: {
      ...app,
      machine: state.machine,
      model: null,
      settings: { ...app.settings, modelId: null, firstRun: 'todo' },
    },
    models: state.models,
  };
};

describe.skipIf(whyNoChromium() !== null)('models in the window', () => {
  const openWindow = fakeWindows();

  async function open(script: FakeScript, options: WindowOptions = {}) {
    const opened = await openWindow(script, { freeze: true, ...options });
    await settled(opened.page);
    return opened;
  }
  const openModels = async (page: Page): Promise<void> => {
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('dialog', { name: 'Models' }).waitFor();
  };
  const calls = (page: Page, route: RouteName): Promise<unknown[]> =>
    page.evaluate(
      (name) => window.fakeMain.calls.filter((call) => call.route === name).map(({ input }) => input),
      route,
    );

  /** Each state: what it is called, how it is reached, and a picture of it in both schemes, looked at by axe. */
  const pictures: readonly (readonly [name: string, script: FakeScript, reach: (page: Page) => Promise<void>])[] = [
    ...Object.entries(modelsStates).map(([name, models]) => [`models-${name}`, running(models), openModels] as const),
    ...Object.entries(detailStates).map(
      ([name, state]) =>
        [
          `model-${name}`,
          running(state.models),
          async (page: Page) => {
            await openModels(page);
            const about = page.getByRole('button', { name: `About ${state.name}` });
            if ((await about.count()) > 0) await about.click();
            else await page.getByRole('dialog').getByRole('button', { name: state.name }).first().click();
            await page.getByRole('button', { name: 'Back' }).waitFor();
          },
        ] as const,
    ),
    ...Object.entries({ add: 'Add a model…', 'hub-settings': 'Downloads: folder', endpoint: 'For other programs' }).map(
      ([name, link]) =>
        [
          `models-${name}`,
          states.complete,
          async (page: Page) => {
            await openModels(page);
            await page.getByRole('button', { name: link }).click();
            await page.getByRole('button', { name: 'Back' }).waitFor();
          },
        ] as const,
    ),
    ...Object.entries(preflightStates).map(
      ([name, preflight]) =>
        [
          `preflight-${name}`,
          {
            ...off({ ...contextStates.fits, preflight }),
            refuse: { 'engine.start': { code: 'refused', message: preflight.message, nextStep: '' } },
          },
          async (page: Page) => {
            if (preflight.verdict === 'go') {
              await openModels(page);
              await page.getByRole('button', { name: 'About gpt-oss-20b' }).click();
              await page.getByRole('button', { name: 'Can it load now?' }).click();
            } else await page.getByRole('switch').click();
            await page.locator('[data-testid="preflight"][data-state="known"]').waitFor();
          },
        ] as const,
    ),
    ...(['fits', 'closed', 'fresh'] as const).map(
      (name) =>
        [
          `context-${name}`,
          running(name === 'fresh' ? contextStates.fresh : contextStates.fits),
          async (page: Page) => {
            await page.getByRole('button', { name: /^Context/ }).click();
            const slider = page.getByRole('slider', { name: 'Context' });
            await slider.waitFor();
            if (name === 'closed') await slider.fill('5');
          },
        ] as const,
    ),
    ...Object.keys(firstRunStates(NOW_MS)).map(
      (name) =>
        [
          `first-run-${name}`,
          firstRun(name),
          async (page: Page) => {
            await page.getByTestId('first-run').waitFor();
          },
        ] as const,
    ),
  ];

  test.each(pictures)('%s', async (name, script, reach) => {
    const { page, complaints, close } = await open(script);
    await reach(page);
    await page.waitForTimeout(200);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, name, colorScheme);
      expect(await axe(page, colorScheme === 'light' ? 'all' : 'contrast')).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  const focused = (page: Page) =>
    page.evaluate(
      () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
    );
  const list = modelsStates['list'];
  const empty = modelsStates['empty'];
  if (list === undefined || empty === undefined) throw new Error('There are no models.');

  test('by keyboard: the list, a page of it, back by Escape to where it was, and out', async () => {
    const { page, complaints, close } = await open(running(list));
    await page.locator('header').getByTitle('Models').focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Models' });
    await sheet.waitFor();
    // What is chosen has the focus.
    expect(await focused(page)).toContain('gpt-oss-20b');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('About gpt-oss-20b');
    await page.keyboard.press('Enter');
    await sheet.getByRole('heading', { name: 'Memory it is predicted to take' }).waitFor();
    expect(await focused(page)).toBe('gpt-oss-20b');
    await page.keyboard.press('Escape');
    await sheet.getByText('To download').waitFor();
    expect(await focused(page)).toBe('About gpt-oss-20b');
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await focused(page)).toContain('gpt-oss-20b');
    expect(await calls(page, 'window.hide')).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('a model that is here is chosen by one click', async () => {
    const { page, close } = await open(running(list));
    await openModels(page);
    await page.getByRole('button', { name: /^Mistral/ }).click();
    expect(await calls(page, 'model.choose')).toEqual([{ modelId: 'mlx-community/Mistral-7B-Instruct-v0.3-4bit' }]);
    await expect.poll(() => page.locator('header').getByTitle('Models').innerText()).toContain('Mistral');
    // One was on, so this one is; what is off stays off.
    await expect.poll(() => calls(page, 'engine.start')).toEqual([null]);
    await page.getByRole('switch').click();
    await expect.poll(() => page.getByTestId('engine-state').innerText()).toBe('Off');
    await openModels(page);
    await page
      .getByRole('button', { name: /^gpt-oss-20b/ })
      .first()
      .click();
    await expect.poll(() => page.locator('header').getByTitle('Models').innerText()).toContain('gpt-oss-20b');
    expect(await calls(page, 'engine.start')).toEqual([null]);
    await close();
  });

  test('where another model answers than the one in use it is said, loaded at a click, and taken back', async () => {
    const [conversation] = states.complete.conversations;
    if (conversation === undefined) throw new Error('There is no conversation.');
    const modelId = 'mlx-community/Mistral-7B-Instruct-v0.3-4bit';
    const script = running(list);
    const withOwn = { ...conversation, settings: { ...conversation.settings, modelId } };
    const { page, complaints, close } = await open({ ...script, conversations: [withOwn] });
    const strip = page.getByTestId('other-model');
    await strip.getByText('Mistral-7B-Instruct-v0.3-4bit answers here. It is loaded with your next message.').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, 'other-model', colorScheme);
      expect(await axe(page, colorScheme === 'light' ? 'all' : 'contrast')).toEqual([]);
    }
    await strip.getByRole('button', { name: 'Load it now' }).click();
    await strip.waitFor({ state: 'detached' });
    expect(await calls(page, 'model.choose')).toEqual([{ modelId, forNow: true }]);
    await expect.poll(() => page.locator('header').getByTitle('Models').innerText()).toContain('Mistral');
    expect(await focused(page)).toBe('Message');
    // A new conversation is the chosen one's again.
    await page.getByRole('button', { name: 'New conversation' }).click();
    await strip.getByText('gpt-oss-20b answers here.').waitFor();
    await strip.getByRole('button', { name: 'Load it now' }).click();
    await strip.waitFor({ state: 'detached' });
    await page.keyboard.press('Meta+k');
    await page.getByRole('button', { name: conversation.title }).first().click();
    await strip.getByRole('button', { name: 'Use gpt-oss-20b' }).click();
    await strip.waitFor({ state: 'detached' });
    expect(await calls(page, 'chat.configure')).toEqual([
      { conversationId: conversation.id, settings: { modelId: null } },
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('a download: begun, paused, gone on with, seen in the header, thrown away only after a question', async () => {
    const { page, complaints, close } = await open(off({ ...empty, stepMs: 400 }));
    await openModels(page);
    await page.getByRole('button', { name: /^Get Qwen3 14B/ }).click();
    expect(await calls(page, 'models.download')).toEqual([{ modelId: 'mlx-community/Qwen3-14B-4bit' }]);
    const download = page.getByTestId('download');
    await download.and(page.locator('[data-state="downloading"]')).waitFor();
    await page.getByRole('button', { name: 'Pause, Qwen3 14B' }).click();
    await download.getByText('Paused at 2.1 of 8.3 GB').waitFor();
    await page.getByRole('button', { name: 'Cancel, Qwen3 14B' }).click();
    expect(await calls(page, 'models.cancel')).toEqual([]);
    await download.getByText('Throw away the 2.1 GB fetched so far?').waitFor();
    expect(await focused(page)).toBe('Keep');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resume, Qwen3 14B' }).click();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: /^Download of Qwen3 14B/ }).click();
    await page.getByRole('dialog').getByRole('heading', { name: 'Qwen3 14B' }).waitFor();
    // It arrives, and the ring goes.
    await page.getByText('Checked against the hub, not pinned.').waitFor();
    await page.getByRole('button', { name: 'Use this model' }).waitFor();
    expect(await page.getByRole('button', { name: /^Download of/ }).count()).toBe(0);
    expect(await page.locator('[aria-live]').allInnerTexts()).toContain('Qwen3 14B is on this computer.');
    expect(complaints).toEqual([]);
    await close();
  });

  test('deleting asks, names what is lost and says what it freed; a folder is only taken off the list', async () => {
    const { page, close } = await open(running(list));
    await openModels(page);
    await page.getByRole('button', { name: 'About gpt-oss-20b' }).click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByText('It is loaded now. Turn it off first.').waitFor();
    expect(await focused(page)).toBe('Keep');
    await page.getByRole('button', { name: 'Turn off', exact: true }).click();
    await page.getByText('Delete 12.1 GB? It can be downloaded again.').waitFor();
    expect(await focused(page)).toBe('Keep');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByText('Deleted. 12.1 GB freed.').waitFor();
    expect(await page.locator('[aria-live]').allInnerTexts()).toContain('Deleted. 12.1 GB freed.');

    // What had the focus is gone, and Escape still means one step less.
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'About Mistral' }).click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByText('Other tools on this Mac use the same files and will miss them.').waitFor();
    await page.getByRole('button', { name: 'Keep' }).click();
    expect(await focused(page)).toBe('Delete…');
    expect((await calls(page, 'models.delete')).length).toBe(1);

    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('button', { name: 'About house-model' }).click();
    await page.getByRole('button', { name: 'Take off the list…' }).click();
    await page.getByRole('button', { name: 'Take off', exact: true }).click();
    await page.getByText('To download').waitFor();
    expect(await page.getByRole('button', { name: /^house-model/ }).count()).toBe(0);
    expect(await calls(page, 'models.delete')).toEqual([
      { modelId: 'mlx-community/gpt-oss-20b-MXFP4-Q8', evenIfShared: false },
      { modelId: '/Volumes/Models/house-model', evenIfShared: false },
    ]);
    await close();
  });

  test('a chosen model whose files are damaged says so instead of being merely off, and is repaired there', async () => {
    const [first, ...others] = list.entries;
    if (first === undefined) throw new Error('There is no model.');
    const presence = { kind: 'damaged', folder: '/m', message: '1 file is damaged.' } as const;
    const { page, complaints, close } = await open({
      ...off({ ...list, entries: [{ ...first, presence }, ...others], stepMs: 300 }),
      refuse: { 'engine.start': { code: 'not-found', message: '1 file is damaged.', nextStep: 'Repair it.' } },
    });
    const stage = page.getByTestId('stage');
    await stage.getByText('gpt-oss-20b cannot start').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await lookAt(page, 'stage-damaged', colorScheme);
      expect(await axe(page, colorScheme === 'light' ? 'all' : 'contrast')).toEqual([]);
    }
    await page.getByRole('switch').click();
    await page.getByRole('alert').getByText('Repair it.').waitFor();
    await stage.getByRole('button', { name: 'Repair' }).click();
    await stage.getByTestId('download').waitFor();
    // What was refused for it says nothing any longer.
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await stage.getByText('gpt-oss-20b is off').waitFor();
    expect(await calls(page, 'models.repair')).toEqual([{ modelId: first.id }]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('files are checked and repaired', async () => {
    const { page, close } = await open(running(modelsStates['downloads'] ?? list));
    await openModels(page);
    await page.getByRole('button', { name: 'Repair Qwen3 4B' }).click();
    expect(await calls(page, 'models.repair')).toEqual([{ modelId: 'mlx-community/Qwen3-4B-4bit' }]);
    await page.getByRole('button', { name: 'About Qwen3 4B' }).click();
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByText('Every file has the checksum pinned in Headroom.').waitFor();
    await page.getByText('Last checked just now').waitFor();
    await close();
  });

  test('a model is added by its address, and what the hub says against it stands beside it', async () => {
    const { page, close } = await open(running(list));
    await openModels(page);
    await page.getByRole('button', { name: 'Add a model…' }).click();
    const field = page.getByRole('textbox', { name: 'Repository or folder' });
    await field.fill('gpt-oss');
    expect(await page.getByRole('button', { name: 'Add', exact: true }).isDisabled()).toBe(true);
    await field.fill('https://huggingface.co/mlx-community/SmolLM3-3B-4bit');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', { name: 'SmolLM3-3B-4bit' }).waitFor();
    expect(await calls(page, 'models.add')).toEqual([
      { by: 'repository', repository: 'mlx-community/SmolLM3-3B-4bit' },
    ]);
    // And taken off again, with nothing of it here.
    await page.getByRole('button', { name: 'Take off the list…' }).click();
    await page.getByText('Take it off this list? It can be added again.').waitFor();
    await page.getByRole('button', { name: 'Take off', exact: true }).click();
    await page.getByText('To download').waitFor();
    expect(await calls(page, 'models.delete')).toEqual([
      { modelId: 'mlx-community/SmolLM3-3B-4bit', evenIfShared: false },
    ]);
    await close();

    const gated = {
      code: 'refused',
      message: 'This model asks for its terms to be accepted.',
      nextStep: 'Accept them on its page, then put your token under Downloads.',
    } as const;
    const refused = await open({ ...running(list), refuse: { 'models.add': gated } });
    await openModels(refused.page);
    await refused.page.getByRole('button', { name: 'Add a model…' }).click();
    await refused.page.getByRole('textbox', { name: 'Repository or folder' }).fill('meta-llama/Llama-3.2-3B');
    await refused.page.keyboard.press('Enter');
    await refused.page.getByRole('dialog').getByRole('alert').getByText(gated.message).waitFor();
    await lookAt(refused.page, 'models-add-refused', 'light');
    expect(await axe(refused.page)).toEqual([]);
    // The focus is still where the name is put right, and Escape leads back, not out.
    const isFocused = (element: Element): boolean => element === document.activeElement;
    expect(await refused.page.getByRole('textbox', { name: 'Repository or folder' }).evaluate(isFocused)).toBe(true);
    await refused.page.keyboard.press('Escape');
    await refused.page.getByRole('button', { name: 'Add a model…' }).waitFor();
    await refused.close();
  });

  test('folders are picked in the system’s dialog; in a browser, which has none, they are written', async () => {
    const script = { ...running(list), choosesPath: '/Volumes/Models/new-model' };
    const { page, complaints, close } = await open(script);
    await openModels(page);
    await page.getByRole('button', { name: 'Downloads: folder' }).click();
    await page.getByRole('button', { name: 'Choose: Folder for models' }).click();
    const folder = page.getByRole('textbox', { name: 'Folder for models' });
    await expect.poll(() => folder.inputValue()).toBe('/Volumes/Models/new-model');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Add a model…' }).click();
    await page.getByRole('button', { name: 'Choose a folder…' }).click();
    await page.getByRole('heading', { name: 'new-model' }).waitFor();
    expect(await calls(page, 'window.choosePath')).toEqual([
      { what: 'folder', startAt: list.hub.cacheFolderInUse },
      { what: 'folder', startAt: null },
    ]);
    expect(await calls(page, 'models.add')).toEqual([{ by: 'folder', folder: '/Volumes/Models/new-model' }]);
    expect(complaints).toEqual([]);
    await close();

    const browser = await open({ ...script, app: { ...script.app, windowForm: 'page' } });
    await openModels(browser.page);
    await browser.page.getByRole('button', { name: 'Add a model…' }).click();
    await browser.page.getByRole('textbox', { name: 'Repository or folder' }).waitFor();
    expect(await browser.page.getByRole('button', { name: 'Choose a folder…' }).count()).toBe(0);
    await browser.close();
  });

  test('hub settings: only what was changed is sent, and a token is never shown', async () => {
    const { page, close } = await open(running({ ...list, hub: { ...list.hub, token: 'environment' } }));
    await openModels(page);
    await page.getByRole('button', { name: 'Downloads: folder' }).click();
    await page.getByText('The one in HF_TOKEN is used.').waitFor();
    const save = page.getByRole('button', { name: 'Save' });
    expect(await save.isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'Folder for models' }).fill('/Volumes/Models');
    await page.getByLabel('Token of the hub').fill('hf_secret');
    expect(await page.getByLabel('Token of the hub').getAttribute('type')).toBe('password');
    await save.click();
    await page.getByText('To download').waitFor();
    expect(await calls(page, 'hub.update')).toEqual([{ cacheFolder: '/Volumes/Models', token: 'hf_secret' }]);
    await page.getByRole('button', { name: 'Downloads: folder' }).click();
    await page.getByText('One is kept here.').waitFor();
    expect(await page.getByLabel('Token of the hub').inputValue()).toBe('');
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByText('Only private and gated models need one.').waitFor();
    await close();
  });

  test('the context slider: one click away, spoken, never standing where it would fail', async () => {
    const { page, complaints, close } = await open(running(contextStates.fits));
    await page.getByRole('button', { name: /^Context/ }).click();
    const slider = page.getByRole('slider', { name: 'Context' });
    const spoken = () => slider.getAttribute('aria-valuetext');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('range');
    expect(await spoken()).toBe('4 thousand tokens, 104 megabytes');
    await page.keyboard.press('ArrowRight');
    expect(await calls(page, 'context.set')).toEqual([{ tokens: 8_192 }]);
    expect(await spoken()).toBe('8 thousand tokens, 204 megabytes');

    // After one permission: looked at, and taken only on purpose.
    await page.keyboard.press('ArrowRight');
    expect(await spoken()).toBe('16 thousand tokens, 406 megabytes, needs a permission');
    expect(await calls(page, 'context.set')).toHaveLength(1);
    const panel = page.getByTestId('context-panel');
    await panel.getByRole('button', { name: 'Raise…' }).waitFor();

    // Where it fails: the reason and the ways, and nothing is set.
    await page.keyboard.press('ArrowRight');
    expect(await spoken()).toBe('32 thousand tokens, 808 megabytes, does not fit');
    await panel.getByText('Quit Google Chrome (2.1 GB) and Xcode (1.3 GB): frees 3.4 GB.').waitFor();
    await page.keyboard.press('End');
    expect(await calls(page, 'context.set')).toHaveLength(1);
    await panel.getByRole('button', { name: 'Stay at 8k' }).click();
    expect(await spoken()).toBe('8 thousand tokens, 204 megabytes');
    await page.keyboard.press('ArrowRight');
    await panel.getByRole('button', { name: 'Use 16k', exact: true }).click();
    expect((await calls(page, 'context.set'))[1]).toEqual({ tokens: 16_384 });
    await page.keyboard.press('Home');
    await expect.poll(async () => (await calls(page, 'context.set')).at(-1)).toEqual({ tokens: 1_024 });

    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Message');
    expect(await calls(page, 'window.hide')).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('a model nobody understands has a context that can be set, without numbers', async () => {
    const { fits } = contextStates;
    const verdict = { kind: 'unknown', message: 'Its config cannot be understood.' } as const;
    const stops = (fits.plan?.stops ?? []).map((stop) => ({
      ...stop,
      kvBytes: null,
      peakBytes: null,
      leavesBytes: null,
      prefillSeconds: null,
      verdict,
    }));
    const { page, close } = await open(
      running({ ...fits, plan: { modelId: 'a/b', chosenTokens: 4_096, ...fits.plan, stops } }),
    );
    await page.getByRole('button', { name: /^Context/ }).click();
    await page.getByTestId('context-panel').getByText('What it costs is not known for this model.').waitFor();
    await page.keyboard.press('ArrowRight');
    expect(await calls(page, 'context.set')).toEqual([{ tokens: 8_192 }]);
    const slider = page.getByRole('slider', { name: 'Context' });
    expect(await slider.getAttribute('aria-valuetext')).toBe('8 thousand tokens, memory not known');
    await lookAt(page, 'context-unknown', 'light');
    expect(await axe(page)).toEqual([]);
    await close();
  });

  test('a refused start is explained with its numbers and ways, and can be overruled where it is only slow', async () => {
    const message = 'Other apps leave too little memory.';
    const refuse = { 'engine.start': { code: 'refused', message, nextStep: 'Close some.' } } as const;
    const { page, close } = await open({
      ...off({ ...contextStates.fits, preflight: preflightStates['works-if'] }),
      refuse,
    });
    await page.getByRole('switch').click();
    const sheet = page.getByRole('dialog', { name: 'Before loading' });
    await sheet.getByText('gpt-oss-20b needs a little room first').waitFor();
    // Enter meant for the composer loads nothing.
    expect(await focused(page)).toBe('gpt-oss-20b needs a little room first');
    await sheet.getByRole('button', { name: /^Use 2k/ }).click();
    expect(await calls(page, 'context.set')).toEqual([{ tokens: 2_048 }]);
    await expect.poll(async () => (await calls(page, 'models.preflight')).length).toBe(2);
    await sheet.getByRole('button', { name: 'Look again' }).click();
    await expect.poll(async () => (await calls(page, 'models.preflight')).length).toBe(3);
    expect(await focused(page)).toBe('Look again');
    await sheet.getByRole('button', { name: 'Load anyway' }).click();
    expect(await calls(page, 'engine.start')).toEqual([null, { anyway: true }]);
    await close();

    // Refused for another reason: its own words.
    const other = await open({ ...off({ ...contextStates.fits, preflight: preflightStates.go }), refuse });
    await other.page.getByRole('switch').click();
    await other.page.getByRole('alert').getByText(message).waitFor();
    expect(await other.page.getByRole('dialog').count()).toBe(0);
    await other.close();
  });

  test('the first run: three actions to the first answer', async () => {
    const asking = wiredLimitStates['asking']?.memory.wiredLimit;
    if (asking === undefined) throw new Error('Nothing is asked.');
    const script = firstRun('choose');
    const { page, complaints, close } = await open(
      { ...script, models: { ...script.models, asksFirst: asking, stepMs: 30 }, reply: states.ready.reply },
      { freeze: false },
    );
    let actions = 0;
    const act = async (name: string | RegExp): Promise<void> => {
      actions += 1;
      await page.getByRole('button', { name }).click();
    };
    expect(await page.getByRole('textbox').count()).toBe(0);
    await act('Download 12.1 GB');
    // It arrives by itself and asks for the one thing it may not do alone.
    await page.getByText('Let the GPU keep more memory?').waitFor();
    expect(await calls(page, 'wiredLimit.raise')).toEqual([]);
    await act('Raise…');
    await expect.poll(() => page.getByTestId('engine-state').innerText()).toBe('Ready');
    // The permission was the last thing to ask: its sheet goes by itself.
    await page.getByTestId('wired-limit').waitFor({ state: 'detached' });
    await act('Give me five dinner ideas for this week');
    await page.locator('[data-testid="answer"][data-status="complete"]').waitFor();
    expect(actions).toBe(3);
    expect(await calls(page, 'settings.update')).toContainEqual({ firstRun: 'done' });
    expect(complaints).toEqual([]);
    await close();
  });

  test('the first run can be left for the demo and gone on with', async () => {
    const script = firstRun('choose');
    const { page, close } = await open({ ...script, models: { ...script.models, stepMs: 700 } }, { freeze: false });
    await page.getByRole('button', { name: 'Download 12.1 GB' }).click();
    await page.getByRole('button', { name: 'Look around meanwhile' }).click();
    expect(await calls(page, 'model.choose')).toEqual([{ modelId: 'headroom-demo' }]);
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await page.getByRole('button', { name: /^Download of gpt-oss-20b/ }).waitFor();
    // Back to it, and away again.
    await page.getByRole('button', { name: 'Get a model that knows more' }).click();
    await page.getByTestId('first-run').waitFor();
    await page.getByRole('button', { name: 'Look around meanwhile' }).click();
    await page.getByTestId('stage').waitFor();
    // In the middle of something nobody is interrupted when it arrives.
    await page.getByRole('button', { name: 'What is the wired limit?' }).click();
    const setup = page.getByTestId('setup');
    await setup.getByText('gpt-oss-20b is here.').waitFor();
    expect((await calls(page, 'engine.start')).length).toBe(2);
    await lookAt(page, 'first-run-arrived', 'light');
    expect(await axe(page)).toEqual([]);
    // In a new conversation the stage says it.
    await page.getByRole('button', { name: 'New conversation' }).click();
    await setup.waitFor({ state: 'detached' });
    await lookAt(page, 'first-run-arrived-new', 'light');
    await page.getByRole('button', { name: 'Start gpt-oss-20b' }).click();
    await expect.poll(() => page.getByTestId('engine-state').innerText()).toBe('Ready');
    expect(await calls(page, 'settings.update')).toContainEqual({ firstRun: 'done' });
    await close();
  });

  test('a first look that was refused can be tried again', async () => {
    const refuse = {
      'models.list': { code: 'internal', message: 'The list of models could not be read.', nextStep: 'Try again.' },
    } as const;
    const { page, close } = await open({ ...firstRun('choose'), refuse });
    const screen = page.getByTestId('first-run');
    await screen.getByRole('alert').getByText('The list of models could not be read.').waitFor();
    const asked = (await calls(page, 'models.list')).length;
    await screen.getByRole('button', { name: 'Look again' }).click();
    expect(await calls(page, 'models.list')).toHaveLength(asked + 1);
    await close();
  });

  test('a download refused at once says why where it was asked', async () => {
    const refuse = {
      'models.download': {
        code: 'refused',
        message: 'The disk has 6.1 GB free; 12.1 GB are needed.',
        nextStep: 'Free at least 6 GB.',
      },
    } as const;
    const { page, close } = await open({ ...firstRun('choose'), refuse });
    await page.getByRole('button', { name: 'Download 12.1 GB' }).click();
    await page.getByTestId('first-run').getByRole('alert').getByText('Free at least 6 GB.').waitFor();
    await lookAt(page, 'first-run-refused', 'light');
    expect(await axe(page)).toEqual([]);
    await close();
  });

  test('a gated model leads to its page', async () => {
    const [entry] = list.entries;
    if (entry === undefined) throw new Error('There is no model.');
    const cause = {
      code: 'gated',
      message: 'The makers of mlx-community/gpt-oss-20b-MXFP4-Q8 decide who may download it.',
      nextStep: 'Accept the conditions on its page, then enter your token under Downloads.',
    };
    const download = { kind: 'failed', doneBytes: 0, totalBytes: 0, cause } as const;
    const { page, close } = await open(
      off({ ...list, entries: [{ ...entry, presence: { kind: 'getting', download } }] }),
    );
    await openModels(page);
    const sheet = page.getByRole('dialog', { name: 'Models' });
    await sheet.getByRole('alert').getByText(cause.nextStep).waitFor();
    await sheet.getByRole('button', { name: 'Open its page…' }).click();
    expect(await calls(page, 'link.open')).toEqual([
      { url: 'https://huggingface.co/mlx-community/gpt-oss-20b-MXFP4-Q8' },
    ]);
    await lookAt(page, 'models-gated', 'light');
    expect(await axe(page)).toEqual([]);
    // And to where the token goes, from the list as from the model's page.
    for (const name of [null, /^gpt-oss-20b/]) {
      if (name !== null) await page.getByRole('dialog').getByRole('button', { name }).first().click();
      await sheet.getByRole('button', { name: 'Token…', exact: true }).click();
      await page.getByLabel('Token of the hub').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Add a model…' }).waitFor();
    }
    await close();
  });

  test.each([
    ['models', running(list), openModels],
    ['first run', firstRun('downloading'), async () => undefined],
  ] as const)('%s with more contrast, larger text, no motion', async (_, script, reach) => {
    const { page, close } = await open(script, { contrast: 'more', reducedMotion: 'reduce' });
    await reach(page);
    expect(await axe(page)).toEqual([]);
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    await page.waitForTimeout(150);
    const overflow = await page.evaluate(() =>
      Math.max(
        ...[document.documentElement, ...document.querySelectorAll('dialog, main')].map(
          (element) => element.scrollWidth - element.clientWidth,
        ),
      ),
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await close();
  });
});
