/**
 * The menu bar's menus. Nobody sees them while only the popover is open, but ⌘C, ⌘V and ⌘A come from them. Zoom is the
 * page's: it enlarges the text, not the window's measures.
 */
import type { MenuItemConstructorOptions } from 'electron';

export function applicationMenu(platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const app: MenuItemConstructorOptions[] =
    platform === 'darwin'
      ? [
          {
            label: 'Headroom',
            submenu: [
              { role: 'about' },
              { type: 'separator' },
              { role: 'hide' },
              { type: 'separator' },
              { role: 'quit' },
            ],
          },
        ]
      : [{ label: 'Headroom', submenu: [{ role: 'quit' }] }];
  return [
    ...app,
    {
      label: 'Edit',
      submenu: [
        { role: 'undo' },
        { role: 'redo' },
        { type: 'separator' },
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'pasteAndMatchStyle' },
        { role: 'delete' },
        { role: 'selectAll' },
      ],
    },
    { label: 'Window', submenu: [{ role: 'minimize' }, { role: 'close' }] },
  ];
}
