import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImportRefused, keptTree } from './imported.ts';
import { readImport } from './import-file.ts';

const part = (id: string, parent: string | null, message: unknown) => ({ [id]: { id, parent, children: [], message } });
const said = (role: string, text: string, over: object = {}) => ({
  author: { role },
  create_time: 1_700_000_000.5,
  content: { content_type: 'text', parts: [text] },
  recipient: 'all',
  metadata: role === 'assistant' ? { model_slug: 'gpt-4o' } : {},
  ...over,
});
const chatGpt = {
  title: 'A trip',
  create_time: 1_700_000_000,
  update_time: 1_700_000_100,
  conversation_id: 'abc',
  current_node: 'a2',
  mapping: {
    ...part('root', null, null),
    ...part('sys', 'root', said('system', 'You are…')),
    ...part('u1', 'sys', said('user', 'Where to?')),
    ...part(
      'think',
      'u1',
      said('assistant', '', { content: { content_type: 'thoughts', thoughts: [{ content: 'Sea.' }] } }),
    ),
    ...part('a1', 'think', said('assistant', 'Lisbon.')),
    ...part('a2', 'u1', said('assistant', 'Porto.')),
    ...part('u2', 'a1', {
      ...said('user', ''),
      content: { content_type: 'multimodal_text', parts: [{ content_type: 'image_asset_pointer' }, 'This place?'] },
    }),
    ...part('call', 'u2', said('assistant', 'search("x")', { recipient: 'browser' })),
    ...part('tool', 'call', said('tool', 'result')),
    ...part('a3', 'tool', said('assistant', 'Yes.')),
  },
};
const webUi = {
  id: 'w1',
  title: 'Köln',
  created_at: 1_700_000_000,
  updated_at: 1_700_000_200,
  pinned: true,
  archived: false,
  chat: {
    history: {
      currentId: 'm3',
      messages: {
        m1: { id: 'm1', parentId: null, role: 'user', content: 'Hi', timestamp: 1_700_000_001 },
        m2: {
          id: 'm2',
          parentId: 'm1',
          role: 'assistant',
          model: 'llama3',
          content:
            '<details type="reasoning" done="true" duration="3">\n<summary>Thought</summary>\n> Greet.\n> Twice.\n</details>\nHello.',
          timestamp: 1_700_000_002,
        },
        m3: { id: 'm3', parentId: 'm1', role: 'assistant', content: 'Hey.', timestamp: 1_700_000_003, files: [{}] },
      },
    },
  },
};
const own = {
  format: 'headroom-conversations',
  version: 1,
  conversations: [
    {
      id: 'c',
      title: 'Own',
      createdAtMs: 5,
      updatedAtMs: 6,
      pinnedAtMs: null,
      archivedAtMs: null,
      toldDate: '2026-01-02',
      settings: { temperature: 0 },
      leafId: 'b',
      messages: [
        {
          id: 'a',
          parentId: null,
          role: 'user',
          createdAtMs: 5,
          text: 'x',
          attachments: [{ name: 'n', language: null, text: 't' }],
          effort: null,
          model: null,
          reasoning: '',
          reasoningMs: null,
          status: null,
          usage: null,
          cut: null,
        },
        {
          id: 'b',
          parentId: 'a',
          role: 'assistant',
          createdAtMs: 6,
          text: 'y',
          attachments: [],
          effort: 'low',
          model: 'm',
          reasoning: 'r',
          reasoningMs: 3,
          status: { kind: 'complete' },
          usage: null,
          cut: { kind: 'trimmed' },
        },
      ],
    },
  ],
};
const read = (value: unknown) => readImport(JSON.stringify(value));
const refusalOf = (text: string): string => {
  try {
    readImport(text);
  } catch (error) {
    if (error instanceof ImportRefused) return error.message;
    throw error;
  }
  return '';
};

