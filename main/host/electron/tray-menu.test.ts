import { expect, it } from 'vitest';
import type { EngineState } from '../../../preload/contract.ts';
import { toggleMeaning, trayMenu } from './tray-menu.ts';

const cause = { code: 'x', message: 'X.', nextStep: 'Y.' };
const table: readonly [EngineState, 'start' | 'stop', string, boolean][] = [
  [{ kind: 'off' }, 'start', 'Turn Model On', true],
  [{ kind: 'preparing', sinceMs: 0 }, 'stop', 'Turn Model Off', true],
  [{ kind: 'starting', sinceMs: 0, attempt: 1 }, 'stop', 'Turn Model Off', true],
  [{ kind: 'loading', sinceMs: 0, loadedBytes: 0, totalBytes: 1 }, 'stop', 'Turn Model Off', true],
  [{ kind: 'ready', sinceMs: 0 }, 'stop', 'Turn Model Off', true],
  [{ kind: 'busy', sinceMs: 0 }, 'stop', 'Turn Model Off', true],
  [{ kind: 'waiting', attempt: 1, retryAtMs: 0, cause }, 'stop', 'Turn Model Off', true],
  [{ kind: 'stopping', sinceMs: 0, deadlineMs: 0 }, 'start', 'Turn Model On', false],
  [{ kind: 'failed', cause, logTail: [] }, 'start', 'Turn Model On', true],
];

it.each(table)('%j', (state, meaning, label, enabled) => {
  expect(toggleMeaning(state)).toBe(meaning);
  expect(trayMenu(state, 'words')).toEqual([
    { kind: 'status', label: 'words' },
    { kind: 'separator' },
    { kind: 'action', id: 'toggle', label, enabled },
    { kind: 'action', id: 'open', label: 'Open Headroom', enabled: true },
    { kind: 'separator' },
    { kind: 'action', id: 'quit', label: 'Quit Headroom', enabled: true },
  ]);
});
