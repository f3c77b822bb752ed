/** Programs that name another model, in the whole app: it comes when nobody else is served, and not before. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFinal } from '../../preload/answer-status.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { type RunningApp, runApp } from './running-app.ts';

let folder: string;
let running: RunningApp;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-models-'));
  cpSync(modelFolder, join(folder, 'other-model'), { recursive: true });
  running = await runApp(join(folder, 'other-model'));
});
afterAll(async () => {
  await running.end();
  rmSync(folder, { recursive: true });
});

async function ask(model: string, more: object = {}, signal?: AbortSignal) {
  const response = await fetch(`${running.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${running.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'Write a long story.' }],
      max_tokens: 5,
      ...more,
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  const body = (await response.json()) as { model?: string; error?: { code: string } };
  return [response.status, body.error?.code ?? body.model];
}
const DEMO = 'Demo model';

it('serves the chosen one, another when that is free, none in the place of one in use or pinned', async () => {
  const { handlers } = running.app;
  const other = running.app.modelName ?? '';
  expect(await ask('default')).toEqual([200, other]);
  expect(await ask('gpt-4o')).toEqual([404, 'model_not_found']);

  const leave = new AbortController();
  const story = ask('default', { max_tokens: 2_000 }, leave.signal).catch(() => 'left');
  await expect.poll(() => running.app.engine.state.kind).toBe('busy');
  expect(await ask(DEMO)).toEqual([503, 'model_busy']);
  leave.abort();
  expect(await story).toBe('left');
  await expect.poll(() => running.app.engine.state.kind).toBe('ready');

  await handlers['endpoint.configure']({ isPinned: true });
  expect(await ask(DEMO)).toEqual([403, 'model_pinned']);
  await handlers['endpoint.configure']({ isPinned: false });

  expect(await ask(DEMO)).toEqual([200, DEMO]);
  // What a program chose is what the window shows.
  expect(running.app.modelName).not.toBe(other);
  expect(await ask('default')).toEqual([200, DEMO]);
});

it('a conversation’s own model and a program’s are for now: the chosen one comes back with the next message', async () => {
  const { app } = running;
  const chosen = (await app.handlers['app.state'](null)).chosenModelId ?? '';
  expect(app.modelName).toBe(DEMO);
  const send = async (text: string, modelId?: string) =>
    app.handlers['chat.send']({
      conversationId: null,
      text,
      effort: 'low',
      attachmentIds: [],
      ...(modelId === undefined ? {} : { settings: { modelId } }),
    });
  const ended = (messageId: string) =>
    new Promise<void>((resolve) => {
      const release = app.subscribe(({ event, payload }) => {
        if (event !== 'chat.message' || payload.id !== messageId || payload.role !== 'assistant') return;
        if (!isFinal(payload.status)) return;
        release();
        resolve();
      });
    });

  const everywhere = await send('Hello');
  expect([app.modelName, everywhere.assistant.model]).toEqual(['other-model', 'other-model']);
  await ended(everywhere.assistant.id);

  const own = await send('Write a long story.', 'headroom-demo');
  expect(own.assistant.model).toBe(DEMO);
  const { chosenModelId, model, settings } = await app.handlers['app.state'](null);
  expect([chosenModelId, model?.name, settings.modelId]).toEqual([chosen, DEMO, null]);
  // Under an answer no other model is put.
  await expect(send('Hello')).rejects.toThrow(/Demo model is answering, and one model is loaded at a time/);
  const over = ended(own.assistant.id);
  await app.handlers['chat.stop']({ messageId: own.assistant.id });
  await over;
  const shown = new Set<string>();
  const release = app.subscribe(({ event, payload }) => {
    if (event === 'chat.delta') shown.add(payload.status.kind);
  });
  const back = await send('Hello');
  expect(back.assistant.model).toBe('other-model');
  await ended(back.assistant.id);
  release();
  // It waits for its model, and says so.
  expect([...shown]).toContain('loading');
});
