/**
 * The window's comings and goings: made when it is wanted, placed under the icon, hidden by rule, given up after some
 * minutes hidden. What a window is, it leaves to `PopoverWindow`; the rules are in visibility.ts and placement.ts.
 */
import type { Log } from '../../log/log.ts';
import { onScreen, type Point, placePopover, type Rectangle, type Screen } from './placement.ts';
import {
  BLUR_SETTLE_MS,
  HIDDEN_WINDOW_LIFE_MS,
  hidesOnBlur,
  isPageLoadedAgain,
  onIconClick,
  type WindowForm,
} from './visibility.ts';

export const POPOVER_SIZE = { width: 420, height: 640 };

/** As much of a window as the popover needs; `popover-window.ts` makes it of Electron's. */
export interface PopoverWindow {
  showAndFocus(): void;
  hide(): void;
  /** Ends it; none of the events below comes afterwards. */
  destroy(): void;
  moveTo(bounds: Rectangle): void;
  bounds(): Rectangle;
  isFocused(): boolean;
  isDevToolsOpen(): boolean;
}

export interface PopoverWindowEvents {
  /** The page has something to show. Once. */
  onPainted(): void;
  onBlur(): void;
  /** About to go by its own button; its bounds can still be asked. */
  onClosing(): void;
  onClosed(): void;
  onPageDied(reason: string): void;
}

type State<W> =
  | { readonly kind: 'absent' }
  | { readonly kind: 'opening'; readonly window: W; readonly form: WindowForm; readonly askedAtMs: number }
  | { readonly kind: 'shown'; readonly window: W; readonly form: WindowForm }
  | { readonly kind: 'hidden'; readonly window: W; readonly form: WindowForm; readonly life: NodeJS.Timeout };

export interface Popover<W> {
  /** A click on the icon, with the bounds the click came with. */
  iconClicked(icon: Rectangle | null): void;
  /** In this form when it is not open yet; one that is open keeps its form and comes to the front. */
  show(form: WindowForm, icon: Rectangle | null): void;
  /** Into a normal window, or back under the icon: what is shown goes on in the other form. */
  detach(isDetached: boolean, icon: Rectangle | null): void;
  /** The form of the window there is, or was last. */
  form(): WindowForm;
  /** Hides it and gives the focus back. */
  hide(): void;
  /** The window there is now, shown or not. */
  window(): W | null;
  /** The window stays open on blur until this has settled: password and file dialogs take the focus. */
  keepOpenWhile<T>(dialog: Promise<T>): Promise<T>;
  dispose(): void;
}

