import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatDelta } from '../../preload/contract.ts';
import { grow, newAnswer } from './answer.ts';
import { createDeltaCoalescer, type Timers } from './delta-coalescer.ts';

const manualTimers = () => {
  let pending: (() => void) | null = null;
  const timers: Timers = {
    after(_delayMs, work) {
      pending = work;
      return () => (pending = null);
    },
  };
  return {
    timers,
    fire() {
      const work = pending;
      pending = null;
      work?.();
    },
  };
};

describe('delta coalescer', () => {
  it('sends the first token at once and holds the following ones for the timer', () => {
    const sent: ChatDelta[] = [];
    const { timers, fire } = manualTimers();
    const deltas = createDeltaCoalescer(
      { conversationId: 'c', messageId: 'm' },
      (d) => sent.push(d),
      undefined,
      timers,
    );
    let answer = grow(newAnswer(0), { kind: 'content', text: 'a' }, 1);
    deltas.update(answer);
    for (const text of ['b', 'c', 'd']) {
      answer = grow(answer, { kind: 'content', text }, 2);
      deltas.update(answer);
    }
    expect(sent.map((d) => d.text)).toEqual(['a']);
    fire();
    expect(sent.map((d) => d.text)).toEqual(['a', 'bcd']);
    fire();
    expect(sent).toHaveLength(2);
  });

  it('its deltas put together are the answer, with no gap between them', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            kind: fc.constantFrom('reasoning' as const, 'content' as const),
            text: fc.string(),
            fire: fc.boolean(),
          }),
        ),
        (steps) => {
          const sent: ChatDelta[] = [];
          const { timers, fire } = manualTimers();
          const deltas = createDeltaCoalescer(
            { conversationId: 'c', messageId: 'm' },
            (d) => sent.push(d),
            undefined,
            timers,
          );
          let answer = newAnswer(0);
          for (const step of steps) {
            answer = grow(answer, { kind: step.kind, text: step.text }, 1);
            deltas.update(answer);
            if (step.fire) fire();
          }
          deltas.flush();
          let text = '';
          let reasoning = '';
          for (const delta of sent) {
            expect(delta.textStart).toBe(text.length);
            expect(delta.reasoningStart).toBe(reasoning.length);
            text += delta.text;
            reasoning += delta.reasoning;
          }
          expect(text).toBe(answer.text);
          expect(reasoning).toBe(answer.reasoning);
        },
      ),
    );
  });
});
