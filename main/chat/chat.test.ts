import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
    const because = 'Ended to keep the computer usable.';
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

const until = async (isSo: () => boolean): Promise<void> => {
  for (let waited = 0; !isSo(); waited += 5) {
    if (waited > 5_000) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const hanging: Script = async function* (_request, signal) {
  yield { kind: 'content', text: 'half' };
  await aborted(signal);
};
const answering = (text: string): Script =>
  async function* () {
    yield { kind: 'content', text };
    yield finish;
  };
const opened = (id: string) => chat.open(id);

describe('the queue', () => {
  it('is sent in order when answers end or are stopped by the user', async () => {
    script = hanging;
    const turn = await send('one');
    const { id } = turn.conversation;
    await chat.queue({ conversationId: id, text: 'two', effort: 'low' });
    const queued = await chat.queue({ conversationId: id, text: 'three', effort: 'low' });
    expect(queued.queued.map(({ text }) => text)).toEqual(['two', 'three']);
    script = answering('ok');
    chat.stop(turn.assistant.id);
    await until(() => opened(id).messages.length === 6);
    await until(() => opened(id).messages.at(-1)?.text === 'ok');
    expect(opened(id).messages.flatMap(({ role, text }) => (role === 'user' ? [text] : []))).toEqual([
      'one',
      'two',
      'three',
    ]);
    expect(opened(id).queued).toEqual([]);
  });

  it('waits when the engine was turned off, when it failed, and when the answer is paused', async () => {
    script = hanging;
    const turn = await send('one');
    const { id } = turn.conversation;
    await chat.queue({ conversationId: id, text: 'two', effort: 'low' });
    await chat.endAll({ kind: 'stopped' });
    expect(opened(id).queued).toHaveLength(1);

    script = async function* () {
      yield { kind: 'waiting', for: 'engine', ahead: 0 };
      throw new EngineError('failed', 'The model stopped.', 'Turn it on again.');
    };
    const [first] = opened(id).queued;
    const failed = await chat.sendQueued(first?.id ?? '');
    await settled(failed.messages.at(-1)?.id ?? '');
    await chat.queue({ conversationId: id, text: 'three', effort: 'low' });
    await until(() => opened(id).messages.length === 6);
    await settled(opened(id).messages.at(-1)?.id ?? '');
    expect(requests).toHaveLength(3);
  });

  it('is sent at once when nothing runs, and what cannot be sent stays', async () => {
    script = answering('ok');
    const turn = await send('one');
    const { id } = turn.conversation;
    await settled(turn.assistant.id);
    admitPrompt = () => {
      throw new AppFault('refused', 'Memory is short.', 'Wait.');
    };
    await chat.queue({ conversationId: id, text: 'two', effort: 'low' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(opened(id).queued).toMatchObject([{ text: 'two' }]);
    expect(opened(id).messages).toHaveLength(2);
    admitPrompt = () => {};
    await chat.sendQueued(opened(id).queued[0]?.id ?? '');
    expect(opened(id).messages).toHaveLength(4);
  });
});

describe('an answer that runs away', () => {
  it('is paused and asks; it goes on with what it has, or is left at that', async () => {
    const loop = 'And so on and so forth. ';
    let isReleased = false;
    script = async function* (_request, signal) {
      signal.addEventListener('abort', () => (isReleased = true));
      for (let i = 0; i < 1_000; i += 1) {
        if (signal.aborted) throw new EngineError('aborted', 'Stopped.', '');
        yield { kind: 'content', text: loop };
      }
      yield finish;
    };
    const turn = await send('go');
    const paused = await settled(turn.assistant.id);
    expect(paused.status).toEqual({ kind: 'paused', because: 'repeating', where: 'answer' });
    expect(paused.text.length).toBeLessThan(2_000);
    expect(isReleased).toBe(true);

    script = answering(' The end.');
    messages = [];
    const going = await chat.continue(turn.assistant.id);
    expect(going.messages[1]).toMatchObject({ attempt: 2 });
    expect(going.messages[1]?.text.startsWith(paused.text)).toBe(true);
    expect(requests[1]?.continueFrom).toEqual({ reasoning: '', content: paused.text });
    await until(() => messages.some(({ text }) => text.endsWith('The end.')));
    // What the windows add up is what is stored.
    expect(deltas.map(({ text }) => text).join('')).toBe(`${paused.text} The end.`);
    expect(store.message(turn.assistant.id)).toMatchObject({
      status: { kind: 'complete' },
      usage: { completionTokens: 2 },
    });
  });

  it('is left at that by stopping it', async () => {
    script = answering('x'.repeat(3_000));
    const turn = await send('go');
    expect((await settled(turn.assistant.id)).status.kind).toBe('paused');
    chat.stop(turn.assistant.id);
    expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'stopped' } });
  });
});

describe('thinking', () => {
  it('is ended by "answer now", once there is thinking', async () => {
    const asked: string[] = [];
    script = async function* (request, signal) {
      yield { kind: 'reasoning', text: 'hm' };
      await new Promise<void>((resolve) => {
        request.answerNow?.addEventListener('abort', () => resolve());
        signal.addEventListener('abort', () => resolve());
      });
      asked.push('answered');
      yield { kind: 'content', text: 'Yes.' };
      yield finish;
    };
    const turn = await send('go');
    await until(() => chat.open(turn.conversation.id).messages[1]?.role === 'assistant' && deltas.length > 0);
    chat.answerNow(turn.assistant.id);
    expect(await settled(turn.assistant.id)).toMatchObject({ reasoning: 'hm', text: 'Yes.' });
    expect(asked).toEqual(['answered']);
    expect(() => chat.answerNow(turn.assistant.id)).toThrow(/not thinking/);
  });
});

describe('a conversation of its own kind', () => {
  it('brings its settings to every request', async () => {
    script = answering('ok');
    const turn = await chat.send({
      conversationId: null,
      text: 'x',
      effort: 'high',
      settings: { systemText: 'Be brief.', temperature: 0, topK: 5, thinkingTokens: 99, modelId: 'other' },
    });
    await settled(turn.assistant.id);
    expect(requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'x' },
      ],
      temperature: 0,
      topK: 5,
      thinkingBudgetTokens: 99,
    });
    expect(models).toEqual(['other']);
  });
});