describe('readImport', () => {
  it('reads ChatGPT: branches, thoughts, models; tools and hidden messages are passed by', () => {
    const { from, conversations, skipped } = read([chatGpt]);
    expect(from).toBe('chatgpt');
    expect(conversations[0]).toMatchObject({
      id: 'abc',
      title: 'A trip',
      createdAtMs: 1_700_000_000_000,
      updatedAtMs: 1_700_000_100_000,
      leafId: 'a2',
    });
    expect(conversations[0]?.messages.map(({ id, parentId, text }) => [id, parentId, text])).toEqual([
      ['u1', null, 'Where to?'],
      ['a1', 'u1', 'Lisbon.'],
      ['u2', 'a1', 'This place?'],
      ['a3', 'u2', 'Yes.'],
      ['a2', 'u1', 'Porto.'],
    ]);
    expect(conversations[0]?.messages[1]).toMatchObject({
      reasoning: 'Sea.',
      model: 'gpt-4o',
      createdAtMs: 1_700_000_000_500,
    });
    expect([...skipped]).toEqual([['Pictures, sound and files in messages', 1]]);
  });

  it('reads Open WebUI: branches, thoughts in details, pins', () => {
    const { from, conversations, skipped } = read([webUi]);
    expect(from).toBe('open-webui');
    expect(conversations[0]).toMatchObject({ id: 'w1', title: 'Köln', pinnedAtMs: 1_700_000_200_000, leafId: 'm3' });
    expect(conversations[0]?.messages).toMatchObject([
      { text: 'Hi' },
      { text: 'Hello.', reasoning: 'Greet.\nTwice.', model: 'llama3', parentId: 'm1' },
      { text: 'Hey.', parentId: 'm1' },
    ]);
    expect([...skipped.values()]).toEqual([1]);
    const linear = {
      id: 'l',
      title: 'L',
      chat: {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
        ],
      },
    };
    expect(read([linear]).conversations[0]?.messages.map(({ parentId }) => parentId)).toEqual([null, '0']);
  });

  it('reads its own', () => {
    expect(read(own)).toMatchObject({ from: 'headroom', conversations: own.conversations });
  });

  it.each([
    ['', /empty/],
    ['{"a":', /not JSON/],
    ['PK\u0003\u0004\u0014', /Unpack it/],
    ['# A\n\n2026-01-02\n\nnothing said', /no message/],
    ['[]', /no export/],
    ['{"a":1}', /no export/],
    ['[{"mapping":{}}]', /no message/],
    ['{"format":"headroom-conversations","version":2}', /newer/],
    ['{"format":"headroom-conversations","version":1}', /no conversations/],
    [JSON.stringify({ ...own, conversations: [{ ...own.conversations[0], messages: 7 }] }), /damaged at messages/],
    [JSON.stringify({ ...own, conversations: [{ ...own.conversations[0], leafId: 'q' }] }), /do not fit together/],
    ['['.repeat(100_000), /not JSON|nested/],
  ])('refuses %.40j', (text, why) => expect(refusalOf(text)).toMatch(why));

  /** A change somewhere in the text: a byte dropped, doubled, replaced, or a value of another kind. */
  const mutated = (text: string): fc.Arbitrary<string> =>
    fc
      .array(
        fc.tuple(
          fc.nat(text.length - 1),
          fc.constantFrom(
            '',
            '"',
            '{',
            '}',
            '[',
            ']',
            ',',
            'null',
            '-1',
            '1e999',
            '"x"',
            '\\u0000',
            '\ud800',
            '{"__proto__":1}',
          ),
          fc.nat(12),
        ),
        { minLength: 1, maxLength: 4 },
      )
      .map((changes) =>
        changes.reduce((at, [index, what, drop]) => at.slice(0, index) + what + at.slice(index + drop), text),
      );

  it.each([
    ['ChatGPT', [chatGpt]],
    ['Open WebUI', [webUi]],
    ['Headroom', own],
  ])('a mangled %s file is refused with a reason, or gives conversations that fit together', (_, file) => {
    fc.assert(
      fc.property(mutated(JSON.stringify(file)), (text) => {
        let imported;
        try {
          imported = readImport(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ImportRefused);
          expect((error as Error).message).toMatch(/\.$/);
          return;
        }
        for (const { messages, leafId, title, createdAtMs } of imported.conversations) {
          const known = new Set<string>();
          for (const { id, parentId, text: said, role } of messages) {
            expect(parentId === null || known.has(parentId)).toBe(true);
            expect(known.has(id)).toBe(false);
            expect(said).not.toContain('\0');
            expect(['user', 'assistant']).toContain(role);
            known.add(id);
          }
          expect(leafId === null || known.has(leafId)).toBe(true);
          expect(title).not.toBe('');
          expect(Number.isFinite(createdAtMs)).toBe(true);
        }
      }),
      { numRuns: 800 },
    );
  });
});

describe('keptTree', () => {
  it('loses no kept message, whatever hangs on what', () => {
    const node = fc.record({
      id: fc.nat(20).map(String),
      parentId: fc.option(fc.nat(25).map(String)),
      isKept: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(node, { selector: ({ id }) => id }), (nodes) => {
        const kept = keptTree(
          nodes.map(({ id, parentId, isKept }) => ({
            id,
            parentId,
            message: isKept
              ? {
                  id,
                  parentId: null,
                  role: 'user' as const,
                  createdAtMs: 0,
                  text: id,
                  attachments: [],
                  effort: null,
                  model: null,
                  reasoning: '',
                  reasoningMs: null,
                  status: null,
                  usage: null,
                  cut: null,
                }
              : null,
          })),
        );
        expect(kept.map(({ id }) => id).sort()).toEqual(nodes.flatMap(({ id, isKept }) => (isKept ? [id] : [])).sort());
        const before = new Set<string | null>([null]);
        for (const { id, parentId } of kept) {
          expect(before.has(parentId)).toBe(true);
          before.add(id);
        }
      }),
    );
  });
});