export function createPopover<W extends PopoverWindow>(ports: {
  create(form: WindowForm, events: PopoverWindowEvents): W;
  screens(): { readonly screens: readonly Screen[]; readonly cursor: Point };
  /** Gives the focus back to the app that had it (macOS). */
  hideApp(): void;
  onShown(): void;
  /** Hidden or gone; once for every onShown. */
  onHidden(): void;
  /** Where a normal window was last, or null before there was one. */
  readonly windowPlace: { current(): Rectangle | null; keep(bounds: Rectangle): void };
  readonly log: Log;
}): Popover<W> {
  const { log } = ports;
  let state: State<W> = { kind: 'absent' };
  let blurHidAtMs: number | null = null;
  let pageDiedAtMs: number | null = null;
  let openDialogs = 0;
  let lastForm: WindowForm = 'popover';

  function open(form: WindowForm): W {
    const window = ports.create(form, {
      onPainted: () => painted(window),
      onBlur: () => setTimeout(() => blurred(window), BLUR_SETTLE_MS),
      onClosing: () => {
        if (isCurrent(window)) keepPlace();
      },
      onClosed: () => {
        if (isCurrent(window)) forget();
      },
      onPageDied: (reason) => pageDied(window, reason),
    });
    state = { kind: 'opening', window, form, askedAtMs: Date.now() };
    lastForm = form;
    return window;
  }

  function isCurrent(window: W): boolean {
    return state.kind !== 'absent' && state.window === window;
  }

  function show(form: WindowForm, icon: Rectangle | null): void {
    if (state.kind === 'opening') return;
    if (state.kind === 'shown') return state.window.showAndFocus();
    if (state.kind === 'hidden' && state.form !== form) discard();
    if (state.kind === 'absent') {
      place(open(form), form, icon);
      return;
    }
    const { window, life } = state;
    clearTimeout(life);
    if (form === 'popover') place(window, form, icon);
    reveal(window, form);
  }

  function painted(window: W): void {
    if (state.kind !== 'opening' || state.window !== window) return;
    log('info', `window painted in ${Date.now() - state.askedAtMs} ms`);
    reveal(window, state.form);
  }

  function reveal(window: W, form: WindowForm): void {
    state = { kind: 'shown', window, form };
    window.showAndFocus();
    ports.onShown();
  }

  function place(window: W, form: WindowForm, icon: Rectangle | null): void {
    const { screens, cursor } = ports.screens();
    const { x, y } = placePopover({ icon, screens, cursor, size: POPOVER_SIZE });
    const kept = form === 'window' ? ports.windowPlace.current() : null;
    window.moveTo((kept === null ? null : onScreen(kept, screens)) ?? { ...POPOVER_SIZE, x, y });
  }

  function detach(isDetached: boolean, icon: Rectangle | null): void {
    const form: WindowForm = isDetached ? 'window' : 'popover';
    if (state.kind !== 'absent' && state.form === form) return show(form, icon);
    // A frame cannot be put on or taken off: the window is made anew, and main has all it shows.
    discard();
    show(form, icon);
  }

  /** Before a normal window goes: it comes back as it was. */
  function keepPlace(): void {
    if (state.kind !== 'absent' && state.form === 'window') ports.windowPlace.keep(state.window.bounds());
  }

  function hide(): void {
    if (state.kind !== 'shown' && state.kind !== 'opening') return;
    keepPlace();
    const { window, form } = state;
    const wasShown = state.kind === 'shown';
    state = { kind: 'hidden', window, form, life: setTimeout(discard, HIDDEN_WINDOW_LIFE_MS) };
    window.hide();
    if (wasShown) ports.onHidden();
  }

  function blurred(window: W): void {
    if (state.kind !== 'shown' || state.window !== window) return;
    const { form } = state;
    const isFocused = window.isFocused();
    if (!hidesOnBlur({ form, isFocused, openDialogs, isDevToolsOpen: window.isDevToolsOpen() })) return;
    blurHidAtMs = Date.now();
    hide();
  }

  function forget(): void {
    if (state.kind === 'hidden') clearTimeout(state.life);
    const wasShown = state.kind === 'shown';
    state = { kind: 'absent' };
    if (wasShown) ports.onHidden();
  }

  function discard(): void {
    if (state.kind === 'absent') return;
    if (state.kind !== 'hidden') keepPlace();
    const { window } = state;
    forget();
    window.destroy();
  }

  function pageDied(window: W, reason: string): void {
    if (state.kind === 'absent' || state.window !== window) return;
    log('error', `the window's page died (${reason})`);
    const { form, kind } = state;
    const bounds = window.bounds();
    const nowMs = Date.now();
    const isAgain = isPageLoadedAgain({ isShown: kind !== 'hidden', diedBeforeAtMs: pageDiedAtMs, nowMs });
    pageDiedAtMs = nowMs;
    discard();
    if (isAgain) open(form).moveTo(bounds);
  }

  return {
    iconClicked(icon) {
      const isShown = state.kind === 'shown' || state.kind === 'opening';
      const meaning = onIconClick({ isShown, blurHidAtMs, nowMs: Date.now() });
      if (meaning === 'show') show('popover', icon);
      if (meaning === 'hide') hide();
    },
    show,
    hide() {
      const isPopover = state.kind === 'shown' && state.form === 'popover';
      hide();
      if (isPopover) ports.hideApp();
    },
    detach,
    form: () => lastForm,
    window: () => (state.kind === 'absent' ? null : state.window),
    async keepOpenWhile(dialog) {
      openDialogs += 1;
      try {
        return await dialog;
      } finally {
        openDialogs -= 1;
        if (state.kind === 'shown') {
          const { window } = state;
          setTimeout(() => blurred(window), BLUR_SETTLE_MS);
        }
      }
    },
    dispose: discard,
  };
}
