/** How long to wait before asking again. */

const FIRST_MS = 1_000;
/** A network that came back should not be noticed much later than by somebody who looks at the window. */
const LONGEST_MS = 60_000;

/**
 * `attempt` counts from 1. `random` in [0, 1) spreads those who were thrown out together. What the hub asks for with
 * Retry-After is never undercut.
 */
export function retryDelayMs(attempt: number, random: number, retryAfterMs: number | null): number {
  const fullMs = Math.min(FIRST_MS * 2 ** Math.min(attempt - 1, 20), LONGEST_MS);
  const delayMs = Math.round(fullMs * (0.5 + random / 2));
  return retryAfterMs === null ? delayMs : retryAfterMs + Math.min(delayMs, FIRST_MS);
}
