import type { AppState } from '../../preload/contract.ts';

/** The modifier of the platform's shortcuts, as its menus write it. */
export const modifierKey = (platform: AppState['platform']): string => (platform === 'darwin' ? '⌘' : 'Ctrl+');

export const hasModifier = (
  event: { readonly metaKey: boolean; readonly ctrlKey: boolean },
  platform: AppState['platform'],
): boolean => (platform === 'darwin' ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey);
