/**
 * The wired limit's life as a pure function: what happened, in which state, leads where, and what is to be done about it.
 *
 * ```
 *            a model needs more            the user's click
 *   idle ───────────────────► asking ───────────────────────► raising ─► verifying ─► raised
 *    ▲  ▲                        │ not now                        │           │          │
 *    │  └────────────────────────┘                                └────┬──────┘          │ the user's click
 *    │                                                                 ▼                 ▼
 *    │                       dismissed                              trouble ◄──────── restoring ─► verifying
 *    └───────────────────────────┴─────────────────────────────────────┘                              │
 *    └─────────────────────────────────────── journal cleared ────────────────────────────────────────┘
 * ```
 * `raising` and `restoring` are one private state, `working`, with a phase. Whatever goes wrong in it, the limit is read
 * back before anything is said, and the journal stays unless the limit is where it was.
 */
import type { WiredLimitAskedBy, WiredLimitPlan, WiredLimitState, WiredLimitWay } from '../../preload/contract.ts';
import { commandToRun } from './command.ts';
import type { ElevationOutcome } from './elevator.ts';
import type { JournalEntry, Reconciliation } from './journal.ts';
import { type TroubleCode, noteOf, troubleOf } from './words.ts';

/** What is under way, from the click to the reading that ends it. */
interface Work {
  readonly during: 'raise' | 'restore';
  readonly by: WiredLimitWay;
  readonly fromMiB: number;
  readonly toMiB: number;
  /** Where "Put everything back" leads. */
  readonly originalMiB: number;
  /** The model was refused for want of the limit: start it when that is done. */
  readonly thenStart: boolean;
}

export type State =
  | Exclude<WiredLimitState, { kind: 'raising' | 'restoring' | 'verifying' | 'trouble' }>
  | ({ readonly kind: 'working'; readonly phase: Phase } & Work)
  | {
      readonly kind: 'trouble';
      readonly during: 'raise' | 'restore' | 'look';
      readonly code: TroubleCode;
      readonly detail: string;
      readonly settingMiB: number;
      readonly originalMiB: number | null;
      readonly wantedMiB: number | null;
      /** The model still waits for another try. */
      readonly thenStart: boolean;
    };

type Phase =
  /** Restoring: the model goes first, then the value is looked at once more. */
  | { readonly kind: 'unloading' }
  | { readonly kind: 'checking' }
  | { readonly kind: 'journaling' }
  | { readonly kind: 'elevating' }
  /** The user runs the command, we read the value every two seconds. */
  | { readonly kind: 'watching' }
  | { readonly kind: 'verifying'; readonly outcome: ElevationOutcome }
  /** The user set more than was asked for, by hand: theirs to choose, ours to note. */
  | { readonly kind: 'adopting'; readonly settingMiB: number };

export type Event =
  /** The limit was read and compared with the journal; `need` when a model is to be started that wants more. */
  | {
      readonly kind: 'looked';
      readonly settingMiB: number;
      readonly left: Reconciliation;
      readonly isFirst: boolean;
      /** This run wrote the journal; an earlier one's dialog may still be open, and its password still be typed. */
      readonly wroteJournal: boolean;
      readonly need: { readonly plan: WiredLimitPlan; readonly askedBy: WiredLimitAskedBy } | null;
    }
  | { readonly kind: 'not-needed'; readonly why: string }
  /** The user's click. The value has been checked, `fromMiB` has just been read. */
  | { readonly kind: 'raise'; readonly by: WiredLimitWay; readonly fromMiB: number; readonly toMiB: number }
  | { readonly kind: 'restore'; readonly by: WiredLimitWay }
  /** The user's click: not now, take the dialog away, or "understood". */
  | { readonly kind: 'cancel' }
  | { readonly kind: 'unloaded' }
  | { readonly kind: 'journaled'; readonly originalMiB: number }
  | { readonly kind: 'journal-failed'; readonly detail: string }
  | { readonly kind: 'elevated'; readonly outcome: ElevationOutcome }
  | { readonly kind: 'read'; readonly settingMiB: number }
  | { readonly kind: 'unreadable'; readonly detail: string };

