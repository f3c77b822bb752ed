/**
 * The menu-bar app: what it does, in order. The rules are in `host/electron/`, the services in `app.ts`.
 *
 * With `--headless` the same app offers its endpoint and nothing to look at: a package has no Node to run headless.ts on.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  app as electronApp,
  dialog,
  globalShortcut,
  ipcMain,
  Menu,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  screen,
  session,
  shell,
} from 'electron';
import type { EventEnvelope, PressureLevel } from '../preload/contract.ts';
import { createApp } from './app.ts';
import { dataFolder } from './data-folder.ts';
import { type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
import { AppFault } from './fault.ts';
import { DEFAULT_ENDPOINT_PORT } from './gateway/endpoint.ts';
import { applicationMenu } from './host/electron/application-menu.ts';
import { electronArguments } from './host/electron/arguments.ts';
import { installation } from './host/electron/installation.ts';
import { createIpcTransport } from './host/electron/ipc-transport.ts';
import { createMenuBarIcon } from './host/electron/menu-bar-icon.ts';
import {
  denyPermissions,
  guardAllContents,
  registerAppScheme,
  sandboxEverything,
  serveAppFiles,
} from './host/electron/page-guard.ts';
import { createNotifications } from './host/electron/notifications.ts';
import { ownProcessesMiB } from './host/electron/own-memory.ts';
import { createGlobalShortcut } from './host/electron/global-shortcut.ts';
import { pathDialog } from './host/electron/path-dialog.ts';
import { type Rectangle, screenOfIcon } from './host/electron/placement.ts';
import { createPopover } from './host/electron/popover.ts';
import { createPopoverWindow } from './host/electron/popover-window.ts';
import { followPower, keepAwakeWhileBusy } from './host/electron/power.ts';
import { quitOrderly } from './host/electron/quitting.ts';
import { trayAppearance } from './host/electron/tray-icon.ts';
import { toggleMeaning, trayMenu } from './host/electron/tray-menu.ts';
import { formWhenOpened } from './host/electron/visibility.ts';
import { openWindowPlace } from './host/electron/window-place.ts';
import { createGate } from './host/gate.ts';
import { readyLine } from './host/headless/ready-line.ts';
import { type ProxyChoice, proxyFromPac } from './models/hub/transport.ts';
import { reloadOnBuild } from './host/dev-reload.ts';
import { type KnownFiles, listRendererFiles } from './host/renderer-files.ts';

/** Exit codes, as in headless.ts: 64 wrong arguments, 69 could not start, 75 another Headroom uses the data folder. */
const WRONG_ARGUMENTS = 64;
const COULD_NOT_START = 69;
const FOLDER_IN_USE = 75;

const asked = electronArguments(process.argv, process.cwd());
const folder = dataFolder({
  platform: process.platform,
  homeFolder: homedir(),
  environment: process.env,
  workingFolder: process.cwd(),
  argument: asked.home,
});

/** Whoever reads our output may go away before us; that is no reason to fail. */
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

sandboxEverything(electronApp);
registerAppScheme(protocol);
start().catch(failToStart);

async function start(): Promise<void> {
  if (asked.wrong !== null) return end(WRONG_ARGUMENTS, asked.wrong, 'Correct it and start again.');
  const { DISPLAY: x11, WAYLAND_DISPLAY: wayland } = process.env;
  // Said now, because Chromium looks for a display as soon as this script has been read, and aborts.
  if (process.platform === 'linux' && !x11 && !wayland)
    return end(COULD_NOT_START, 'There is no display.', 'Electron wants one even without a window: try "xvfb-run".');

  // Before Chromium makes it, readable by everybody.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Chromium's own files, and with them the single-instance lock, belong to the data folder.
  electronApp.setPath('userData', join(folder, 'window'));
  // Without a window there is nothing that a second start could show: the data folder's own lock refuses it.
  if (asked.isHeadless || electronApp.requestSingleInstanceLock()) await run();
  // The running one shows its window.
  else electronApp.exit(0);
}

