/** Which step of the first run is shown: pure. */
import type { AppState, DownloadState, MachineInfo, ModelEntry, ModelInfo } from '../../preload/contract.ts';
import { memory } from '../ui/numbers.ts';

/**
 *  looking ─► choose ─► getting ─► here ─► (the model is chosen: the ordinary window, with its consent sheet)
 *                ▲         │
 *                └─────────┘ cancelled
 *  cannot-run: no model runs on this machine at all.
 *  nothing-fits: the catalog has nothing that fits; the demo is left.
 */
export type FirstRunStep =
  | { readonly kind: 'looking' }
  | { readonly kind: 'cannot-run'; readonly message: string; readonly nextStep: string }
  | { readonly kind: 'nothing-fits'; readonly demo: ModelEntry | null }
  | {
      readonly kind: 'choose';
      readonly entry: ModelEntry;
      /** Another tool fetched it, or the user named it: it can be used right away. */
      readonly found: ModelEntry | null;
      readonly demo: ModelEntry | null;
    }
  | {
      readonly kind: 'getting';
      readonly entry: ModelEntry;
      readonly download: DownloadState;
      readonly demo: ModelEntry | null;
    }
  | { readonly kind: 'here'; readonly entry: ModelEntry };

export function firstRunStep(machine: MachineInfo, entries: readonly ModelEntry[] | null): FirstRunStep {
  if (machine.cannotRun !== null) return { kind: 'cannot-run', ...machine.cannotRun };
  if (entries === null) return { kind: 'looking' };
  const real = entries.filter(({ isToy }) => !isToy);
  const demo = entries.find(({ isToy, presence }) => isToy && presence.kind === 'here') ?? null;
  // What the user has begun comes before what is recommended.
  const getting = real.find(({ presence }) => presence.kind === 'getting');
  if (getting?.presence.kind === 'getting')
    return { kind: 'getting', entry: getting, download: getting.presence.download, demo };
  const recommended = real.find(({ isRecommended }) => isRecommended);
  const here = real.filter(({ presence }) => presence.kind === 'here');
  const ready = here.find((entry) => entry === recommended) ?? here.find(({ origin }) => origin === 'catalog');
  if (ready !== undefined) return { kind: 'here', entry: ready };
  const found = here.find(({ verdict }) => verdict.kind === 'fits') ?? here[0] ?? null;
  if (recommended !== undefined) return { kind: 'choose', entry: recommended, found, demo };
  return found === null ? { kind: 'nothing-fits', demo } : { kind: 'here', entry: found };
}

/** "Apple M2 · 16 GB · macOS 15.6". */
export const machineWords = ({ chip, memoryBytes, system }: MachineInfo): string =>
  [chip, memory(memoryBytes), system].filter((part) => part !== null).join(' · ');

/** Whether the first run takes the window's middle: nothing is chosen, or the user looks around and wants it back. */
export const isFirstRun = ({ model, settings }: Pick<AppState, 'model' | 'settings'>, isWanted: boolean): boolean =>
  model === null ? true : isWanted && model.isToy && settings.firstRun === 'todo';

/**
 * The model the user went for has arrived while they were elsewhere: with the demo, or in a conversation with it, where
 * main has chosen the new one meanwhile. Null once one of their own has run.
 */
export function setupNews(
  { model, engine, settings }: Pick<AppState, 'model' | 'engine' | 'settings'>,
  entries: readonly ModelEntry[] | null,
): Pick<ModelEntry, 'id' | 'name'> | null {
  if (model === null || settings.firstRun === 'done') return null;
  if (!model.isToy) return engine.kind === 'off' ? model : null;
  const here = (entries ?? []).filter(({ isToy, presence }) => !isToy && presence.kind === 'here');
  return here.find(({ isRecommended }) => isRecommended) ?? here[0] ?? null;
}

/** The download that was begun in sight has come to its end: `start` when main has not chosen it yet. */
export function arrivalStep(
  wantedId: string | null,
  model: Pick<ModelInfo, 'id'> | null,
  entries: readonly ModelEntry[] | null,
): 'none' | 'turn-on' | 'start' {
  if (wantedId === null) return 'none';
  if (model?.id === wantedId) return 'turn-on';
  return entries?.some(({ id, presence }) => id === wantedId && presence.kind === 'here') === true ? 'start' : 'none';
}
