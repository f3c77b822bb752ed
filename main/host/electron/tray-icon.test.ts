import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../../preload/contract.ts';
import { TRAY_SHAPES, type TrayShape, trayAppearance } from './tray-icon.ts';

const cause = { code: 'load-failed', message: 'The model folder is damaged.', nextStep: 'Download it again.' };
const table: readonly [EngineState, TrayShape, string][] = [
  [{ kind: 'off' }, 'off', 'the model is off'],
  [{ kind: 'preparing', sinceMs: 0 }, 'loading', 'checking memory'],
  [{ kind: 'starting', sinceMs: 0, attempt: 1 }, 'loading', 'starting Demo'],
  [{ kind: 'loading', sinceMs: 0, loadedBytes: 1, totalBytes: 3 }, 'loading', 'loading Demo, 33 %'],
  [{ kind: 'loading', sinceMs: 0, loadedBytes: 0, totalBytes: 0 }, 'loading', 'loading Demo, 0 %'],
  [{ kind: 'loading', sinceMs: 0, loadedBytes: 9, totalBytes: 3 }, 'loading', 'loading Demo, 100 %'],
  [{ kind: 'ready', sinceMs: 0 }, 'ready', 'Demo is ready'],
  [{ kind: 'busy', sinceMs: 0 }, 'busy', 'Demo is answering'],
  [{ kind: 'stopping', sinceMs: 0, deadlineMs: 1 }, 'loading', 'turning the model off'],
  [{ kind: 'waiting', attempt: 1, retryAtMs: 1, cause }, 'trouble', 'will be started again'],
  [{ kind: 'failed', cause, logTail: [] }, 'trouble', 'The model folder is damaged'],
];

describe('trayAppearance', () => {
  it.each(table)('%j', (state, shape, words) => {
    const appearance = trayAppearance(state, 'Demo');
    expect(appearance.shape).toBe(shape);
    expect(appearance.tooltip).toContain(words);
    expect(appearance.tooltip).toMatch(/^Headroom – /);
    // A menu that is open must not change with every percent.
    expect(appearance.accessibleTitle).toContain(words.replace(/, \d+ %$/, ''));
    expect(appearance.accessibleTitle).not.toContain('%');
  });

  it('has words without a model', () => {
    expect(trayAppearance({ kind: 'ready', sinceMs: 0 }, null).tooltip).toBe('Headroom – the model is ready');
  });

  it('uses every shape, and each has both pictures', () => {
    expect(new Set(table.map(([, shape]) => shape))).toEqual(new Set(TRAY_SHAPES));
    const folder = join(import.meta.dirname, '..', '..', 'resources', 'tray');
    for (const shape of TRAY_SHAPES) {
      expect(existsSync(join(folder, `${shape}Template.png`)), shape).toBe(true);
      expect(existsSync(join(folder, `${shape}Template@2x.png`)), shape).toBe(true);
    }
  });
});
