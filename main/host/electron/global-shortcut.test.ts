import { expect, it } from 'vitest';
import { createGlobalShortcut } from './global-shortcut.ts';

function system(taken: readonly string[] = []) {
  const registered = new Map<string, () => void>();
  return {
    registered,
    register(accelerator: string, run: () => void): boolean {
      if (accelerator.endsWith('+')) throw new TypeError('not an accelerator');
      if (taken.includes(accelerator)) return false;
      registered.set(accelerator, run);
      return true;
    },
    unregister: (accelerator: string) => void registered.delete(accelerator),
  };
}

it('one at a time: the one before is given up when the new one is ours', () => {
  const shortcuts = system();
  let pressed = 0;
  const shortcut = createGlobalShortcut(shortcuts, () => void (pressed += 1));
  expect(shortcut.take('Alt+Space')).toBe('taken-over');
  expect(shortcut.take('Command+Shift+H')).toBe('taken-over');
  expect([...shortcuts.registered.keys()]).toEqual(['Command+Shift+H']);
  shortcuts.registered.get('Command+Shift+H')?.();
  expect(pressed).toBe(1);
});

it('a conflict is told and leaves the one before as it was', () => {
  const shortcuts = system(['Command+Space']);
  const shortcut = createGlobalShortcut(shortcuts, () => {});
  shortcut.take('Alt+Space');
  expect(shortcut.take('Command+Space')).toBe('in-use');
  expect(shortcut.take('Command+')).toBe('not-a-shortcut');
  expect([...shortcuts.registered.keys()]).toEqual(['Alt+Space']);
  expect(shortcut.take('Alt+Space')).toBe('taken-over');
});

it('is given up when it is switched off and when the app ends', () => {
  const shortcuts = system();
  const shortcut = createGlobalShortcut(shortcuts, () => {});
  shortcut.take('Alt+Space');
  expect(shortcut.take(null)).toBe('taken-over');
  expect(shortcuts.registered.size).toBe(0);
  shortcut.take('Alt+Space');
  shortcut.dispose();
  expect(shortcuts.registered.size).toBe(0);
});
