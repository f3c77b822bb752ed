/** What the menu-bar icon says of the engine: a shape (templates have no colour), a tooltip, a spoken name. */
import type { EngineState } from '../../../preload/contract.ts';

export const TRAY_SHAPES = ['off', 'loading', 'ready', 'busy', 'trouble'] as const;
export type TrayShape = (typeof TRAY_SHAPES)[number];

export interface TrayAppearance {
  readonly shape: TrayShape;
  /** May change many times a second while loading. */
  readonly tooltip: string;
  /** The menu's first line, which screen readers speak; the icon itself has no other name than its tooltip. */
  readonly accessibleTitle: string;
}

function said(shape: TrayShape, sentence: string, progress = ''): TrayAppearance {
  return { shape, tooltip: `Headroom – ${sentence}${progress}`, accessibleTitle: `Headroom, ${sentence}` };
}

export function trayAppearance(state: EngineState, modelName: string | null): TrayAppearance {
  const name = modelName ?? 'the model';
  switch (state.kind) {
    case 'off':
      return said('off', 'the model is off');
    case 'preparing':
      return said('loading', 'checking memory');
    case 'starting':
      return said('loading', `starting ${name}`);
    case 'loading': {
      const percent = state.totalBytes > 0 ? Math.floor((100 * state.loadedBytes) / state.totalBytes) : 0;
      return said('loading', `loading ${name}`, `, ${Math.min(100, percent)} %`);
    }
    case 'ready':
      return said('ready', `${name} is ready`);
    case 'busy':
      return said('busy', `${name} is answering`);
    case 'stopping':
      return said('loading', 'turning the model off');
    case 'waiting':
      return said('trouble', 'the model stopped and will be started again');
    case 'failed':
      return said('trouble', state.cause.message.replace(/\.$/, ''));
  }
}
