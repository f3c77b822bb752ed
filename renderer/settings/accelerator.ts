/** A key press as an accelerator, and an accelerator as the platform's menus write it. */
import type { AppState } from '../../preload/contract.ts';

interface Pressed {
  /** `KeyboardEvent.code`: the key itself, whatever a modifier makes it type. */
  readonly code: string;
  readonly metaKey: boolean;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

const NAMED: Readonly<Record<string, string>> = {
  Space: 'Space',
  Tab: 'Tab',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  Minus: '-',
  Equal: '=',
  BracketLeft: '[',
  BracketRight: ']',
  Semicolon: ';',
  Quote: "'",
  Comma: ',',
  Period: '.',
  Slash: '/',
  Backquote: '`',
  Backslash: '\\',
};

/** Null while only modifiers are held, and for what would take ordinary typing away: a key alone or with ⇧ only. */
export function acceleratorOf({ code, metaKey, ctrlKey, shiftKey, altKey }: Pressed): string | null {
  const key = /^Key[A-Z]$/.test(code)
    ? code.slice(3)
    : /^Digit\d$/.test(code)
      ? code.slice(5)
      : /^F(?:[1-9]|1\d|2[0-4])$/.test(code)
        ? code
        : NAMED[code];
  if (key === undefined || !(metaKey || ctrlKey || altKey)) return null;
  const modifiers = [ctrlKey && 'Control', altKey && 'Alt', shiftKey && 'Shift', metaKey && 'Command'];
  return [...modifiers.filter((name) => name !== false), key].join('+');
}

const MAC_SIGNS: Readonly<Record<string, string>> = { Control: '⌃', Alt: '⌥', Shift: '⇧', Command: '⌘' };
const ARROWS: Readonly<Record<string, string>> = { Up: '↑', Down: '↓', Left: '←', Right: '→' };

/** ⌥Space on a Mac, Alt+Space elsewhere. */
export function acceleratorWords(accelerator: string, platform: AppState['platform']): string {
  const parts = accelerator.split('+').map((part) => ARROWS[part] ?? part);
  if (platform === 'darwin') return parts.map((part) => MAC_SIGNS[part] ?? part).join('');
  return parts.map((part) => (part === 'Control' ? 'Ctrl' : part === 'Command' ? 'Super' : part)).join('+');
}
