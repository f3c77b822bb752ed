import { describe, expect, it } from 'vitest';
import type { Message } from '../../preload/contract.ts';
import { historyFor } from './history.ts';

const base = { conversationId: 'c', createdAtMs: 0 };
const user = (id: string, parentId: string | null, text: string): Message => ({
  ...base,
  role: 'user',
  id,
  parentId,
  text,
  attachments: [],
});
const answer = (id: string, parentId: string, text: string): Message => ({
  ...base,
  role: 'assistant',
  id,
  parentId,
  text,
  effort: 'low',
  model: null,
  attempt: 1,
  reasoning: 'secret thoughts',
  reasoningMs: 1,
  status: { kind: 'complete' },
  usage: null,
});

describe('historyFor', () => {
  it('follows the parents, leaves out siblings, empty answers and reasoning', () => {
    const messages = [
      user('1', null, 'one'),
      answer('2', '1', 'first answer'),
      answer('2b', '1', 'a regenerated answer on another branch'),
      user('3', '2', 'two'),
      answer('4', '3', ''),
      user('5', '4', 'three'),
    ];
    expect(historyFor(messages, '5')).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'first answer' },
      { role: 'user', content: 'two' },
      { role: 'user', content: 'three' },
    ]);
  });
});
