import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineState } from '../../../preload/contract.ts';
import { TRAY_SHAPES, type TrayShape, trayAppearance } from './tray-icon.ts';

const cause = { code: 'load-failed', message: 'The model folder is damaged.', nextStep: 'Download it again.' };
/** State, shape at normal, at warning, at critical, words. */
const table: readonly [EngineState, TrayShape, TrayShape, TrayShape, string][] = [
  [{ kind: 'off' }, 'off', 'off-warning', 'off-critical', 'the model is off'],
  [{ kind: 'preparing', sinceMs: 0 }, 'loading', 'loading-warning', 'loading-critical', 'checking memory'],
  [{ kind: 'starting', sinceMs: 0, attempt: 1 }, 'loading', 'loading-warning', 'loading-critical', 'starting Demo'],
  [
    { kind: 'loading', sinceMs: 0, loadedBytes: 1, totalBytes: 3 },
    'loading',
    'loading-warning',
    'loading-critical',
    'loading Demo, 33 %',
  ],
  [
    { kind: 'loading', sinceMs: 0, loadedBytes: 0, totalBytes: 0 },
    'loading',
    'loading-warning',
    'loading-critical',
    'loading Demo, 0 %',
  ],
  [
    { kind: 'loading', sinceMs: 0, loadedBytes: 9, totalBytes: 3 },
    'loading',
    'loading-warning',
    'loading-critical',
    'loading Demo, 100 %',
  ],
  [{ kind: 'ready', sinceMs: 0 }, 'ready', 'ready-warning', 'ready-critical', 'Demo is ready'],
  [{ kind: 'busy', sinceMs: 0 }, 'busy', 'busy-warning', 'busy-critical', 'Demo is answering'],
  [
    { kind: 'stopping', sinceMs: 0, deadlineMs: 1 },
    'loading',
    'loading-warning',
    'loading-critical',
    'turning the model off',
  ],
  [{ kind: 'waiting', attempt: 1, retryAtMs: 1, cause }, 'trouble', 'trouble', 'trouble', 'will be started again'],
  [{ kind: 'failed', cause, logTail: [] }, 'trouble', 'trouble', 'trouble', 'The model folder is damaged'],
];

describe('trayAppearance', () => {
  it.each(table)('%j', (state, atNormal, atWarning, atCritical, words) => {
    const levels = [
      [null, atNormal, ''],
      ['normal', atNormal, ''],
      ['warning', atWarning, ', memory pressure is at Warning'],
      ['critical', atCritical, ', memory pressure is at Critical'],
    ] as const;
    for (const [level, shape, pressure] of levels) {
      const appearance = trayAppearance(state, 'Demo', level);
      expect(appearance.shape).toBe(shape);
      expect(appearance.tooltip).toMatch(/^Headroom – /);
      expect(appearance.tooltip.endsWith(words + pressure)).toBe(true);
      // A menu that is open must not change with every percent.
      expect(appearance.accessibleTitle.endsWith(words.replace(/, \d+ %$/, '') + pressure)).toBe(true);
      expect(appearance.accessibleTitle).not.toContain('%');
    }
  });

  it('has words without a model', () => {
    expect(trayAppearance({ kind: 'ready', sinceMs: 0 }, null, null).tooltip).toBe('Headroom – the model is ready');
  });

  it('uses every shape, and no two look the same at one or two pixels a point', () => {
    expect(new Set(table.flatMap(([, ...row]) => row.slice(0, 3)))).toEqual(new Set(TRAY_SHAPES));
    const folder = join(import.meta.dirname, '..', '..', 'resources', 'tray');
    const files = TRAY_SHAPES.flatMap((shape) => [`${shape}Template.png`, `${shape}Template@2x.png`]);
    expect(readdirSync(folder).toSorted()).toEqual(files.toSorted());
    expect(new Set(files.map((file) => readFileSync(join(folder, file), 'base64'))).size).toBe(files.length);
  });
});
