/**
 * Keeps conversations' prompt caches warm: after an answer what the next prompt begins with is read while nobody waits;
 * what leaves memory is saved, and comes back when the conversation does. Around an engine, which looks the same.
 *
 * In memory stays the conversation that was last asked, however long it is. The others are saved once it is quiet, or
 * before one that is too large beside them; all of them before the engine ends or its caches are dropped. Whatever fails
 * here costs only the time to read a prompt again.
 */
import type { EngineState } from '../../preload/contract.ts';
import type { Log } from '../log/log.ts';
import type { CacheShelf } from './cache-shelf.ts';
import type { Clock } from './clock.ts';
import type {
  CacheOperations,
  Engine,
  EngineMessage,
  EngineModel,
  GenerationEvent,
  GenerationRequest,
  PromptRequest,
} from './engine.ts';
import { STOP_GRACE_MS } from './state.ts';
import { stopped } from './supervisor.ts';

export interface CacheKeepingEngine extends Engine {
  /** Somebody looks at this conversation: what was saved of it is loaded. */
  opened(key: string): void;
  /** It is deleted, and so is what was saved of it. */
  forgetConversation(key: string): void;
  /** Resolves once nothing is saved any longer of a process that is to go, and the next one is on its way. */
  settled(): Promise<void>;
}

export interface KeptCachesPorts {
  readonly engine: Engine & CacheOperations;
  /** Null where nothing can be saved. */
  readonly shelf: CacheShelf | null;
  /** False while memory is short: then nothing is read that nobody asked for. */
  mayReadAhead(): boolean;
  /** How long others may be kept waiting for the memory, or for the app's end. What is not saved by then is read again. */
  longestSaveMs(): number;
  readonly clock: Clock;
  readonly log: Log;
}

/** So long after an answer nothing else was asked. Titles are made later; they wait for nothing here. */
const QUIET_MS = 300;
/** As many as the engine keeps (settings.py); another one pushes out the one that was not asked for longest. */
const MOST_HELD = 2;

interface Held {
  /** In memory there is more than in the file. */
  isUnsaved: boolean;
  tokens: number;
}

type Ahead = PromptRequest & { readonly cacheKey?: string };

