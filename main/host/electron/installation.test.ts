import { expect, it } from 'vitest';
import { installation } from './installation.ts';

it('while developing everything is in the project', () => {
  expect(installation({ isPackaged: false, appFolder: '/project', resourcesFolder: '/electron/resources' })).toEqual({
    rendererFolder: '/project/out/renderer',
    preloadPath: '/project/out/preload/electron.cjs',
    trayImageFolder: '/project/main/resources/tray',
    pythonExecutable: '/project/python-runtime/.venv/bin/python',
    demoModelFolder: '/project/python-runtime/models/headroom-demo',
  });
});

it('when packaged, what is no JavaScript lies beside the archive', () => {
  const resourcesFolder = '/Applications/Headroom.app/Contents/Resources';
  expect(installation({ isPackaged: true, appFolder: `${resourcesFolder}/app.asar`, resourcesFolder })).toEqual({
    rendererFolder: `${resourcesFolder}/app.asar/out/renderer`,
    preloadPath: `${resourcesFolder}/app.asar/out/preload/electron.cjs`,
    trayImageFolder: `${resourcesFolder}/app.asar/main/resources/tray`,
    pythonExecutable: `${resourcesFolder}/python/bin/python3.12`,
    demoModelFolder: `${resourcesFolder}/headroom-demo`,
  });
});
