/** Paths of the little curves. Pure: values over time in, SVG paths in a box of WIDTH × HEIGHT out. */
export const WIDTH = 200;
export const HEIGHT = 28;
/** Room for the line's own thickness. */
const INSET = 1.5;
/** Further apart than this nobody looked: the line breaks instead of inventing what lay between. */
const GAP_MS = 30_000;

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Frame {
  readonly fromMs: number;
  readonly toMs: number;
  /** The value at the top; the bottom is 0. */
  readonly top: number;
}

export const yAt = (value: number, { top }: Pick<Frame, 'top'>): number =>
  round(HEIGHT - INSET - (top > 0 ? Math.min(1, Math.max(0, value / top)) : 0) * (HEIGHT - 2 * INSET));

const xAt = (atMs: number, { fromMs, toMs }: Frame): number =>
  round(toMs > fromMs ? Math.min(1, Math.max(0, (atMs - fromMs) / (toMs - fromMs))) * WIDTH : WIDTH);

/** Points without a gap between them. */
export function stretches<P extends Point>(points: readonly P[]): readonly (readonly P[])[] {
  const found: P[][] = [];
  for (const point of points) {
    const current = found.at(-1);
    const before = current?.at(-1);
    if (current === undefined || before === undefined || point.atMs - before.atMs > GAP_MS) found.push([point]);
    else current.push(point);
  }
  return found;
}

/** A line through the points. One alone becomes a dot, drawn by the line's round cap. */
export function linePath(points: readonly Point[], frame: Frame): string {
  return points
    .map(({ atMs, value }, index) => `${index === 0 ? 'M' : 'L'}${xAt(atMs, frame)} ${yAt(value, frame)}`)
    .join('')
    .concat(points.length === 1 ? 'h0' : '');
}

/** The line, closed along the bottom. */
export function areaPath(points: readonly Point[], frame: Frame): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  return `${linePath(points, frame)}L${xAt(last.atMs, frame)} ${HEIGHT}L${xAt(first.atMs, frame)} ${HEIGHT}Z`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
