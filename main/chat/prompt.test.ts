import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextCut, Message } from '../../preload/contract.ts';
import { promptOf, withAttachments } from './prompt.ts';

const base = { conversationId: 'c', createdAtMs: 0, parentId: null };
const user = (id: string, text: string): Message => ({ ...base, role: 'user', id, text, attachments: [] });
const answer = (id: string, text: string): Message => ({
  ...base,
  role: 'assistant',
  id,
  text,
  effort: 'low',
  model: null,
  attempt: 1,
  reasoning: 'secret thoughts',
  reasoningMs: 1,
  status: { kind: 'complete' },
  usage: null,
});
const path = [user('1', 'one'), answer('2', 'first'), user('3', 'two'), answer('4', ''), user('5', 'three')];
const promptWith = (cut: ContextCut | null, systemText = '') => promptOf({ path, systemText, cut, attached: () => [] });

describe('promptOf', () => {
  it('leaves out empty answers and reasoning', () => {
    expect(promptWith(null)).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'first' },
      { role: 'user', content: 'two' },
      { role: 'user', content: 'three' },
    ]);
  });

  it('begins behind a cut, with the summary where there is one', () => {
    const cut = { afterMessageId: '2', messages: 2 };
    expect(promptWith({ kind: 'trimmed', ...cut })).toEqual([
      { role: 'user', content: 'two' },
      { role: 'user', content: 'three' },
    ]);
    expect(promptWith({ kind: 'summarised', ...cut, summary: 'They counted.' }, ' Be brief. ')[0]).toEqual({
      role: 'system',
      content: 'Be brief.\n\nWhat was said before, in short:\nThey counted.',
    });
  });
});

describe('withAttachments', () => {
  it('names each text', () => {
    expect(withAttachments('Look', [{ name: 'a.rs', language: 'rust', text: 'fn main() {}\n' }])).toBe(
      'Look\n\na.rs:\n```rust\nfn main() {}\n```',
    );
  });

  it('is only the texts where nothing was written', () => {
    const message = withAttachments('', [{ name: 'a.ts', language: null, text: 'a' }]);
    expect(message).toBe('a.ts:\n```\na\n```');
  });

  it('no text can end its own fence', () => {
    const hostile = fc.stringMatching(/^[`a\n]{0,40}$/);
    fc.assert(
      fc.property(hostile, (text) => {
        const prompt = withAttachments('', [{ name: 'x', language: null, text }]);
        const fence = /^x:\n(`+)\n/m.exec(prompt)?.[1] ?? '';
        expect(text.includes(fence)).toBe(false);
        expect(prompt.endsWith(`\n${fence}`)).toBe(true);
      }),
    );
  });
});
