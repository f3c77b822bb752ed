import { expect, it } from 'vitest';
import { webPreferences } from './web-preferences.ts';

it('shuts the page in', () => {
  expect(webPreferences({ preloadPath: '/p/electron.cjs', isPackaged: true, platform: 'darwin' })).toEqual({
    preload: '/p/electron.cjs',
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
    devTools: false,
    spellcheck: true,
  });
});

it('has developer tools in development only, and fetches no dictionary', () => {
  const linux = webPreferences({ preloadPath: '/p', isPackaged: false, platform: 'linux' });
  expect(linux.devTools).toBe(true);
  expect(linux.spellcheck).toBe(false);
});
