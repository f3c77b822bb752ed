/**
 * What the user is told by a notification while the window is hidden. Rules only; `notifications.ts` shows them.
 *
 * Told is what was done to the user's model, what waits for the user's word, and how a download ended, each once. What
 * the user saw in the window counts as told. A lent model is not told: nothing was lost and it comes back by itself, many times a day.
 */
import type { EventEnvelope, ModelEntry, ProtectionState, WiredLimitState } from '../../../preload/contract.ts';

/** One notification of each at a time: a newer one takes the place of the older. */
export type NoticeTopic = 'protection' | 'wired-limit' | 'shortcut' | 'download';

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
  /** Models that bytes were seen to come for: their end is worth telling. */
  readonly fetching: readonly string[];
}

export const nothingTold: NoticeMemory = { toldAtMs: {}, standing: null, isAsking: false, fetching: [] };

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
    case 'models.changed':
      return downloads(memory, envelope.payload, situation);
    case 'window.shown':
      // The window says it all itself.
      return {
        memory: { ...memory, standing: null },
        effect: { kind: 'withdraw', topics: ['protection', 'wired-limit', 'download'] },
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

/** A download takes an hour: who closed the window wants to hear of its end. A check alone is nobody's news. */
function downloads(memory: NoticeMemory, models: readonly ModelEntry[], situation: NoticeSituation): NoticeStep {
  const isComing = ({ presence }: ModelEntry): boolean =>
    presence.kind === 'getting' && (presence.download.kind === 'downloading' || presence.download.kind === 'waiting');
  const isStill = (id: string): boolean => {
    const presence = models.find((model) => model.id === id)?.presence;
    return presence?.kind === 'getting' && presence.download.kind !== 'failed' && presence.download.kind !== 'paused';
  };
  const coming = models.filter(isComing).map(({ id }) => id);
  const fetching = [...new Set([...memory.fetching.filter(isStill), ...coming])];
  const ended = models.find(({ id }) => memory.fetching.includes(id) && !isStill(id));
  const notice = ended === undefined ? null : noticeOfEnd(ended);
  return {
    memory: { ...memory, fetching },
    effect: notice === null || situation.isWindowShown ? nothing : { kind: 'show', notice },
  };
}

function noticeOfEnd({ name, presence }: ModelEntry): Notice | null {
  if (presence.kind === 'here') {
    return { topic: 'download', title: `${name} is here`, body: 'It was downloaded and checked. Click to use it.' };
  }
  if (presence.kind !== 'getting' || presence.download.kind !== 'failed') return null;
  const { message, nextStep } = presence.download.cause;
  return { topic: 'download', title: `The download of ${name} stopped`, body: `${message} ${nextStep}` };
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
