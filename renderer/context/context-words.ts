/** The context slider in words, and where it may stand: pure. */
import type { ContextPlan, ContextStop, ContextUse } from '../../preload/contract.ts';
import { bytes, bytesSpoken, count, memory, seconds } from '../ui/numbers.ts';

/** `free`: the model runs there as things are. `asks`: after one permission. `closed`: it would fail. */
export type StopAccess = 'free' | 'asks' | 'closed';

export function accessOf({ verdict }: Pick<ContextStop, 'verdict'>): StopAccess {
  switch (verdict.kind) {
    case 'fits':
    // Nothing is known against it.
    case 'unknown':
      return 'free';
    case 'fits-after-raise':
      return 'asks';
    case 'works-if':
    case 'not-on-this-mac':
      return 'closed';
  }
}

/** The stop the user's ceiling stands at: the last one that is not above it. */
export function chosenIndex({ stops, chosenTokens }: ContextPlan): number {
  const above = stops.findIndex(({ tokens }) => tokens > chosenTokens);
  return Math.max(0, (above === -1 ? stops.length : above) - 1);
}

/** How many stops from the left are free or ask: what is right of them is hatched. */
export function openStops(stops: readonly ContextStop[]): number {
  const closed = stops.findIndex((stop) => accessOf(stop) === 'closed');
  return closed === -1 ? stops.length : closed;
}

/** "16 thousand tokens, 406 megabytes". */
export function stopSpoken(stop: ContextStop): string {
  const tokens = stop.tokens >= 1_000 ? `${count(Math.round(stop.tokens / 1_024))} thousand` : count(stop.tokens);
  const access = accessOf(stop);
  const cost = stop.kvBytes === null ? 'memory not known' : bytesSpoken(stop.kvBytes);
  return `${tokens} tokens, ${cost}${access === 'closed' ? ', does not fit' : access === 'asks' ? ', needs a permission' : ''}`;
}

/** "406 MB · leaves 1.4 GB for your Mac". */
export const costWords = ({ kvBytes, leavesBytes }: Pick<ContextStop, 'kvBytes' | 'leavesBytes'>): string =>
  kvBytes === null || leavesBytes === null
    ? 'What it costs is not known for this model.'
    : `${bytes(kvBytes)} · ${leavesWords(leavesBytes)}`;

/** What is left for the Mac, also when there is nothing. */
const leavesWords = (leavesBytes: number): string =>
  leavesBytes > 0 ? `leaves ${memory(leavesBytes)} for your Mac` : `${memory(-leavesBytes)} more than your Mac has`;

/** The kind of wait to expect. */
export const waitWords = ({ prefillSeconds }: Pick<ContextStop, 'prefillSeconds'>): string =>
  prefillSeconds === null
    ? 'How long reading a prompt takes shows after the first answer.'
    : prefillSeconds < 1
      ? 'A prompt that fills it is read in under a second.'
      : `A prompt that fills it takes about ${seconds(prefillSeconds * 1_000)} to read.`;

/** "1,912 of 4,096 tokens used, 1,024 kept for the answer, 1,160 left". */
export function spokenUse(use: ContextUse | null, limitTokens: number): string {
  const of = `${count(limitTokens)} tokens`;
  if (use === null) return of;
  if (use.kind === 'not-counted')
    return use.lastUsedTokens === null ? of : `${count(use.lastUsedTokens)} of ${of} used at the last answer`;
  const left = use.leftTokens < 0 ? `${count(-use.leftTokens)} too many` : `${count(use.leftTokens)} left`;
  return `${count(use.usedTokens)} of ${of} used, ${count(use.reservedTokens)} kept for the answer, ${left}`;
}
