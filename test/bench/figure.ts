/** One measured figure: never a bare number, always beside a baseline taken in the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly baseline: { readonly what: string; readonly value: number } | null;
  /** What is compared with the aim: `value / baseline` or `value - baseline`. */
  readonly compare: 'ratio' | 'difference' | 'value';
  readonly aim: { readonly at: 'most' | 'least'; readonly value: number } | null;
}

/** A bench file exports this: measures, cleans up after itself, or says why it could not. */
export type Bench = () => Promise<readonly Figure[]>;

/** Thrown where a part is missing on this machine (no browser, no Electron). Printed, not hidden. */
export class BenchUnavailable extends Error {}

export function compared(figure: Figure): number {
  if (figure.baseline === null || figure.compare === 'value') return figure.value;
  return figure.compare === 'ratio' ? figure.value / figure.baseline.value : figure.value - figure.baseline.value;
}

export function isMet(figure: Figure): boolean | null {
  if (figure.aim === null) return null;
  const value = compared(figure);
  return figure.aim.at === 'most' ? value <= figure.aim.value : value >= figure.aim.value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  if (high === undefined) throw new Error('no values to take the median of');
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}
