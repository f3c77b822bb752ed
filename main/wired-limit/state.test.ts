import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WiredLimitPlan } from '../../preload/contract.ts';
import type { ElevationOutcome } from './elevator.ts';
import type { JournalEntry, Reconciliation } from './journal.ts';
import { type Effect, type Event, type State, initialState, step, toWiredLimitState } from './state.ts';

const plan: WiredLimitPlan = {
  verdict: { kind: 'raise', toMiB: 12_800, choices: [] },
  memoryMiB: 16_384,
  limitMiB: 10_922,
  limitFrom: 'recorded',
  peakMiB: 12_160,
  peakFrom: 'estimated',
  needMiB: 12_800,
  leavesMiB: 1_736,
  canStartAnyway: false,
  keepsResident: true,
};
const entry: JournalEntry = { originalMiB: 0, ourValuesMiB: [12_800], bootId: 'b', atMs: 1, seenBack: false };
const looked = (
  settingMiB: number,
  left: Reconciliation,
  change: Partial<Extract<Event, { kind: 'looked' }>> = {},
): Event => ({
  kind: 'looked',
  settingMiB,
  left,
  isFirst: false,
  wroteJournal: true,
  need: null,
  ...change,
});
const asked = looked(0, { kind: 'nothing' }, { need: { plan, askedBy: 'window' } });
const raise: Event = { kind: 'raise', by: 'prompt', fromMiB: 0, toMiB: 12_800 };
const journaled: Event = { kind: 'journaled', originalMiB: 0 };
const elevated = (outcome: ElevationOutcome): Event => ({ kind: 'elevated', outcome });
const read = (settingMiB: number): Event => ({ kind: 'read', settingMiB });

function run(events: readonly Event[], from: State = initialState): { state: State; effects: Effect['kind'][] } {
  const effects: Effect['kind'][] = [];
  let state = from;
  for (const event of events) {
    const next = step(state, event);
    state = next.state;
    effects.push(...next.effects.map(({ kind }) => kind));
  }
  return { state, effects };
}
const raisedState = run([asked, raise, journaled, elevated({ kind: 'done' }), read(12_800)]).state;

test('the whole way there: journal, dialog, reading, engine', () => {
  const { state, effects } = run([asked, raise, journaled, elevated({ kind: 'done' }), read(12_800)]);
  expect(effects).toEqual(['write-journal', 'elevate', 'read', 'start-engine']);
  expect(toWiredLimitState(state)).toEqual({
    kind: 'raised',
    settingMiB: 12_800,
    originalMiB: 0,
    fromEarlierRun: false,
  });
});

test('the whole way back: unload, look, dialog, reading, journal cleared last', () => {
  const { state, effects } = run(
    [{ kind: 'restore', by: 'prompt' }, { kind: 'unloaded' }, read(12_800), elevated({ kind: 'done' }), read(0)],
    raisedState,
  );
  expect(effects).toEqual(['unload', 'read', 'elevate', 'read', 'clear-journal']);
  expect(toWiredLimitState(state)).toMatchObject({ kind: 'idle', settingMiB: 0, note: { code: 'restored' } });
});

test('“myself” watches instead of asking', () => {
  expect(run([asked, { ...raise, by: 'myself' }, journaled]).effects).toEqual(['write-journal', 'watch']);
});

