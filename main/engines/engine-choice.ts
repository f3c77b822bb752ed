/**
 * One engine for the rest of the app, whichever runs the chosen model: the bundled one, or one that others made. At most
 * one of the two is on.
 */
import type { EngineState } from '../../preload/contract.ts';
import {
  type CacheOperations,
  type Engine,
  EngineError,
  type EngineModel,
  type GenerationEvent,
  type GenerationRequest,
  type PromptRequest,
} from '../engine/engine.ts';
import { outsideKindOf } from './outside-engine.ts';
import { type OutsideRunner, leastTokens } from './outside-runner.ts';

export interface EngineChoice extends Engine, CacheOperations {
  /** Prompt tokens as far as they are certain: counted, or the fewest there can be. For refusing, not for showing. */
  certainCount(request: PromptRequest, signal: AbortSignal): Promise<number>;
}

type Bundled = Engine & CacheOperations;

export function chooseEngine(bundled: Bundled, outside: OutsideRunner): EngineChoice {
  let current: Engine = bundled;
  /** A start that waits for the other engine's memory to come back is overtaken by a stop or a later start. */
  let wish = 0;

  /** The other engine is giving its memory back; whoever asks now waits for that. */
  let switching: Promise<void> | null = null;

  async function start(model: EngineModel): Promise<void> {
    const wanted: Engine = outsideKindOf(model.folder) === null ? bundled : outside;
    wish += 1;
    const mine = wish;
    if (wanted !== current) {
      const before = current;
      const ended = before.stop();
      // At once where nothing runs: whoever starts the model asks it something right away.
      if (before.state.kind !== 'off') {
        const done = ended.finally(() => {
          if (switching === done) switching = null;
        });
        switching = done;
        await done;
        if (mine !== wish) throw new EngineError('stopped', 'The model was turned off.', 'Turn the model on.');
      }
      current = wanted;
    }
    await wanted.start(model);
  }

  /** Until the wanted engine is the current one, and its start was heard. */
  async function settled(): Promise<void> {
    const waitsFor = switching;
    if (waitsFor !== null) {
      await waitsFor.catch(() => undefined);
      return settled();
    }
    // `start` goes on in the same turn as this; it comes first.
    await Promise.resolve();
  }

  async function* generate(
    request: GenerationRequest,
    options: Parameters<Engine['generate']>[1],
  ): AsyncGenerator<GenerationEvent> {
    if (switching !== null) {
      yield { kind: 'waiting', for: 'engine', ahead: 0 };
      await settled();
    }
    yield* current.generate(request, options);
  }

  const subscribeTo = (engine: Engine, listener: (state: EngineState) => void): (() => void) =>
    engine.subscribe((state) => {
      if (engine === current) listener(state);
    });

  const ofBundled = <T>(ask: () => Promise<T>, otherwise: T): Promise<T> =>
    current === bundled ? ask() : Promise.resolve(otherwise);

  return {
    get state() {
      return current.state;
    },
    get metrics() {
      return current.metrics;
    },
    subscribe(listener) {
      const ends = [subscribeTo(bundled, listener), subscribeTo(outside, listener)];
      return () => {
        for (const end of ends) end();
      };
    },
    start,
    stop() {
      wish += 1;
      return current.stop();
    },
    generate,
    async count(request, signal) {
      if (switching !== null) await settled();
      return current.count(request, signal);
    },
    async certainCount(request, signal) {
      if (switching !== null) await settled();
      if (current === bundled) return bundled.count(request, signal);
      return (await outside.counted(request, signal)) ?? leastTokens(request);
    },
    dropCaches: () => current.dropCaches(),
    calibrate: (stepTokens, signal) => current.calibrate(stepTokens, signal),
    logTail: () => current.logTail(),
    async dispose() {
      await Promise.all([bundled.dispose(), outside.dispose()]);
    },
    readAhead: (request, signal) => ofBundled(() => bundled.readAhead(request, signal), null),
    saveCache: (cache, signal) => ofBundled(() => bundled.saveCache(cache, signal), null),
    loadCache: (cache, signal) => ofBundled(() => bundled.loadCache(cache, signal), 'not-now' as const),
    forgetCache: (key) => ofBundled(() => bundled.forgetCache(key), undefined),
  };
}