export type Effect =
  /** End every generation, keeping its text, and stop the engine. Answered by `unloaded`. */
  | { readonly kind: 'unload' }
  /** Answered by `read` or `unreadable`. */
  | { readonly kind: 'read' }
  /** Durable before `journaled`. */
  | { readonly kind: 'write-journal'; readonly fromMiB: number; readonly toMiB: number }
  /** The journal was damaged while the limit was raised: from now on 0 is the way back. */
  | { readonly kind: 'write-lost-journal'; readonly settingMiB: number }
  | { readonly kind: 'clear-journal' }
  /** An earlier run's journal, with what was seen of it. */
  | { readonly kind: 'mark-journal'; readonly entry: JournalEntry }
  /** Answered by `elevated`. */
  | { readonly kind: 'elevate'; readonly toMiB: number }
  /** Answered by `elevated` when the value is no longer `fromMiB`. */
  | { readonly kind: 'watch'; readonly fromMiB: number }
  /** Take the dialog away, or stop watching; that is answered by `elevated` too. */
  | { readonly kind: 'stop-waiting' }
  /** MLX takes its limits once: an engine that runs has to start again, one that was refused may start now. */
  | { readonly kind: 'start-engine'; readonly evenIfOff: boolean };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const initialState: State = { kind: 'idle', settingMiB: 0, note: null };

export function step(state: State, event: Event): Step {
  switch (event.kind) {
    case 'looked':
      return state.kind === 'working' || state.kind === 'not-needed' ? same(state) : looked(state, event);
    case 'not-needed':
      return state.kind === 'working' ? same(state) : to({ kind: 'not-needed', why: event.why });
    case 'raise':
      return raise(state, event);
    case 'restore':
      return restore(state, event.by);
    case 'cancel':
      return cancel(state);
    case 'unloaded':
      return inPhase(state, 'unloading')
        ? to({ ...state, phase: { kind: 'checking' } }, [{ kind: 'read' }])
        : same(state);
    case 'journaled':
      if (inPhase(state, 'adopting')) return raised(state, state.phase.settingMiB);
      return inPhase(state, 'journaling') ? elevate({ ...state, originalMiB: event.originalMiB }) : same(state);
    case 'journal-failed':
      // The journal still says where it was; that this value is ours cannot be noted.
      if (inPhase(state, 'adopting')) return to(trouble(state, 'changed-meanwhile', '', state.phase.settingMiB));
      // Nothing has been changed, and nothing may be.
      return inPhase(state, 'journaling')
        ? to(trouble(state, 'journal-unwritable', event.detail, state.fromMiB))
        : same(state);
    case 'elevated':
      return inPhase(state, 'elevating') || inPhase(state, 'watching')
        ? to({ ...state, phase: { kind: 'verifying', outcome: event.outcome } }, [{ kind: 'read' }])
        : same(state);
    case 'read':
      return read(state, event.settingMiB);
    case 'unreadable':
      if (state.kind === 'working') return to(trouble(state, 'unreadable', event.detail, state.fromMiB));
      if (state.kind === 'not-needed') return same(state);
      return to({
        kind: 'trouble',
        during: 'look',
        code: 'unreadable',
        detail: event.detail,
        settingMiB: state.settingMiB,
        originalMiB: originalOf(state),
        wantedMiB: null,
        thenStart: false,
      });
  }
}

const same = (state: State): Step => ({ state, effects: [] });
const to = (state: State, effects: readonly Effect[] = []): Step => ({ state, effects });

type Working = Extract<State, { kind: 'working' }>;
type Resting = Exclude<State, Working | { kind: 'not-needed' }>;

const inPhase = <K extends Phase['kind']>(
  state: State,
  kind: K,
): state is Working & { readonly phase: Extract<Phase, { kind: K }> } =>
  state.kind === 'working' && state.phase.kind === kind;

// ── Looking ───────────────────────────────────────────────────────────────────────────────────────

function looked(state: Resting, event: Extract<Event, { kind: 'looked' }>): Step {
  const found = compared(state, event);
  const { need, settingMiB } = event;
  if (need === null) return found;
  return to(
    {
      kind: 'asking',
      ...need,
      settingMiB,
      originalMiB: originalOf(found.state),
    },
    found.effects,
  );
}

/** What becomes of a journal when the limit is not ours. */
function journalDone(left: Reconciliation, wroteJournal: boolean): readonly Effect[] {
  if (left.kind === 'not-ours') return [{ kind: 'clear-journal' }];
  if (left.kind !== 'at-original') return [];
  if (wroteJournal) return [{ kind: 'clear-journal' }];
  return left.entry.seenBack ? [] : [{ kind: 'mark-journal', entry: { ...left.entry, seenBack: true } }];
}

/** A restore that failed, a damaged journal: the value has not changed since, so the words still hold. */
const staysRaised = ({ code }: Extract<State, { kind: 'trouble' }>): boolean =>
  code !== 'changed-meanwhile' && code !== 'unreadable';

