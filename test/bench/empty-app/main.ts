/**
 * The empty Electron app that Headroom is measured against: an icon, and a window of the same size with one text field.
 * It carries what the tests put in place on an old Electron, and nothing else.
 */
import '../../electron/shims/main.ts';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { app, BrowserWindow, nativeImage, Tray } from 'electron';
import type { TrayRecord } from '../../electron/tray-record.ts';

/** Part of Electron itself where it is current. Kept, so that the bundler keeps what stands in for it here. */
(globalThis as { sqlite?: unknown }).sqlite = DatabaseSync;

const homeAt = process.argv.indexOf('--home');
app.setPath('userData', join(process.argv[homeAt + 1] ?? '', 'window'));
app.on('window-all-closed', () => {});

let window: BrowserWindow | null = null;

function open(): void {
  if (window !== null) {
    window.show();
    window.focus();
    return;
  }
  const created = new BrowserWindow({ width: 420, height: 640, show: false });
  window = created;
  created.on('closed', () => (window = null));
  created.once('ready-to-show', () => {
    created.show();
    created.focus();
  });
  void created.loadFile(join(app.getAppPath(), 'index.html'));
}

async function run(): Promise<void> {
  await app.whenReady();
  if (process.platform === 'darwin') app.dock?.hide();
  const image = nativeImage.createFromPath(join(app.getAppPath(), 'icon.png'));
  const tray = new Tray(image);
  tray.on('click', () => (window?.isVisible() ? window.hide() : open()));
  const record: TrayRecord = { tray, menu: null, tooltip: '', image: '' };
  (globalThis as { headroomTray?: TrayRecord }).headroomTray = record;
  if (!process.argv.includes('--hidden')) open();
}

void run();
