/** Protection's steps, refusals and findings in words for people. Every number in them was measured. Pure. */
import type { ProtectionNumbers, ProtectionState, ProtectionTrigger } from '../../preload/contract.ts';

import { LEVEL_WORDS } from './level-words.ts';

export interface Words {
  readonly message: string;
  readonly nextStep: string;
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GB`;
const rate = (tokensPerSecond: number): string =>
  `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)} tokens a second`;

/** "memory pressure is at Critical, 3.2 GB are in swap, 120 MB a second more" */
function numbers({ level, swapUsedBytes, swapOutBytesPerSecond }: ProtectionNumbers): string {
  const parts = [`memory pressure is at ${LEVEL_WORDS[level]}`];
  if (swapUsedBytes > 0) parts.push(`${gib(swapUsedBytes)} are in swap`);
  if (swapOutBytesPerSecond !== null && swapOutBytesPerSecond >= MIB) {
    parts.push(`${Math.round(swapOutBytesPerSecond / MIB)} MB more go there each second`);
  }
  return parts.join(', ');
}

function cause(trigger: ProtectionTrigger, because: ProtectionNumbers): string {
  const { decodeTokensPerSecond: now, usualDecodeTokensPerSecond: usual } = because;
  return trigger === 'slow-decode' && now !== null && usual !== null
    ? `the model writes ${rate(now)}, usually ${rate(usual)}, and ${numbers(because)}`
    : numbers(because);
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

export function wordsOf(
  kind: 'watching' | 'easing' | 'cancelled' | 'unloaded' | 'lent',
  trigger: ProtectionTrigger,
  because: ProtectionNumbers,
): Words {
  const why = cause(trigger, because);
  switch (kind) {
    case 'watching':
      return {
        message: `${sentence(why)} With a large model this is normal, and nothing is done about it.`,
        nextStep: 'If the computer feels slow, close apps you do not need.',
      };
    case 'easing':
      return {
        message: `Memory is getting short: ${why}. Caches were dropped, and long prompts have to wait.`,
        nextStep: 'Close apps you do not need, or overrule this for ten minutes.',
      };
    case 'cancelled':
      return {
        message: `The answer was ended to keep the computer usable: ${why}. Its text was kept.`,
        nextStep: 'Close apps you do not need, then ask again, or overrule this for ten minutes.',
      };
    case 'unloaded':
      return {
        message: `The model was unloaded to keep the computer usable: ${why}.`,
        nextStep: 'Close apps you do not need, then turn the model on again, or overrule this for ten minutes.',
      };
    case 'lent':
      return {
        message: `The model was not in use and other apps needed memory: ${why}. It was unloaded.`,
        nextStep: 'It comes back when you write.',
      };
  }
}

/** Said under an answer that was ended; the banner beside it has the numbers. */
export const ENDED_WORDS = 'Ended to keep the computer usable. What had arrived was kept.';

export const wiredLeftWords = (leftBytes: number): Words => ({
  message: `The model has ended, but ${gib(leftBytes)} of memory that was not in use before it are still held by the system.`,
  nextStep: 'Only a restart of the computer gives them back. Until then the model is not started by itself.',
});

const OVERRULE = 'Close apps you do not need and try again, or overrule this for ten minutes.';

/**
 * Why no prompt is taken, or not this one; null when it is. `now`: the latest numbers. `promptTokens` is an estimate.
 */
export function promptRefusal(
  state: ProtectionState,
  now: ProtectionNumbers | null,
  promptTokens: number,
  longestTokens: number,
): Words | null {
  if (state.kind !== 'easing' && state.kind !== 'cancelled' && state.kind !== 'unloaded') return null;
  const why = numbers(now ?? state.because);
  if (state.kind !== 'easing' && (now ?? state.because).level === 'critical') {
    return { message: `There is no memory for an answer: ${why}.`, nextStep: OVERRULE };
  }
  // Unloaded and no longer critical: loading it again is the question then, not the prompt.
  if (state.kind === 'unloaded' || promptTokens <= longestTokens) return null;
  const [asked, most] = [promptTokens.toLocaleString('en'), longestTokens.toLocaleString('en')];
  return {
    message: `This prompt has about ${asked} tokens. While memory is short (${why}) at most ${most} are read.`,
    nextStep: 'Begin a new conversation, wait a little, or overrule this for ten minutes.',
  };
}

/** Why the model is not loaded now; null when it may be. */
export function startRefusal(
  state: ProtectionState,
  now: ProtectionNumbers | null,
  by: 'user' | 'program',
): Words | null {
  switch (state.kind) {
    case 'unloaded': {
      const numbersNow = now ?? state.because;
      if (by === 'user' && numbersNow.level !== 'critical') return null;
      return {
        message: `The model was unloaded because memory ran short, and is not loaded again yet: ${numbers(numbersNow)}.`,
        nextStep: by === 'user' ? OVERRULE : 'Open Headroom and turn the model on there.',
      };
    }
    case 'wired-left':
      return {
        message: `The model does not fit beside the ${gib(state.leftBytes)} that are still held by the system.`,
        nextStep: 'Restart the computer.',
      };
    case 'watching':
    case 'easing':
    case 'cancelled':
    case 'lent':
      // Nobody who sees what it does asks for it.
      if (by === 'user' || now?.level !== 'critical') return null;
      return { message: `There is no memory to load the model: ${numbers(now)}.`, nextStep: 'Try again later.' };
    default:
      return null;
  }
}
