/**
 * When the window shows, hides and goes away. Rules only; `popover.ts` does what they say.
 *
 *   absent ── icon clicked, app opened ──► shown ── Escape, blur, icon clicked ──► hidden ── some minutes ──► absent
 *                                            ▲────────── icon clicked, app opened ───┘
 */

/** Popover: under the icon, hides on blur. Window: titled, stays; for when the icon cannot be found. */
export type WindowForm = 'popover' | 'window';

/** A click on the icon blurs the window first; within this time after such a blur the click meant "close". */
export const JUST_HIDDEN_MS = 300;

/** A blur settles before it hides: focus may only pass through another window. */
export const BLUR_SETTLE_MS = 100;

/** A hidden window is given up after this time, to give its memory back. The truth lives in main. */
export const HIDDEN_WINDOW_LIFE_MS = 5 * 60_000;

export function onIconClick(input: {
  readonly isShown: boolean;
  /** When a blur last hid the window, or null. */
  readonly blurHidAtMs: number | null;
  readonly nowMs: number;
}): 'show' | 'hide' | 'ignore' {
  if (input.isShown) return 'hide';
  const sinceBlurMs = input.blurHidAtMs === null ? Number.POSITIVE_INFINITY : input.nowMs - input.blurHidAtMs;
  return sinceBlurMs >= 0 && sinceBlurMs < JUST_HIDDEN_MS ? 'ignore' : 'show';
}

export function hidesOnBlur(input: {
  readonly form: WindowForm;
  readonly isFocused: boolean;
  /** Password and file dialogs of ours that are open now. */
  readonly openDialogs: number;
  readonly isDevToolsOpen: boolean;
}): boolean {
  return input.form === 'popover' && !input.isFocused && input.openDialogs === 0 && !input.isDevToolsOpen;
}

/** A page that dies twice within this time would do so for ever: it waits until somebody opens the window. */
const PAGE_RETRY_MS = 10_000;

/** Whether a page that died is loaded again at once. */
export function isPageLoadedAgain(input: {
  readonly isShown: boolean;
  readonly diedBeforeAtMs: number | null;
  readonly nowMs: number;
}): boolean {
  return input.isShown && (input.diedBeforeAtMs === null || input.nowMs - input.diedBeforeAtMs > PAGE_RETRY_MS);
}

/** The form to open in when the app is opened again: Finder, Dock, a second start. */
export function formWhenOpened(isIconVisible: boolean): WindowForm {
  return isIconVisible ? 'popover' : 'window';
}
