/** What the list measured, in CSS pixels. */
export interface ScrollMetrics {
  readonly top: number;
  readonly viewHeight: number;
  readonly contentHeight: number;
}

/** Within this distance the reader counts as being at the end: a line of text and a rounding error. */
const END_THRESHOLD = 24;

export const isAtEnd = ({ top, viewHeight, contentHeight }: ScrollMetrics): boolean =>
  contentHeight - viewHeight - top <= END_THRESHOLD;

/**
 * Whether the list follows its end after a scroll event. Only the reader moving up lets go; growth, a smaller window
 * and our own scrolling do not. Reaching the end takes hold again.
 */
export function followsEnd(follows: boolean, before: ScrollMetrics, now: ScrollMetrics): boolean {
  if (isAtEnd(now)) return true;
  // Content that shrank (a folded reasoning) or a window that grew moves the reader without their doing.
  const clamped = now.top >= now.contentHeight - now.viewHeight - 1;
  const movedUp = now.top < before.top - 1 && !clamped;
  return follows && !movedUp;
}
