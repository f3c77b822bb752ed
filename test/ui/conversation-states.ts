/** Conversations in the states a test wants to look at, over the fake main. */
import type { Attachment, Conversation, Draft, Message, QueuedMessage } from '../../preload/contract.ts';
import type { FakeScript } from './fake-bridge.ts';
import { NOW_MS, states } from './states.ts';

const base = states.complete;
const first = base.conversations[0] as Conversation;

const withFirst = (over: Partial<Conversation>): FakeScript => ({
  ...base,
  conversations: [{ ...first, ...over }, ...base.conversations.slice(1)],
});

const answerOf = (messages: readonly Message[]) => {
  const message = messages.find(({ role }) => role === 'assistant');
  if (message?.role !== 'assistant') throw new Error('The state has no answer.');
  return message;
};

const ended = (over: Partial<ReturnType<typeof answerOf>>): readonly Message[] =>
  first.messages.map((message) =>
    message.id === answerOf(first.messages).id ? { ...answerOf(first.messages), ...over } : message,
  );

const file: Attachment = {
  id: '40000000-0000-4000-8000-000000000001',
  name: 'supervisor.ts',
  language: 'typescript',
  characters: 21_412,
  lines: 648,
  tokens: 5_204,
  preview: 'import type { Engine } from "./engine.ts";',
};
const pasted: Attachment = {
  ...file,
  id: '40000000-0000-4000-8000-000000000002',
  name: 'Pasted text',
  language: null,
  tokens: 1_310,
  lines: 122,
};

const draft: Draft = { text: 'Where could this process be left behind?', attachments: [file, pasted] };

const queued: QueuedMessage = {
  id: '50000000-0000-4000-8000-000000000001',
  conversationId: first.id,
  createdAtMs: NOW_MS,
  text: 'And what happens to it after a restart of the Mac?',
  attachments: [],
  effort: 'medium',
};

/** Twelve exchanges, so that what is old can be left out. */
const long: readonly Message[] = Array.from({ length: 12 }, (_, index) =>
  first.messages.map((message) => ({
    ...message,
    id: message.id.replace(/\d{12}$/, (tail) => String(Number(tail) + 100 * (index + 1)).padStart(12, '0')),
  })),
).flat();
const lastOld = long[7]?.id ?? '';

const withList = (): FakeScript => {
  const [pinned, ...rest] = base.app.conversations;
  return {
    ...base,
    conversations: base.app.conversations.map((summary, index) =>
      index === 0 ? first : { ...first, ...summary, messages: [] },
    ),
    app: {
      ...base.app,
      conversations: [...(pinned === undefined ? [] : [{ ...pinned, pinnedAtMs: NOW_MS }]), ...rest],
    },
  };
};

const withNeedle = long.map((message, index) =>
  index === 4 && message.role === 'user' ? { ...message, text: 'A needle in all of this' } : message,
);

/** Longer than the window, with a word that stands in it once. */
export const longConversation: FakeScript = withFirst({ messages: withNeedle });

export const conversationStates = {
  attachments: withFirst({ draft }),
  queued: withFirst({ queued: [queued] }),
  stopped: withFirst({ messages: ended({ status: { kind: 'stopped' } }) }),
  paused: withFirst({ messages: ended({ status: { kind: 'paused', because: 'repeating', where: 'answer' } }) }),
  branches: withFirst({
    branches: [
      {
        messageId: answerOf(first.messages).id,
        siblingIds: ['60000000-0000-4000-8000-000000000001', answerOf(first.messages).id],
      },
    ],
  }),
  trimmed: withFirst({
    messages: long,
    cut: { kind: 'trimmed', afterMessageId: long.at(-3)?.id ?? lastOld, messages: long.length - 2 },
  }),
  summarised: withFirst({
    messages: long,
    cut: {
      kind: 'summarised',
      afterMessageId: long.at(-3)?.id ?? lastOld,
      messages: long.length - 2,
      summary: 'The person asked what a wired limit is and what raising it costs.',
    },
  }),
  full: {
    ...withFirst({ messages: long }),
    app: { ...base.app, settings: { ...base.app.settings, contextTokens: 1_024 } },
  },
  list: withList(),
} as const satisfies Record<string, FakeScript>;
