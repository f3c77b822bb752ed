import { expect, it } from 'vitest';
import type { Message } from '../../preload/contract.ts';
import { cutPlaces } from './making-room.ts';

const base = { conversationId: 'c', createdAtMs: 0, parentId: null, text: 'x' };
const path = (roles: string): Message[] =>
  roles.split('').map((role, index) =>
    role === 'u'
      ? { ...base, role: 'user', id: String(index), attachments: [] }
      : {
          ...base,
          role: 'assistant',
          id: String(index),
          effort: 'low',
          model: null,
          attempt: 1,
          reasoning: '',
          reasoningMs: null,
          status: { kind: 'complete' },
          usage: null,
        },
  );

it.each([
  // Before a question, never between a question and its answer; with a new text even the last turn may go.
  ['uaua', 0, false, [1, 3]],
  ['uaua', 0, true, [1]],
  ['uauau', 0, true, [1, 3]],
  // Behind the cut there is.
  ['uauaua', 2, false, [3, 5]],
  // A question that got no answer, and an answer in two parts.
  ['uuaaua', 0, false, [0, 3, 5]],
  ['u', 0, true, []],
  ['', 0, false, []],
] as const)('%s behind %i, the question kept: %s', (roles, already, keep, places) =>
  expect(cutPlaces(path(roles), already, keep)).toEqual(places),
);