export function keepPromptCaches(ports: KeptCachesPorts): CacheKeepingEngine {
  const { engine, shelf, clock, log } = ports;
  /** Keyed conversations in the engine's memory, the least recently asked first. */
  const held = new Map<string, Held>();
  /** What is to be read ahead: of the conversation last asked, and of the last program without a name. */
  const ahead = new Map<string, Ahead>();
  let model: EngineModel | null = null;
  /** The conversation that was asked last; null after a program's request. */
  let live: string | null = null;
  /** The one the user sees, as far as is known here. */
  let shown: string | null = null;
  /** Deleted: nothing of them is kept, also not when an answer ends or a file is written just now. */
  const forgotten = new Set<string>();
  let answers = 0;
  /** Who waits until there are none. */
  const unasked: (() => void)[] = [];
  /** Ends the answers before what is in memory is saved: the model is turned off. */
  let cut = new AbortController();
  let cancelQuiet: (() => void) | null = null;
  let saving: Promise<void> | null = null;
  let background: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;

  const isReady = (): boolean => engine.state.kind === 'ready' || engine.state.kind === 'busy';

  // ── Saved and loaded ──

  const save = async (key: string, signal: AbortSignal): Promise<void> => {
    const it = held.get(key);
    if (it === undefined || !it.isUnsaved || shelf === null || model === null) return;
    const { folder } = model;
    const file = shelf.place(it.tokens, engine.metrics?.promptCache.bytes ?? 0);
    if (file === null) return;
    const saved = await engine.saveCache({ file, key }, signal);
    if (saved === 'gone') held.delete(key);
    if (saved === 'gone' || saved === null) return;
    shelf.put({ file, key, model: folder }, saved);
    if (forgotten.has(key)) {
      shelf.forget(key);
      return;
    }
    it.isUnsaved = false;
    log('info', `saved the prompt cache of a conversation: ${saved.tokens} tokens, ${saved.bytes} bytes`);
  };
  /** Saved, and out of memory. Stays there if it cannot be saved. */
  const putAway = async (key: string, signal: AbortSignal): Promise<void> => {
    await save(key, signal);
    if (signal.aborted || held.get(key)?.isUnsaved !== false) return;
    held.delete(key);
    await engine.forgetCache(key);
  };

  const exceeds = (moreBytes: number): boolean => {
    const cache = engine.metrics?.promptCache;
    return cache !== undefined && cache.bytes + moreBytes > cache.limitBytes;
  };
  /** So much is about to come to memory, and the engine does not ask before it makes room. */
  const putOthersAway = async (key: string | undefined, moreBytes: number, signal: AbortSignal): Promise<void> => {
    const others = [...held.keys()].filter((other) => other !== key);
    const isFull = others.length >= MOST_HELD;
    if (!isFull && !exceeds(moreBytes)) return;
    for (const other of others) await putAway(other, signal);
  };

  const mustSave = (): boolean => shelf !== null && isReady() && [...held.values()].some(({ isUnsaved }) => isUnsaved);

  const untilUnasked = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (answers === 0) return resolve();
      unasked.push(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  const saveAll = (): Promise<void> => {
    saving ??= saveEach().finally(() => {
      saving = null;
    });
    return saving;
  };
  const saveEach = async (): Promise<void> => {
    await endBackground();
    const late = new AbortController();
    const cancel = clock.after(ports.longestSaveMs(), () => late.abort());
    try {
      await untilUnasked(late.signal);
      for (const key of [...held.keys()].toReversed()) {
        if (late.signal.aborted || engine.state.kind !== 'ready') break;
        await save(key, late.signal);
      }
    } catch (error) {
      log('warn', `prompt caches could not be saved: ${String(error)}`);
    } finally {
      cancel();
    }
  };

  const bringBack = async (key: string, signal: AbortSignal): Promise<void> => {
    if (held.has(key) || shelf === null || model === null) return;
    const entry = shelf.find(key, model.folder);
    if (entry === null) return;
    const { file, sha256, tokens } = entry;
    await putOthersAway(key, entry.bytes, signal);
    const outcome = await engine.loadCache({ file, key, sha256 }, signal);
    if (outcome === 'refused') {
      log('warn', 'a saved prompt cache was refused by the engine and is deleted');
      shelf.drop(entry);
    } else if (outcome === 'loaded') {
      shelf.used(entry);
      held.set(key, { isUnsaved: false, tokens });
      log('info', `a conversation's prompt cache is back: ${tokens} tokens`);
    }
  };

  // ── When it is quiet ──

  const inBackground = (work: (signal: AbortSignal) => Promise<void>): void => {
    if (background !== null) return;
    const abort = new AbortController();
    const done = work(abort.signal)
      .catch((error: unknown) => log('warn', `prompt cache: ${String(error)}`))
      .then(() => {
        background = null;
      });
    background = { abort, done };
  };
  const endBackground = async (): Promise<void> => {
    cancelQuiet?.();
    cancelQuiet = null;
    background?.abort.abort();
    await background?.done;
  };

  const quietWork = async (signal: AbortSignal): Promise<void> => {
    for (const [key, prompt] of [...ahead].toReversed()) {
      if (signal.aborted) return;
      if (!ports.mayReadAhead()) {
        ahead.delete(key);
        continue;
      }
      const read = await engine.readAhead(prompt, signal);
      if (signal.aborted || read === null || !read.isComplete) return;
      ahead.delete(key);
      const it = held.get(key);
      if (it !== undefined) it.tokens = read.promptTokens;
      log('info', `read ahead ${read.readTokens} of ${read.promptTokens} tokens`);
    }
    for (const key of [...held.keys()]) {
      if (signal.aborted) return;
      // Whoever asks waits for what would be pushed out otherwise.
      if (key !== live) await putAway(key, exceeds(0) ? new AbortController().signal : signal);
    }
  };
  const whenQuiet = (): void => {
    cancelQuiet?.();
    cancelQuiet = clock.after(QUIET_MS, () => {
      cancelQuiet = null;
      if (answers === 0 && isReady()) inBackground(quietWork);
    });
  };

  const listeners = new Set<(state: EngineState) => void>();
  /** While it is saved before a stop. The way to off begins when it is wanted, not when all is saved. */
  let leaving: { readonly shown: EngineState; readonly saved: Promise<void>; readonly done: Promise<void> } | null =
    null;
  /** While it is saved before another model takes its place. */
  let changing: { readonly shown: EngineState; readonly saved: Promise<void> } | null = null;
  /** What is asked of the next process, or of another model, is not for the one that is still there. */
  const settled = async (): Promise<void> => {
    await (leaving ?? changing)?.saved;
  };
  const stateNow = (): EngineState => (leaving ?? changing)?.shown ?? engine.state;
  const tell = (): void => {
    for (const listener of [...listeners]) listener(stateNow());
  };
  const onItsWayToOff = (): EngineState => {
    const sinceMs = clock.nowMs();
    return { kind: 'stopping', sinceMs, deadlineMs: sinceMs + ports.longestSaveMs() + STOP_GRACE_MS };
  };
  const leave = (): Promise<void> => {
    if (leaving !== null) return leaving.done;
    if (!mustSave()) return engine.stop();
    cut.abort();
    cut = new AbortController();
    let off: Promise<void> = Promise.resolve();
    const saved = saveAll().then(() => {
      leaving = null;
      off = engine.stop();
    });
    const done = saved.then(() => off);
    leaving = { shown: onItsWayToOff(), saved, done };
    tell();
    return done;
  };

  const offState = engine.subscribe(({ kind }) => {
    if (leaving === null) tell();
    if (kind === 'ready' || kind === 'busy') {
      // Back from being unloaded: while the user types, the conversation comes back too.
      if (shown !== null && answers === 0 && held.size === 0) opened(shown);
      return;
    }
    held.clear();
    ahead.clear();
    background?.abort.abort();
  });

  function forget(key: string): void {
    held.delete(key);
    ahead.delete(key);
    shelf?.forget(key);
    if (live === key) live = null;
    if (shown === key) shown = null;
    engine.forgetCache(key).catch((error: unknown) => log('warn', `prompt cache: ${String(error)}`));
  }

  function opened(key: string): void {
    shown = key;
    if (answers > 0 || engine.state.kind !== 'ready' || !ports.mayReadAhead()) return;
    // Looking is not asking: nothing is written for it.
    const bytes = (model === null ? null : shelf?.find(key, model.folder))?.bytes ?? 0;
    if (mustSave() && (held.size >= MOST_HELD || exceeds(bytes))) return;
    inBackground((signal) => bringBack(key, signal));
  }

  // ── Answers ──

  async function* generate(
    request: GenerationRequest,
    options: Parameters<Engine['generate']>[1],
  ): AsyncGenerator<GenerationEvent> {
    const isAside = request.cache === 'none';
    const key = isAside ? undefined : request.cacheKey;
    await settled();
    answers += 1;
    cancelQuiet?.();
    background?.abort.abort();
    const off = cut.signal;
    const signal = AbortSignal.any([options.signal, off]);
    const atTurn = async (): Promise<void> => {
      await options.atTurn?.();
      await background?.done;
      if (isAside) return;
      try {
        await putOthersAway(key, 0, signal);
        if (key !== undefined) await bringBack(key, signal);
      } catch (error) {
        log('warn', `prompt cache: ${String(error)}`);
      }
    };
    if (key !== undefined) forgotten.delete(key);
    let text = '';
    let promptTokens = 0;
    const keep = (): void => {
      if (isAside || promptTokens === 0) return;
      live = key ?? null;
      if (key !== undefined) {
        if (forgotten.has(key)) {
          forget(key);
          return;
        }
        held.delete(key);
        held.set(key, { isUnsaved: true, tokens: promptTokens });
        shown = key;
      }
      const content = (request.continueFrom?.content ?? '') + text;
      if (content === '') return;
      ahead.delete(key ?? '');
      ahead.set(key ?? '', nextPrompt(request, content));
    };
    try {
      for await (const event of engine.generate(request, { ...options, signal, atTurn })) {
        if (event.kind === 'content' || event.kind === 'commentary') text += event.text;
        // Counted from what was cached, until the end tells all of it.
        if (event.kind === 'prefill') {
          promptTokens = event.totalTokens + (key === undefined ? 0 : (held.get(key)?.tokens ?? 0));
        }
        if (event.kind === 'finish') ({ promptTokens } = event.usage);
        yield event;
      }
    } catch (error) {
      throw off.aborted && !options.signal.aborted ? stopped() : error;
    } finally {
      // Also of an answer that was stopped: what there is of it stands in the history.
      keep();
      answers -= 1;
      if (answers === 0) {
        for (const resolve of unasked.splice(0)) resolve();
        if (leaving === null) whenQuiet();
      }
    }
  }

  return {
    get state() {
      return stateNow();
    },
    get metrics() {
      return engine.metrics;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start(wanted) {
      const isAnother = model !== null && model.folder !== wanted.folder;
      if (leaving !== null) await leaving.saved;
      else if (isAnother && mustSave()) {
        const saved = saveAll();
        changing = { shown: onItsWayToOff(), saved };
        tell();
        await saved;
        if (changing?.saved === saved) changing = null;
      }
      model = wanted;
      return engine.start(wanted);
    },
    stop: leave,
    generate,
    async count(request, signal) {
      await settled();
      return engine.count(request, signal);
    },
    settled,
    async dropCaches() {
      if (answers === 0 && mustSave()) await saveAll();
      held.clear();
      return engine.dropCaches();
    },
    calibrate: (stepTokens, signal) => engine.calibrate(stepTokens, signal),
    logTail: () => engine.logTail(),
    opened,
    forgetConversation(key) {
      forgotten.add(key);
      forget(key);
    },
    async dispose() {
      await leave();
      await endBackground();
      offState();
      listeners.clear();
      return engine.dispose();
    },
  };
}

/** What the conversation's next prompt begins with. */
function nextPrompt({ messages, effort, date, tools, cacheKey }: GenerationRequest, content: string): Ahead {
  const said: EngineMessage = { role: 'assistant', content };
  return {
    messages: [...messages, said],
    effort,
    date,
    ...(tools === undefined ? {} : { tools }),
    ...(cacheKey === undefined ? {} : { cacheKey }),
  };
}
