import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JournalContent, type JournalEntry, entryFor, openJournal, parseJournal, reconcile } from './journal.ts';

const BOOT = '6E8B2A0C-0000-4000-8000-000000000001';
const entry = (change: Partial<JournalEntry> = {}): JournalEntry => ({
  originalMiB: 0,
  ourValuesMiB: [12_800],
  bootId: BOOT,
  atMs: 1_000,
  seenBack: false,
  ...change,
});
const holding = (change: Partial<JournalEntry> = {}): JournalContent => ({ kind: 'entry', entry: entry(change) });

describe('what an earlier run left', () => {
  test.each([
    ['no journal', { kind: 'none' }, 12_800, BOOT, 'nothing'],
    ['a boot since, value back at 0', holding(), 0, 'another boot', 'reset-by-reboot'],
    ['a boot since, a daemon has set it again', holding(), 12_800, 'another boot', 'set-at-boot'],
    ['died before the change', holding(), 0, BOOT, 'at-original'],
    ['died before the change of another tool’s value', holding({ originalMiB: 9_000 }), 9_000, BOOT, 'at-original'],
    ['died after the change', holding(), 12_800, BOOT, 'still-raised'],
    ['died within a second raise', holding({ ourValuesMiB: [12_800, 13_312] }), 12_800, BOOT, 'still-raised'],
    ['another tool set its own', holding(), 14_000, BOOT, 'changed-by-other-tool'],
    ['another tool reset it to 0', holding({ originalMiB: 9_000 }), 0, BOOT, 'changed-by-other-tool'],
    ['seen back, then another tool', holding({ seenBack: true }), 14_000, BOOT, 'not-ours'],
    ['seen back, then a late password', holding({ seenBack: true }), 12_800, BOOT, 'still-raised'],
    ['seen back', holding({ seenBack: true }), 0, BOOT, 'at-original'],
    ['damaged', { kind: 'damaged', keptAs: '/x' }, 12_800, BOOT, 'damaged'],
  ] as [string, JournalContent, number, string, string][])('%s', (_, journal, currentMiB, bootId, kind) => {
    expect(reconcile(journal, currentMiB, bootId).kind).toBe(kind);
  });

  test('the way back comes along', () => {
    expect(reconcile(holding({ originalMiB: 9_000 }), 12_800, BOOT)).toMatchObject({ entry: { originalMiB: 9_000 } });
    expect(reconcile(holding({ originalMiB: 9_000 }), 14_000, BOOT)).toMatchObject({ entry: { originalMiB: 9_000 } });
  });
});

describe('the entry before a change', () => {
  const change = { currentMiB: 12_800, toMiB: 13_312, bootId: BOOT, nowMs: 5 };
  test('a second raise keeps the first original', () => {
    expect(entryFor(entry({ originalMiB: 9_000 }), change)).toEqual(
      entry({ originalMiB: 9_000, ourValuesMiB: [12_800, 13_312] }),
    );
  });
  test('an entry of an earlier boot says nothing about this one', () => {
    expect(entryFor(entry({ bootId: 'earlier' }), { ...change, currentMiB: 0 })).toEqual({
      originalMiB: 0,
      ourValuesMiB: [13_312],
      bootId: BOOT,
      atMs: 5,
      seenBack: false,
    });
  });
  test('after another tool has changed it, that is what to come back to', () => {
    expect(entryFor(entry(), { ...change, currentMiB: 12_900 }).originalMiB).toBe(12_900);
  });
});

describe('the file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is written whole, read back, and cleared', () => {
    const file = join(folder, 'deeper', 'wired-limit.json');
    const journal = openJournal(file);
    expect(journal.read()).toEqual({ kind: 'none' });
    journal.write(entry());
    journal.write(entry({ ourValuesMiB: [12_800, 13_312] }));
    expect(openJournal(file).read()).toEqual(holding({ ourValuesMiB: [12_800, 13_312] }));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'deeper'))).toEqual(['wired-limit.json']);
    journal.clear();
    journal.clear();
    expect(journal.read()).toEqual({ kind: 'none' });
  });

  test('a half-written one beside it does not matter', () => {
    const file = join(folder, 'wired-limit.json');
    openJournal(file).write(entry());
    writeFileSync(`${file}.new`, '{"version":1,"orig');
    expect(openJournal(file).read()).toEqual(holding());
  });

  test('a damaged one is kept aside, never over an older one', () => {
    const file = join(folder, 'wired-limit.json');
    let nowMs = 1;
    const journal = openJournal(file, () => nowMs);
    for (const text of ['{"version":1', 'null']) {
      writeFileSync(file, text);
      expect(journal.read()).toEqual({ kind: 'damaged', keptAs: `${file}.damaged-${nowMs}` });
      nowMs += 1;
    }
    expect(readFileSync(`${file}.damaged-1`, 'utf8')).toBe('{"version":1');
    expect(journal.read()).toEqual({ kind: 'none' });
  });
});

test('no text makes the parser throw, and only whole entries pass', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parseJournal(text)).toBeNull();
    }),
  );
  expect(parseJournal(JSON.stringify({ version: 1, ...entry({ originalMiB: -1 }) }))).toBeNull();
  expect(parseJournal(JSON.stringify({ version: 1, ...entry({ ourValuesMiB: [12_800.5] }) }))).toBeNull();
  expect(parseJournal(JSON.stringify({ version: 2, ...entry() }))).toBeNull();
});
