import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rectangle } from './placement.ts';
import { createPopover, type PopoverWindow, type PopoverWindowEvents } from './popover.ts';
import { BLUR_SETTLE_MS, HIDDEN_WINDOW_LIFE_MS, JUST_HIDDEN_MS, type WindowForm } from './visibility.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const ICON: Rectangle = { x: 900, y: 0, width: 24, height: 24 };
const screen = {
  bounds: { x: 0, y: 0, width: 1512, height: 982 },
  workArea: { x: 0, y: 38, width: 1512, height: 944 },
};

class FakeWindow implements PopoverWindow {
  readonly form: WindowForm;
  readonly events: PopoverWindowEvents;
  visible = false;
  destroyed = false;
  focused = false;
  devTools = false;
  at: Rectangle = { x: 0, y: 0, width: 420, height: 640 };

  constructor(form: WindowForm, events: PopoverWindowEvents) {
    this.form = form;
    this.events = events;
  }

  showAndFocus(): void {
    this.visible = true;
    this.focused = true;
  }
  hide(): void {
    this.visible = false;
    this.focused = false;
  }
  destroy(): void {
    this.destroyed = true;
    this.visible = false;
  }
  moveTo(bounds: Rectangle): void {
    this.at = bounds;
  }
  bounds(): Rectangle {
    return this.at;
  }
  isFocused(): boolean {
    return this.focused;
  }
  isDevToolsOpen(): boolean {
    return this.devTools;
  }
  blur(): void {
    this.focused = false;
    this.events.onBlur();
  }
}

function setUp() {
  const made: FakeWindow[] = [];
  const told: string[] = [];
  const kept: Rectangle[] = [];
  const popover = createPopover<FakeWindow>({
    create(form, events) {
      const window = new FakeWindow(form, events);
      made.push(window);
      return window;
    },
    screens: () => ({ screens: [screen], cursor: { x: 10, y: 500 } }),
    hideApp: () => void told.push('app hidden'),
    onShown: () => void told.push('shown'),
    onHidden: () => void told.push('hidden'),
    windowPlace: { current: () => kept.at(-1) ?? null, keep: (bounds) => void kept.push(bounds) },
    log: () => {},
  });
  const last = (): FakeWindow => {
    const window = made.at(-1);
    if (window === undefined) throw new Error('no window was made');
    return window;
  };
  const open = (form: WindowForm = 'popover'): FakeWindow => {
    popover.show(form, ICON);
    last().events.onPainted();
    return last();
  };
  return { popover, made, told, kept, last, open };
}

describe('detaching', () => {
  it('a popover becomes a window in its place, stays on blur, and goes back under the icon', () => {
    const { popover, made, told, last, open } = setUp();
    open('popover');
    popover.detach(true, ICON);
    last().events.onPainted();
    expect(made.map(({ form, destroyed }) => [form, destroyed])).toEqual([
      ['popover', true],
      ['window', false],
    ]);
    expect(popover.form()).toBe('window');
    expect(told).toEqual(['shown', 'hidden', 'shown']);
    last().blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(last().visible).toBe(true);
    popover.detach(false, ICON);
    last().events.onPainted();
    expect(popover.form()).toBe('popover');
    expect(last().at).toEqual({ x: 702, y: 38, width: 420, height: 640 });
    popover.dispose();
  });

  it('detached twice it only comes to the front', () => {
    const { popover, made, last, open } = setUp();
    open('window');
    last().focused = false;
    popover.detach(true, ICON);
    expect(made).toHaveLength(1);
    expect(last().focused).toBe(true);
    popover.dispose();
  });

  it('the window comes back where and as large as it was, hidden, closed or left by the app', () => {
    const { popover, kept, last, open } = setUp();
    open('window').moveTo({ x: 100, y: 80, width: 700, height: 800 });
    last().events.onClosing();
    last().events.onClosed();
    open('window');
    expect(last().at).toEqual({ x: 100, y: 80, width: 700, height: 800 });
    last().moveTo({ x: 300, y: 90, width: 600, height: 500 });
    popover.dispose();
    expect(kept.at(-1)).toEqual({ x: 300, y: 90, width: 600, height: 500 });
  });

  it('what was kept for a screen that is gone is not used', () => {
    const { popover, kept, last, open } = setUp();
    kept.push({ x: 4_000, y: 80, width: 700, height: 800 });
    open('window');
    expect(last().at).toMatchObject({ width: 420, height: 640 });
    popover.dispose();
  });
});

