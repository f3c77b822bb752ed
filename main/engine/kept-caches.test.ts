import { beforeEach, expect, it } from 'vitest';
import type { EngineState } from '../../preload/contract.ts';
import type { CacheShelf } from './cache-shelf.ts';
import type { SavedEntry } from './cache-rules.ts';
import type { CacheOperations, Engine, EngineMetrics, GenerationEvent, GenerationRequest } from './engine.ts';
import { type CacheKeepingEngine, keepPromptCaches } from './kept-caches.ts';

let did: string[];
let state: EngineState;
let listeners: Set<(state: EngineState) => void>;
let timers: (() => void)[];
let entries: SavedEntry[];
let refusesFiles: boolean;
let mayReadAhead: boolean;
let isDiskShort: boolean;
/** What is under way in the engine, ended by its signal. */
let reading: { settle(complete: boolean): void } | null;
let answerText: string;
/** Answers end with their signal only. */
let slowAnswer: boolean;
let heldBytes: number;
/** Conversations in the engine's memory. */
let engineHas: Set<string>;
/** While set, saving waits for it to be called, or for its signal. */
let slowDisk: (() => void) | null;
let kept: CacheKeepingEngine;

const usage = {
  promptTokens: 500,
  cachedTokens: 0,
  completionTokens: 9,
  reasoningTokens: 0,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: null,
};
const become = (kind: 'off' | 'ready'): void => {
  state = kind === 'off' ? { kind } : { kind, sinceMs: 0 };
  for (const listener of listeners) listener(state);
};

