import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, openSettings, parseSettings } from './settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('starts with the defaults, keeps changes, privately', () => {
    const file = join(folder, 'settings.json');
    expect(openSettings(file, () => {}).current).toEqual(DEFAULT_SETTINGS);
    openSettings(file, () => {}).update({ effort: 'high' });
    expect(openSettings(file, () => {}).current.effort).toBe('high');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps a damaged file aside', () => {
    const file = join(folder, 'settings.json');
    writeFileSync(file, '{"effort": "hi');
    const moved: string[] = [];
    expect(openSettings(file, (to) => moved.push(to)).current).toEqual(DEFAULT_SETTINGS);
    expect(moved).toEqual([`${file}.damaged`]);
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe('{"effort": "hi');
    expect(existsSync(file)).toBe(false);
  });

  it('one bad value does not lose the others', () => {
    expect(parseSettings('{"effort":"banana","modelId":"x"}')).toEqual({ ...DEFAULT_SETTINGS, modelId: 'x' });
    expect(parseSettings('{"effort":"low","protection":"maybe","idleUnloadMinutes":-1}')).toEqual({
      ...DEFAULT_SETTINGS,
      effort: 'low',
    });
  });

  it('no text makes it throw or yield something that is not settings', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = parseSettings(text);
        expect(parsed === null || ['low', 'medium', 'high'].includes(parsed.effort)).toBe(true);
      }),
    );
  });
});
