import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedLink } from './link.ts';

describe('checkedLink', () => {
  it.each([
    ['https://example.org/a b', 'https://example.org/a%20b'],
    ['HTTPS://EXAMPLE.org', 'https://example.org/'],
    ['mailto:a@example.org', 'mailto:a@example.org'],
    ['http://example.org', null],
    ['https://user:pass@example.org/', null],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
    ['smb://server/share', null],
    ['x-apple.systempreferences:com.apple.LoginItems-Settings.extension', null],
    ['example.org', null],
    ['', null],
  ])('%j → %j', (text, expected) => expect(checkedLink(text)).toBe(expected));

  it('lets no other scheme through', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.string().map((s) => `${s}://x`),
        ),
        (text) => {
          const link = checkedLink(text);
          expect(link === null || /^(https:\/\/|mailto:)/.test(link)).toBe(true);
        },
      ),
    );
  });
});
