import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areaPath, HEIGHT, linePath, stretches, WIDTH } from './sparkline-path.ts';

const frame = { fromMs: 0, toMs: 600_000, top: 10 };

test('newest at the right, highest at the top, with room for the line', () => {
  expect(
    linePath(
      [
        { atMs: 0, value: 0 },
        { atMs: 600_000, value: 10 },
      ],
      frame,
    ),
  ).toBe('M0 26.5L200 1.5');
});

test('one reading is a dot; none is nothing', () => {
  expect(linePath([{ atMs: 600_000, value: 5 }], frame)).toBe('M200 14h0');
  expect(linePath([], frame)).toBe('');
  expect(areaPath([], frame)).toBe('');
});

test('a gap breaks the line', () => {
  const at = (atMs: number) => ({ atMs, value: 1 });
  expect(stretches([at(0), at(2_000), at(100_000), at(110_000)])).toEqual([
    [at(0), at(2_000)],
    [at(100_000), at(110_000)],
  ]);
});

test('whatever is measured, the line stays inside its box', () => {
  const point = fc.record({ atMs: fc.double({ noNaN: true }), value: fc.double({ noNaN: true }) });
  fc.assert(
    fc.property(fc.array(point), fc.double({ noNaN: true, noDefaultInfinity: true }), (points, top) => {
      const numbers = linePath(points, { ...frame, top }).match(/-?[\d.]+(?:e-?\d+)?/g) ?? [];
      const pairs = points.length === 1 ? numbers.slice(0, 2) : numbers;
      pairs.forEach((text, index) => {
        expect(Number(text)).toBeGreaterThanOrEqual(0);
        expect(Number(text)).toBeLessThanOrEqual(index % 2 === 0 ? WIDTH : HEIGHT);
      });
    }),
  );
});