describe('what goes wrong in a raise ends in words, and nothing is lost', () => {
  test.each([
    ['cancelled', { kind: 'cancelled' }, 0, 'wired-limit-cancelled', null],
    ['wrong password', { kind: 'wrong-password' }, 0, 'wired-limit-wrong-password', null],
    ['no administrator', { kind: 'not-admin' }, 0, 'wired-limit-not-admin', null],
    ['refused', { kind: 'refused', detail: 'no' }, 0, 'wired-limit-refused', null],
    ['no way to ask', { kind: 'unavailable', detail: 'ssh' }, 0, 'wired-limit-unavailable', null],
    ['done, but not taken', { kind: 'done' }, 0, 'wired-limit-not-taken', null],
    ['another tool was quicker', { kind: 'done' }, 14_000, 'wired-limit-changed-meanwhile', 0],
    ['cancelled, and another tool', { kind: 'cancelled' }, 9_000, 'wired-limit-changed-meanwhile', 0],
  ] as [string, ElevationOutcome, number, string, number | null][])(
    '%s',
    (_, outcome, settingMiB, code, originalMiB) => {
      const { state, effects } = run([asked, raise, journaled, elevated(outcome), read(settingMiB)]);
      const shown = toWiredLimitState(state);
      expect(shown).toMatchObject({ kind: 'trouble', cause: { code }, settingMiB, originalMiB });
      if (shown.kind !== 'trouble') return;
      expect(shown.cause.message).toMatch(/\.$/);
      expect(shown.cause.nextStep).toMatch(/\.$/);
      expect(effects).not.toContain('clear-journal');
      expect(effects).not.toContain('start-engine');
    },
  );

  test('a dialog that said no although the value is there: raised', () => {
    expect(run([asked, raise, journaled, elevated({ kind: 'cancelled' }), read(12_800)]).state.kind).toBe('raised');
  });

  test('an unwritable journal stops everything before anything', () => {
    const { state, effects } = run([asked, raise, { kind: 'journal-failed', detail: 'ENOSPC' }]);
    expect(effects).toEqual(['write-journal']);
    expect(toWiredLimitState(state)).toMatchObject({
      kind: 'trouble',
      cause: { code: 'wired-limit-journal-unwritable' },
    });
  });

  test('what could not be read back keeps the way back', () => {
    const { state } = run([asked, raise, journaled, elevated({ kind: 'done' }), { kind: 'unreadable', detail: 'x' }]);
    expect(state).toMatchObject({ kind: 'trouble', code: 'unreadable' });
    expect(run([looked(12_800, { kind: 'still-raised', currentMiB: 12_800, entry })], state).state).toEqual({
      kind: 'raised',
      settingMiB: 12_800,
      originalMiB: 0,
      fromEarlierRun: false,
    });
  });
});

describe('putting back', () => {
  const back: Event[] = [{ kind: 'restore', by: 'prompt' }, { kind: 'unloaded' }];

  test('what is back already needs no dialog', () => {
    expect(run([...back, read(0)], raisedState).effects).toEqual(['unload', 'read', 'clear-journal']);
  });

  test('another tool’s value is not undone unasked; asked again it is', () => {
    const found = run([...back, read(14_000)], raisedState);
    expect(found.effects).toEqual(['unload', 'read']);
    expect(found.state).toMatchObject({
      kind: 'trouble',
      code: 'changed-meanwhile',
      settingMiB: 14_000,
      originalMiB: 0,
    });
    expect(run([...back, read(14_000)], found.state).effects).toEqual(['unload', 'read', 'elevate']);
    const kept = run([{ kind: 'cancel' }], found.state);
    expect(kept.effects).toEqual(['clear-journal']);
    expect(kept.state).toMatchObject({ kind: 'idle', settingMiB: 14_000, note: { code: 'kept-other-value' } });
  });

  test('cancelled, it stays raised with its way back', () => {
    const { state } = run([...back, read(12_800), elevated({ kind: 'cancelled' }), read(12_800)], raisedState);
    expect(state).toMatchObject({ kind: 'trouble', code: 'cancelled', originalMiB: 0 });
    expect(run([{ kind: 'cancel' }], state).state).toEqual(raisedState);
  });
});

describe('what an earlier run left, at the first look', () => {
  const first = (settingMiB: number, left: Reconciliation) => run([looked(settingMiB, left, { isFirst: true })]);
  test.each([
    ['nothing', 0, { kind: 'nothing' }, { kind: 'idle', settingMiB: 0, note: null }, []],
    ['a journal that came to nothing', 0, { kind: 'at-original', entry }, { kind: 'idle' }, ['clear-journal']],
    [
      'a reboot',
      0,
      { kind: 'reset-by-reboot' },
      { kind: 'idle', note: { code: 'reset-by-reboot' } },
      ['clear-journal'],
    ],
    [
      'a raised limit',
      12_800,
      { kind: 'still-raised', currentMiB: 12_800, entry },
      { kind: 'raised', settingMiB: 12_800, originalMiB: 0, fromEarlierRun: true },
      [],
    ],
    [
      'another tool’s',
      14_000,
      { kind: 'changed-by-other-tool', currentMiB: 14_000, entry },
      { kind: 'trouble', settingMiB: 14_000, originalMiB: 0 },
      [],
    ],
    [
      'a damaged journal and a raised limit: 0 is the way back from now on',
      12_800,
      { kind: 'damaged', currentMiB: 12_800, keptAs: '/x' },
      { kind: 'trouble', settingMiB: 12_800, originalMiB: 0 },
      ['write-lost-journal'],
    ],
    [
      'a damaged journal and nothing raised',
      0,
      { kind: 'damaged', currentMiB: 0, keptAs: '/x' },
      { kind: 'trouble', settingMiB: 0, originalMiB: null },
      [],
    ],
  ] as [string, number, Reconciliation, object, string[]][])('%s', (_, settingMiB, left, state, effects) => {
    const result = first(settingMiB, left);
    expect(toWiredLimitState(result.state)).toMatchObject(state);
    expect(result.effects).toEqual(effects);
  });
});