/** A refusal explains itself until the user has answered it; what was unreadable has just been read. */
const isWorthKeeping = ({ code, originalMiB }: Extract<State, { kind: 'trouble' }>): boolean =>
  originalMiB === null && code !== 'unreadable';

function compared(
  state: Resting,
  { left, settingMiB, isFirst, wroteJournal }: Extract<Event, { kind: 'looked' }>,
): { state: Resting; effects: readonly Effect[] } {
  const to = (next: Resting, effects: readonly Effect[] = []) => ({ state: next, effects });
  switch (left.kind) {
    case 'nothing':
    case 'not-ours':
    case 'at-original': {
      const effects = journalDone(left, wroteJournal);
      if (state.kind === 'trouble' && state.settingMiB === settingMiB && isWorthKeeping(state))
        return { state, effects };
      const note = state.kind === 'idle' ? state.note : null;
      return to({ kind: 'idle', settingMiB, note }, effects);
    }
    case 'reset-by-reboot':
    case 'set-at-boot':
      return to({ kind: 'idle', settingMiB, note: noteOf(left.kind, settingMiB) }, [{ kind: 'clear-journal' }]);
    case 'still-raised': {
      if (state.kind === 'trouble' && state.settingMiB === settingMiB && staysRaised(state)) return to(state);
      const { originalMiB } = left.entry;
      const fromEarlierRun = isFirst || (state.kind === 'raised' && state.fromEarlierRun);
      return to({ kind: 'raised', settingMiB, originalMiB, fromEarlierRun });
    }
    case 'changed-by-other-tool':
      return to({
        kind: 'trouble',
        during: 'look',
        code: 'changed-meanwhile',
        detail: '',
        settingMiB,
        originalMiB: left.entry.originalMiB,
        wantedMiB: null,
        thenStart: false,
      });
    case 'damaged': {
      const lost = settingMiB !== 0;
      return to(
        {
          kind: 'trouble',
          during: 'look',
          code: lost ? 'journal-damaged' : 'journal-damaged-harmless',
          detail: left.keptAs,
          settingMiB,
          originalMiB: lost ? 0 : null,
          wantedMiB: null,
          thenStart: false,
        },
        lost ? [{ kind: 'write-lost-journal', settingMiB }] : [],
      );
    }
  }
}

// ── The user's clicks ─────────────────────────────────────────────────────────────────────────────

function raise(state: State, { by, fromMiB, toMiB }: Extract<Event, { kind: 'raise' }>): Step {
  if (state.kind === 'working' || state.kind === 'not-needed') return same(state);
  const thenStart = state.kind === 'asking' || (state.kind === 'trouble' && state.thenStart);
  const work: Work = { during: 'raise', by, fromMiB, toMiB, originalMiB: originalOf(state) ?? fromMiB, thenStart };
  // No dialog for what is there already; it may be another tool's, so it is not ours to journal.
  if (fromMiB === toMiB) {
    const originalMiB = originalOf(state);
    const there: State =
      originalMiB === null
        ? { kind: 'idle', settingMiB: toMiB, note: null }
        : { kind: 'raised', settingMiB: toMiB, originalMiB, fromEarlierRun: false };
    return to(there, [{ kind: 'start-engine', evenIfOff: thenStart }]);
  }
  return to({ kind: 'working', phase: { kind: 'journaling' }, ...work }, [{ kind: 'write-journal', fromMiB, toMiB }]);
}

function restore(state: State, by: WiredLimitWay): Step {
  if (state.kind === 'working' || state.kind === 'not-needed') return same(state);
  const originalMiB = originalOf(state);
  if (originalMiB === null) return same(state);
  return to(
    {
      kind: 'working',
      phase: { kind: 'unloading' },
      during: 'restore',
      by,
      fromMiB: state.settingMiB,
      toMiB: originalMiB,
      originalMiB,
      thenStart: false,
    },
    [{ kind: 'unload' }],
  );
}

function cancel(state: State): Step {
  switch (state.kind) {
    case 'asking':
      return to(resting(state.settingMiB, state.originalMiB));
    case 'trouble':
      // The user has read that another tool's value is there, and keeps it.
      if (state.code === 'changed-meanwhile') {
        const { settingMiB } = state;
        return to({ kind: 'idle', settingMiB, note: noteOf('kept-other-value', settingMiB) }, [
          { kind: 'clear-journal' },
        ]);
      }
      return to(resting(state.settingMiB, state.originalMiB));
    case 'idle':
      return state.note === null ? same(state) : to({ ...state, note: null });
    case 'raised':
      return state.fromEarlierRun ? to({ ...state, fromEarlierRun: false }) : same(state);
    case 'working':
      return state.phase.kind === 'elevating' || state.phase.kind === 'watching'
        ? to(state, [{ kind: 'stop-waiting' }])
        : same(state);
    case 'not-needed':
      return same(state);
  }
}

