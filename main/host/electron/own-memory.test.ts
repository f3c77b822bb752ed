import { expect, test } from 'vitest';
import { ownProcessesMiB } from './own-memory.ts';

test('all of the app’s processes count', () => {
  const of = (workingSetSize: number) => ({ memory: { workingSetSize } });
  expect(ownProcessesMiB([of(102_400), of(51_200), of(76_800)])).toBe(225);
  expect(ownProcessesMiB([])).toBe(0);
});
