/** Thinking cut short and answers taken up again, through the supervisor, by the real engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
