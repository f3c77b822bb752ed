import fc from 'fast-check';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collision, fileRole, nameFault } from './file-names.ts';

describe('nameFault', () => {
  it.each([
    'config.json',
    'model-00001-of-00003.safetensors',
    'a/b/c.txt',
    'Überblick.md',
    '..a',
    'a..b',
    'a/...',
    '日本語.json',
  ])('lets %j pass', (name) => expect(nameFault(name)).toBeNull());

  it.each([
    '',
    '/etc/passwd',
    'C:/x',
    'c:x',
    '..',
    '../x',
    'a/../../x',
    'a/..',
    './x',
    'a//b',
    'a/',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    'a\u2028b',
    'a\u202egnp.json',
    'a\u200bb',
    '\ufeffa',
    'a\ud800',
    'x'.repeat(256),
    `${'a/'.repeat(300)}x`,
    'é'.repeat(128),
  ])('refuses %j', (name) => expect(nameFault(name)).toMatch(/^it lists /));

  it('whatever passes stays below the folder it is joined to', () => {
    const parts = fc.oneof(fc.string(), fc.constantFrom('..', '.', '', '/', 'a', '\\', 'C:', '~'));
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 6 }), (pieces) => {
        const name = pieces.join('/');
        if (nameFault(name) !== null) return;
        const at = normalize(join('/cache/model', name));
        expect(at.startsWith(`/cache/model${sep}`)).toBe(true);
        expect(isAbsolute(name)).toBe(false);
        expect(at).toBe(`/cache/model/${name}`);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('collision', () => {
  it.each([
    [['a.json', 'A.json']],
    [['straße.json', 'STRASSE.json']],
    [['caf\u00e9.json', 'cafe\u0301.json']],
    [['K.json', 'k.json']],
    [['a', 'a/b']],
    [['A/b', 'a/c']],
    [['a.json', 'a.json']],
  ])('%j', (names) => expect(collision(names)).toMatch(/two names|a file and as a folder/));

  it('lets different names pass', () => {
    expect(collision(['a.json', 'b.json', 'a/b.json', 'a/c.json', 'ab'])).toBeNull();
  });

  it('finds a pair wherever it lies', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (names, at) => {
          expect(collision(names)).toBeNull();
          const twin = names[at % names.length]?.toUpperCase() ?? '';
          expect(collision([...names, twin])).not.toBeNull();
        },
      ),
    );
  });
});

describe('fileRole', () => {
  it.each([
    ['model.safetensors', 'weights'],
    ['model-00001-of-00003.safetensors', 'weights'],
    ['weights.00.safetensors', 'weights'],
    ['model.safetensors.index.json', 'text'],
    ['config.json', 'text'],
    ['chat_template.jinja', 'text'],
    ['additional_chat_templates/tools.jinja', 'text'],
    ['merges.txt', 'text'],
    ['tokenizer.model', 'text'],
    ['qwen.tiktoken', 'text'],
    ['README.md', 'text'],
    ['LICENSE', 'text'],
    ['.gitattributes', 'unneeded'],
    ['modeling_x.py', 'unneeded'],
    ['README.py', 'unneeded'],
    ['LICENSE.bin', 'unneeded'],
    ['pytorch_model.bin', 'unneeded'],
    ['model.pkl', 'unneeded'],
    ['model.pt', 'unneeded'],
    ['model.gguf', 'unneeded'],
    ['original/model.safetensors', 'unneeded'],
    ['onnx/model.json', 'unneeded'],
    ['consolidated.safetensors', 'unneeded'],
    ['adapters.safetensors', 'unneeded'],
    ['figure.png', 'unneeded'],
    ['config.json.py', 'unneeded'],
    ['model.safetensors.sh', 'unneeded'],
  ] as const)('%s: %s', (path, role) => expect(fileRole(path)).toBe(role));
});