function fakeEngine(): Engine & CacheOperations {
  const engine: Partial<Engine & CacheOperations> = {
    get state() {
      return state;
    },
    get metrics() {
      const promptCache = { sequences: 1, bytes: heldBytes, limitBytes: 2_000 };
      return { promptCache } as EngineMetrics;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start({ folder }) {
      did.push(`start ${folder}`);
      become('ready');
    },
    async stop() {
      did.push('stop');
      become('off');
    },
    async dispose() {
      did.push('dispose');
    },
    async dropCaches() {
      did.push('drop');
    },
    async *generate(request, { atTurn, signal }) {
      await atTurn?.();
      did.push(`answer ${request.cacheKey ?? '-'}`);
      engineHas.add(request.cacheKey ?? '-');
      yield { kind: 'prefill', doneTokens: 0, totalTokens: 300 } satisfies GenerationEvent;
      yield { kind: 'content', text: answerText } satisfies GenerationEvent;
      if (slowAnswer) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (signal.aborted) throw new Error('aborted');
      yield { kind: 'finish', reason: 'stop', usage } satisfies GenerationEvent;
    },
    async readAhead(request, signal) {
      const { length } = request.messages;
      did.push(`read ${request.cacheKey ?? '-'} ${length} ${request.messages.at(-1)?.content}`);
      const isComplete = await new Promise<boolean>((resolve) => {
        reading = { settle: resolve };
        signal.addEventListener('abort', () => resolve(false));
      });
      reading = null;
      return { promptTokens: 520, cachedTokens: 500, readTokens: 20, isComplete };
    },
    async saveCache({ key }, signal) {
      did.push(`save ${key}`);
      if (slowDisk)
        await new Promise<void>((resolve) => {
          slowDisk = resolve;
          signal.addEventListener('abort', () => resolve());
        });
      if (signal.aborted) return null;
      return engineHas.has(key) ? { tokens: 520, bytes: 1_000, sha256: 'a' } : 'gone';
    },
    async loadCache({ key }) {
      did.push(`load ${key}`);
      engineHas.add(key);
      return refusesFiles ? 'refused' : 'loaded';
    },
    async forgetCache(key) {
      did.push(`forget ${key}`);
    },
  };
  return engine as Engine & CacheOperations;
}

const shelf: CacheShelf = {
  folder: '/caches',
  find: (key, model) => entries.find((entry) => entry.key === key && entry.model === model) ?? null,
  place: () => (isDiskShort ? null : `file-${entries.length}`),
  put({ file, key, model }, { tokens, bytes, sha256 }) {
    entries = entries.filter((entry) => entry.key !== key);
    entries.push({ file, key, model, tokens, bytes, sha256, usedAtMs: 0 });
  },
  used: () => undefined,
  drop(entry) {
    entries = entries.filter(({ file }) => file !== entry.file);
  },
  forget(key) {
    entries = entries.filter((entry) => entry.key !== key);
  },
  keepOnly: () => undefined,
};

beforeEach(async () => {
  did = [];
  state = { kind: 'off' };
  listeners = new Set();
  timers = [];
  entries = [];
  refusesFiles = false;
  mayReadAhead = true;
  isDiskShort = false;
  reading = null;
  answerText = 'So.';
  slowAnswer = false;
  heldBytes = 100;
  engineHas = new Set();
  slowDisk = null;
  kept = keepPromptCaches({
    engine: fakeEngine(),
    shelf,
    mayReadAhead: () => mayReadAhead,
    longestSaveMs: () => 3_000,
    clock: {
      nowMs: () => 0,
      after(_, callback) {
        timers.push(callback);
        return () => {
          timers = timers.filter((timer) => timer !== callback);
        };
      },
    },
    log: () => undefined,
  });
  await kept.start({ folder: '/m', name: 'm' });
  did = [];
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const quiet = async (): Promise<void> => {
  for (const timer of timers.splice(0)) timer();
  await turn();
};
async function ask(key: string | null, rest: Partial<GenerationRequest> = {}, signal = new AbortController().signal) {
  const request: GenerationRequest = {
    messages: [{ role: 'user', content: 'Why?' }],
    effort: 'low',
    date: '2026-01-02',
    maxTokens: 10,
    ...(key === null ? {} : { cacheKey: key }),
    ...rest,
  };
  for await (const event of kept.generate(request, { signal, priority: 'window' })) void event;
}

it('reads the history ahead when it is quiet, and nothing before', async () => {
  await ask('a');
  expect(did).toEqual(['answer a']);
  await quiet();
  expect(did).toEqual(['answer a', 'read a 2 So.']);
});

it('gives way at once, and reads the newest when it is quiet again', async () => {
  await ask('a');
  await quiet();
  expect(reading).not.toBeNull();
  answerText = 'No.';
  await ask('a', { messages: [{ role: 'user', content: 'Sure?' }] });
  expect(reading).toBeNull();
  await quiet();
  reading?.settle(true);
  await turn();
  expect(did).toEqual(['answer a', 'read a 2 So.', 'answer a', 'read a 2 No.']);
  await quiet();
  expect(did).toHaveLength(4);
});

it('goes on with it after a title was made', async () => {
  await ask('a');
  await quiet();
  await ask(null, { cache: 'none' });
  await quiet();
  expect(did).toEqual(['answer a', 'read a 2 So.', 'answer -', 'read a 2 So.']);
});

it('reads nothing that nobody asked for while memory is short', async () => {
  mayReadAhead = false;
  await ask('a');
  await quiet();
  expect(did).toEqual(['answer a']);
});

it('reads ahead for programs too, which have no name', async () => {
  await ask(null);
  await quiet();
  expect(did).toEqual(['answer -', 'read - 2 So.']);
});

it('knows what an answer that went on had said before', async () => {
  await ask('a', { continueFrom: { reasoning: 'Hm', content: 'Well. ' } });
  await quiet();
  expect(did.at(-1)).toBe('read a 2 Well. So.');
});

it('keeps what a stopped answer has said', async () => {
  const stop = new AbortController();
  stop.abort();
  await ask('a', {}, stop.signal).catch(() => undefined);
  await quiet();
  expect(did).toEqual(['answer a', 'read a 2 So.']);
});

it('saves the other conversation once it is quiet, and brings it back when it is asked', async () => {
  await ask('a');
  await ask('b');
  await quiet();
  reading?.settle(true);
  await turn();
  reading?.settle(true);
  await turn();
  expect(did.slice(2)).toEqual(['read b 2 So.', 'read a 2 So.', 'save a', 'forget a']);
  did = [];
  await ask('a');
  expect(did).toEqual(['load a', 'answer a']);
  await quiet();
  reading?.settle(true);
  await turn();
  expect(did.slice(2)).toEqual(['read a 2 So.', 'save b', 'forget b']);
});

it('leaves in memory what cannot be saved', async () => {
  isDiskShort = true;
  await ask('a');
  await ask('b');
  await quiet();
  reading?.settle(true);
  await turn();
  reading?.settle(true);
  await turn();
  did = [];
  await ask('a');
  expect(did).toEqual(['answer a']);
});

it('saves a long one before another is asked, not at its cost', async () => {
  await ask('a');
  heldBytes = 2_500;
  await ask('b');
  expect(did).toEqual(['answer a', 'save a', 'forget a', 'answer b']);
  // A title is short: it does not push out anything.
  did = [];
  await ask(null, { cache: 'none' });
  expect(did).toEqual(['answer -']);
  await ask(null);
  expect(did).toEqual(['answer -', 'save b', 'forget b', 'answer -']);
});

it('saves what would be pushed out by what comes back', async () => {
  await ask('a');
  await kept.stop();
  mayReadAhead = false;
  await kept.start({ folder: '/m', name: 'm' });
  await ask('b');
  entries = entries.map((entry) => ({ ...entry, bytes: 1_900 }));
  heldBytes = 200;
  did = [];
  await ask('a');
  expect(did).toEqual(['save b', 'forget b', 'load a', 'answer a']);
});

it('saves before a third one pushes out the first', async () => {
  for (const key of ['a', 'b', 'c']) await ask(key);
  expect(did).toEqual(['answer a', 'answer b', 'save a', 'forget a', 'save b', 'forget b', 'answer c']);
});

it('writes nothing only because the user looks at another one', async () => {
  await ask('a');
  await kept.stop();
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  await ask('b');
  heldBytes = 2_500;
  did = [];
  kept.opened('a');
  await turn();
  expect(did).toEqual([]);
});

it('brings back what the user looked at while the model was off', async () => {
  await ask('a');
  await ask('b');
  await kept.stop();
  kept.opened('a');
  did = [];
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  expect(did).toEqual(['start /m', 'load a']);
});

it('brings nothing back unasked while memory is short', async () => {
  await ask('a');
  await kept.stop();
  mayReadAhead = false;
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  kept.opened('a');
  await turn();
  expect(did).not.toContain('load a');
  await ask('a');
  expect(did).toContain('load a');
});

it('makes the memory free for programs when it is quiet', async () => {
  await ask('a');
  await ask(null);
  mayReadAhead = false;
  await quiet();
  expect(did).toEqual(['answer a', 'answer -', 'save a', 'forget a']);
});

it('breaks off saving for whoever asks, and saves it later', async () => {
  mayReadAhead = false;
  await ask('a');
  await ask('b');
  slowDisk = () => undefined;
  await quiet();
  expect(did).toEqual(['answer a', 'answer b', 'save a']);
  await ask('b');
  expect(did.at(-1)).toBe('answer b');
  expect(entries).toEqual([]);
  slowDisk = null;
  await quiet();
  expect(did.slice(-2)).toEqual(['save a', 'forget a']);
});

it('keeps nothing of a conversation that is deleted while it is saved', async () => {
  mayReadAhead = false;
  await ask('a');
  await ask('b');
  slowDisk = () => undefined;
  await quiet();
  kept.forgetConversation('a');
  slowDisk?.();
  await turn();
  expect(entries).toEqual([]);
});

it('knows what the engine no longer has', async () => {
  mayReadAhead = false;
  await ask('a');
  await ask('b');
  engineHas.delete('a');
  await quiet();
  did = [];
  await kept.stop();
  expect(did).toEqual(['save b', 'stop']);
});

it.each(['stop', 'dispose'] as const)('saves what is in memory before %s', async (end) => {
  await ask('a');
  await kept[end]();
  expect(did).toEqual(['answer a', 'save a', ...(end === 'dispose' ? ['stop'] : []), end]);
  expect(timers).toEqual([]);
});

it('is on its way to off from the moment that is wanted, and starts again after it', async () => {
  const seen: string[] = [];
  kept.subscribe(({ kind }) => seen.push(kind));
  await ask('a');
  const stopped = kept.stop();
  expect(kept.state.kind).toBe('stopping');
  expect(did).not.toContain('stop');
  const started = kept.start({ folder: '/m', name: 'm' });
  await Promise.all([stopped, kept.stop(), started]);
  expect(did).toEqual(['answer a', 'save a', 'stop', 'start /m', 'load a']);
  expect(seen[0]).toBe('stopping');
  expect(seen.at(-1)).toBe('ready');
  expect(kept.state.kind).toBe('ready');
});

it('ends the answers first, each with the reason, and saves what they have read', async () => {
  await ask('a');
  slowAnswer = true;
  const ends = ['b', null].map((key) => ask(key).catch((error: unknown) => error));
  await turn();
  expect(did.slice(1).toSorted()).toEqual(['answer -', 'answer b']);
  await kept.stop();
  expect(did.slice(3)).toEqual(['save b', 'save a', 'stop']);
  for (const end of ends) expect(await end).toMatchObject({ code: 'stopped' });
  // A new start has nothing to do with it.
  slowAnswer = false;
  await kept.start({ folder: '/m', name: 'm' });
  await ask('c');
});

it('stops at once where nothing is to be saved', () => {
  void kept.stop();
  expect(did).toEqual(['stop']);
});

it('saves before another model, which has none of its own then', async () => {
  await ask('a');
  await kept.start({ folder: '/n', name: 'n' });
  expect(did).toEqual(['answer a', 'save a', 'start /n']);
  await kept.start({ folder: '/n', name: 'n' });
  become('off');
  did = [];
  become('ready');
  await ask('a');
  expect(did).toEqual(['answer a']);
});

it('does not save again what has not changed', async () => {
  await ask('a');
  await kept.stop();
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  await kept.stop();
  expect(did).toEqual(['answer a', 'save a', 'stop', 'start /m', 'load a', 'stop']);
});

it('brings the conversation back while the user looks, not again when asked', async () => {
  await ask('a');
  await kept.stop();
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  kept.opened('a');
  await ask('a');
  expect(did.filter((each) => each === 'load a')).toHaveLength(1);
});

it('deletes a file that the engine refuses', async () => {
  await ask('a');
  await kept.stop();
  refusesFiles = true;
  await kept.start({ folder: '/m', name: 'm' });
  await turn();
  expect(entries).toEqual([]);
  await ask('a');
  expect(did.filter((each) => each === 'load a')).toHaveLength(1);
});

it('forgets a conversation that is deleted, also in the middle of its answer', async () => {
  await ask('a');
  await kept.stop();
  await kept.start({ folder: '/m', name: 'm' });
  kept.forgetConversation('a');
  expect(entries).toEqual([]);
  const request = { messages: [], effort: 'low', date: '', maxTokens: 1, cacheKey: 'b' } as const;
  for await (const event of kept.generate(request, { signal: new AbortController().signal, priority: 'window' })) {
    if (event.kind === 'content') kept.forgetConversation('b');
  }
  did = [];
  await quiet();
  await kept.stop();
  expect(did).toEqual(['stop']);
});

it('has nothing left to save after the caches were dropped or the engine was lost', async () => {
  await ask('a');
  await kept.dropCaches();
  await kept.stop();
  expect(did).toEqual(['answer a', 'save a', 'drop', 'stop']);
  await kept.start({ folder: '/m', name: 'm' });
  await ask('a');
  become('off');
  did = [];
  await quiet();
  await kept.stop();
  expect(did).toEqual(['stop']);
});

it('leaves titles and summaries out of it', async () => {
  await ask('a', { cache: 'none' });
  await quiet();
  await kept.stop();
  expect(did).toEqual(['answer a', 'stop']);
});