describe('showing', () => {
  it('waits for the first paint, and is under the icon', () => {
    const { popover, told, last } = setUp();
    popover.show('popover', ICON);
    expect(last().visible).toBe(false);
    expect(told).toEqual([]);
    last().events.onPainted();
    expect(last().visible).toBe(true);
    expect(told).toEqual(['shown']);
    expect(last().at).toEqual({ x: 702, y: 38, width: 420, height: 640 });
    popover.dispose();
  });

  it('shown twice, there is one window, and it keeps its form', () => {
    const { popover, made, open } = setUp();
    const window = open('popover');
    window.focused = false;
    popover.show('window', null);
    expect(made).toHaveLength(1);
    expect(window.focused).toBe(true);
    popover.dispose();
  });

  it('in another form it is another window', () => {
    const { popover, made, open } = setUp();
    const first = open('popover');
    popover.hide();
    const second = open('window');
    expect(made).toHaveLength(2);
    expect(first.destroyed).toBe(true);
    expect(second.form).toBe('window');
    popover.dispose();
  });

  it('tells once of every end of being seen, however it comes', () => {
    const { popover, told, open } = setUp();
    open();
    popover.hide();
    popover.hide();
    open('window').events.onClosed();
    open();
    popover.dispose();
    expect(told.filter((word) => word !== 'app hidden')).toEqual([
      'shown',
      'hidden',
      'shown',
      'hidden',
      'shown',
      'hidden',
    ]);
  });

  it('hidden before it has painted, it stays hidden', () => {
    const { popover, last } = setUp();
    popover.show('popover', ICON);
    popover.iconClicked(ICON);
    last().events.onPainted();
    expect(last().visible).toBe(false);
    popover.dispose();
  });

  it('closed by the user, it is made again', () => {
    const { popover, made, open } = setUp();
    open('window').events.onClosed();
    expect(popover.window()).toBeNull();
    open('window');
    expect(made).toHaveLength(2);
    popover.dispose();
  });
});

describe('hiding', () => {
  it('gives the focus back from a popover, not from a normal window', () => {
    const { popover, told, open } = setUp();
    open('popover');
    popover.hide();
    expect(told).toEqual(['shown', 'hidden', 'app hidden']);
    open('window');
    popover.hide();
    expect(told).toEqual(['shown', 'hidden', 'app hidden', 'shown', 'hidden']);
    popover.dispose();
  });

  it('a blur that lasts hides it, one that passes does not', () => {
    const { popover, open } = setUp();
    const window = open();
    window.blur();
    window.focused = true;
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(window.visible).toBe(true);
    window.blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(window.visible).toBe(false);
    popover.dispose();
  });

  it('the click that blurred it does not open it again, a later one does', () => {
    const { popover, open } = setUp();
    const window = open();
    window.blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    popover.iconClicked(ICON);
    expect(window.visible).toBe(false);
    vi.advanceTimersByTime(JUST_HIDDEN_MS);
    popover.iconClicked(ICON);
    expect(window.visible).toBe(true);
    popover.dispose();
  });

  it('stays while a dialog is open, and goes after it when the focus is elsewhere', async () => {
    const { popover, open } = setUp();
    const window = open();
    const { promise, resolve } = Promise.withResolvers<string>();
    const dialog = popover.keepOpenWhile(promise);
    window.blur();
    vi.advanceTimersByTime(10 * BLUR_SETTLE_MS);
    expect(window.visible).toBe(true);
    resolve('password');
    expect(await dialog).toBe('password');
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(window.visible).toBe(false);
    popover.dispose();
  });

  it('a dialog that fails is over as well', async () => {
    const { popover, open } = setUp();
    const window = open();
    await expect(popover.keepOpenWhile(Promise.reject(new Error('cancelled')))).rejects.toThrow('cancelled');
    window.blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(window.visible).toBe(false);
    popover.dispose();
  });

  it('stays while the developer tools are open, and as a normal window always', () => {
    const { popover, open } = setUp();
    const inspected = open();
    inspected.devTools = true;
    inspected.blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(inspected.visible).toBe(true);
    inspected.events.onClosed();
    const normal = open('window');
    normal.blur();
    vi.advanceTimersByTime(BLUR_SETTLE_MS);
    expect(normal.visible).toBe(true);
    popover.dispose();
  });
});

describe('a hidden window', () => {
  it('is given up after some minutes, and made again when it is wanted', () => {
    const { popover, made, open } = setUp();
    const first = open();
    popover.hide();
    vi.advanceTimersByTime(HIDDEN_WINDOW_LIFE_MS - 1);
    expect(first.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(first.destroyed).toBe(true);
    expect(popover.window()).toBeNull();
    open();
    expect(made).toHaveLength(2);
    popover.dispose();
  });

  it('that is shown again lives on', () => {
    const { popover, open } = setUp();
    const window = open();
    popover.hide();
    vi.advanceTimersByTime(HIDDEN_WINDOW_LIFE_MS - 1);
    popover.show('popover', ICON);
    vi.advanceTimersByTime(HIDDEN_WINDOW_LIFE_MS);
    expect(window.destroyed).toBe(false);
    popover.dispose();
  });
});

describe('a page that dies', () => {
  it('is loaded again where it was, but not over and over', () => {
    const { popover, made, open, last } = setUp();
    const first = open();
    const where = first.at;
    first.events.onPageDied('crashed');
    expect(first.destroyed).toBe(true);
    expect(made).toHaveLength(2);
    expect(last().at).toEqual(where);
    last().events.onPainted();
    last().events.onPageDied('crashed');
    expect(made).toHaveLength(2);
    expect(popover.window()).toBeNull();
    popover.dispose();
  });

  it('while hidden waits until it is wanted', () => {
    const { popover, made, open } = setUp();
    const first = open();
    popover.hide();
    first.events.onPageDied('oom');
    expect(made).toHaveLength(1);
    expect(popover.window()).toBeNull();
    popover.dispose();
  });
});
