/** The window: made when it is wanted, placed under the icon, hidden by rule, given up after some minutes hidden. */
import { BrowserWindow, nativeTheme, screen, type WebContents } from 'electron';
import type { Log } from '../../log/log.ts';
import { APP_PAGE_URL } from './page-policy.ts';
import { placePopover, type Rectangle } from './placement.ts';
import { BLUR_SETTLE_MS, hiddenLifeLeftMs, hidesOnBlur, onIconClick, type WindowForm } from './visibility.ts';
import { webPreferences } from './web-preferences.ts';

const SIZE = { width: 420, height: 640 };
/** A page that dies twice within this time is not loaded again until somebody opens the window. */
const PAGE_RETRY_MS = 10_000;

type State =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'hidden';
      readonly window: BrowserWindow;
      readonly form: WindowForm;
      readonly life: NodeJS.Timeout;
    }
  | { readonly kind: 'shown'; readonly window: BrowserWindow; readonly form: WindowForm };

export interface Popover {
  /** A click on the icon, with the bounds the click came with. */
  iconClicked(icon: Rectangle | null): void;
  /** In this form when it is not open yet; one that is open keeps its form and comes to the front. */
  show(form: WindowForm, icon: Rectangle | null): void;
  hide(): void;
  /** Ours and alive, or null. The only contents that may call main. */
  contents(): WebContents | null;
  /** The window stays open on blur until this has settled: password and file dialogs take the focus. */
  keepOpenWhile<T>(dialog: Promise<T>): Promise<T>;
  dispose(): void;
}

export function createPopover(ports: {
  readonly preloadPath: string;
  readonly isPackaged: boolean;
  readonly platform: NodeJS.Platform;
  /** Gives the focus back to the app that had it (macOS). */
  readonly hideApp: () => void;
  readonly onShown: () => void;
  readonly log: Log;
}): Popover {
  const { platform, log } = ports;
  let state: State = { kind: 'absent' };
  let blurHidAtMs: number | null = null;
  let openDialogs = 0;
  let pageDiedAtMs = Number.NEGATIVE_INFINITY;

  function create(form: WindowForm): BrowserWindow {
    const window = new BrowserWindow({
      ...SIZE,
      show: false,
      title: 'Headroom',
      frame: form === 'window',
      resizable: form === 'window',
      minWidth: 360,
      minHeight: 480,
      maximizable: form === 'window',
      minimizable: form === 'window',
      fullscreenable: false,
      skipTaskbar: form === 'popover',
      alwaysOnTop: form === 'popover',
      autoHideMenuBar: true,
      // The colour before the first paint, so that opening does not flash.
      backgroundColor: nativeTheme.shouldUseDarkColors ? '#1e1e1e' : '#ffffff',
      ...(platform === 'darwin' ? { vibrancy: 'popover', visualEffectState: 'active' } : {}),
      webPreferences: webPreferences(ports),
    });
    if (platform === 'darwin' && form === 'popover') {
      // Without the last flag the Dock icon flashes at each show.
      window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true, skipTransformProcessType: true });
    }
    window.on('blur', () => setTimeout(() => blurred(window), BLUR_SETTLE_MS));
    window.on('closed', () => gone(window));
    window.webContents.on('render-process-gone', (_event, { reason }) => pageDied(window, reason));
    window.webContents.on('did-fail-load', (_event, code, description) => {
      log('error', `the window's page could not be loaded: ${description} (${code})`);
    });
    // A page that cannot be loaded has been logged above.
    window.loadURL(APP_PAGE_URL).catch(() => {});
    return window;
  }

  function show(form: WindowForm, icon: Rectangle | null): void {
    if (state.kind === 'shown') return reveal(state.window);
    if (state.kind === 'hidden' && state.form !== form) discard();
    if (state.kind === 'hidden') clearTimeout(state.life);
    const isNew = state.kind === 'absent';
    const window = state.kind === 'absent' ? create(form) : state.window;
    state = { kind: 'shown', window, form };
    if (form === 'popover') place(window, icon);
    if (!isNew) return reveal(window);
    const askedAtMs = Date.now();
    window.once('ready-to-show', () => {
      log('info', `window painted in ${Date.now() - askedAtMs} ms`);
      reveal(window);
    });
  }

  function reveal(window: BrowserWindow): void {
    // It may have been hidden or replaced while it was loading.
    if (state.kind !== 'shown' || state.window !== window) return;
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    ports.onShown();
  }

  function place(window: BrowserWindow, icon: Rectangle | null): void {
    const { x, y } = placePopover({
      icon,
      cursor: screen.getCursorScreenPoint(),
      screens: screen.getAllDisplays(),
      size: SIZE,
    });
    window.setBounds({ ...SIZE, x, y });
  }

  function hide(): void {
    if (state.kind !== 'shown') return;
    const { window, form } = state;
    const life = setTimeout(() => discard(), hiddenLifeLeftMs(Date.now(), Date.now()) ?? 0);
    state = { kind: 'hidden', window, form, life };
    window.hide();
  }

  function blurred(window: BrowserWindow): void {
    if (state.kind !== 'shown' || state.window !== window) return;
    const isFocused = window.isFocused();
    const isDevToolsOpen = window.webContents.isDevToolsOpened();
    if (!hidesOnBlur({ form: state.form, isFocused, openDialogs, isDevToolsOpen })) return;
    blurHidAtMs = Date.now();
    hide();
  }

  function discard(): void {
    if (state.kind === 'absent') return;
    if (state.kind === 'hidden') clearTimeout(state.life);
    const { window } = state;
    state = { kind: 'absent' };
    window.destroy();
  }

  function gone(window: BrowserWindow): void {
    if (state.kind === 'absent' || state.window !== window) return;
    if (state.kind === 'hidden') clearTimeout(state.life);
    state = { kind: 'absent' };
  }

  function pageDied(window: BrowserWindow, reason: string): void {
    if (state.kind === 'absent' || state.window !== window) return;
    log('error', `the window's page died (${reason})`);
    const { kind, form } = state;
    const bounds = window.getBounds();
    const again = kind === 'shown' && Date.now() - pageDiedAtMs > PAGE_RETRY_MS;
    pageDiedAtMs = Date.now();
    discard();
    if (!again) return;
    show(form, null);
    contentsWindow()?.setBounds(bounds);
  }

  function contentsWindow(): BrowserWindow | null {
    return state.kind === 'absent' || state.window.isDestroyed() ? null : state.window;
  }

  return {
    iconClicked(icon) {
      const meaning = onIconClick({ isShown: state.kind === 'shown', blurHidAtMs, nowMs: Date.now() });
      if (meaning === 'show') show('popover', icon);
      if (meaning === 'hide') hide();
    },
    show,
    hide() {
      const wasPopover = state.kind === 'shown' && state.form === 'popover';
      hide();
      if (wasPopover) ports.hideApp();
    },
    contents: () => contentsWindow()?.webContents ?? null,
    async keepOpenWhile(dialog) {
      openDialogs += 1;
      try {
        return await dialog;
      } finally {
        openDialogs -= 1;
        const window = contentsWindow();
        if (window !== null) setTimeout(() => blurred(window), BLUR_SETTLE_MS);
      }
    },
    dispose: discard,
  };
}
