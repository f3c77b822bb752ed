/**
 * What the menu-bar icon says of the engine and of the machine's memory: a shape (templates have no colour), a tooltip,
 * a spoken name.
 */
import type { EngineState, PressureLevel } from '../../../preload/contract.ts';
import { LEVEL_WORDS } from '../../memory/level-words.ts';

const WITH_LEVEL = ['off', 'loading', 'ready', 'busy'] as const;
const SHOWN_LEVELS = ['warning', 'critical'] as const;
type EngineShape = (typeof WITH_LEVEL)[number] | 'trouble';

/** Trouble stands alone: it calls for the user as it is, and the words tell the level too. */
export type TrayShape = EngineShape | `${(typeof WITH_LEVEL)[number]}-${(typeof SHOWN_LEVELS)[number]}`;

export const TRAY_SHAPES: readonly TrayShape[] = [
  ...WITH_LEVEL,
  ...WITH_LEVEL.flatMap((shape) => SHOWN_LEVELS.map((level) => `${shape}-${level}` as const)),
  'trouble',
];

export interface TrayAppearance {
  readonly shape: TrayShape;
  /** May change many times a second while loading. */
  readonly tooltip: string;
  /** The menu's first line, which screen readers speak; the icon itself has no other name than its tooltip. */
  readonly accessibleTitle: string;
}

/** `level`: null before memory has been read. */
export function trayAppearance(
  state: EngineState,
  modelName: string | null,
  level: PressureLevel | null,
): TrayAppearance {
  const { shape, sentence, progress = '' } = said(state, modelName ?? 'the model');
  const pressure = level === null || level === 'normal' ? '' : `, memory pressure is at ${LEVEL_WORDS[level]}`;
  return {
    shape: shape === 'trouble' || level === null || level === 'normal' ? shape : `${shape}-${level}`,
    tooltip: `Headroom – ${sentence}${progress}${pressure}`,
    accessibleTitle: `Headroom, ${sentence}${pressure}`,
  };
}

interface Said {
  readonly shape: EngineShape;
  readonly sentence: string;
  readonly progress?: string;
}

function said(state: EngineState, name: string): Said {
  switch (state.kind) {
    case 'off':
      return { shape: 'off', sentence: 'the model is off' };
    case 'preparing':
      return { shape: 'loading', sentence: 'checking memory' };
    case 'starting':
      return { shape: 'loading', sentence: `starting ${name}` };
    case 'loading': {
      const percent = state.totalBytes > 0 ? Math.floor((100 * state.loadedBytes) / state.totalBytes) : 0;
      return { shape: 'loading', sentence: `loading ${name}`, progress: `, ${Math.min(100, percent)} %` };
    }
    case 'ready':
      return { shape: 'ready', sentence: `${name} is ready` };
    case 'busy':
      return { shape: 'busy', sentence: `${name} is answering` };
    case 'stopping':
      return { shape: 'loading', sentence: 'turning the model off' };
    case 'waiting':
      return { shape: 'trouble', sentence: 'the model stopped and will be started again' };
    case 'failed':
      return { shape: 'trouble', sentence: state.cause.message.replace(/\.$/, '') };
  }
}
