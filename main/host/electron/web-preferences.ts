/** What the page may do. Most of these are Electron's defaults; they are written down so that a test can hold them. */
import type { WebPreferences } from 'electron';

export function webPreferences(input: {
  readonly preloadPath: string;
  readonly isPackaged: boolean;
  readonly platform: NodeJS.Platform;
}): WebPreferences {
  return {
    preload: input.preloadPath,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    devTools: !input.isPackaged,
    // macOS checks spelling by itself; elsewhere Chromium would download a dictionary.
    spellcheck: input.platform === 'darwin',
  };
}
