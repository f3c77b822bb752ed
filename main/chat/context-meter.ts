/** How full the context is, by the engine's own tokenizer, and where to cut when a conversation no longer fits. */
import { createHash } from 'node:crypto';
import type { ContextUse, ConversationSettings, Effort } from '../../preload/contract.ts';
import type { Engine, GenerationRequest } from '../engine/engine.ts';

export type Prompt = Pick<GenerationRequest, 'messages' | 'effort' | 'date'>;

/** Kept free for an answer, tokens: what one with so much thinking usually takes. */
const USUAL_ANSWER: Readonly<Record<Effort, number>> = { low: 512, medium: 1_024, high: 2_048 };

export function reservedTokens(
  effort: Effort,
  limitTokens: number,
  { maxAnswerTokens, thinkingTokens }: Pick<ConversationSettings, 'maxAnswerTokens' | 'thinkingTokens'>,
): number {
  const usual =
    thinkingTokens === null ? USUAL_ANSWER[effort] : Math.min(USUAL_ANSWER[effort], thinkingTokens + USUAL_ANSWER.low);
  return Math.min(usual, maxAnswerTokens ?? usual, Math.floor(limitTokens / 4));
}

/** The smallest of `places` (rising) that is enough, when everything after one that is enough is enough too. */
export async function leastEnough(
  places: readonly number[],
  isEnough: (place: number) => Promise<boolean>,
): Promise<number | null> {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const place = places[middle];
    if (place !== undefined && (await isEnough(place))) high = middle;
    else low = middle + 1;
  }
  return places[low] ?? null;
}

export interface ContextMeter {
  /** Null when nobody can count now. */
  count(prompt: Prompt): Promise<number | null>;
  /** Tokens a text adds to a message. Null when nobody can count now. */
  tokensOf(text: string, date: string): Promise<number | null>;
  use(input: {
    /** With what is being written at its end. */
    prompt: Prompt;
    /** The same with nothing written. */
    empty: Prompt;
    reservedTokens: number;
    limitTokens: number;
    lastUsedTokens: number | null;
  }): Promise<ContextUse>;
}

/** Counting takes milliseconds; an engine that is only just starting may take longer, and nobody waits for that. */
const COUNT_TIMEOUT_MS = 3_000;
/** While somebody types only the end changes: the counts of everything else are remembered. */
const MOST_REMEMBERED = 64;

export function createContextMeter(ports: {
  readonly engine: Pick<Engine, 'state' | 'count'>;
  /** Counts hold for one model. */
  modelName(): string | null;
}): ContextMeter {
  const remembered = new Map<string, number>();

  const count = async (prompt: Prompt): Promise<number | null> => {
    const { kind } = ports.engine.state;
    if (kind !== 'starting' && kind !== 'loading' && kind !== 'ready' && kind !== 'busy') return null;
    const key = createHash('sha256')
      .update(JSON.stringify([ports.modelName(), prompt]))
      .digest('base64');
    const known = remembered.get(key);
    if (known !== undefined) return known;
    try {
      const tokens = await ports.engine.count(prompt, AbortSignal.timeout(COUNT_TIMEOUT_MS));
      remembered.set(key, tokens);
      const oldest = remembered.keys().next();
      if (remembered.size > MOST_REMEMBERED && oldest.done !== true) remembered.delete(oldest.value);
      return tokens;
    } catch {
      // The engine has gone or does not answer in time: then nothing is counted, and the window says so.
      return null;
    }
  };

  return {
    count,
    async tokensOf(text, date) {
      const saying = (content: string): Prompt => ({ messages: [{ role: 'user', content }], effort: 'low', date });
      const withText = await count(saying(text));
      const without = withText === null ? null : await count(saying(''));
      return withText === null || without === null ? null : Math.max(0, withText - without);
    },
    async use({ prompt, empty, limitTokens, lastUsedTokens, reservedTokens: reserved }) {
      const usedTokens = await count(prompt);
      const emptyTokens = usedTokens === null ? null : await count(empty);
      if (usedTokens === null || emptyTokens === null)
        return { kind: 'not-counted', lastUsedTokens, reservedTokens: reserved, limitTokens };
      return {
        kind: 'counted',
        usedTokens,
        reservedTokens: reserved,
        leftTokens: limitTokens - reserved - usedTokens,
        limitTokens,
        draftTokens: Math.max(0, usedTokens - emptyTokens),
      };
    },
  };
}
