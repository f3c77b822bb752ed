import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type SlotTicket, Slot } from './slot.ts';

const never = new AbortController().signal;

it('serves in order of arrival, the window before programs, and nobody before the one being served', () => {
  const slot = new Slot();
  const first = slot.enter('api');
  const second = slot.enter('api');
  const window = slot.enter('window');
  const later = slot.enter('window');
  expect([first, window, later, second].map((ticket) => ticket.ahead)).toEqual([0, 1, 2, 3]);
  first.release();
  first.release();
  expect([window, later, second].map((ticket) => ticket.ahead)).toEqual([0, 1, 2]);
});

it('tells those who wait when they move, and only then', async () => {
  const slot = new Slot();
  const first = slot.enter('api');
  const second = slot.enter('api');
  let moves = 0;
  const moved = second.moved(never).then(() => (moves += 1));
  slot.enter('api');
  await Promise.resolve();
  expect(moves).toBe(0);
  first.release();
  await moved;
  expect(second.ahead).toBe(0);
});

it('lets go of a waiter whose signal aborts', async () => {
  const slot = new Slot();
  slot.enter('api');
  const waiting = slot.enter('api');
  const aborter = new AbortController();
  const moved = waiting.moved(aborter.signal);
  aborter.abort();
  await moved;
  await waiting.moved(aborter.signal);
  waiting.release();
  expect(slot.length).toBe(1);
});

it('always serves exactly one, and everybody in the end', () => {
  const action = fc.oneof(
    fc.constantFrom<'window' | 'api'>('window', 'api'),
    fc.nat({ max: 20 }).map((index) => ({ leave: index })),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 50 }), (actions) => {
      const slot = new Slot();
      let inside: SlotTicket[] = [];
      for (const next of actions) {
        if (typeof next === 'string') inside.push(slot.enter(next));
        else {
          const leaving = inside[next.leave];
          leaving?.release();
          inside = inside.filter((ticket) => ticket !== leaving);
        }
        expect(inside.map((ticket) => ticket.ahead).sort((a, b) => a - b)).toEqual([...inside.keys()]);
      }
      while (inside.length > 0) {
        const served = inside.find((ticket) => ticket.ahead === 0);
        served?.release();
        inside = inside.filter((ticket) => ticket !== served);
      }
      expect(slot.length).toBe(0);
    }),
  );
});