const resting = (settingMiB: number, originalMiB: number | null): State =>
  originalMiB === null || originalMiB === settingMiB
    ? { kind: 'idle', settingMiB, note: null }
    : { kind: 'raised', settingMiB, originalMiB, fromEarlierRun: false };

// ── Readings on the way ───────────────────────────────────────────────────────────────────────────

const elevate = (state: Working): Step =>
  state.by === 'prompt'
    ? to({ ...state, phase: { kind: 'elevating' } }, [{ kind: 'elevate', toMiB: state.toMiB }])
    : to({ ...state, phase: { kind: 'watching' } }, [{ kind: 'watch', fromMiB: state.fromMiB }]);

function read(state: State, settingMiB: number): Step {
  if (state.kind !== 'working') return same(state);
  const { phase, toMiB, fromMiB, during, by } = state;
  switch (phase.kind) {
    case 'checking':
      if (settingMiB === toMiB) return restored(toMiB);
      // Asked to undo our own value, found another tool's: the user should know before it goes.
      if (settingMiB !== fromMiB) return to(trouble(state, 'changed-meanwhile', '', settingMiB));
      return elevate(state);
    case 'verifying':
      if (settingMiB === toMiB) {
        if (during === 'restore') return restored(toMiB);
        return raised(state, settingMiB);
      }
      if (during === 'raise' && by === 'myself' && settingMiB > toMiB && settingMiB !== fromMiB) {
        return to({ ...state, phase: { kind: 'adopting', settingMiB } }, [
          { kind: 'write-journal', fromMiB: toMiB, toMiB: settingMiB },
        ]);
      }
      if (settingMiB !== fromMiB) return to(trouble(state, 'changed-meanwhile', '', settingMiB));
      return to(trouble(state, ...failureOf(phase.outcome), settingMiB));
    default:
      return same(state);
  }
}

const raised = ({ originalMiB, thenStart }: Working, settingMiB: number): Step =>
  to({ kind: 'raised', settingMiB, originalMiB, fromEarlierRun: false }, [
    { kind: 'start-engine', evenIfOff: thenStart },
  ]);

const restored = (settingMiB: number): Step =>
  to({ kind: 'idle', settingMiB, note: noteOf('restored', settingMiB) }, [{ kind: 'clear-journal' }]);

function failureOf(outcome: ElevationOutcome): [TroubleCode, string] {
  switch (outcome.kind) {
    case 'done':
      return ['not-taken', ''];
    case 'refused':
    case 'unavailable':
      return [outcome.kind, outcome.detail];
    case 'cancelled':
    case 'wrong-password':
    case 'not-admin':
      return [outcome.kind, ''];
  }
}

const trouble = (work: Work, code: TroubleCode, detail: string, settingMiB: number): State => ({
  kind: 'trouble',
  during: work.during,
  code,
  detail,
  settingMiB,
  originalMiB: settingMiB === work.originalMiB ? null : work.originalMiB,
  wantedMiB: work.toMiB,
  thenStart: work.thenStart,
});

const originalOf = (state: Resting): number | null => (state.kind === 'idle' ? null : state.originalMiB);

// ── What the window sees ──────────────────────────────────────────────────────────────────────────

export function toWiredLimitState(state: State): WiredLimitState {
  switch (state.kind) {
    case 'working': {
      const { during, by, fromMiB, toMiB, originalMiB, thenStart } = state;
      if (state.phase.kind === 'verifying' || state.phase.kind === 'adopting') {
        return { kind: 'verifying', during, fromMiB, toMiB, originalMiB, thenStart };
      }
      const kind = during === 'raise' ? 'raising' : 'restoring';
      return { kind, by, fromMiB, toMiB, originalMiB, command: commandToRun(toMiB), thenStart };
    }
    case 'trouble': {
      const { during, code, detail, settingMiB, originalMiB, wantedMiB } = state;
      const { cause, runByHand } = troubleOf({ during, code, detail, settingMiB, originalMiB, wantedMiB });
      const byHandMiB = wantedMiB ?? originalMiB;
      return {
        kind: 'trouble',
        during,
        cause,
        settingMiB,
        originalMiB,
        command: runByHand && byHandMiB !== null ? commandToRun(byHandMiB) : null,
      };
    }
    default:
      return state;
  }
}