describe('when it no longer fits', () => {
  const fill = async (): Promise<string> => {
    script = answering('y'.repeat(100));
    const first = await send('x'.repeat(100));
    await settled(first.assistant.id);
    for (let i = 0; i < 3; i += 1) await settled((await send('x'.repeat(100), first.conversation.id)).assistant.id);
    return first.conversation.id;
  };

  it('says so with numbers before anything is stored, and the user chooses to trim', async () => {
    const id = await fill();
    // Eight messages of 104 each, as the tokenizer above counts.
    limit = 900;
    await expect(send('z', id)).rejects.toThrow('837 tokens');
    expect(opened(id).messages).toHaveLength(8);
    const trimmed = await chat.fit({ conversationId: id, how: 'trim', text: 'z', attachmentIds: [] });
    expect(trimmed.messages).toHaveLength(8);
    // Two turns and the text leave room for the answer and a quarter to spare.
    expect(trimmed.cut).toMatchObject({ kind: 'trimmed', messages: 4 });
    const turn = await send('z', id);
    await settled(turn.assistant.id);
    expect(requests.at(-1)?.messages).toHaveLength(5);
    expect((await chat.fit({ conversationId: id, how: 'everything', text: '', attachmentIds: [] })).cut).toBeNull();
  });

  it('says so when not even the text alone fits', async () => {
    const id = await fill();
    limit = 900;
    await expect(
      chat.fit({ conversationId: id, how: 'trim', text: 'z'.repeat(2_000), attachmentIds: [] }),
    ).rejects.toThrow(/2,004 tokens/);
    expect(opened(id).cut).toBeNull();
  });

  it('has the oldest summarised, beside the prompt cache, and tells the windows', async () => {
    const id = await fill();
    limit = 2_400;
    script = answering('They exchanged letters.');
    const summarised = await chat.fit({
      conversationId: id,
      how: 'summarise',
      text: 'z'.repeat(400),
      attachmentIds: [],
    });
    expect(summarised.cut).toMatchObject({ kind: 'summarised', summary: 'They exchanged letters.' });
    expect(requests.at(-1)).toMatchObject({ cache: 'none' });
    const told = events.flatMap((each) => (each.event === 'chat.changed' ? [each.payload.isSummarising] : []));
    expect(told).toEqual(expect.arrayContaining([true, false]) as unknown);
    await settled((await send('z', id)).assistant.id);
    expect(requests.at(-1)?.messages[0]).toMatchObject({
      role: 'system',
      content: expect.stringContaining('letters') as unknown,
    });
  });

  it('what was queued because it did not fit is sent once it does', async () => {
    const id = await fill();
    limit = 900;
    await chat.queue({ conversationId: id, text: 'z', effort: 'medium' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(opened(id).queued).toHaveLength(1);
    await chat.fit({ conversationId: id, how: 'trim', text: 'z', attachmentIds: [] });
    await until(() => opened(id).messages.length === 10);
    expect(opened(id).queued).toEqual([]);
  });

  it('a summary that is ended leaves everything as it was', async () => {
    const id = await fill();
    limit = 2_400;
    script = hanging;
    const fitting = chat.fit({ conversationId: id, how: 'summarise', text: 'z'.repeat(400), attachmentIds: [] });
    await until(() => requests.length === 5);
    await expect(send('now', id)).rejects.toThrow(/still being written/);
    await chat.fit({ conversationId: id, how: 'everything', text: '', attachmentIds: [] });
    await expect(fitting).rejects.toThrow();
    expect(opened(id)).toMatchObject({ cut: null, isSummarising: false });
  });

  it('nobody counts while the model is off: the engine’s own ceiling has the last word', async () => {
    const id = await fill();
    limit = 900;
    state = { kind: 'off' };
    const turn = await send('z', id);
    expect(await settled(turn.assistant.id)).toMatchObject({ status: { kind: 'complete' } });
    expect(await chat.count({ conversationId: id, text: '', attachmentIds: [] })).toMatchObject({
      kind: 'not-counted',
    });
  });
});

describe('a disk that takes nothing', () => {
  it('ends no answer; the text stays in view and is kept when there is room again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    script = answering('Hello');
    const write = vi.spyOn(store, 'finish').mockImplementation(() => {
      throw new Error('database or disk is full');
    });
    const turn = await send('Hi');
    const lastOf = () => messages.findLast(({ id }) => id === turn.assistant.id);
    await vi.waitFor(() => expect(lastOf()).toMatchObject({ text: 'Hello', status: { kind: 'failed' } }));
    expect(chat.open(turn.conversation.id).messages.at(-1)).toMatchObject({
      text: 'Hello',
      status: { kind: 'failed', error: { message: 'This answer could not be written to the disk.' } },
    });
    write.mockRestore();
    await vi.advanceTimersByTimeAsync(6_000);
    vi.useRealTimers();
    expect(lastOf()).toMatchObject({ text: 'Hello', status: { kind: 'complete' } });
    expect(store.message(turn.assistant.id)).toMatchObject({ text: 'Hello', status: { kind: 'complete' } });
  });
});

describe('titles', () => {
  it('come from the model in a quiet moment, beside the prompt cache', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    script = answering('Answer.');
    const turn = await send('What is a wired limit, and why?');
    await vi.waitFor(() => expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'complete' } }));
    script = answering('"Wired limits"');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    await until(() => store.summary(turn.conversation.id)?.title === 'Wired limits');
    expect(requests.at(-1)).toMatchObject({ cache: 'none', maxTokens: 120 });
    expect(requests.at(-1)?.cacheKey).toBeUndefined();
    expect(requests[0]?.cacheKey).toBe(turn.conversation.id);
  });

  it('that are none leave the first line, and are not asked for again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const said = async (text: string, conversationId: string | null = null) => {
      script = answering('…');
      const turn = await send(text, conversationId);
      await vi.waitFor(() => expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'complete' } }));
      await vi.advanceTimersByTimeAsync(2_000);
      return turn.conversation.id;
    };
    const id = await said('first line');
    expect(requests).toHaveLength(2);
    await said('more', id);
    expect(requests).toHaveLength(3);
    expect(store.summary(id)?.title).toBe('first line');
    vi.useRealTimers();
  });

  it('give way to other programs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    script = answering('Answer.');
    const turn = await send('first line');
    await vi.waitFor(() => expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'complete' } }));
    let isGivenUp = false;
    script = async function* (_request, signal) {
      await aborted(signal).finally(() => (isGivenUp = true));
      yield finish;
    };
    await vi.advanceTimersByTimeAsync(2_000);
    expect(requests).toHaveLength(2);
    chat.giveWay();
    vi.useRealTimers();
    await until(() => isGivenUp);
  });

  it('are given up the moment something is sent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    script = answering('Answer.');
    const turn = await send('first line');
    await vi.waitFor(() => expect(store.message(turn.assistant.id)).toMatchObject({ status: { kind: 'complete' } }));
    let isGivenUp = false;
    script = async function* (_request, signal) {
      await aborted(signal).finally(() => (isGivenUp = true));
      yield finish;
    };
    await vi.advanceTimersByTimeAsync(2_000);
    expect(requests).toHaveLength(2);
    script = answering('Answer.');
    await send('more', turn.conversation.id);
    vi.useRealTimers();
    await until(() => isGivenUp);
    expect(store.summary(turn.conversation.id)?.title).toBe('first line');
  });
});
