import type { AppState } from '../../preload/contract.ts';

export type ShortcutAction =
  | 'new-conversation'
  | 'search-conversations'
  | 'find'
  | 'stop'
  | 'edit-last'
  | 'copy-answer'
  | 'toggle-model'
  | 'models'
  | 'settings'
  | 'memory'
  | 'conversation-settings'
  | 'zoom-in'
  | 'zoom-out'
  | 'zoom-reset'
  | 'shortcuts';

interface Shortcut {
  readonly action: ShortcutAction;
  /** `KeyboardEvent.key`, lower case. */
  readonly key: string;
  readonly shift?: boolean;
  /** As it is printed on the key, where that differs. */
  readonly shown?: string;
  readonly words: string;
}

/** Every shortcut that needs the platform's modifier; the sheet shows them in this order. */
export const SHORTCUTS: readonly Shortcut[] = [
  { action: 'new-conversation', key: 'n', words: 'New conversation' },
  { action: 'search-conversations', key: 'k', words: 'Search conversations' },
  { action: 'find', key: 'f', words: 'Find in this conversation' },
  { action: 'stop', key: '.', words: 'Stop the answer' },
  { action: 'edit-last', key: 'arrowup', shown: '↑', words: 'Edit the last message' },
  { action: 'copy-answer', key: 'c', shift: true, words: 'Copy the last answer' },
  { action: 'toggle-model', key: 'e', words: 'Turn the model on or off' },
  { action: 'models', key: 'l', words: 'Models and connections' },
  { action: 'memory', key: 'm', shift: true, words: 'Memory' },
  { action: 'conversation-settings', key: 'i', words: 'Conversation settings' },
  { action: 'settings', key: ',', words: 'Settings' },
  { action: 'zoom-in', key: '+', words: 'Larger text' },
  { action: 'zoom-out', key: '-', words: 'Smaller text' },
  { action: 'zoom-reset', key: '0', words: 'Text at its own size' },
  { action: 'shortcuts', key: '/', words: 'These shortcuts' },
];

/** The keys that need no modifier, for the sheet. */
export const PLAIN_KEYS: readonly { readonly shown: string; readonly words: string }[] = [
  { shown: '↩', words: 'Send, or send after the answer under way' },
  { shown: '⇧↩', words: 'New line' },
  { shown: 'esc', words: 'Close what is open, then the window' },
];

interface Pressed {
  readonly key: string;
  readonly metaKey: boolean;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** What a key press asks for, or null. */
export function shortcutOf(event: Pressed, platform: AppState['platform']): ShortcutAction | null {
  const hasModifier = platform === 'darwin' ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!hasModifier || event.altKey) return null;
  const key = event.key.toLowerCase();
  const found = SHORTCUTS.find(
    (shortcut) =>
      // On many layouts these three need the shift key, and ⌘= is what people press for larger.
      (shortcut.key === key || (shortcut.key === '+' && key === '=')) &&
      (['+', '-', '/'].includes(shortcut.key) || event.shiftKey === (shortcut.shift ?? false)),
  );
  return found?.action ?? null;
}

/** As the platform's menus write it: ⇧⌘C, Ctrl+Shift+C. */
export function shortcutKeys({ key, shift = false, shown }: Shortcut, platform: AppState['platform']): string {
  const name = shown ?? (key === '-' ? '−' : key.toUpperCase());
  return platform === 'darwin' ? `${shift ? '⇧' : ''}⌘${name}` : `Ctrl+${shift ? 'Shift+' : ''}${name}`;
}
