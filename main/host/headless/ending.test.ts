import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEnding } from './ending.ts';

describe('createEnding', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function endingWith(dispose: () => Promise<void>) {
    const codes: number[] = [];
    const onSignal = createEnding({
      dispose,
      exit: (code) => codes.push(code),
      say: () => {},
      deadlineMs: 20_000,
      nowMs: Date.now,
    });
    return { onSignal, codes };
  }

  it('disposes once and exits with 0', async () => {
    const dispose = vi.fn(() => Promise.resolve());
    const { onSignal, codes } = endingWith(dispose);
    onSignal();
    onSignal();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(dispose).toHaveBeenCalledTimes(1);
    expect(codes).toEqual([0]);
  });

  it('exits with 1 at the deadline or when ending fails', async () => {
    const stuck = endingWith(() => new Promise(() => {}));
    stuck.onSignal();
    await vi.advanceTimersByTimeAsync(19_999);
    expect(stuck.codes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(stuck.codes).toEqual([1]);

    const failing = endingWith(() => Promise.reject(new Error('no')));
    failing.onSignal();
    await vi.advanceTimersByTimeAsync(1);
    expect(failing.codes).toEqual([1]);
  });

  it('takes a second signal as force, but not the echo of the first', async () => {
    const { onSignal, codes } = endingWith(() => new Promise(() => {}));
    onSignal();
    await vi.advanceTimersByTimeAsync(100);
    onSignal();
    expect(codes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    onSignal();
    expect(codes).toEqual([130]);
  });
});
