import { expect, it } from 'vitest';
import { dataFolder, type FolderSurroundings } from './data-folder.ts';

const linux: FolderSurroundings = {
  platform: 'linux',
  homeFolder: '/home/ada',
  environment: {},
  workingFolder: '/work',
};
const mac: FolderSurroundings = { ...linux, platform: 'darwin', homeFolder: '/Users/ada' };

it.each<[string, FolderSurroundings, string]>([
  ['Linux', linux, '/home/ada/.local/share/headroom'],
  ['macOS', mac, '/Users/ada/Library/Application Support/Headroom'],
  ['XDG_DATA_HOME', { ...linux, environment: { XDG_DATA_HOME: '/data' } }, '/data/headroom'],
  ['a relative XDG_DATA_HOME', { ...linux, environment: { XDG_DATA_HOME: 'data' } }, '/home/ada/.local/share/headroom'],
  ['an empty XDG_DATA_HOME', { ...linux, environment: { XDG_DATA_HOME: '' } }, '/home/ada/.local/share/headroom'],
  [
    'XDG_DATA_HOME on macOS',
    { ...mac, environment: { XDG_DATA_HOME: '/data' } },
    '/Users/ada/Library/Application Support/Headroom',
  ],
  ['HEADROOM_HOME', { ...mac, environment: { HEADROOM_HOME: '/h', XDG_DATA_HOME: '/data' } }, '/h'],
  ['a relative HEADROOM_HOME', { ...linux, environment: { HEADROOM_HOME: 'h' } }, '/work/h'],
  ['an empty HEADROOM_HOME', { ...linux, environment: { HEADROOM_HOME: '' } }, '/home/ada/.local/share/headroom'],
  ['--home', { ...linux, environment: { HEADROOM_HOME: '/h' }, argument: 'a/../b' }, '/work/b'],
])('%s', (_name, surroundings, folder) => {
  expect(dataFolder(surroundings)).toBe(folder);
});
