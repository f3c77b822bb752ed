/** Every state the window can be in, as scripts for the fake bridge. Each gets a picture, light and dark. */
import type {
  AnswerStatus,
  AppState,
  AssistantMessage,
  Conversation,
  EngineState,
  Message,
  ModelInfo,
} from '../../preload/contract.ts';
import { DEFAULT_CONVERSATION_SETTINGS } from '../../preload/contract.ts';
import type { FakeMemory, FakeReply, FakeScript } from './fake-bridge.ts';
import { asking, calm, protections, tenMinutes, users, wiredLimits } from './memory-states.ts';
import { GPT_OSS_ID, runningModels } from './models-states.ts';

export const NOW_MS = new Date('2026-11-23T10:42:00').getTime();

const model: ModelInfo = {
  id: GPT_OSS_ID,
  name: 'gpt-oss-20b',
  sizeBytes: 12_100_000_000,
  isToy: false,
};
const demo: ModelInfo = { id: 'headroom-demo', name: 'headroom-demo', sizeBytes: 5_400_000, isToy: true };

const summary = (index: number, title: string, hoursAgo: number) => ({
  id: `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  title,
  createdAtMs: NOW_MS - hoursAgo * 3_600_000,
  updatedAtMs: NOW_MS - hoursAgo * 3_600_000,
  pinnedAtMs: null,
  archivedAtMs: null,
});

const summaries = [
  summary(1, 'What is a wired limit?', 0.2),
  summary(2, 'A shell script that renames photos by date', 2),
  summary(3, 'Packing list for four days in Lisbon in November, with one small bag only', 20),
  summary(4, 'Why the sky is dark at night', 27),
  summary(5, 'SQL: last row per group', 24 * 4),
  summary(6, 'Names for a cat', 24 * 60),
];

const app: AppState = {
  version: '0.1.0',
  host: 'electron',
  windowForm: 'popover',
  opensAtLogin: false,
  platform: 'darwin',
  machine: { chip: 'Apple M2', memoryBytes: 16 * 2 ** 30, system: 'macOS 15.6', cannotRun: null },
  engine: { kind: 'ready', sinceMs: NOW_MS },
  model,
  chosenModelId: model.id,
  availableModels: [model, demo],
  conversations: summaries,
  newDraft: null,
  settings: {
    effort: 'medium',
    modelId: model.id,
    protection: 'on',
    idleUnloadMinutes: 5,
    contextTokens: 4_096,
    globalShortcut: null,
    firstRun: 'done',
  },
  endpointUrl: 'http://127.0.0.1:11435/v1',
};

const reply: FakeReply = {
  reasoning: ['The person asks ', 'for a short answer. ', 'I give one.'],
  text: ['It is ', 'the memory ', 'that the GPU ', 'may keep **in place**.'],
  pieceMs: 15,
};

const usage = {
  promptTokens: 1_912,
  cachedTokens: 1_840,
  completionTokens: 311,
  reasoningTokens: 84,
  decodeTokensPerSecond: 41.7,
  prefillTokensPerSecond: 820,
  firstTokenMs: 340,
};

const conversationId = summaries[0]?.id ?? '';

const user = (index: number, text: string): Message => ({
  role: 'user',
  id: `20000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  conversationId,
  parentId: null,
  createdAtMs: NOW_MS,
  text,
  attachments: [],
});

