import { expect, test } from 'vitest';
import { linkTarget } from './links.ts';

test.each([
  ['https://example.org/a', 'here', 'https://example.org/a', 'example.org/a', null],
  ['https://example.org/', 'example.org', 'https://example.org/', 'example.org', null],
  ['https://www.example.org/', 'example.org', 'https://www.example.org/', 'www.example.org', null],
  ['https://evil.test/x', 'https://bank.example/login', 'https://evil.test/x', 'evil.test/x', 'evil.test'],
  ['https://evil.test', 'bank.example', 'https://evil.test/', 'evil.test', 'evil.test'],
  ['mailto:a@example.org', 'write', 'mailto:a@example.org', 'a@example.org', null],
  // A right-to-left override must not reach the reader's eye.
  ['https://e.test/%E2%80%AEfdp.exe', 'x', 'https://e.test/%E2%80%AEfdp.exe', 'e.test/%E2%80%AEfdp.exe', null],
])('%s may be opened', (href, label, url, shown, warnHost) => {
  expect(linkTarget(href, label)).toEqual({ kind: 'open', url, shown, warnHost });
});

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'http://example.org',
  'app://headroom/index.html',
  'x-apple.systempreferences:',
  '/relative',
  '#anchor',
  '',
  'https://',
  'https://bank.example@evil.test/',
])('%s stays text', (href) => {
  expect(linkTarget(href, 'label').kind).toBe('text');
});
