/** Sizes as macOS prints them: `2497M`, `7090M+`, `15G`, `5154 MB`, `15517760 B`, `12,50M`, `0B`. 1K is 1024. */

const FACTORS: Readonly<Record<string, number>> = { B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const SIZE = /^(\d{1,20}(?:[.,]\d{1,6})?)\s?([BKMGT])B?[+-]?$/;

/** Bytes, or null when the text is no size. Never above what a number holds exactly. */
export function parseByteSize(text: string): number | null {
  const [, digits, unit] = SIZE.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined) return null;
  const factor = FACTORS[unit];
  // French and many other locales print a decimal comma.
  return factor === undefined ? null : atMostSafe(Math.round(Number(digits.replace(',', '.')) * factor));
}

/** A whole number from decimal digits, exact or clamped; null when the text is none. */
export function parseWhole(text: string): number | null {
  return /^\d{1,30}$/.test(text) ? clampedNumber(BigInt(text)) : null;
}

export function clampedNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function atMostSafe(value: number): number {
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}