async function run(): Promise<void> {
  const parts = installation({
    isPackaged: electronApp.isPackaged,
    appFolder: electronApp.getAppPath(),
    resourcesFolder: process.resourcesPath,
  });
  const opened: (() => void | Promise<void>)[] = [];
  quitOrderly(electronApp, async () => {
    // Last opened, first closed.
    for (const close of opened.reverse()) await close();
  });
  // Without a listener the app would end with its window.
  electronApp.on('window-all-closed', () => {});

  // Waits for anybody else with the same folder: the headless host holds this lock too.
  const lock = await lockDataFolder(folder);
  if (lock.kind === 'taken') return folderInUse(lock);
  opened.push(lock.release);

  const { platform } = process;
  let closeDialog = (): void => {};
  const app = await createApp({
    version: electronApp.getVersion(),
    platform: platform === 'darwin' || platform === 'linux' ? platform : 'other',
    dataFolder: folder,
    pythonExecutable: parts.pythonExecutable,
    demoModelFolder: parts.demoModelFolder,
    modelFolder: asked.modelFolder,
    endpointPort: asked.endpointPort ?? DEFAULT_ENDPOINT_PORT,
    openExternal: (address) => shell.openExternal(address),
    ...(asked.isHeadless
      ? { host: 'headless', say }
      : {
          host: 'electron',
          shell: {
            windowForm: () => popover.form(),
            detach: (isDetached) => popover.detach(isDetached, iconBounds()),
            keepOpen: (isOpen) => {
              closeDialog();
              if (isOpen) void popover.keepOpenWhile(new Promise<void>((resolve) => (closeDialog = resolve)));
            },
            choosePath: pathDialog(
              () => popover.window()?.owner() ?? null,
              (answer) => popover.keepOpenWhile(answer),
            ),
            hideWindow: () => popover.hide(),
            takeShortcut: (accelerator) => shortcut.take(accelerator),
            opensAtLogin: () => (platform === 'darwin' ? electronApp.getLoginItemSettings().openAtLogin : null),
            setOpensAtLogin: (openAtLogin) => electronApp.setLoginItemSettings({ openAtLogin }),
          },
        }),
    hub: { systemProxy },
    ownProcessesMiB: () => ownProcessesMiB(electronApp.getAppMetrics()),
  });
  opened.push(() => app.dispose());

  await electronApp.whenReady();
  opened.push(keepAwakeWhileBusy(powerSaveBlocker, app.engine));
  followPower(powerMonitor, platform, {
    suspend: () => app.suspend(),
    sleep: () => app.sleep(),
    resume: () => app.resume(),
    quit: () => electronApp.quit(),
  });
  // No Dock icon in development either; packaged, the bundle says so before the first line runs.
  if (platform === 'darwin') electronApp.setActivationPolicy('accessory');
  if (asked.isHeadless) {
    process.stdout.write(readyLine(null, app));
    return;
  }

  Menu.setApplicationMenu(Menu.buildFromTemplate(applicationMenu(platform)));
  denyPermissions(session.defaultSession, (saved) => void popover.keepOpenWhile(saved));
  guardAllContents(electronApp, app.log);
  const built = await rendererFiles(parts.rendererFolder);
  const dev =
    process.env['HEADROOM_DEV'] === '1' && !electronApp.isPackaged
      ? reloadOnBuild(parts.rendererFolder, built, (envelope) => transport.publish(envelope))
      : null;
  if (dev !== null) opened.push(() => dev.dispose());
  serveAppFiles(protocol, dev?.files ?? built);

  let isWindowShown = false;
  const popover = createPopover({
    create: (form, events) =>
      createPopoverWindow(form, events, {
        preloadPath: parts.preloadPath,
        isPackaged: electronApp.isPackaged,
        platform,
        log: app.log,
      }),
    screens: () => ({ screens: screen.getAllDisplays(), cursor: screen.getCursorScreenPoint() }),
    windowPlace: openWindowPlace(join(folder, 'window-place.json'), (trouble) => app.log('warn', trouble)),
    hideApp: () => (platform === 'darwin' ? electronApp.hide() : undefined),
    onShown: () => {
      isWindowShown = true;
      app.setWindowVisible(true);
      const shown: EventEnvelope = { event: 'window.shown', payload: null };
      transport.publish(shown);
      notifications.take(shown);
    },
    onHidden: () => {
      isWindowShown = false;
      app.setWindowVisible(false);
    },
    log: app.log,
  });
  const transport = createIpcTransport({
    ipcMain,
    gate: createGate({ handlers: app.handlers, log: app.log }),
    ourContents: () => popover.window()?.contents() ?? null,
  });
  opened.push(
    () => transport.dispose(),
    () => popover.dispose(),
  );
  const notifications = createNotifications({
    situation: () => ({ isWindowShown, modelName: app.modelName, nowMs: Date.now() }),
    onClick: () => openWindow(),
  });
  opened.push(() => notifications.dispose());
  app.subscribe((envelope) => {
    transport.publish(envelope);
    notifications.take(envelope);
  });

  /** Null when the icon cannot be seen: behind the notch, or on a desktop without a tray. */
  const iconBounds = (): Rectangle | null => {
    const bounds = icon.bounds();
    return screenOfIcon(bounds, screen.getAllDisplays()) === null ? null : bounds;
  };
  const openWindow = (): void => {
    const bounds = iconBounds();
    popover.show(formWhenOpened(bounds !== null), bounds);
  };
  const shortcut = createGlobalShortcut(globalShortcut, () => popover.iconClicked(iconBounds()));
  opened.push(() => shortcut.dispose());
  const wanted = app.settings.globalShortcut;
  if (wanted !== null && shortcut.take(wanted) !== 'taken-over') notifications.tellShortcutInUse(wanted);
  let pressureLevel: PressureLevel | null = null;
  const toggleModel = async (): Promise<void> => {
    try {
      await app.handlers[toggleMeaning(app.engine.state) === 'start' ? 'engine.start' : 'engine.stop'](null);
    } catch (error) {
      // Nothing chosen yet, or nothing left to run: the window says what to do.
      if (!(error instanceof AppFault)) throw error;
      openWindow();
    }
  };
  const appearance = () => trayAppearance(app.engine.state, app.modelName, pressureLevel);
  const icon = createMenuBarIcon({
    imageFolder: parts.trayImageFolder,
    platform,
    first: appearance(),
    onClick: (bounds, isDetaching) => (isDetaching ? popover.detach(true, bounds) : popover.iconClicked(bounds)),
    onMenu: (id) => {
      if (id === 'toggle') void toggleModel();
      if (id === 'open') openWindow();
      if (id === 'quit') electronApp.quit();
    },
  });
  opened.push(() => icon.dispose());
  const updateIcon = (): void => {
    const now = appearance();
    icon.update(now, trayMenu(app.engine.state, now.accessibleTitle));
  };
  updateIcon();
  opened.push(
    app.engine.subscribe(updateIcon),
    app.subscribe(({ event, payload }) => {
      if (event !== 'memory.sample' || payload.level === pressureLevel) return;
      pressureLevel = payload.level;
      updateIcon();
    }),
  );

  electronApp.on('second-instance', openWindow);
  electronApp.on('activate', openWindow);
  if (!asked.isHidden && !electronApp.getLoginItemSettings().wasOpenedAtLogin) openWindow();
}

