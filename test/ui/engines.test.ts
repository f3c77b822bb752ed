/** Engines that others made, over a fake main: found or not, where they are, and what the window offers with each. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { EngineAbility, OutsideEngineLook, OutsideEngineStatus } from '../../preload/contract.ts';
import { whyNoChromium } from './chromium.ts';
import type { FakeScript } from './fake-bridge.ts';
import { axe, fakeWindows, lookAt, settled } from './fake-window.ts';
import { states } from './states.ts';

const usual = { isOn: true, program: null, address: null, modelsFolder: null, hasToken: false, fromEnvironment: [] };
const llamaFound: OutsideEngineLook = {
  kind: 'found',
  at: '/opt/homebrew/bin/llama-server',
  version: '11434',
  models: 2,
  reach: 'this-computer',
};
const ollamaFound: OutsideEngineLook = {
  kind: 'found',
  at: 'http://127.0.0.1:11434',
  version: '0.17.4',
  models: 1,
  reach: 'this-computer',
};
const closed: OutsideEngineLook = {
  kind: 'not-found',
  message: 'Nobody answers at http://127.0.0.1:1234.',
  nextStep: 'Switch its server on: in LM Studio under Developer, or with lms server start.',
};
const three = (looks: readonly [OutsideEngineLook, OutsideEngineLook, OutsideEngineLook]): OutsideEngineStatus[] => [
  { ...usual, kind: 'llama.cpp', name: 'llama.cpp', usualPort: 8_080, look: looks[0] },
  { ...usual, kind: 'ollama', name: 'Ollama', usualPort: 11_434, look: looks[1] },
  { ...usual, kind: 'lm-studio', name: 'LM Studio', usualPort: 1_234, look: looks[2] },
];
const found = three([llamaFound, ollamaFound, closed]);
const none = three([
  {
    kind: 'not-found',
    message: 'llama-server was not found.',
    nextStep:
      'Install llama.cpp (brew install llama.cpp), choose its program under “Other engines”, or switch it off there.',
  },
  {
    kind: 'not-found',
    message: 'Nobody answers at http://127.0.0.1:11434.',
    nextStep: 'Install Ollama from ollama.com, or switch it off under “Other engines”.',
  },
  { kind: 'off' },
]).map((engine) => (engine.kind === 'lm-studio' ? { ...engine, isOn: false } : engine));
const away = found.map((engine) =>
  engine.kind === 'ollama'
    ? {
        ...engine,
        address: 'https://gpu.example',
        fromEnvironment: ['OLLAMA_HOST'],
        look: { ...ollamaFound, at: 'https://gpu.example', reach: 'elsewhere' as const },
      }
    : engine,
);

describe.skipIf(whyNoChromium() !== null)('other engines', () => {
  const openWindow = fakeWindows();

  async function open(script: Partial<FakeScript>) {
    const opened = await openWindow({ ...states.complete, ...script }, { freeze: true });
    const { page } = opened;
    await settled(page);
    await page.locator('header').getByTitle('Models').click();
    await page.getByRole('button', { name: 'Other engines' }).click();
    return opened;
  }
  const engine = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
  const updates = (page: Page): Promise<unknown[]> =>
    page.evaluate(() =>
      window.fakeMain.calls.filter((call) => call.route === 'engines.update').map(({ input }) => input),
    );

  const pictures: readonly (readonly [string, Partial<FakeScript>, (page: Page) => Promise<void>])[] = [
    ['engines-found', { engines: found }, async (page) => engine(page, 'Ollama').waitFor()],
    ['engines-none', { engines: none }, async (page) => engine(page, 'Ollama').waitFor()],
    [
      'engines-away',
      { engines: away },
      async (page) => {
        await engine(page, 'Ollama').getByText('Where it is').click();
        await engine(page, 'Ollama').getByLabel('Address').fill('http://llm.example:11434');
        await engine(page, 'Ollama')
          .getByRole('button', { name: 'Save, and send chats there' })
          .scrollIntoViewIfNeeded();
      },
    ],
    [
      'engines-refused',
      {
        engines: found,
        refuse: {
          'engines.update': {
            code: 'refused',
            message: 'There is no program /opt/llama-server.',
            nextStep: 'Choose the file llama-server itself.',
          },
        },
      },
      async (page) => {
        await engine(page, 'llama.cpp').getByText('Where it is').click();
        await engine(page, 'llama.cpp').getByLabel('Program', { exact: true }).fill('/opt/llama-server');
        await engine(page, 'llama.cpp').getByRole('button', { name: 'Save and try it' }).click();
        await engine(page, 'llama.cpp').getByRole('alert').waitFor();
      },
    ],
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

  test('one is switched off, tried, and found where the user says', async () => {
    const again: OutsideEngineLook = { ...ollamaFound, at: 'http://127.0.0.1:1234', version: null, models: 4 };
    const { page, close } = await open({ engines: found, engineLook: again, choosesPath: '/opt/llama/llama-server' });
    const lmStudio = engine(page, 'LM Studio');
    await lmStudio.getByRole('switch').click();
    await lmStudio.getByText('Off: it is not looked for').waitFor();
    expect(await lmStudio.getByText('Where it is').count()).toBe(0);
    await lmStudio.getByRole('switch').click();
    await lmStudio.getByText('Where it is').click();
    await lmStudio.getByLabel('Token').fill('secret-token');
    await lmStudio.getByRole('button', { name: 'Save and try it' }).click();
    await lmStudio.getByText('Found, 4 models').waitFor();
    expect(await lmStudio.getByLabel('Token').inputValue()).toBe('');
    await lmStudio.getByRole('button', { name: 'Try it' }).click();
    await lmStudio.getByRole('button', { name: 'Forget the token' }).click();

    const llama = engine(page, 'llama.cpp');
    await llama.getByText('Where it is').click();
    await llama.getByRole('button', { name: 'Choose: Program' }).click();
    await expect.poll(() => llama.getByLabel('Program', { exact: true }).inputValue()).toBe('/opt/llama/llama-server');
    await llama.getByRole('button', { name: 'Save and try it' }).click();

    const ollama = engine(page, 'Ollama');
    await ollama.getByText('Where it is').click();
    await ollama.getByLabel('Address').fill('gpu.example');
    await ollama.getByRole('alert').waitFor();
    await ollama.getByRole('button', { name: 'Save, and send chats there' }).click();
    await expect
      .poll(() => updates(page))
      .toEqual([
        { kind: 'lm-studio', isOn: false },
        { kind: 'lm-studio', isOn: true },
        { kind: 'lm-studio', token: 'secret-token' },
        { kind: 'lm-studio' },
        { kind: 'lm-studio', token: null },
        { kind: 'llama.cpp', program: '/opt/llama/llama-server' },
        { kind: 'ollama', address: 'gpu.example', evenIfElsewhere: true },
      ]);
    await close();
  });

  test('what an engine cannot do is not offered with its model', async () => {
    const lacks: readonly EngineAbility[] = ['answer-now', 'continue', 'thinking-limit'];
    const offered = async (script: FakeScript, name: string): Promise<void> => {
      const { page, close } = await openWindow(script, { freeze: true });
      await settled(page);
      const button = page.getByRole('button', { name, exact: true });
      await button.waitFor();
      const { model } = script.app;
      if (model === null) throw new Error('no model');
      await page.evaluate((changed) => window.fakeMain.emit('model.changed', changed), { ...model, lacks });
      await button.waitFor({ state: 'detached' });
      if (name === 'Continue') {
        await page.getByRole('button', { name: 'Conversation settings' }).click();
        const sheet = page.getByRole('dialog', { name: 'Conversation settings' });
        await sheet.getByLabel('Context').waitFor();
        expect(await sheet.getByLabel('Thinking').count()).toBe(0);
      }
      await close();
    };
    await offered(states.stopped, 'Continue');
    await offered(states.thinking, 'Answer now');
  });
});
