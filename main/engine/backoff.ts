/** How often and how soon a broken engine is started again. */

/** Restarts older than this no longer count. */
export const RESTART_WINDOW_MS = 10 * 60_000;
/** More than this within the window, and the engine stays down: a crash loop can leak wired memory until reboot. */
export const MAX_RESTARTS = 3;

/** Waiting time before the first, second, third … restart within the window. */
const DELAYS_MS = [500, 2_000, 8_000] as const;

export type RestartVerdict =
  | {
      readonly kind: 'restart';
      readonly number: number;
      readonly delayMs: number;
      readonly restartsMs: readonly number[];
    }
  | { readonly kind: 'give-up' };

/** `restartsMs`: epoch times of earlier restarts, oldest first. The returned list holds this one too. */
export function nextRestart(restartsMs: readonly number[], nowMs: number): RestartVerdict {
  // A clock set back must not make the past look like the future and keep the engine down.
  const recent = restartsMs.filter((at) => at <= nowMs && nowMs - at < RESTART_WINDOW_MS);
  if (recent.length >= MAX_RESTARTS) return { kind: 'give-up' };
  const number = recent.length + 1;
  const delayMs = DELAYS_MS[recent.length] ?? DELAYS_MS[DELAYS_MS.length - 1] ?? 0;
  return { kind: 'restart', number, delayMs, restartsMs: [...recent, nowMs] };
}
