import { expect, it } from 'vitest';
import { openerFor } from './link-opener.ts';

it.each<[string, Record<string, string>, string | null]>([
  ['darwin', {}, '/usr/bin/open'],
  ['linux', { DISPLAY: ':0' }, 'xdg-open'],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
  ['linux', { DISPLAY: '' }, null],
  ['linux', {}, null],
])('%s with %j opens links with %s', (platform, environment, opener) => {
  expect(openerFor(platform, environment)).toBe(opener);
});
