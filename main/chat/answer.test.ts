import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GenerationEvent, GenerationUsage } from '../engine/engine.ts';
import { isFinal } from '../../preload/answer-status.ts';
import { type Answer, ended, grow, newAnswer } from './answer.ts';

const usage: GenerationUsage = {
  promptTokens: 10,
  cachedTokens: 4,
  completionTokens: 7,
  reasoningTokens: 3,
  prefillTokensPerSecond: 900,
  decodeTokensPerSecond: 40,
};
const play = (events: readonly [number, GenerationEvent][]): Answer =>
  events.reduce((answer, [atMs, event]) => grow(answer, event, atMs), newAnswer(0));

describe('grow', () => {
  it('walks from waiting through thinking to a complete answer', () => {
    const answer = play([
      [1, { kind: 'waiting', for: 'engine', ahead: 0 }],
      [10, { kind: 'prefill', doneTokens: 5, totalTokens: 10 }],
      [100, { kind: 'reasoning', text: 'Let me ' }],
      [200, { kind: 'reasoning', text: 'see.' }],
      [350, { kind: 'content', text: 'Yes' }],
      [400, { kind: 'content', text: '.' }],
      [410, { kind: 'finish', reason: 'stop', usage }],
    ]);
    expect(answer).toMatchObject({
      text: 'Yes.',
      reasoning: 'Let me see.',
      reasoningMs: 250,
      status: { kind: 'complete' },
      generatedTokens: 7,
      usage: { cachedTokens: 4, firstTokenMs: 100 },
    });
  });

  it('says where the length was reached', () => {
    const answer = play([
      [5, { kind: 'reasoning', text: 'hm' }],
      [9, { kind: 'finish', reason: 'length', lengthIn: 'reasoning', usage }],
    ]);
    expect(answer.status).toEqual({ kind: 'length', where: 'reasoning' });
    expect(answer.reasoningMs).toBe(4);
  });

  it('never loses text, whatever the order of events', () => {
    const event: fc.Arbitrary<GenerationEvent> = fc.oneof(
      fc.record({ kind: fc.constantFrom('reasoning', 'commentary', 'content'), text: fc.string() }),
      fc.record({ kind: fc.constant('prefill'), doneTokens: fc.nat(), totalTokens: fc.nat() }),
      fc.record({ kind: fc.constant('waiting'), for: fc.constantFrom('slot', 'engine'), ahead: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const answer = play(events.map((each, i) => [i, each]));
        const texts = (...kinds: string[]): string =>
          events.map((e) => ('text' in e && kinds.includes(e.kind) ? e.text : '')).join('');
        expect(answer.text).toBe(texts('content', 'commentary'));
        expect(answer.reasoning).toBe(texts('reasoning'));
        expect(isFinal(answer.status)).toBe(false);
        const stopped = ended(answer, { kind: 'stopped' }, events.length);
        expect(stopped.text).toBe(answer.text);
        expect(isFinal(stopped.status)).toBe(true);
      }),
    );
  });
});
