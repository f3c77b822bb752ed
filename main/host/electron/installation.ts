/** Where the app finds its parts: in the project's folder while developing, in the bundle when packaged. Pure. */
import { join } from 'node:path';

export interface Installation {
  readonly rendererFolder: string;
  readonly preloadPath: string;
  readonly trayImageFolder: string;
  readonly pythonExecutable: string;
  readonly demoModelFolder: string;
}

export function installation(input: {
  readonly isPackaged: boolean;
  /** The folder (or asar) with package.json. */
  readonly appFolder: string;
  /** The bundle's Resources. */
  readonly resourcesFolder: string;
}): Installation {
  const { appFolder, resourcesFolder } = input;
  const common = {
    rendererFolder: join(appFolder, 'out', 'renderer'),
    preloadPath: join(appFolder, 'out', 'preload', 'electron.cjs'),
    trayImageFolder: join(appFolder, 'main', 'resources', 'tray'),
  };
  return input.isPackaged
    ? {
        ...common,
        pythonExecutable: join(resourcesFolder, 'python', 'bin', 'python3.12'),
        demoModelFolder: join(resourcesFolder, 'headroom-demo'),
      }
    : {
        ...common,
        pythonExecutable: join(appFolder, 'python-runtime', '.venv', 'bin', 'python'),
        demoModelFolder: join(appFolder, 'python-runtime', 'models', 'headroom-demo'),
      };
}
