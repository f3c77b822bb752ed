import type { AppState } from '../../preload/contract.ts';

/** The modifier of the platform's shortcuts, as its menus write it. */
export const modifierKey = (platform: AppState['platform']): string => (platform === 'darwin' ? '⌘' : 'Ctrl+');
