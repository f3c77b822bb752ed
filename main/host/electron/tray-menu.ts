/** The menu on a right click of the icon, as plain data. */
import type { EngineState } from '../../../preload/contract.ts';

export type TrayMenuItem =
  | { readonly kind: 'status'; readonly label: string }
  | {
      readonly kind: 'action';
      readonly id: 'toggle' | 'open' | 'quit';
      readonly label: string;
      readonly enabled: boolean;
    }
  | { readonly kind: 'separator' };

/** What a click on the toggle asks for in this state. */
export function toggleMeaning(state: EngineState): 'start' | 'stop' {
  return state.kind === 'off' || state.kind === 'failed' || state.kind === 'stopping' ? 'start' : 'stop';
}

export function trayMenu(state: EngineState, statusLine: string): readonly TrayMenuItem[] {
  const turnsOn = toggleMeaning(state) === 'start';
  return [
    { kind: 'status', label: statusLine },
    { kind: 'separator' },
    {
      kind: 'action',
      id: 'toggle',
      label: turnsOn ? 'Turn Model On' : 'Turn Model Off',
      enabled: state.kind !== 'stopping',
    },
    { kind: 'action', id: 'open', label: 'Open Headroom', enabled: true },
    { kind: 'separator' },
    { kind: 'action', id: 'quit', label: 'Quit Headroom', enabled: true },
  ];
}
