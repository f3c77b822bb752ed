import { expect, test } from 'vitest';
import { dayTitle, groupByDay } from './days.ts';

const local = (year: number, month: number, day: number, hour = 12): number =>
  new Date(year, month - 1, day, hour).getTime();
const now = local(2026, 11, 23, 9);

test.each([
  [local(2026, 11, 23, 8), 'Today'],
  [local(2026, 11, 24, 8), 'Today'],
  [local(2026, 11, 22, 23), 'Yesterday'],
  [local(2026, 11, 18), 'Wednesday'],
  [local(2026, 11, 16), 'November'],
  [local(2026, 3, 1), 'March'],
  [local(2025, 11, 23), 'November 2025'],
])('%d is %s', (ms, title) => {
  expect(dayTitle(ms, now)).toBe(title);
});

test('groups newest first, without losing any', () => {
  const summary = (id: string, updatedAtMs: number) => ({
    id,
    title: id,
    createdAtMs: 0,
    updatedAtMs,
    pinnedAtMs: null,
    archivedAtMs: null,
  });
  const groups = groupByDay(
    [summary('old', local(2026, 3, 1)), summary('b', local(2026, 11, 23, 7)), summary('a', local(2026, 11, 23, 8))],
    now,
  );
  expect(groups.map((group) => [group.title, group.conversations.map(({ id }) => id)])).toEqual([
    ['Today', ['a', 'b']],
    ['March', ['old']],
  ]);
});
