import { describe, expect, it } from 'vitest';
import {
  type Engine,
  EngineError,
  type GenerationEvent,
  type GenerationRequest,
  type GenerationUsage,
} from '../engine/engine.ts';
import { type GuardedEngine, guardEngine } from './guarded-engine.ts';
import type { Words } from './protection-words.ts';

const usage: GenerationUsage = {
  promptTokens: 1,
  cachedTokens: 0,
  completionTokens: 2,
  reasoningTokens: 0,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: 40,
};
const words: Words = { message: 'Ended to save memory.', nextStep: 'Ask again.' };
const request: GenerationRequest = {
  messages: [
    { role: 'user', content: 'abc' },
    { role: 'assistant', content: null },
    { role: 'user', content: 'de' },
  ],
  effort: 'low',
  date: '2026-01-01',
  maxTokens: 10,
};

/** Says one word, then waits for its end; with `finishes` it says that it is done. */
function engineThat(finishes: boolean): {
  engine: GuardedEngine;
  asked: number[];
  answered: GenerationUsage[];
  refuse(): void;
} {
  const answered: GenerationUsage[] = [];
  const asked: number[] = [];
  let refusal: Words | null = null;
  const inner: Pick<Engine, 'generate'> = {
    async *generate(_, { signal }): AsyncGenerator<GenerationEvent> {
      yield { kind: 'content', text: 'word' };
      if (finishes) {
        yield { kind: 'finish', reason: 'stop', usage };
        return;
      }
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve());
      });
      throw new EngineError('aborted', 'The request was cancelled.', '');
    },
  };
  const engine = guardEngine({ ...inner, state: { kind: 'ready', sinceMs: 0 } } as Engine, {
    bounded: async (asked) => asked,
    promptRefusal: (characters) => {
      asked.push(characters);
      return refusal;
    },
    used: () => {},
    answered: (each) => answered.push(each),
  });
  return { engine, asked, answered, refuse: () => (refusal = words) };
}

const run = async (engine: GuardedEngine, signal: AbortSignal, onEvent: () => void = () => {}) => {
  try {
    for await (const _ of engine.generate(request, { signal, priority: 'api' })) onEvent();
    return null;
  } catch (error) {
    if (error instanceof EngineError) return { code: error.code, message: error.message };
    throw error;
  }
};

describe('an engine that is guarded', () => {
  it('lets an answer through, counts what it has to read, and learns its rate', async () => {
    const { engine, asked, answered } = engineThat(true);
    expect(await run(engine, new AbortController().signal)).toBeNull();
    expect(asked).toEqual([5]);
    expect(answered).toEqual([usage]);
    expect(engine.openAnswers()).toBe(0);
  });

  it('ends every open answer with the reason', async () => {
    const { engine } = engineThat(false);
    const signal = new AbortController().signal;
    const both: Promise<unknown>[] = [];
    const begun = [1, 2].map(() => new Promise<void>((resolve) => both.push(run(engine, signal, resolve))));
    await Promise.all(begun);
    expect(engine.openAnswers()).toBe(2);
    expect(engine.cancelAnswers(words)).toBe(2);
    const end = { code: 'protected', message: words.message };
    expect(await Promise.all(both)).toEqual([end, end]);
    expect(engine.openAnswers()).toBe(0);
    expect(engine.cancelAnswers(words)).toBe(0);
  });

  it('does not claim what the reader stopped itself', async () => {
    const { engine } = engineThat(false);
    const stop = new AbortController();
    const end = run(engine, stop.signal, () => stop.abort());
    expect(await end).toMatchObject({ code: 'aborted' });
  });

  it('does not count an answer whose reader went away', async () => {
    const { engine } = engineThat(false);
    for await (const _ of engine.generate(request, { signal: new AbortController().signal, priority: 'api' })) break;
    expect(engine.openAnswers()).toBe(0);
  });

  it('refuses before the engine is asked', async () => {
    const { engine, refuse, answered } = engineThat(true);
    refuse();
    expect(await run(engine, new AbortController().signal)).toEqual({ code: 'protected', message: words.message });
    expect(answered).toEqual([]);
  });
});
