import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINES, MAX_LINE_LENGTH, createLineBudget, createLogRing } from './log-ring.ts';

describe('log ring', () => {
  it('joins pieces to lines and strips what a terminal would not show', () => {
    const ring = createLogRing();
    expect(ring.write('one\r\ntw')).toEqual(['one']);
    expect(ring.write('o \u001b[3')).toEqual([]);
    expect(ring.write('1mred\u001b[0m\u0007\r\n\r\n')).toEqual(['two red']);
    expect(ring.write('  1%\r 50%\r100%\r\n')).toEqual(['100%']);
    expect(ring.write('unfinished')).toEqual([]);
    expect(ring.end()).toEqual(['unfinished']);
    expect(ring.end()).toEqual([]);
    expect(ring.tail()).toEqual(['one', 'two red', '100%', 'unfinished']);
  });

  it('keeps the last 200 lines', () => {
    const ring = createLogRing();
    for (let index = 0; index < 1_000; index += 1) ring.write(`line ${index}\n`);
    expect(ring.tail()).toHaveLength(MAX_LINES);
    expect(ring.tail()[0]).toBe('line 800');
    expect(ring.tail().at(-1)).toBe('line 999');
  });

  it('does not grow with a line that never ends', () => {
    const ring = createLogRing();
    for (let index = 0; index < 2_000; index += 1) ring.write('x'.repeat(10_000));
    ring.write('\nnext\n');
    expect(ring.tail()).toHaveLength(2);
    expect(ring.tail()[0]?.length).toBeLessThanOrEqual(MAX_LINE_LENGTH + 2);
    expect(ring.tail()[1]).toBe('next');
  });

  it('shows the last state of a progress bar that never ends its line', () => {
    const ring = createLogRing();
    for (let percent = 0; percent <= 5_000; percent += 1) ring.write(`loading ${percent} of 5000 parts\r`);
    expect(ring.end()).toEqual(['loading 5000 of 5000 parts']);
  });

  it('reads the same however the output is cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '🙂', '\r', ' ', '\u001b[31m', '\u001b[0m') });
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 10 }),
        fc.array(fc.nat({ max: 200 }), { maxLength: 10 }),
        (lines, cuts) => {
          const text = lines.map((part) => `${part}\n`).join('');
          const whole = createLogRing();
          whole.write(text);
          const cut = createLogRing();
          const at = [0, ...cuts.filter((position) => position < text.length).sort((a, b) => a - b), text.length];
          for (let index = 1; index < at.length; index += 1) cut.write(text.slice(at[index - 1], at[index]));
          expect(cut.tail()).toEqual(whole.tail());
        },
      ),
    );
  });
});

describe('line budget', () => {
  it('admits so many lines a second and tells how many it left out', () => {
    const budget = createLineBudget(2);
    expect([0, 1, 2, 3].map((now) => budget.admit(now))).toEqual([0, 0, null, null]);
    expect(budget.admit(1_000)).toBe(2);
    expect(budget.admit(1_001)).toBe(0);
    expect(budget.admit(1_002)).toBeNull();
  });

  it('survives a clock that is set back', () => {
    const budget = createLineBudget(1);
    expect(budget.admit(1e12)).toBe(0);
    expect(budget.admit(5)).toBe(0);
  });
});
