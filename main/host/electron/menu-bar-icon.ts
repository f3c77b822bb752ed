/** The icon in the menu bar (macOS) or the panel (Linux). */
import { join } from 'node:path';
import { Menu, type MenuItemConstructorOptions, nativeImage, Tray } from 'electron';
import type { Rectangle } from './placement.ts';
import type { TrayAppearance } from './tray-icon.ts';
import type { TrayMenuItem } from './tray-menu.ts';

/** Lets macOS keep the icon's place in the menu bar from one start to the next. */
const PLACE_ID = '3f0c5b0e-6f2b-4f6e-9a55-6f0b7c1d2e84';

export interface MenuBarIcon {
  update(appearance: TrayAppearance, menu: readonly TrayMenuItem[]): void;
  /** Where it says it is. May be untrue: see placement.ts. */
  bounds(): Rectangle;
  dispose(): void;
}

export function createMenuBarIcon(ports: {
  readonly imageFolder: string;
  readonly platform: NodeJS.Platform;
  readonly first: TrayAppearance;
  /** `isDetaching`: with ⌘ held, as for taking an icon out of the menu bar. */
  onClick(bounds: Rectangle, isDetaching: boolean): void;
  onMenu(id: 'toggle' | 'open' | 'quit'): void;
}): MenuBarIcon {
  const isMac = ports.platform === 'darwin';
  const image = (appearance: TrayAppearance): Electron.NativeImage => {
    const picture = nativeImage.createFromPath(join(ports.imageFolder, `${appearance.shape}Template.png`));
    picture.setTemplateImage(true);
    return picture;
  };
  const tray = isMac ? new Tray(image(ports.first), PLACE_ID) : new Tray(image(ports.first));
  let menu = Menu.buildFromTemplate([]);
  let shown = { shape: ports.first.shape, tooltip: '', items: '' };
  // Otherwise fast clicks flicker.
  if (isMac) tray.setIgnoreDoubleClickEvents(true);
  tray.on('click', ({ metaKey }, bounds) => ports.onClick(bounds, metaKey === true));
  // Not setContextMenu on macOS: it swallows the left click.
  tray.on('right-click', () => {
    if (isMac) tray.popUpContextMenu(menu);
  });

  const asMenuItem = (item: TrayMenuItem): MenuItemConstructorOptions => {
    switch (item.kind) {
      case 'separator':
        return { type: 'separator' };
      case 'status':
        return { label: item.label, enabled: false };
      case 'action':
        return { id: item.id, label: item.label, enabled: item.enabled, click: () => ports.onMenu(item.id) };
    }
  };

  return {
    update(appearance, items) {
      const { shape, tooltip } = appearance;
      const next = { shape, tooltip, items: JSON.stringify(items) };
      if (next.shape !== shown.shape) tray.setImage(image(appearance));
      if (next.tooltip !== shown.tooltip) tray.setToolTip(tooltip);
      if (next.items !== shown.items) {
        menu = Menu.buildFromTemplate(items.map(asMenuItem));
        // A panel closes a menu that is open when it is given another one.
        if (!isMac) tray.setContextMenu(menu);
      }
      shown = next;
    },
    bounds: () => tray.getBounds(),
    dispose: () => tray.destroy(),
  };
}
