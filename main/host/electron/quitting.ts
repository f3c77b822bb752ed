/**
 * Quitting means that nothing is left behind: the last step is held once, everything is ended with a deadline, then the
 * process exits.
 *
 * In `will-quit`, not `before-quit`: holding the latter stalls AppKit and blocks logging out. If macOS loses patience and
 * kills the app, the engine's terminal hangs up and the engine ends by itself.
 */
import type { App } from 'electron';

/** Longer than the engine's own 15 s of grace. */
const QUIT_DEADLINE_MS = 20_000;
const EXIT_BY_DEADLINE = 75;

/** `end` must not throw; it is called once. */
export function quitOrderly(
  electronApp: Pick<App, 'on' | 'quit' | 'exit'>,
  end: () => Promise<void>,
  processEvents: Pick<NodeJS.Process, 'on'> = process,
): void {
  let phase: 'running' | 'ending' = 'running';
  electronApp.on('will-quit', (event) => {
    event.preventDefault();
    if (phase === 'ending') return;
    phase = 'ending';
    setTimeout(() => electronApp.exit(EXIT_BY_DEADLINE), QUIT_DEADLINE_MS);
    end().then(
      () => electronApp.exit(0),
      () => electronApp.exit(1),
    );
  });
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    processEvents.on(signal, () => {
      signals += 1;
      // A second Ctrl+C means now.
      if (signals > 1) electronApp.exit(130);
      else electronApp.quit();
    });
  }
}
