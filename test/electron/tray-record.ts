import type { Menu, Tray } from 'electron';

/** What `recorder.cjs` keeps as `globalThis.headroomTray` in main. */
export interface TrayRecord {
  readonly tray: Tray | null;
  readonly menu: Menu | null;
  readonly tooltip: string;
  /** The picture shown now, as a data address. */
  readonly image: string;
}
