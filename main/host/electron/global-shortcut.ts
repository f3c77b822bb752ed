/** The one shortcut that opens the window from anywhere. Off until somebody sets it. */
import type { Shell } from '../shell.ts';

/** Of Electron's `globalShortcut`. `register` throws for what is no shortcut and answers false when it is taken. */
interface SystemShortcuts {
  register(accelerator: string, run: () => void): boolean;
  unregister(accelerator: string): void;
}

export interface GlobalShortcut {
  /** The one before is given up only once the new one is ours. */
  take: Shell['takeShortcut'];
  dispose(): void;
}

export function createGlobalShortcut(system: SystemShortcuts, onPressed: () => void): GlobalShortcut {
  let ours: string | null = null;
  const release = (): void => {
    if (ours !== null) system.unregister(ours);
    ours = null;
  };
  return {
    take(accelerator) {
      if (accelerator === ours) return 'taken-over';
      if (accelerator === null) {
        release();
        return 'taken-over';
      }
      try {
        if (!system.register(accelerator, onPressed)) return 'in-use';
      } catch {
        return 'not-a-shortcut';
      }
      release();
      ours = accelerator;
      return 'taken-over';
    },
    dispose: release,
  };
}
