import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { quitOrderly } from './quitting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class FakeApp extends EventEmitter {
  readonly codes: number[] = [];
  quits = 0;
  held = 0;

  exit(code: number): void {
    this.codes.push(code);
  }

  quit(): void {
    this.quits += 1;
    this.emit('will-quit', { preventDefault: () => void (this.held += 1) });
  }
}

function fakes() {
  return { electronApp: new FakeApp(), signals: new EventEmitter() };
}

type App = Parameters<typeof quitOrderly>[0];
type Signals = Parameters<typeof quitOrderly>[2];

it('ends once, however often quitting is asked for, then exits', async () => {
  const { electronApp, signals } = fakes();
  let ended = 0;
  let finish = (): void => {};
  const end = (): Promise<void> => {
    ended += 1;
    return new Promise((resolve) => (finish = resolve));
  };
  quitOrderly(electronApp as unknown as App, end, signals as unknown as Signals);
  electronApp.quit();
  electronApp.quit();
  expect(ended).toBe(1);
  expect(electronApp.held).toBe(2);
  expect(electronApp.codes).toEqual([]);
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(electronApp.codes).toEqual([0]);
});

it('does not wait for ever', async () => {
  const { electronApp, signals } = fakes();
  quitOrderly(electronApp as unknown as App, () => new Promise(() => {}), signals as unknown as Signals);
  electronApp.quit();
  await vi.advanceTimersByTimeAsync(19_000);
  expect(electronApp.codes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(electronApp.codes).toEqual([75]);
});

it('an end that fails is told by the exit code', async () => {
  const { electronApp, signals } = fakes();
  quitOrderly(electronApp as unknown as App, () => Promise.reject(new Error('x')), signals as unknown as Signals);
  electronApp.quit();
  await vi.advanceTimersByTimeAsync(0);
  expect(electronApp.codes).toEqual([1]);
});

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('%s quits, a second signal exits at once', (signal) => {
  const { electronApp, signals } = fakes();
  quitOrderly(electronApp as unknown as App, () => new Promise(() => {}), signals as unknown as Signals);
  signals.emit(signal);
  expect(electronApp.quits).toBe(1);
  expect(electronApp.codes).toEqual([]);
  signals.emit('SIGINT');
  expect(electronApp.codes).toEqual([130]);
});
