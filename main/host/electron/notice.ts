/**
 * What the user is told by a notification while the window is hidden. Rules only; `notifications.ts` shows them.
 *
 * Told is what was done to the user's model or waits for the user's word, each once. What the user saw in the window
 * counts as told. A lent model is not told: nothing was lost and it comes back by itself, many times a day.
 */
import type { EventEnvelope, ProtectionState, WiredLimitState } from '../../../preload/contract.ts';

/** One notification of each at a time: a newer one takes the place of the older. */
export type NoticeTopic = 'protection' | 'wired-limit' | 'shortcut';

export interface Notice {
  readonly topic: NoticeTopic;
  readonly title: string;
  readonly body: string;
}

type NoticeEffect =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'show'; readonly notice: Notice }
  /** It is no longer true, or no longer needed. */
  | { readonly kind: 'withdraw'; readonly topics: readonly NoticeTopic[] };

type Told = 'easing' | 'cancelled' | 'unloaded' | 'wired-left' | 'asking';

export interface NoticeMemory {
  /** When each was last told. */
  readonly toldAtMs: Readonly<Partial<Record<Told, number>>>;
  /** The last thing told of protection, while its notification may still be there. */
  readonly standing: Told | null;
  /** A request is open: more of them are the same one. */
  readonly isAsking: boolean;
}

export const nothingTold: NoticeMemory = { toldAtMs: {}, standing: null, isAsking: false };

/** Nothing was lost by these, and both may come again and again: a program asks once a second if it likes. */
export const TOLD_AGAIN_AFTER_MS: Readonly<Partial<Record<Told, number>>> = {
  easing: 10 * 60_000,
  asking: 10 * 60_000,
};

export interface NoticeSituation {
  readonly isWindowShown: boolean;
  readonly modelName: string | null;
  readonly nowMs: number;
}

interface NoticeStep {
  readonly memory: NoticeMemory;
  readonly effect: NoticeEffect;
}

export function noticeStep(memory: NoticeMemory, envelope: EventEnvelope, situation: NoticeSituation): NoticeStep {
  switch (envelope.event) {
    case 'protection.state':
      return protection(memory, envelope.payload, situation);
    case 'wiredLimit.state':
      return wiredLimit(memory, envelope.payload, situation);
    case 'window.shown':
      // The window says it all itself.
      return {
        memory: { ...memory, standing: null },
        effect: { kind: 'withdraw', topics: ['protection', 'wired-limit'] },
      };
    default:
      return { memory, effect: nothing };
  }
}

const nothing: NoticeEffect = { kind: 'nothing' };

function protection(memory: NoticeMemory, state: ProtectionState, situation: NoticeSituation): NoticeStep {
  switch (state.kind) {
    case 'easing':
    case 'cancelled':
    case 'unloaded':
    case 'wired-left': {
      const notice: Notice = { topic: 'protection', title: PROTECTION_TITLES[state.kind], body: state.message };
      const told = tell(memory, state.kind, notice, situation);
      return told.effect.kind === 'show' ? { ...told, memory: { ...told.memory, standing: state.kind } } : told;
    }
    case 'off':
    case 'calm':
    case 'watching':
    case 'lent':
    case 'undone':
      // An answer that was ended stays ended; that long prompts have to wait is over.
      return memory.standing === 'easing'
        ? { memory: { ...memory, standing: null }, effect: { kind: 'withdraw', topics: ['protection'] } }
        : { memory, effect: nothing };
  }
}

const PROTECTION_TITLES = {
  easing: 'Memory is getting short',
  cancelled: 'An answer was ended',
  unloaded: 'The model was unloaded',
  'wired-left': 'Memory was not given back',
} as const;

function wiredLimit(memory: NoticeMemory, state: WiredLimitState, situation: NoticeSituation): NoticeStep {
  if (state.kind !== 'asking') {
    const answered = { ...memory, isAsking: false };
    return memory.isAsking
      ? { memory: answered, effect: { kind: 'withdraw', topics: ['wired-limit'] } }
      : { memory: answered, effect: nothing };
  }
  if (memory.isAsking) return { memory, effect: nothing };
  const { askedBy, plan } = state;
  const name = situation.modelName ?? 'The model';
  const notice: Notice = {
    topic: 'wired-limit',
    title: askedBy === 'endpoint' ? 'Another program asked for the model' : 'The model waits for your word',
    body: `${name} needs ${mib(plan.needMiB)} for the GPU and may have ${mib(plan.limitMiB)}. Only you can raise the limit: click to decide.`,
  };
  return tell({ ...memory, isAsking: true }, 'asking', notice, situation);
}

function tell(memory: NoticeMemory, what: Told, notice: Notice, situation: NoticeSituation): NoticeStep {
  const sinceMs = situation.nowMs - (memory.toldAtMs[what] ?? Number.NEGATIVE_INFINITY);
  // A clock that was set back is no reason to be silent.
  const isRecent = sinceMs >= 0 && sinceMs < (TOLD_AGAIN_AFTER_MS[what] ?? 0);
  if (isRecent) return { memory, effect: nothing };
  return {
    memory: { ...memory, toldAtMs: { ...memory.toldAtMs, [what]: situation.nowMs } },
    effect: situation.isWindowShown ? nothing : { kind: 'show', notice },
  };
}

const mib = (amount: number): string => `${amount.toLocaleString('en')} MiB`;
