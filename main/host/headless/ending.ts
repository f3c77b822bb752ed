/** How the process ends: once, orderly, in bounded time, and at once when asked again. */

export interface EndingPorts {
  /** Ends everything; may take long or fail. */
  dispose(): Promise<void>;
  /** Ends the process. */
  exit(code: number): void;
  /** To the person at the terminal. */
  say(text: string): void;
  readonly deadlineMs: number;
  readonly nowMs: () => number;
}

/**
 * Ctrl-C reaches the process twice: from the terminal, which tells the whole group, and from npm, which passes its own
 * on. Only a signal that comes later than this is a second wish.
 */
const SAME_WISH_MS = 700;

/** Returns what to do on each signal. Exit codes: 0 orderly, 1 something did not end in time or failed, 130 forced. */
export function createEnding(ports: EndingPorts): () => void {
  const { dispose, exit, say, deadlineMs, nowMs } = ports;
  let firstMs: number | null = null;

  async function finish(late: NodeJS.Timeout): Promise<void> {
    try {
      await dispose();
      exit(0);
    } catch (error) {
      say(`ending failed: ${String(error)}`);
      exit(1);
    } finally {
      clearTimeout(late);
    }
  }

  return () => {
    if (firstMs !== null) {
      if (nowMs() - firstMs > SAME_WISH_MS) exit(130);
      return;
    }
    firstMs = nowMs();
    say('ending; once more ends at once');
    const late = setTimeout(() => {
      say('not everything ended in time');
      exit(1);
    }, deadlineMs);
    void finish(late);
  };
}
