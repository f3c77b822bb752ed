/** How fast the model writes now, and how fast it usually does on this machine. Pure. */

/** What the engine said of its answer when a sample was taken. */
export interface DecodeMark {
  readonly atMs: number;
  readonly generatedTokens: number;
}

/** The engine reports once a second while it writes, so a shorter span says little. */
const SHORTEST_SPAN_MS = 3_500;
const WINDOW_MS = 8_000;

/** With this mark at the end, or from scratch when another answer has begun. */
export function withMark(marks: readonly DecodeMark[], mark: DecodeMark): readonly DecodeMark[] {
  const last = marks.at(-1);
  if (last !== undefined && (mark.generatedTokens < last.generatedTokens || mark.atMs <= last.atMs)) return [mark];
  return [...marks.filter(({ atMs }) => mark.atMs - atMs <= WINDOW_MS), mark];
}

/** Tokens a second over the last seconds; null when there is too little to tell. */
export function currentRate(marks: readonly DecodeMark[]): number | null {
  const first = marks[0];
  const last = marks.at(-1);
  if (first === undefined || last === undefined) return null;
  const spanMs = last.atMs - first.atMs;
  return spanMs < SHORTEST_SPAN_MS ? null : ((last.generatedTokens - first.generatedTokens) * 1_000) / spanMs;
}

const MOST_RATES = 20;
const FEWEST_RATES = 3;
/** The rate of a short answer is mostly chance. */
const FEWEST_TOKENS = 32;

/** Whole answers' rates, oldest first, with this one. */
export function withRate(
  rates: readonly number[],
  answer: { readonly completionTokens: number; readonly decodeTokensPerSecond: number | null },
): readonly number[] {
  const { completionTokens, decodeTokensPerSecond: rate } = answer;
  if (rate === null || !Number.isFinite(rate) || rate <= 0 || completionTokens < FEWEST_TOKENS) return rates;
  return [...rates, rate].slice(-MOST_RATES);
}

/** The median; null before the third answer. */
export function usualRate(rates: readonly number[]): number | null {
  if (rates.length < FEWEST_RATES) return null;
  const sorted = [...rates].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
