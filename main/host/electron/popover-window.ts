/** The window itself, as Electron makes it: a popover without a frame, or a normal window. */
import { BrowserWindow, nativeTheme, type WebContents } from 'electron';
import type { Log } from '../../log/log.ts';
import { APP_PAGE_URL } from './page-policy.ts';
import { POPOVER_SIZE, type PopoverWindow, type PopoverWindowEvents } from './popover.ts';
import type { WindowForm } from './visibility.ts';
import { webPreferences } from './web-preferences.ts';

export interface ElectronPopoverWindow extends PopoverWindow {
  /** Null once the window is gone. */
  contents(): WebContents | null;
  /** What a dialog belongs to; null once the window is gone. */
  owner(): BrowserWindow | null;
}

export function createPopoverWindow(
  form: WindowForm,
  events: PopoverWindowEvents,
  options: {
    readonly preloadPath: string;
    readonly isPackaged: boolean;
    readonly platform: NodeJS.Platform;
    readonly log: Log;
  },
): ElectronPopoverWindow {
  const isPopover = form === 'popover';
  const isMac = options.platform === 'darwin';
  const window = new BrowserWindow({
    ...POPOVER_SIZE,
    show: false,
    title: 'Headroom',
    frame: !isPopover,
    resizable: !isPopover,
    minWidth: 360,
    minHeight: 480,
    maximizable: !isPopover,
    minimizable: !isPopover,
    fullscreenable: false,
    skipTaskbar: isPopover,
    alwaysOnTop: isPopover,
    autoHideMenuBar: true,
    // The colour before the first paint, so that opening does not flash.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#1e1e20' : '#f6f6f7',
    ...(isMac ? { vibrancy: 'popover', visualEffectState: 'active' } : {}),
    webPreferences: webPreferences(options),
  });
  if (isMac && isPopover) {
    // Without the last flag the Dock icon flashes at each show.
    window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true, skipTransformProcessType: true });
  }
  window.once('ready-to-show', () => events.onPainted());
  window.on('blur', () => events.onBlur());
  window.on('close', () => events.onClosing());
  window.on('closed', () => events.onClosed());
  window.webContents.on('render-process-gone', (_event, { reason }) => events.onPageDied(reason));
  window.loadURL(APP_PAGE_URL).catch((error: unknown) => {
    options.log('error', `the window's page could not be loaded: ${String(error)}`);
  });
  return {
    showAndFocus() {
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    hide: () => window.hide(),
    destroy: () => window.destroy(),
    moveTo: (bounds) => window.setBounds(bounds),
    bounds: () => window.getBounds(),
    isFocused: () => window.isFocused(),
    isDevToolsOpen: () => window.webContents.isDevToolsOpened(),
    contents: () => (window.isDestroyed() ? null : window.webContents),
    owner: () => (window.isDestroyed() ? null : window),
  };
}