/** Chromium knows the proxy that the system wants for an address, from its settings or a script of the network's. */
async function systemProxy(url: URL): Promise<ProxyChoice | null> {
  await electronApp.whenReady();
  return proxyFromPac(await session.defaultSession.resolveProxy(url.href));
}

async function rendererFiles(from: string): Promise<KnownFiles> {
  const files = await listRendererFiles(from);
  if (files !== null) return files;
  throw new AppFault('not-found', 'The window has not been built.', 'Run "npm run build" and start again.');
}

async function folderInUse(lock: DataFolderLock & { kind: 'taken' }): Promise<void> {
  const message = `Headroom is running already (process ${lock.pid}).`;
  await end(FOLDER_IN_USE, message, `It uses ${folder}. Use that one, or end it first.`);
}

async function failToStart(error: unknown): Promise<void> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof AppFault) return end(COULD_NOT_START, error.message, error.nextStep);
  if (code !== undefined)
    return end(COULD_NOT_START, 'Headroom cannot use its data folder.', `Make room or give access: ${message}`);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return end(COULD_NOT_START, 'Headroom could not start.', stack);
}

/** Says why to the terminal it was started from, and in a dialog to who started it from the Finder. */
async function end(exitCode: number, message: string, nextStep: string): Promise<void> {
  say(`${message} ${nextStep}`);
  if (!asked.isHeadless && !process.stderr.isTTY && process.platform === 'darwin') {
    await electronApp.whenReady();
    dialog.showErrorBox(message, nextStep);
  }
  electronApp.exit(exitCode);
}

function say(text: string): void {
  process.stderr.write(`headroom: ${text}\n`);
}
