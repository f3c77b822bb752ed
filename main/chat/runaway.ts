/** Whether an answer has run away: says the same again and again, or does not come to an end. Pure. */
import type { Effort } from '../../preload/contract.ts';

export interface Growth {
  /** Of this attempt: what the user has let pass is not held against it again. */
  readonly reasoning: string;
  readonly text: string;
  readonly reasoningTokens: number;
  readonly answerTokens: number;
  readonly effort: Effort;
  /** How often the user has said "go on" already, plus one: each time the bounds double. */
  readonly attempt: number;
}

export interface Runaway {
  readonly because: 'repeating' | 'long';
  readonly where: 'reasoning' | 'answer';
}

/** Most tokens of thinking before the user is asked. gpt-oss thinks a few hundred at low and some thousand at high. */
const MOST_THINKING: Readonly<Record<Effort, number>> = { low: 2_048, medium: 6_144, high: 16_384 };
/** Most tokens of an answer before the user is asked: some twelve pages. */
const MOST_ANSWER = 8_192;

export function runawayOf(growth: Growth): Runaway | null {
  const where = growth.answerTokens > 0 ? 'answer' : 'reasoning';
  if (isRepeating(where === 'answer' ? growth.text : growth.reasoning)) return { because: 'repeating', where };
  const times = 2 ** Math.min(growth.attempt - 1, 10);
  if (where === 'reasoning' && growth.reasoningTokens > MOST_THINKING[growth.effort] * times)
    return { because: 'long', where };
  if (where === 'answer' && growth.answerTokens > MOST_ANSWER * times) return { because: 'long', where };
  return null;
}

/** How far back is looked, UTF-16 units. */
const TAIL = 4_000;
const LEAST_TIMES = 8;
/** Shorter than this a repetition may be meant: a refrain, a list of equal rows. */
const LEAST_LENGTH = 600;
/** Rules, blank rows and padding repeat a few characters many times. */
const SHORT_PERIOD = 8;
const LEAST_LENGTH_SHORT_PERIOD = 1_500;

/** Whether the end of the text is one piece, word for word, again and again. */
export function isRepeating(text: string): boolean {
  const tail = text.slice(-TAIL);
  const { length } = tail;
  if (length < LEAST_LENGTH) return false;
  // The prefix function of the reversed tail: `border[n]` tells the shortest period of the last n characters.
  const at = (index: number): number => tail.charCodeAt(length - 1 - index);
  const border = new Uint16Array(length + 1);
  let matched = 0;
  for (let n = 1; n < length; n += 1) {
    while (matched > 0 && at(n) !== at(matched)) matched = border[matched] ?? 0;
    if (at(n) === at(matched)) matched += 1;
    border[n + 1] = matched;
    const suffix = n + 1;
    const period = suffix - matched;
    const least = period <= SHORT_PERIOD ? LEAST_LENGTH_SHORT_PERIOD : LEAST_LENGTH;
    if (suffix >= least && suffix >= period * LEAST_TIMES) return true;
  }
  return false;
}
