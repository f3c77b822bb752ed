import { expect, it } from 'vitest';
import { applicationMenu } from './application-menu.ts';

function rolesOf(menu: ReturnType<typeof applicationMenu>): readonly (string | undefined)[] {
  return menu.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu.map(({ role }) => role) : []));
}

it.each(['darwin', 'linux'] as const)('%s: editing keys and quitting have their roles', (platform) => {
  expect(rolesOf(applicationMenu(platform))).toEqual(
    expect.arrayContaining(['undo', 'redo', 'cut', 'copy', 'paste', 'selectAll', 'quit', 'close']),
  );
});

it('offers neither reload nor developer tools', () => {
  for (const role of ['reload', 'forceReload', 'toggleDevTools']) {
    expect(rolesOf(applicationMenu('darwin'))).not.toContain(role);
  }
});
