/** The user's settings: one small JSON file, parsed on the way in, written whole and atomically. */
import * as v from 'valibot';
import {
  DEFAULT_CONTEXT_TOKENS,
  EFFORTS,
  LEAST_CONTEXT_TOKENS,
  MOST_CONTEXT_TOKENS,
  MOST_IDLE_UNLOAD_MINUTES,
  type Settings,
} from '../../preload/contract.ts';
import { readKeptAside, writeDurably } from '../durable-file.ts';
import { parsedJson } from '../plain-data.ts';

export const DEFAULT_SETTINGS: Settings = {
  effort: 'medium',
  modelId: null,
  protection: 'on',
  idleUnloadMinutes: 5,
  contextTokens: DEFAULT_CONTEXT_TOKENS,
  globalShortcut: null,
  firstRun: 'todo',
};

/** A field that cannot be understood falls back alone: one bad value must not lose the others. */
const stored = v.object({
  effort: v.fallback(v.picklist(EFFORTS), DEFAULT_SETTINGS.effort),
  modelId: v.fallback(v.nullable(v.string()), DEFAULT_SETTINGS.modelId),
  protection: v.fallback(v.picklist(['on', 'off']), DEFAULT_SETTINGS.protection),
  idleUnloadMinutes: v.fallback(
    v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MOST_IDLE_UNLOAD_MINUTES)),
    DEFAULT_SETTINGS.idleUnloadMinutes,
  ),
  contextTokens: v.fallback(
    v.pipe(v.number(), v.safeInteger(), v.minValue(LEAST_CONTEXT_TOKENS), v.maxValue(MOST_CONTEXT_TOKENS)),
    DEFAULT_SETTINGS.contextTokens,
  ),
  globalShortcut: v.fallback(v.nullable(v.string()), DEFAULT_SETTINGS.globalShortcut),
  firstRun: v.fallback(v.picklist(['todo', 'done']), DEFAULT_SETTINGS.firstRun),
});

export interface SettingsStore {
  readonly current: Settings;
  update(change: { [K in keyof Settings]?: Settings[K] | undefined }): Settings;
}

export const parseSettings = (text: string): Settings | null => parsedJson(stored, text);

/** A damaged file is kept as `.damaged` and the defaults are used; `onDamage` is told. */
export function openSettings(file: string, onDamage: (movedTo: string) => void): SettingsStore {
  let current = readKeptAside(file, parseSettings, onDamage) ?? DEFAULT_SETTINGS;
  return {
    get current() {
      return current;
    },
    update(change) {
      const next: Settings = {
        effort: change.effort ?? current.effort,
        modelId: change.modelId === undefined ? current.modelId : change.modelId,
        protection: change.protection ?? current.protection,
        idleUnloadMinutes: change.idleUnloadMinutes ?? current.idleUnloadMinutes,
        contextTokens: change.contextTokens ?? current.contextTokens,
        globalShortcut: change.globalShortcut === undefined ? current.globalShortcut : change.globalShortcut,
        firstRun: change.firstRun ?? current.firstRun,
      };
      writeDurably(file, `${JSON.stringify(next, null, 2)}\n`);
      current = next;
      return next;
    },
  };
}
