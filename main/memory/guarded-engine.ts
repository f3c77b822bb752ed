/** The engine as everybody but the guard sees it: answers can be refused and ended to save memory, and say so. */
import {
  type Engine,
  EngineError,
  type GenerationEvent,
  type GenerationRequest,
  type GenerationUsage,
} from '../engine/engine.ts';
import type { Words } from './protection-words.ts';

export interface GuardedEngine extends Engine {
  /** Ends every answer, under way or waiting, with EngineError `protected`. Returns how many there were. */
  cancelAnswers(reason: Words): number;
  openAnswers(): number;
}

export interface GuardedEnginePorts {
  /** Why this prompt is not taken now. */
  promptRefusal(characters: number): Words | null;
  /** The request as the engine gets it: bounded by the context's ceiling. Throws EngineError when it is too long. */
  bounded(request: GenerationRequest, signal: AbortSignal): Promise<GenerationRequest>;
  /** An answer begins or ends. */
  used(): void;
  answered(usage: GenerationUsage): void;
}

interface OpenAnswer {
  readonly cut: AbortController;
  reason: Words | null;
}

export function guardEngine(engine: Engine, ports: GuardedEnginePorts): GuardedEngine {
  const open = new Set<OpenAnswer>();

  async function* generate(
    request: GenerationRequest,
    options: Parameters<Engine['generate']>[1],
  ): AsyncGenerator<GenerationEvent> {
    const refusal = ports.promptRefusal(promptLength(request));
    if (refusal !== null) throw protectedBy(refusal);
    const answer: OpenAnswer = { cut: new AbortController(), reason: null };
    open.add(answer);
    ports.used();
    let usage: GenerationUsage | null = null;
    try {
      const signal = AbortSignal.any([options.signal, answer.cut.signal]);
      // Counting a prompt waits for the engine's tokenizer: whoever reads should know what for.
      if (COUNTS_LATER.has(engine.state.kind)) yield { kind: 'waiting', for: 'engine', ahead: 0 };
      const bounded = await ports.bounded(request, signal);
      for await (const event of engine.generate(bounded, { ...options, signal })) {
        if (event.kind === 'finish') ({ usage } = event);
        yield event;
      }
    } catch (error) {
      if (answer.reason !== null && !options.signal.aborted) throw protectedBy(answer.reason);
      throw error;
    } finally {
      open.delete(answer);
      // What is noted of it goes to files: whoever waits for the answer has it by now.
      if (usage !== null) ports.answered(usage);
      ports.used();
    }
  }

  return {
    get state() {
      return engine.state;
    },
    get metrics() {
      return engine.metrics;
    },
    subscribe: (listener) => engine.subscribe(listener),
    start: (model) => engine.start(model),
    stop: () => engine.stop(),
    generate,
    count: (request, signal) => engine.count(request, signal),
    dropCaches: () => engine.dropCaches(),
    calibrate: (stepTokens, signal) => engine.calibrate(stepTokens, signal),
    logTail: () => engine.logTail(),
    dispose: () => engine.dispose(),
    cancelAnswers(reason) {
      for (const answer of open) {
        answer.reason ??= reason;
        answer.cut.abort();
      }
      return open.size;
    },
    openAnswers: () => open.size,
  };
}

const COUNTS_LATER: ReadonlySet<Engine['state']['kind']> = new Set([
  'stopping',
  'preparing',
  'starting',
  'loading',
  'waiting',
]);

/** Characters of what the model has to read. */
const promptLength = ({ messages }: Pick<GenerationRequest, 'messages'>): number =>
  messages.reduce((length, { content }) => length + (content?.length ?? 0), 0);

const protectedBy = ({ message, nextStep }: Words): EngineError => new EngineError('protected', message, nextStep);
