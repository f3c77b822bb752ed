import { expect, it } from 'vitest';
import { acceleratorOf, acceleratorWords } from './accelerator.ts';

const press = (code: string, ...held: ('metaKey' | 'ctrlKey' | 'shiftKey' | 'altKey')[]) =>
  acceleratorOf({
    code,
    metaKey: held.includes('metaKey'),
    ctrlKey: held.includes('ctrlKey'),
    shiftKey: held.includes('shiftKey'),
    altKey: held.includes('altKey'),
  });

it.each([
  ['Space', ['altKey'], 'Alt+Space'],
  ['KeyH', ['metaKey', 'shiftKey'], 'Shift+Command+H'],
  ['Digit7', ['ctrlKey', 'altKey'], 'Control+Alt+7'],
  ['F12', ['ctrlKey'], 'Control+F12'],
  ['ArrowUp', ['altKey', 'metaKey'], 'Alt+Command+Up'],
  ['Backquote', ['ctrlKey'], 'Control+`'],
] as const)('%s with %o', (code, held, accelerator) => {
  expect(press(code, ...held)).toBe(accelerator);
});

it('leaves ordinary typing alone', () => {
  expect(press('KeyA')).toBeNull();
  expect(press('KeyA', 'shiftKey')).toBeNull();
  expect(press('Space')).toBeNull();
});

it('waits while only modifiers are held', () => {
  expect(press('MetaLeft', 'metaKey')).toBeNull();
  expect(press('Enter', 'metaKey')).toBeNull();
});

it('is written as the platform writes it', () => {
  expect(acceleratorWords('Alt+Space', 'darwin')).toBe('⌥Space');
  expect(acceleratorWords('Shift+Command+Up', 'darwin')).toBe('⇧⌘↑');
  expect(acceleratorWords('Control+Alt+7', 'linux')).toBe('Ctrl+Alt+7');
});
