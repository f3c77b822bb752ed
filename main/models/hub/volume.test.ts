import { expect, it } from 'vitest';
import { externalVolume, freeBytes, isConnected } from './volume.ts';

it.each([
  ['/Volumes/Big/hub', true, '/Volumes/Big'],
  ['/Volumes/My Disk/a/b', true, '/Volumes/My Disk'],
  ['/Users/me/.cache', true, null],
  ['/Volumes', true, null],
  ['/Volumes/Big/hub', false, null],
])('externalVolume %s (Mac: %s): %s', (folder, isMac, volume) => expect(externalVolume(folder, isMac)).toBe(volume));

it('the disk the system is on is always there, and has room', async () => {
  expect(await isConnected('/tmp/not/there')).toBe(true);
  expect(await freeBytes('/')).toBeGreaterThan(0);
});
