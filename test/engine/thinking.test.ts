/** Thinking cut short, answers taken up again and titles, through the supervisor, by the real engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../main/chat/database.ts';
import { createConversationStore } from '../../main/chat/store.ts';
import { createTitles } from '../../main/chat/titles.ts';
import type { GenerationEvent } from '../../main/engine/engine.ts';
import { pythonCommand } from '../../main/engine/supervisor.ts';
import { modelFolder, pythonExecutable } from './fixtures.ts';
import { type EngineUnderTest, collect, engineUnderTest, textOf } from './harness.ts';

let under: EngineUnderTest;
beforeAll(async () => {
  under = engineUnderTest(pythonCommand(pythonExecutable), modelFolder);
  await under.engine.start(under.model);
});
afterAll(() => under.finish());

const question = { text: 'why is the sky blue', effort: 'high' } as const;
const usageOf = (events: readonly GenerationEvent[]) => {
  const last = events.at(-1);
  if (last?.kind !== 'finish') throw new Error('no end');
  return last.usage;
};

describe('thinking', () => {
  it('ends at its budget, and the answer follows', async () => {
    const free = await collect(under, question);
    const cut = await collect(under, { ...question, thinkingBudgetTokens: 6 });
    expect(textOf(free, 'reasoning').startsWith(textOf(cut, 'reasoning'))).toBe(true);
    expect(textOf(cut, 'reasoning').length).toBeLessThan(textOf(free, 'reasoning').length);
    expect(textOf(cut, 'content')).not.toBe('');
    expect(usageOf(cut).reasoningTokens).toBeLessThan(usageOf(free).reasoningTokens);
  });

  it('ends when the answer is asked for, also before the request has begun', async () => {
    const wish = new AbortController();
    wish.abort();
    const free = await collect(under, question);
    const early = await collect(under, { ...question, answerNow: wish.signal });
    expect(textOf(early, 'content')).not.toBe('');
    expect(usageOf(early).reasoningTokens).toBeLessThan(usageOf(free).reasoningTokens);
  });
});

describe('an interrupted answer', () => {
  it('goes on without saying again what was said', async () => {
    const whole = await collect(under, question);
    const said = textOf(whole, 'content');
    const content = said.slice(0, said.length / 2).trimEnd();
    const rest = await collect(under, {
      ...question,
      continueFrom: { reasoning: textOf(whole, 'reasoning'), content },
    });
    expect(content + textOf(rest, 'content')).toBe(said);
    expect(textOf(rest, 'reasoning')).toBe('');
    expect(usageOf(rest).cachedTokens).toBe(usageOf(whole).promptTokens - 1);
  });
});

describe('a side request', () => {
  it('leaves the conversation its cache', async () => {
    const text = 'a long question about the sea '.repeat(8);
    const first = await collect(under, { text });
    for (const word of ['one', 'two', 'three']) {
      await collect(under, { text: `a title for ${word} `.repeat(20), cache: 'none', maxTokens: 3 });
    }
    expect(usageOf(await collect(under, { text })).cachedTokens).toBe(usageOf(first).promptTokens - 1);
  });
});

describe('titles', () => {
  const asked = 'why is the sky blue over the sea';
  /** The demo has no titles to offer, so the form makes it say this one; everything else is the engine's own. */
  const titlesOf = async (said: string, work: (given: Awaited<ReturnType<typeof opened>>) => Promise<void>) => {
    const given = await opened(said);
    try {
      await work(given);
    } finally {
      given.titles.giveUp();
      given.store.close();
      rmSync(given.folder, { recursive: true, force: true });
    }
  };
  const opened = (said: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'headroom-titles-'));
    const store = createConversationStore(openDatabase(join(folder, 'c.db'), () => expect.unreachable()));
    const turn = store.addTurn({
      conversationId: null,
      text: asked,
      effort: 'low',
      model: 'test',
      nowMs: 1,
      toldDate: '2026-01-02',
    });
    if (turn === null) throw new Error('not added');
    const { conversation, assistant } = turn;
    store.finish(assistant.id, { text: 'Because.', reasoning: '', reasoningMs: null }, { kind: 'complete' }, null);
    const renamed = vi.fn();
    const titles = createTitles({
      store,
      engine: {
        get state() {
          return under.engine.state;
        },
        generate: (request, options) =>
          under.engine.generate(
            {
              ...request,
              responseFormat: {
                type: 'json_schema',
                json_schema: { name: 'title', schema: { type: 'string', enum: [said] } },
              },
            },
            options,
          ),
      },
      isWorthAsking: () => true,
      isIdle: () => true,
      dateOf: () => '2026-01-02',
      renamed,
    });
    return Promise.resolve({ folder, store, conversation, titles, renamed });
  };

  it('come from the engine, and leave the conversation its cache', () =>
    titlesOf('Blue skies over the sea', async ({ store, conversation, titles, renamed }) => {
      const first = await collect(under, { text: asked });
      titles.whenQuiet(conversation.id);
      await vi.waitFor(() => expect(renamed).toHaveBeenCalledOnce(), { timeout: 10_000 });
      expect(store.summary(conversation.id)?.title).toBe('Blue skies over the sea');
      expect(store.titleBy(conversation.id)).toBe('model');
      expect(usageOf(await collect(under, { text: asked })).cachedTokens).toBe(usageOf(first).promptTokens - 1);
    }));

  it('end at once when something is sent, and the first line stays', () =>
    titlesOf('sea and sky '.repeat(100), async ({ store, conversation, titles, renamed }) => {
      titles.whenQuiet(conversation.id);
      await vi.waitFor(() => expect(under.engine.metrics?.request?.generatedTokens).toBeGreaterThan(5), {
        timeout: 10_000,
        interval: 10,
      });
      const sentMs = performance.now();
      titles.giveUp();
      expect(textOf(await collect(under, { text: 'hello', maxTokens: 1 }), 'content').length).toBeLessThan(20);
      expect(performance.now() - sentMs).toBeLessThan(2_000);
      expect(renamed).not.toHaveBeenCalled();
      expect(store.summary(conversation.id)?.title).toBe(asked);
    }));
});
