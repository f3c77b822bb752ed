import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContextFull, EngineError, type GenerationRequest } from '../engine/engine.ts';
import { apiFaultOf, errorBody } from '../gateway/api-fault.ts';
import { appErrorOf } from '../host/app-error.ts';
import { answerRoom, ceilingOf, withinCeiling } from './context-ceiling.ts';

describe('answerRoom', () => {
  it.each([
    { promptTokens: 1_000, maxTokens: 4_096, ceilingTokens: 4_096, room: 3_096 },
    { promptTokens: 1_000, maxTokens: 100, ceilingTokens: 4_096, room: 100 },
    { promptTokens: 4_032, maxTokens: 4_096, ceilingTokens: 4_096, room: 64 },
    { promptTokens: 4_033, maxTokens: 4_096, ceilingTokens: 4_096, room: null },
    // Who asks for one token needs no more.
    { promptTokens: 4_095, maxTokens: 1, ceilingTokens: 4_096, room: 1 },
    { promptTokens: 4_096, maxTokens: 1, ceilingTokens: 4_096, room: null },
    { promptTokens: 9_000, maxTokens: 1, ceilingTokens: 4_096, room: null },
  ])('$promptTokens in $ceilingTokens, $maxTokens wanted: $room', ({ room, ...request }) => {
    expect(answerRoom(request)).toBe(room);
  });

  it('prompt and answer never exceed the ceiling', () => {
    const tokens = fc.integer({ min: 1, max: 2_000_000 });
    fc.assert(
      fc.property(tokens, tokens, tokens, (promptTokens, maxTokens, ceilingTokens) => {
        const room = answerRoom({ promptTokens, maxTokens, ceilingTokens });
        expect(room === null || (room >= 1 && room <= maxTokens && promptTokens + room <= ceilingTokens)).toBe(true);
      }),
    );
  });

  it('the model’s own maximum bounds the ceiling', () => {
    expect(ceilingOf(16_384, 8_192)).toBe(8_192);
    expect(ceilingOf(4_096, 8_192)).toBe(4_096);
    expect(ceilingOf(4_096, null)).toBe(4_096);
  });
});

describe('withinCeiling', () => {
  const request: GenerationRequest = { messages: [], effort: 'low', date: '2026-01-01', maxTokens: 4_096 };
  const { signal } = new AbortController();
  const ports = (promptTokens: number, ceilingTokens: () => number | null) => ({
    engine: { count: async () => promptTokens },
    ceilingTokens,
    mostTokens: () => 131_072,
  });

  it('bounds the answer by the room left', async () => {
    expect(
      await withinCeiling(
        request,
        ports(4_000, () => 4_096),
        signal,
      ),
    ).toEqual({ ...request, maxTokens: 96 });
  });

  it('a ceiling changed meanwhile counts', async () => {
    let ceiling = 1_024;
    const made = ports(4_000, () => ceiling);
    await expect(withinCeiling(request, made, signal)).rejects.toThrow(ContextFull);
    ceiling = 4_500;
    expect(await withinCeiling(request, made, signal)).toEqual({ ...request, maxTokens: 500 });
  });

  it('nothing is counted where even a token for every byte would fit', async () => {
    const uncounted = { ...ports(0, () => 4_096), engine: { count: () => Promise.reject(new Error('counted')) } };
    const short: GenerationRequest = { ...request, messages: [{ role: 'user', content: 'Hello' }], maxTokens: 2_000 };
    expect(await withinCeiling(short, uncounted, signal)).toBe(short);
    const longer = { ...short, messages: [{ role: 'user', content: 'é'.repeat(1_000) }] } as const;
    await expect(withinCeiling(longer, uncounted, signal)).rejects.toThrow('counted');
  });

  it('an answer that goes on counts with what there is of it', async () => {
    const seen: GenerationRequest['messages'][] = [];
    const made = {
      ...ports(0, () => 4_096),
      engine: {
        count: async ({ messages }: Pick<GenerationRequest, 'messages'>) => {
          seen.push(messages);
          return 4_000;
        },
      },
    };
    const goesOn = { ...request, continueFrom: { reasoning: 'Hm. ', content: 'Once' } };
    expect(await withinCeiling(goesOn, made, signal)).toEqual({ ...goesOn, maxTokens: 96 });
    expect(seen).toEqual([[{ role: 'assistant', content: 'Hm. Once' }]]);
  });

  it('what counting throws is passed on', async () => {
    const broken = {
      ...ports(1, () => 4_095),
      engine: { count: () => Promise.reject(new EngineError('off', 'Off.', '')) },
    };
    await expect(withinCeiling(request, broken, signal)).rejects.toMatchObject({ code: 'off' });
  });

  it('refuses with numbers, in the window’s words and in OpenAI’s', async () => {
    const thrown: unknown = await withinCeiling(
      request,
      ports(4_210, () => 4_096),
      signal,
    ).catch((error: unknown) => error);
    expect(appErrorOf(thrown, () => {})).toEqual({
      code: 'context-full',
      message: 'This takes 4,210 tokens, and the context is set to 4,096: no room is left for an answer.',
      nextStep: 'Raise the context with the slider, shorten the message, or begin a new conversation.',
    });
    const fault = apiFaultOf(thrown, () => {});
    expect(fault.status).toBe(400);
    expect(errorBody(fault).error).toMatchObject({
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      param: 'messages',
      message: expect.stringContaining(
        'maximum context length is 4096 tokens. However, your messages resulted in 4210',
      ),
    });
  });
});
