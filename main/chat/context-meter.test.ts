import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import { createContextMeter, leastEnough, type Prompt, reservedTokens } from './context-meter.ts';

const none = { maxAnswerTokens: null, thinkingTokens: null };

describe('reservedTokens', () => {
  it.each([
    ['low', 32_768, none, 512],
    ['high', 32_768, none, 2_048],
    ['high', 4_096, none, 1_024],
    ['medium', 32_768, { ...none, maxAnswerTokens: 100 }, 100],
    ['high', 32_768, { ...none, thinkingTokens: 200 }, 712],
  ] as const)('%s of %i', (effort, limit, settings, reserved) =>
    expect(reservedTokens(effort, limit, settings)).toBe(reserved),
  );
});

describe('leastEnough', () => {
  it('finds the first place that is enough with few questions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 500 }), fc.nat(600), async (count, enoughFrom) => {
        const places = Array.from({ length: count }, (_, i) => i * 2);
        let asked = 0;
        const found = await leastEnough(places, (place) => {
          asked += 1;
          return Promise.resolve(place >= enoughFrom);
        });
        expect(found).toBe(places.find((place) => place >= enoughFrom) ?? null);
        expect(asked).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe('the meter', () => {
  const prompt = (content: string): Prompt => ({
    messages: [{ role: 'user', content }],
    effort: 'low',
    date: '2026-01-02',
  });
  const meterWith = (state: EngineState) => {
    const counted: string[] = [];
    const meter = createContextMeter({
      engine: {
        state,
        count: ({ messages }) => {
          const text = messages[0]?.content ?? '';
          counted.push(text);
          return Promise.resolve(10 + text.length);
        },
      },
      modelName: () => 'm',
    });
    return { meter, counted };
  };
  const input = { prompt: prompt('hello'), empty: prompt(''), reservedTokens: 20, limitTokens: 100, lastUsedTokens: 7 };

  it('tells used, reserved, left and what is being written, and counts each text once', async () => {
    const { meter, counted } = meterWith({ kind: 'ready', sinceMs: 0 });
    const use = {
      kind: 'counted',
      usedTokens: 15,
      reservedTokens: 20,
      leftTokens: 65,
      limitTokens: 100,
      draftTokens: 5,
    };
    expect(await meter.use(input)).toEqual(use);
    expect(await meter.use(input)).toEqual(use);
    expect(counted).toEqual(['hello', '']);
  });

  it('says when nobody can count', async () => {
    const { meter, counted } = meterWith({ kind: 'off' });
    expect(await meter.use(input)).toEqual({
      kind: 'not-counted',
      lastUsedTokens: 7,
      reservedTokens: 20,
      limitTokens: 100,
    });
    expect(counted).toEqual([]);
  });
});
