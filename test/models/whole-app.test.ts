/** Context and the look before loading, in the whole app with the real engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { modelFolder } from '../engine/fixtures.ts';
import { startHeadless } from '../headless/headless-process.ts';
import { openNodeWindow } from '../headless/node-window.ts';
import { GIB } from '../macos/model.ts';
import { scenarios } from '../macos/scenarios.ts';
import { appShortOfMemory } from '../memory/app-short-of-memory.ts';

const endings: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

describe('the context’s ceiling', () => {
  /** More than 1,024 tokens, well below 4,096. */
  const long = 'The gauge shows how hard macOS works to find memory. '.repeat(100);

  it('is kept for chat and endpoint, with numbers, and raising it needs no reload', async () => {
    const home = mkdtempSync(join(tmpdir(), 'headroom-context-'));
    endings.push(() => rmSync(home, { recursive: true, force: true }));
    const host = startHeadless(home, ['--model', modelFolder]);
    endings.push(() => host.end());
    const ready = await host.ready();
    const window = openNodeWindow(ready.url);
    endings.push(() => window.close());
    const states: string[] = [];
    window.bridge.on('engine.state', ({ kind }) => states.push(kind));
    const ask = (content: string, maxTokens = 30): Promise<Response> =>
      fetch(`${ready.api}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ready.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: maxTokens }),
      });
    expect((await window.call('context.set', { tokens: 1_024 })).chosenTokens).toBe(1_024);
    // The model is off: the tokenizer has to come first.
    const refused = await ask(long);
    expect(refused.status).toBe(400);
    const { error } = (await refused.json()) as { error: { code: string; message: string; param: string } };
    expect(error).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
    const [, limit, used] =
      /maximum context length is (\d+) tokens.*resulted in (\d+) tokens/.exec(error.message) ?? [];
    expect(Number(limit)).toBe(1_024);
    expect(Number(used)).toBeGreaterThan(1_024);

    const sent = await window.bridge.call('chat.send', { conversationId: null, text: long, effort: 'low' });
    expect(sent).toMatchObject({
      ok: false,
      error: { code: 'context-full', message: expect.stringContaining('1,024') },
    });
    const { conversations } = await window.call('app.state', null);
    expect(conversations).toEqual([]);

    const short = await ask('Write a long story.', 4_000);
    const { usage } = (await short.json()) as { usage: { total_tokens: number } };
    expect(usage.total_tokens).toBeLessThanOrEqual(1_024);

    const before = states.length;
    await window.call('context.set', { tokens: 4_096 });
    expect((await ask(long)).status).toBe(200);
    expect(states.slice(before)).not.toContain('loading');
  });
});

describe('the look before loading', () => {
  it('on a Mac whose memory is taken: refused with numbers and names, and done anyway when the user says so', async () => {
    const app = await appShortOfMemory(scenarios.fits);
    endings.push(() => app.finish());
    app.mac.change({ kind: 'grow', command: 'Google Chrome', bytes: 4 * GIB, overSeconds: 0.1 });
    app.mac.pass(500);

    const start = await app.window.bridge.call('engine.start', null);
    expect(start).toMatchObject({ ok: false, error: { code: 'refused' } });
    if (!start.ok) {
      expect(start.error.message).toMatch(/takes 1\d\.\d GB.*\d\.\d GB are missing/);
      expect(start.error.nextStep).toMatch(/Quit Google Chrome \(\d\.\d GB\).*load it anyway/);
    }
    const preflight = await app.window.call('models.preflight', { modelId: null });
    expect(preflight).toMatchObject({ verdict: 'works-if', canLoadAnyway: true });
    expect(preflight.ways).toContainEqual(expect.objectContaining({ kind: 'quit-apps' }));
    expect((await app.window.call('app.state', null)).engine.kind).toBe('off');

    await app.window.call('engine.start', { anyway: true });
    await app.engineBecomes('ready');
  });

  it('a request from the endpoint is told the same and loads nothing', async () => {
    const app = await appShortOfMemory(scenarios.fits);
    endings.push(() => app.finish());
    app.mac.change({ kind: 'grow', command: 'Google Chrome', bytes: 4 * GIB, overSeconds: 0.1 });
    app.mac.pass(500);
    const response = await fetch(`${app.ready.api}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.ready.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
    });
    expect(response.status).toBeGreaterThanOrEqual(500);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(error.message).toMatch(/GB are missing.*Google Chrome/);
    const { engine } = await app.window.call('app.state', null);
    expect(engine).toMatchObject({ kind: 'failed', cause: { code: 'preflight' } });
  });
});