test('a journal of an earlier run stays: its dialog may still be open, and its password still be typed', () => {
  const atOriginal: Reconciliation = { kind: 'at-original', entry };
  const first = run([looked(0, atOriginal, { isFirst: true, wroteJournal: false })]);
  expect(first).toEqual({ state: { kind: 'idle', settingMiB: 0, note: null }, effects: ['mark-journal'] });
  const late = run(
    [looked(12_800, { kind: 'still-raised', currentMiB: 12_800, entry }, { wroteJournal: false })],
    first.state,
  );
  expect(late.state).toMatchObject({ kind: 'raised', originalMiB: 0 });
});

test('asked for again while a refusal is read, the question comes back; not now takes it away', () => {
  const { state } = run([asked, raise, journaled, elevated({ kind: 'cancelled' }), read(0), asked]);
  expect(state.kind).toBe('asking');
  expect(run([{ kind: 'cancel' }], state).state).toEqual({ kind: 'idle', settingMiB: 0, note: null });
});

test('whatever happens, no dialog without a click and a journal before it, and every state has its picture', () => {
  const MiB = fc.constantFrom(0, 9_000, 12_800, 13_312, 14_000);
  const lefts: Reconciliation[] = [
    { kind: 'nothing' },
    { kind: 'at-original', entry },
    { kind: 'still-raised', currentMiB: 12_800, entry },
    { kind: 'changed-by-other-tool', currentMiB: 14_000, entry },
    { kind: 'damaged', currentMiB: 0, keptAs: '/x' },
    { kind: 'reset-by-reboot' },
  ];
  const events: fc.Arbitrary<Event> = fc.oneof(
    fc
      .record({ settingMiB: MiB, left: fc.constantFrom(...lefts) })
      .map(({ settingMiB, left }) => looked(settingMiB, left)),
    fc.constant(asked),
    fc.record({
      kind: fc.constant('raise' as const),
      by: fc.constantFrom('prompt', 'myself'),
      fromMiB: MiB,
      toMiB: MiB,
    }),
    fc.record({ kind: fc.constant('restore' as const), by: fc.constantFrom('prompt', 'myself') }),
    fc.constantFrom<Event>({ kind: 'cancel' }, { kind: 'unloaded' }, { kind: 'unreadable', detail: 'x' }),
    fc.record({ kind: fc.constant('journaled' as const), originalMiB: MiB }),
    fc.constant<Event>({ kind: 'journal-failed', detail: 'x' }),
    fc
      .constantFrom<ElevationOutcome>({ kind: 'done' }, { kind: 'cancelled' }, { kind: 'refused', detail: '' })
      .map(elevated),
    MiB.map(read),
  );
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (story) => {
      let state: State = initialState;
      let clicks = 0;
      let dialogs = 0;
      let isJournaled = false;
      for (const event of story) {
        const before = state;
        const next = step(state, event);
        state = next.state;
        toWiredLimitState(state);
        if ((event.kind === 'raise' || event.kind === 'restore') && state !== before) {
          clicks += 1;
          // A restore finds the journal of the raise; a raise writes its own.
          isJournaled = event.kind === 'restore';
        }
        if (event.kind === 'journaled' && state !== before) isJournaled = true;
        for (const effect of next.effects) {
          if (effect.kind === 'elevate' || effect.kind === 'watch') {
            dialogs += 1;
            expect(isJournaled).toBe(true);
          }
          // Cleared only where the limit is at its original, or where the user has chosen to keep another tool's.
          if (effect.kind === 'clear-journal') expect(state.kind === 'idle' || state.kind === 'trouble').toBe(true);
        }
        expect(dialogs).toBeLessThanOrEqual(clicks);
      }
    }),
    { numRuns: 2_000 },
  );
});