const assistant = (index: number, over: Partial<AssistantMessage>): AssistantMessage => ({
  role: 'assistant',
  id: `30000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  conversationId,
  parentId: null,
  createdAtMs: NOW_MS,
  effort: 'medium',
  model: 'gpt-oss-20b',
  attempt: 1,
  text: '',
  reasoning: '',
  reasoningMs: null,
  status: { kind: 'complete' },
  usage,
  ...over,
});

const conversation = (messages: readonly Message[]): Conversation => ({
  ...(summaries[0] ?? summary(1, '', 0)),
  messages,
  branches: [],
  settings: DEFAULT_CONVERSATION_SETTINGS,
  queued: [],
  draft: null,
  cut: null,
  isSummarising: false,
});

const script = (over: Partial<AppState>, messages: readonly Message[] | null = null): FakeScript => ({
  app: { ...app, ...(messages === null ? { conversations: [] } : {}), ...over },
  conversations: messages === null ? [] : [conversation(messages)],
  reply,
  memory: calm(NOW_MS),
  models: runningModels,
});

const withMemory = (from: FakeScript, over: Partial<FakeMemory>): FakeScript => ({
  ...from,
  memory: { ...from.memory, ...over },
});

const REASONING =
  'The user asks what a wired limit is. They probably saw the word in this app.\n\nI should say it plainly: wired memory cannot be moved or compressed, the GPU needs its buffers wired, and macOS caps how much.\n\nKeep it short, mention that the cap can be raised and what that costs.';

const WIRED = `Memory the GPU may keep **in place**. macOS can compress or swap ordinary memory at any time, but a running model reads all of its weights for every token, so they have to stay where they are.

On a 16 GB Mac the limit is about 10.7 GB unless it is raised:

- **Too low**, and the model spills and slows down.
- **Too high**, and your other apps have nothing left.`;

const QUESTION = user(1, 'What is a wired limit?');
const thinkingAnswer = assistant(1, { text: WIRED, reasoning: REASONING, reasoningMs: 4_100 });

const CODE = `Group the rows and number them, newest first; then keep number one.

\`\`\`sql
select *
from (
  select m.*, row_number() over (
    partition by m.conversation_id
    order by m.created_at desc
  ) as n
  from messages m
)
where n = 1;
\`\`\`

SQLite has \`row_number()\` since **3.25**. An index on \`(conversation_id, created_at)\` keeps it quick.`;

const MARKDOWN = `## Three ways to free memory

1. Close what you do not need:
   - browsers first
   - then editors
2. Choose a shorter context.
3. Turn the model off.

| App | Memory | Swapped |
| :-- | --: | --: |
| Safari | 2.1 GB | 0.4 GB |
| Xcode | 3.4 GB | 1.2 GB |
| Music, playing in the background | 0.3 GB | 0 GB |

> A yellow gauge is normal with a model of this size.

- [x] Close Safari
- [ ] Restart Xcode

The rule is \\( need = peak / 0.95 \\), see [Apple’s page](https://support.apple.com/guide/activity-monitor) or write to <mailto:help@example.org>. Not this one: [bank.example](https://evil.example/login). Tags stay text: <b>bold</b> &amp; more.`;

const live = (status: AnswerStatus, over: Partial<AssistantMessage> = {}): readonly Message[] => [
  QUESTION,
  assistant(1, { status, usage: null, ...over }),
];

const loading: EngineState = {
  kind: 'loading',
  sinceMs: NOW_MS - 8_000,
  loadedBytes: 4_300_000_000,
  totalBytes: 12_100_000_000,
};
const busy: EngineState = { kind: 'busy', sinceMs: NOW_MS };
const cause = {
  code: 'exit-137',
  message: 'macOS ended the model to protect the system.',
  nextStep: 'Close Chrome (2.1 GB) or choose a shorter context, then try again.',
};
const logTail = [
  '[headroom_engine] loading mlx-community/gpt-oss-20b-MXFP4-Q8',
  '[headroom_engine] model-00002-of-00003.safetensors: 4,912,118,272 bytes',
  'libc++abi: terminating due to uncaught exception of type std::runtime_error:',
  '  [METAL] Command buffer execution failed: Insufficient Memory (00000008)',
  'exit status 137',
];

export const states = {
  off: script({ engine: { kind: 'off' } }),
  'off-with-conversation': script({ engine: { kind: 'off' } }, [QUESTION, thinkingAnswer]),
  preparing: script({ engine: { kind: 'preparing', sinceMs: NOW_MS } }),
  starting: script({ engine: { kind: 'starting', sinceMs: NOW_MS, attempt: 1 } }),
  loading: script({ engine: loading }),
  ready: script({}),
  'ready-toy': script({ model: demo }),
  stopping: script({ engine: { kind: 'stopping', sinceMs: NOW_MS, deadlineMs: NOW_MS + 15_000 } }),
  waiting: script({ engine: { kind: 'waiting', attempt: 2, retryAtMs: NOW_MS + 4_000, cause } }),
  failed: script({ engine: { kind: 'failed', cause, logTail } }),
  'failed-in-conversation': script({ engine: { kind: 'failed', cause, logTail } }, [
    QUESTION,
    assistant(1, {
      text: 'Memory the GPU may keep **in place**. macOS can compress',
      status: { kind: 'interrupted' },
      usage: null,
    }),
  ]),
  queued: script({ engine: busy }, live({ kind: 'queued' })),
  'answer-loading': script({ engine: loading }, live({ kind: 'loading' })),
  prefill: script({ engine: busy }, live({ kind: 'prefill', doneTokens: 1_536, totalTokens: 4_096 })),
  thinking: script({ engine: busy }, live({ kind: 'thinking' }, { reasoning: REASONING.slice(0, 170) })),
  answering: script(
    { engine: busy },
    live({ kind: 'answering' }, { reasoning: REASONING, reasoningMs: 4_100, text: WIRED.slice(0, 130) }),
  ),
  complete: script({}, [QUESTION, thinkingAnswer]),
  code: script({}, [
    user(3, 'In SQL, how do I get the last row of each group?'),
    assistant(3, { text: CODE, reasoning: 'Window function.', reasoningMs: 2_100 }),
  ]),
  markdown: script({}, [user(4, 'How do I free some memory?'), assistant(4, { text: MARKDOWN })]),
  stopped: script({}, live({ kind: 'stopped' }, { text: WIRED.slice(0, 205), usage })),
  interrupted: script({}, live({ kind: 'interrupted' }, { text: WIRED.slice(0, 205) })),
  'length-reasoning': script(
    {},
    live({ kind: 'length', where: 'reasoning' }, { reasoning: REASONING, reasoningMs: 64_000, usage }),
  ),
  'length-answer': script({}, live({ kind: 'length', where: 'answer' }, { text: WIRED.slice(0, 205), usage })),
  'answer-failed': script(
    {},
    live({
      kind: 'failed',
      error: {
        code: 'context-full',
        message: 'This conversation is longer than the context of 4,096 tokens.',
        nextStep: 'Start a new conversation, or choose a longer context.',
      },
    }),
  ),
  disconnected: { ...script({ host: 'headless' }, [QUESTION, thinkingAnswer]), staysConnected: false },
  refused: {
    ...script({}),
    refuse: {
      'app.state': {
        code: 'untrusted-sender',
        message: 'This link has been used already.',
        nextStep: 'Open the newest link that Headroom printed in the terminal.',
      },
    },
  },
} satisfies Record<string, FakeScript>;

export type StateName = keyof typeof states;

const answered = script({}, [QUESTION, thinkingAnswer]);
const off = script({ engine: { kind: 'off' } }, [QUESTION, thinkingAnswer]);
const limitNeeded: EngineState = {
  kind: 'failed',
  cause: {
    code: 'wired-limit-needed',
    message: 'The GPU may keep 10,922 MiB in place; this model needs 12,800 MiB.',
    nextStep: 'Raise the limit in Headroom’s window. It lasts until the Mac restarts, and one click puts it back.',
  },
  logTail: [],
};

/** The gauge and its sheet. */
export const memoryStates: Readonly<Record<string, FakeScript>> = {
  normal: answered,
  off: withMemory(off, {
    samples: tenMinutes(NOW_MS, { level: 'normal', needle: 0.18, isOn: false }),
    users: calm(NOW_MS).users.filter(({ isOurs }) => !isOurs),
  }),
  warning: withMemory(answered, { samples: tenMinutes(NOW_MS, { level: 'warning', needle: 0.58, swapGib: 0.8 }) }),
  critical: withMemory(answered, { samples: tenMinutes(NOW_MS, { level: 'critical', needle: 0.74, swapGib: 3.2 }) }),
  linux: withMemory(answered, {
    samples: calm(NOW_MS).samples.map((sample) => ({
      ...sample,
      source: 'linux',
      level: 'normal',
      needle: 0.08,
      wiredBytes: null,
      compressedBytes: null,
    })),
    users: users.map((user) => ({ ...user, canQuit: false })),
    wiredLimit: { kind: 'not-needed', why: 'this is not a Mac' },
    plan: null,
  }),
};

/** The wired limit's sheet, by the state it is in. */
export const wiredLimitStates: Readonly<Record<string, FakeScript>> = Object.fromEntries(
  Object.entries(wiredLimits).map(([name, memory]) => [name, withMemory(script({ engine: { kind: 'off' } }), memory)]),
);

/** Protection over the conversation, and what is asked for there. */
export const noticeStates: Readonly<Record<string, FakeScript>> = {
  ...Object.fromEntries(
    Object.entries(protections(NOW_MS)).map(([name, protection]) => [
      `protection-${name}`,
      withMemory(name === 'easing' || name === 'cancelled' || name === 'undone' ? answered : off, {
        protection,
        samples: tenMinutes(NOW_MS, { level: 'warning', needle: 0.6, swapGib: 3.2 }),
      }),
    ]),
  ),
  'limit-needed': script({ engine: limitNeeded }),
  'limit-asked-by-endpoint': withMemory(off, {
    wiredLimit: { ...asking, askedBy: 'endpoint' },
  }),
};
