import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileRole, nameFault } from './file-names.ts';
import { HubFault } from './hub-fault.ts';
import { checksumOf, isRepositoryName, parseListing, parseManifest, totalBytes } from './manifest.ts';

const sha = 'a'.repeat(40);
const weights = (name = 'model.safetensors', size = 100, sha256 = 'b'.repeat(64)) => ({
  rfilename: name,
  size,
  blobId: 'c'.repeat(40),
  lfs: { sha256, size, pointerSize: 134 },
});
const config = { rfilename: 'config.json', size: 12, blobId: 'd'.repeat(40) };
const parse = (siblings: readonly unknown[]) => parseListing({ sha, siblings }, 'owner/model', 'main');
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (error instanceof HubFault) return error.reason.code;
    throw error;
  }
};

describe('parseListing', () => {
  it('keeps what a model needs, sorted, each with one checksum', () => {
    const manifest = parse([weights(), { rfilename: 'x.png', size: 5, blobId: 'e'.repeat(40) }, config]);
    expect(manifest).toEqual({
      repository: 'owner/model',
      commit: sha,
      branch: 'main',
      files: [
        { path: 'config.json', bytes: 12, sha256: null, gitSha1: 'd'.repeat(40) },
        { path: 'model.safetensors', bytes: 100, sha256: 'b'.repeat(64), gitSha1: null },
      ],
    });
    expect(totalBytes(manifest)).toBe(112);
  });

  it('counts equal contents once', () => {
    expect(totalBytes(parse([weights(), config, { ...config, rfilename: 'generation_config.json' }]))).toBe(112);
  });

  it.each<[string, readonly unknown[], string]>([
    ['no config', [weights()], 'not-mlx'],
    ['no weights', [config], 'not-mlx'],
    ['weights without a byte', [config, weights('model.safetensors', 0)], 'not-mlx'],
    [
      'weights outside large-file storage',
      [config, { rfilename: 'model.safetensors', size: 9, blobId: sha }],
      'hostile',
    ],
    ['a checksum that is none', [config, weights('model.safetensors', 1, '../../etc/passwd')], 'hub-answer'],
    ['a checksum in capitals', [config, weights('model.safetensors', 1, 'B'.repeat(64))], 'hub-answer'],
    ['no size', [weights(), { rfilename: 'config.json', blobId: sha }], 'hub-answer'],
    ['no checksum', [weights(), { rfilename: 'config.json', size: 3 }], 'hub-answer'],
    ['a fraction of a byte', [weights(), { ...config, size: 1.5 }], 'hub-answer'],
    ['more than can be counted', [weights(), { ...config, size: 2 ** 60 }], 'hub-answer'],
    ['a huge text', [weights(), { ...config, size: 2 ** 32 }], 'hostile'],
    ['a huge shard', [config, weights('model.safetensors', 2 ** 40)], 'hostile'],
    ['one checksum for two sizes', [config, weights(), weights('model-2.safetensors', 7)], 'hostile'],
    [
      'a link is a file with another role: nothing marks it',
      [config, weights(), { ...config, rfilename: 'a/../b' }],
      'hostile',
    ],
  ])('%s', (_, siblings, code) => expect(codeOf(() => parse(siblings))).toBe(code));

  it.each([null, 1, 'x', [], {}, { sha }, { sha: 'main', siblings: [] }, { sha, siblings: {} }])('%j', (value) =>
    expect(codeOf(() => parseListing(value, 'owner/model', 'main'))).toBe('hub-answer'),
  );

  it('any answer ends in a manifest that keeps its promises, or in words', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'config.json',
        'model.safetensors',
        'MODEL.safetensors',
        '../config.json',
        'tokenizer.json',
        'a.py',
      ),
    );
    const size = fc.oneof(fc.nat(), fc.double(), fc.constant(null));
    const hash = fc.oneof(fc.constantFrom('b'.repeat(64), 'e'.repeat(64), sha), fc.string());
    const sibling = fc.record(
      { rfilename: name, size, blobId: hash, lfs: fc.oneof(fc.constant(null), fc.record({ sha256: hash, size })) },
      { requiredKeys: [] },
    );
    const fixed = fc.constantFrom<unknown>(config, weights());
    fc.assert(
      fc.property(fc.array(fc.oneof(sibling, fixed, fc.anything()), { maxLength: 6 }), (siblings) => {
        let manifest;
        try {
          manifest = parse(siblings);
        } catch (error) {
          if (!(error instanceof HubFault)) throw error;
          expect(error.reason.message).not.toBe('');
          return;
        }
        for (const file of manifest.files) {
          expect(nameFault(file.path)).toBeNull();
          expect(fileRole(file.path)).not.toBe('unneeded');
          expect(checksumOf(file)).toMatch(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
          expect(Number.isSafeInteger(file.bytes) && file.bytes >= 0).toBe(true);
        }
        expect(codeOf(() => parseManifest(JSON.parse(JSON.stringify(manifest))))).toBe('accepted');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('parseManifest', () => {
  const pinned = { repository: 'owner/model', commit: sha, files: parse([weights(), config]).files };
  it('reads what was pinned, without a branch', () => {
    expect(parseManifest(pinned)).toEqual({ ...pinned, branch: null });
  });
  it.each([
    [{ ...pinned, commit: 'main' }, 'hub-answer'],
    [{ ...pinned, repository: '../x/y' }, 'hub-answer'],
    [{ ...pinned, files: [...pinned.files, { path: 'x.py', bytes: 1, sha256: null, gitSha1: sha }] }, 'hostile'],
    [{ ...pinned, files: [...pinned.files, { path: '/x.json', bytes: 1, sha256: null, gitSha1: sha }] }, 'hostile'],
  ])('%#', (value, code) => expect(codeOf(() => parseManifest(value))).toBe(code));
});

it.each([
  ['owner/name', true],
  ['mlx-community/gpt-oss-20b-MXFP4-Q8', true],
  ['a/b', true],
  ['a/b.c_d', true],
  ['gpt2', false],
  ['a/b/c', false],
  ['a--b/c', false],
  ['a/..', false],
  ['../a', false],
  ['a/b--c', false],
  ['a/b?x', false],
  ['a/.b', false],
])('isRepositoryName %s: %s', (name, is) => expect(isRepositoryName(name)).toBe(is));
