import { expect, test } from 'vitest';
import { angleAt, arc, pointAt } from './dial-geometry.ts';

test('the scale runs from lower left over the top to lower right', () => {
  expect(angleAt(0)).toBe(-135);
  expect(angleAt(0.5)).toBe(0);
  expect(angleAt(1)).toBe(135);
  expect(pointAt(0)).toEqual({ x: 21.72, y: 78.28 });
  expect(pointAt(0.5)).toEqual({ x: 50, y: 10 });
  expect(pointAt(1)).toEqual({ x: 78.28, y: 78.28 });
});

test('a needle beyond the scale rests at its end', () => {
  expect(angleAt(-3)).toBe(-135);
  expect(angleAt(7)).toBe(135);
});

test('arcs of more than half a turn say so', () => {
  expect(arc(0, 1)).toContain(' 0 1 1 ');
  expect(arc(0, 0.5)).toContain(' 0 0 1 ');
});
