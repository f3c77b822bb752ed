/** Time as a port: tests bring their own. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Calls back once. Returns the cancel function. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
