import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AssistantMessage, ChatDelta, EngineState, EventEnvelope, Message } from '../../preload/contract.ts';
import { type Engine, EngineError, type GenerationEvent, type GenerationRequest } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { type Chat, createChat } from './chat.ts';
import { openDatabase } from './database.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

type Script = (request: GenerationRequest, signal: AbortSignal) => AsyncIterable<GenerationEvent>;

let folder: string;
let store: ConversationStore;
let script: Script;
let deltas: ChatDelta[];
let messages: Message[];
let requests: GenerationRequest[];
let chat: Chat;
let admitPrompt: (characters: number) => void;
let events: EventEnvelope[];
let models: (string | null)[];
let limit: number;
let state: EngineState;

const finish: GenerationEvent = {
  kind: 'finish',
  reason: 'stop',
  usage: {
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: 2,
    reasoningTokens: 0,
    prefillTokensPerSecond: null,
    decodeTokensPerSecond: null,
  },
};
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(new EngineError('aborted', 'Stopped.', ''));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-chat-'));
  store = createConversationStore(openDatabase(join(folder, 'c.db'), () => {}));
  deltas = [];
  messages = [];
  requests = [];
  events = [];
  models = [];
  limit = 10_000;
  state = { kind: 'ready', sinceMs: 0 };
  admitPrompt = () => {};
  const engine: Pick<Engine, 'generate' | 'count' | 'state'> = {
    get state() {
      return state;
    },
    // A tokenizer that makes a token of each character, and four of each message's frame.
    count: ({ messages: asked }) =>
      Promise.resolve(asked.reduce((sum, { content }) => sum + 4 + (content?.length ?? 0), 0)),
    generate(request, { signal }) {
      requests.push(request);
      return script(request, signal);
    },
  };
  chat = createChat({
    store,
    engine: engine as Engine,
    ensureRunning: (modelId) => void models.push(modelId),
    admitPrompt: (characters) => admitPrompt(characters),
    model: () => ({ name: 'gpt', isToy: false }),
    sampling: () => ({ maxTokens: 100, temperature: 0.5 }),
    limitTokens: () => limit,
    defaultEffort: () => 'medium',
    nowMs: Date.now,
    publish: (envelope) => {
      events.push(envelope);
      if (envelope.event === 'chat.delta') deltas.push(envelope.payload);
      if (envelope.event === 'chat.message') messages.push(envelope.payload);
    },
    log: () => {},
  });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const send = (text: string, conversationId: string | null = null) =>
  chat.send({ conversationId, text, effort: 'medium' });
const settled = async (id: string): Promise<AssistantMessage> => {
  for (;;) {
    const last = messages.findLast((message) => message.id === id);
    if (last?.role === 'assistant' && !['queued'].includes(last.status.kind)) return last;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('chat', () => {
  it('stores both messages before it answers, then the answer', async () => {
    script = async function* () {
      yield { kind: 'reasoning', text: 'hm' };
      yield { kind: 'content', text: 'Hello' };
      yield finish;
    };
    const turn = await send('Hi');
    expect(store.open(turn.conversation.id)?.messages).toHaveLength(2);
    const answer = await settled(turn.assistant.id);
    expect(answer).toMatchObject({ text: 'Hello', reasoning: 'hm', status: { kind: 'complete' } });
    expect(deltas.map((delta) => delta.text).join('')).toBe('Hello');
    expect(store.message(turn.assistant.id)).toEqual(answer);
  });

  it('sends the whole path and keeps the day of the first message', async () => {
    script = async function* () {
      yield { kind: 'content', text: 'ok' };
      yield finish;
    };
    const first = await send('one');
    await settled(first.assistant.id);
    const second = await send('two', first.conversation.id);
    await settled(second.assistant.id);
    expect(requests[1]?.messages).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'ok' },
      { role: 'user', content: 'two' },
    ]);
    expect(requests[1]?.date).toBe(requests[0]?.date);
    expect(requests[1]).toMatchObject({ maxTokens: 100, temperature: 0.5, effort: 'medium' });
  });

  it('stops at once, keeps the text, and can be stopped twice', async () => {
    script = async function* (_request, signal) {
      yield { kind: 'content', text: 'half' };
      await aborted(signal);
    };
    const turn = await send('go');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(chat.open(turn.conversation.id).messages[1]).toMatchObject({ text: 'half', status: { kind: 'answering' } });
    chat.stop(turn.assistant.id);
    expect(await settled(turn.assistant.id)).toMatchObject({ text: 'half', status: { kind: 'stopped' } });
    expect(() => chat.stop(turn.assistant.id)).not.toThrow();
    expect(() => chat.stop(crypto.randomUUID())).toThrow(/no longer there/);
  });

  it('refuses a second message while an answer is being written, and stores nothing of it', async () => {
    script = async function* (_request, signal) {
      yield { kind: 'content', text: 'x' };
      await aborted(signal);
    };
    const turn = await send('go');
    await expect(send('again', turn.conversation.id)).rejects.toThrow(/still being written/);
    expect(store.open(turn.conversation.id)?.messages).toHaveLength(2);
    await chat.endAll({ kind: 'interrupted' });
    expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'interrupted' } });
  });

  it.each([
    [new EngineError('failed', 'The model stopped.', 'Turn it on again.'), 'engine-failed', 'The model stopped.'],
    [new Error('secret inside'), 'internal', undefined],
  ])('an engine that fails leaves the text and says why: %s', async (error, code, words) => {
    script = async function* () {
      yield { kind: 'content', text: 'so far' };
      throw error;
    };
    const turn = await send('go');
    const answer = await settled(turn.assistant.id);
    expect(answer).toMatchObject({ text: 'so far', status: { kind: 'failed', error: { code } } });
    if (words !== undefined) expect(answer.status).toMatchObject({ error: { message: words } });
    expect(JSON.stringify(answer.status)).not.toContain('secret');
  });

  it('an answer ended to save memory keeps its text and says why', async () => {
    script = async function* () {
      yield { kind: 'content', text: 'so far' };
      throw new EngineError('protected', 'Ended to keep the computer usable.', 'Ask again.');
    };
    const turn = await send('go');
    const answer = await settled(turn.assistant.id);
    const because = 'Ended to keep the computer usable. Ask again.';
    expect(answer).toMatchObject({ text: 'so far', status: { kind: 'interrupted', because } });
    // Also after a restart of the app.
    expect(store.message(turn.assistant.id)).toEqual(answer);
  });

  it('asks whether the whole prompt is taken before anything is stored', async () => {
    script = async function* () {
      yield { kind: 'content', text: 'four' };
      yield finish;
    };
    const first = await send('one');
    await settled(first.assistant.id);
    const asked: number[] = [];
    admitPrompt = (characters) => {
      asked.push(characters);
      throw new AppFault('refused', 'Memory is short.', 'Wait.');
    };
    await expect(send('12345', first.conversation.id)).rejects.toThrow('Memory is short.');
    expect(asked).toEqual(['one'.length + 'four'.length + '12345'.length]);
    expect(store.open(first.conversation.id)?.messages).toHaveLength(2);
  });

  it('a stream that ends without finishing has failed', async () => {
    script = async function* () {
      yield { kind: 'content', text: 'so' };
    };
    const turn = await send('go');
    expect(await settled(turn.assistant.id)).toMatchObject({ text: 'so', status: { kind: 'failed' } });
  });

  it('refuses a conversation that is not there', async () => {
    await expect(send('x', crypto.randomUUID())).rejects.toThrow(/no longer there/);
    expect(() => chat.open(crypto.randomUUID())).toThrow(/no longer there/);
  });
});
