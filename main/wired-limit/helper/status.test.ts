import { describe, expect, test } from 'vitest';
import { bootPlist, helperPlist } from './plist.ts';
import { HELPER_LABEL, HELPER_SCRIPT } from './script.ts';
import { type HelperSigns, type InstalledFile, atBootMiB, helperState } from './status.ts';

const file = (text: string, change: Partial<InstalledFile> = {}): InstalledFile => ({
  text,
  ownerId: 0,
  mode: 0o644,
  isPlainFile: true,
  ...change,
});
const tool = (change: Partial<InstalledFile> = {}) => file(HELPER_SCRIPT, { mode: 0o755, ...change });
const signs = (change: Partial<HelperSigns> = {}): HelperSigns => ({
  tool: tool(),
  plist: file(helperPlist(501)),
  print: { code: 0, stdout: `system/${HELPER_LABEL} = {` },
  disabled: 'disabled services = {\n\t"com.apple.ftpd" => disabled\n}\n',
  userId: 501,
  ...change,
});
const older = HELPER_SCRIPT.replace('# version 1', '# version 0');

describe('what is installed', () => {
  test.each([
    ['nothing', { tool: null, plist: null }, { kind: 'not-installed' }],
    ['everything', {}, { kind: 'installed', version: 1 }],
    ['an older program', { tool: tool({ text: older }) }, { kind: 'outdated', foundVersion: 0 }],
    ['a program nobody knows', { tool: tool({ text: '#!/bin/sh\n' }) }, { kind: 'outdated', foundVersion: null }],
    ['only the program', { plist: null }, { kind: 'outdated', foundVersion: 1 }],
    ['only the launchd file', { tool: null }, { kind: 'outdated', foundVersion: null }],
    ['for another user', { plist: file(helperPlist(502)) }, { kind: 'other-user', userId: 502 }],
    [
      'for another user and older: whose it is comes first',
      { plist: file(helperPlist(502)), tool: tool({ text: older }) },
      { kind: 'other-user', userId: 502 },
    ],
    [
      'switched off, macOS 13 and later',
      { disabled: `disabled services = {\n\t"${HELPER_LABEL}" => disabled\n}\n` },
      { kind: 'switched-off' },
    ],
    [
      'switched off, before',
      { disabled: `disabled services = {\n\t"${HELPER_LABEL}" => true\n}\n` },
      { kind: 'switched-off' },
    ],
    ['switched off in Login Items', { print: { code: 113, stdout: '' } }, { kind: 'switched-off' }],
    [
      'switched on again',
      { disabled: `disabled services = {\n\t"${HELPER_LABEL}" => enabled\n}\n` },
      { kind: 'installed', version: 1 },
    ],
    [
      'a program of somebody else',
      { tool: tool({ ownerId: 501 }) },
      { kind: 'unsafe', why: 'its program does not belong to root' },
    ],
    [
      'a program the group can write',
      { tool: tool({ mode: 0o775 }) },
      { kind: 'unsafe', why: 'its program can be changed by others' },
    ],
    [
      'a launchd file everybody can write',
      { plist: file(helperPlist(501), { mode: 0o666 }) },
      { kind: 'unsafe', why: 'its launchd file can be changed by others' },
    ],
    ['a link', { tool: tool({ isPlainFile: false }) }, { kind: 'unsafe', why: 'its program is not a plain file' }],
  ] as [string, Partial<HelperSigns>, object][])('%s', (_, change, state) => {
    expect(helperState(signs(change))).toEqual(state);
  });
});

test('the limit set at boot', () => {
  expect(atBootMiB(null)).toBeNull();
  expect(atBootMiB(file(bootPlist(12_800)))).toBe(12_800);
  expect(atBootMiB(file('something else'))).toBeNull();
  expect(atBootMiB(file(bootPlist(12_800), { mode: 0o666 }))).toBeNull();
});

test('nothing but whole numbers gets into a property list', () => {
  expect(helperPlist(501)).toContain('<key>SockPathOwner</key>\n\t\t\t<integer>501</integer>');
  expect(helperPlist(501)).toContain('<key>SockPathMode</key>\n\t\t\t<integer>384</integer>');
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 40]) {
    expect(() => helperPlist(bad)).toThrow(RangeError);
    expect(() => bootPlist(bad)).toThrow(RangeError);
  }
});
