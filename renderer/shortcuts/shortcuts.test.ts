import { expect, it } from 'vitest';
import { SHORTCUTS, shortcutKeys, shortcutOf } from './shortcuts.ts';

const pressed = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  metaKey: true,
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});

it('no two shortcuts share their keys, and each is told from its own press', () => {
  const names = SHORTCUTS.map((shortcut) => shortcutKeys(shortcut, 'darwin'));
  expect(new Set(names).size).toBe(SHORTCUTS.length);
  for (const { action, key, shift = false } of SHORTCUTS)
    expect(shortcutOf(pressed(key === 'arrowup' ? 'ArrowUp' : key, { shiftKey: shift }), 'darwin')).toBe(action);
});

it('needs the modifier of the platform and no other', () => {
  expect(shortcutOf(pressed('n', { metaKey: false }), 'darwin')).toBeNull();
  expect(shortcutOf(pressed('n', { ctrlKey: true }), 'darwin')).toBeNull();
  expect(shortcutOf(pressed('n', { altKey: true }), 'darwin')).toBeNull();
  expect(shortcutOf(pressed('n'), 'linux')).toBeNull();
  expect(shortcutOf(pressed('n', { metaKey: false, ctrlKey: true }), 'linux')).toBe('new-conversation');
});

it('leaves what the text field and the system do with other keys alone', () => {
  for (const key of ['c', 'v', 'x', 'a', 'z', 'q', 'w', 'h', 'm'])
    expect(shortcutOf(pressed(key), 'darwin')).toBeNull();
});

it('is larger with = as well, and whatever the shift key a layout needs for the slash', () => {
  expect(shortcutOf(pressed('='), 'darwin')).toBe('zoom-in');
  expect(shortcutOf(pressed('/', { shiftKey: true }), 'darwin')).toBe('shortcuts');
});

it('is written as each platform writes it', () => {
  const copy = SHORTCUTS.find(({ action }) => action === 'copy-answer');
  expect(copy && shortcutKeys(copy, 'darwin')).toBe('⇧⌘C');
  expect(copy && shortcutKeys(copy, 'linux')).toBe('Ctrl+Shift+C');
});
