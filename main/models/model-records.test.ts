import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from './hub/manifest.ts';
import { openModelRecords } from './model-records.ts';

let folder: string;
let file: string;
let damaged: string[];
const open = () => openModelRecords(file, (to) => damaged.push(to));
const manifest: Manifest = {
  repository: 'owner/name',
  commit: 'a'.repeat(40),
  branch: 'main',
  files: [
    { path: 'config.json', bytes: 3, sha256: null, gitSha1: 'b'.repeat(40) },
    { path: 'model.safetensors', bytes: 9, sha256: 'c'.repeat(64), gitSha1: null },
  ],
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-records-'));
  file = join(folder, 'models.json');
  damaged = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('model records', () => {
  it('are there again after a restart', () => {
    const records = open();
    const made = records.change('owner/name', { isAdded: true, manifest, transfer: 'running', config: { a: [1] } });
    records.addFolder('/models/mine');
    records.addFolder('/models/mine');
    expect(open().repository('owner/name')).toEqual(made);
    expect(open().folders()).toEqual(['/models/mine']);
    records.forget('owner/name');
    records.forgetFolder('/models/mine');
    expect(open().repositories()).toEqual([]);
    expect(open().folders()).toEqual([]);
  });

  it('a record that makes no sense does not lose the others, and a hostile list of files is asked for anew', () => {
    const hostile = { ...manifest, files: [{ ...manifest.files[1], path: '../../model.safetensors' }] };
    const repositories = [
      { repository: '../../etc/passwd', isAdded: true },
      { repository: 'owner/hostile', isAdded: true, transfer: 'running', manifest: hostile },
      { repository: 'owner/odd', transfer: 'sideways', damage: 7 },
    ];
    writeFileSync(file, JSON.stringify({ repositories }));
    expect(open().repositories()).toMatchObject([
      { repository: 'owner/hostile', isAdded: true, transfer: 'running', manifest: null },
      { repository: 'owner/odd', isAdded: false, transfer: 'none', damage: null },
    ]);
  });

  it('a damaged file is kept aside', () => {
    writeFileSync(file, '{"repositories": [');
    expect(open().repositories()).toEqual([]);
    expect(damaged).toEqual([`${file}.damaged`]);
    expect(existsSync(file)).toBe(false);
  });

  it('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        writeFileSync(file, text);
        expect(Array.isArray(open().repositories())).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
