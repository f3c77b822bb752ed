import type { Menu, Tray } from 'electron';

/** What `recorder.cjs` keeps as `globalThis.headroomTray` in main. */
export interface TrayRecord {
  readonly tray: Tray | null;
  readonly menu: Menu | null;
  readonly tooltip: string;
  /** The picture shown now, as a data address. */
  readonly image: string;
}

/** What it keeps of each in `globalThis.headroomNotifications`. */
export interface NotificationRecord {
  readonly title: string;
  readonly body: string;
  readonly isShown: boolean;
  emit(event: 'click'): void;
}
