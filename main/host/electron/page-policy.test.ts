import { describe, expect, it } from 'vitest';
import {
  APP_PAGE_URL,
  CONTENT_SECURITY_POLICY,
  isOurAddress,
  isPermissionGranted,
  mayNavigate,
  mayRequest,
} from './page-policy.ts';

describe('mayNavigate', () => {
  it.each([
    [APP_PAGE_URL, true],
    ['app://headroom/?x#y', true],
    ['app://headroom/other.html', false],
    ['app://headroom.evil.example/', false],
    ['app://evil/', false],
    ['app://user@headroom/', false],
    ['app://headroom:80/', false],
    ['https://headroom/', false],
    ['file:///etc/passwd', false],
    ['data:text/html,hello', false],
    ['javascript:alert(1)', false],
    ['about:blank', false],
    ['', false],
    ['not an address', false],
  ])('%s → %s', (address, expected) => {
    expect(mayNavigate(address)).toBe(expected);
  });
});

it('knows our address by scheme and host', () => {
  expect(isOurAddress('app://headroom/assets/a.js')).toBe(true);
  expect(isOurAddress('APP://HEADROOM/x')).toBe(false);
});

describe('mayRequest', () => {
  it.each([
    ['app://headroom/assets/a.js', true],
    ['data:image/png;base64,AA', true],
    ['devtools://devtools/bundled/x.html', true],
    ['app://other/a.js', false],
    ['https://example.org/', false],
    ['http://127.0.0.1:8080/v1/models', false],
    ['ws://127.0.0.1:8080/', false],
    ['file:///etc/passwd', false],
    ['', false],
  ])('%s → %s', (address, expected) => {
    expect(mayRequest(address)).toBe(expected);
  });
});

describe('isPermissionGranted', () => {
  it('lets our page copy text', () => {
    expect(isPermissionGranted('clipboard-sanitized-write', 'app://headroom/')).toBe(true);
    expect(isPermissionGranted('clipboard-sanitized-write', 'https://evil.example/')).toBe(false);
    expect(isPermissionGranted('clipboard-sanitized-write', '')).toBe(false);
  });

  it.each([
    'clipboard-read',
    'media',
    'display-capture',
    'geolocation',
    'notifications',
    'midi',
    'midiSysex',
    'pointerLock',
    'keyboardLock',
    'fullscreen',
    'openExternal',
    'window-management',
    'hid',
    'serial',
    'usb',
    'idle-detection',
    'storage-access',
    'fileSystem',
    'unknown',
  ])('denies %s', (permission) => {
    expect(isPermissionGranted(permission, APP_PAGE_URL)).toBe(false);
  });
});

it('has the content security policy of a page without any connection', () => {
  const directives = new Map(
    CONTENT_SECURITY_POLICY.split('; ').map((line): [string, string] => {
      const [name = '', ...values] = line.split(' ');
      return [name, values.join(' ')];
    }),
  );
  expect(Object.fromEntries(directives)).toEqual({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'font-src': "'self'",
    'connect-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'object-src': "'none'",
    'require-trusted-types-for': "'script'",
  });
});
