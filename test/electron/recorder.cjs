/**
 * Stands for `electron` in test builds, so that a test can see and use the menu-bar icon and the notifications, which
 * Playwright cannot reach. Everything else is Electron's own; the product knows nothing of it.
 */
const { EventEmitter } = require('node:events');
const electron = require('electron');

/** What the icon shows now; `tray-record.ts` has its type. */
const record = { tray: null, menu: null, tooltip: '', image: '' };
globalThis.headroomTray = record;

function RecordedTray(...given) {
  const tray = new electron.Tray(...given);
  record.tray = tray;
  record.image = given[0].toDataURL();
  watch(tray, 'setToolTip', (tooltip) => (record.tooltip = tooltip));
  watch(tray, 'setImage', (image) => (record.image = image.toDataURL()));
  watch(tray, 'setContextMenu', (menu) => (record.menu = menu));
  // macOS shows the menu and blocks until it closes: a test only wants to know which one.
  tray.popUpContextMenu = (menu) => (record.menu = menu);
  return tray;
}

function watch(tray, name, note) {
  const original = tray[name].bind(tray);
  tray[name] = (value) => {
    note(value);
    return original(value);
  };
}

/** Every notification, oldest first; `tray-record.ts` has its type. No desktop has to show them. */
const notifications = [];
globalThis.headroomNotifications = notifications;

class RecordedNotification extends EventEmitter {
  static isSupported() {
    return true;
  }
  constructor({ title, body }) {
    super();
    Object.assign(this, { title, body, isShown: false });
    notifications.push(this);
  }
  show() {
    this.isShown = true;
    this.emit('show', {});
  }
  close() {
    this.isShown = false;
    this.emit('close', {});
  }
}

const recorded = { Tray: RecordedTray, Notification: RecordedNotification };
module.exports = new Proxy(electron, { get: (all, name) => recorded[name] ?? all[name] });
