/**
 * Lets a test see and use the menu-bar icon, which Playwright cannot reach. It watches Electron's own Tray class from
 * outside; the product knows nothing of it, and it is in test builds only.
 */
import { type Menu, type NativeImage, Tray } from 'electron';

export interface TrayRecord {
  tray: Tray | null;
  menu: Menu | null;
  tooltip: string;
  /** The picture shown now, as a data address. */
  image: string;
}

const record: TrayRecord = { tray: null, menu: null, tooltip: '', image: '' };
(globalThis as { headroomTray?: TrayRecord }).headroomTray = record;

const { setToolTip, setImage, setContextMenu } = Tray.prototype;
Tray.prototype.setToolTip = function (tooltip) {
  record.tray = this;
  record.tooltip = tooltip;
  return setToolTip.call(this, tooltip);
};
Tray.prototype.setImage = function (image) {
  record.image = (image as NativeImage).toDataURL();
  return setImage.call(this, image);
};
Tray.prototype.setContextMenu = function (menu) {
  record.menu = menu;
  return setContextMenu.call(this, menu);
};
// macOS shows the menu only when asked, and then blocks until it closes: a test only wants to know which one.
Tray.prototype.popUpContextMenu = (menu) => {
  record.menu = menu ?? null;
};
