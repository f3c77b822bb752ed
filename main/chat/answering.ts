/** Answers under way: the engine's events become deltas for the windows and saved text, until an end of some kind. */
import type { AnswerStatus, AnswerUsage, AssistantMessage, ChatDelta, Message } from '../../preload/contract.ts';
import { isFinal } from '../../preload/answer-status.ts';
import { type Engine, EngineError, type GenerationRequest } from '../engine/engine.ts';
import { appErrorOf } from '../host/app-error.ts';
import type { Log } from '../log/log.ts';
import { type Answer, ended, grow, resumedAnswer } from './answer.ts';
import { createDeltaCoalescer } from './delta-coalescer.ts';
import { type Runaway, runawayOf } from './runaway.ts';
import type { ConversationStore } from './store.ts';

export interface AnsweringPorts {
  readonly store: Pick<ConversationStore, 'flush' | 'finish' | 'message'>;
  readonly engine: Pick<Engine, 'generate'>;
  nowMs(): number;
  publishDelta(delta: ChatDelta): void;
  publishMessage(message: Message): void;
  /** An answer is stored in its final form. `byUser`: a person stopped it. */
  ended(message: AssistantMessage, byUser: boolean): void;
  readonly log: Log;
}

type EndStatus = Extract<AnswerStatus, { kind: 'stopped' | 'interrupted' | 'paused' }>;

export interface Answering {
  /** Begins to answer, or goes on where the message stands. */
  start(message: AssistantMessage, request: GenerationRequest): void;
  /** False when it does not run. */
  stop(messageId: string): boolean;
  answerNow(messageId: string): 'asked' | 'not-thinking' | 'not-running';
  isRunning(conversationId: string): boolean;
  readonly count: number;
  /** What is stored, with the live text of an answer that is still growing. */
  live(message: Message): Message;
  endAll(status: EndStatus): Promise<void>;
  end(conversationId: string): Promise<void>;
}

/** How often a growing answer is saved. A crash costs at most this much text. */
const SAVE_INTERVAL_MS = 1_000;
/** How often it is tried again to keep an answer that the disk did not take. */
const KEEP_AGAIN_MS = 5_000;
/** How often it is looked at whether an answer has run away, UTF-16 units. */
const LOOK_INTERVAL = 200;

interface Running {
  answer: Answer;
  readonly message: AssistantMessage;
  readonly abort: AbortController;
  readonly answerNow: AbortController;
  endAs: EndStatus;
  byUser: boolean;
  done: Promise<void>;
}

export function createAnswering(ports: AnsweringPorts): Answering {
  const { store } = ports;
  const running = new Map<string, Running>();
  /** Ended, and not taken by the disk. They are shown from here until they are. */
  const unkept = new Map<string, Running>();
  let keepAgain: NodeJS.Timeout | null = null;

  const write = ({ answer, message }: Running): void =>
    store.finish(message.id, answer, answer.status, together(message.usage, answer.usage));

  /** Null when it is kept; otherwise how it is shown. */
  const keep = (entry: Running): AssistantMessage | null => {
    try {
      write(entry);
      return null;
    } catch (error) {
      ports.log('error', `an answer could not be stored: ${String(error)}`);
      unkept.set(entry.message.id, entry);
      keepAgain ??= setTimeout(keepUnkept, KEEP_AGAIN_MS).unref();
      return shownUnkept(entry);
    }
  };

  const keepUnkept = (): void => {
    keepAgain = null;
    for (const [id, entry] of unkept) {
      try {
        write(entry);
      } catch {
        keepAgain ??= setTimeout(keepUnkept, KEEP_AGAIN_MS).unref();
        return;
      }
      unkept.delete(id);
      const stored = store.message(id);
      if (stored !== null) ports.publishMessage(stored);
    }
  };

  /** A disk that is full now may have room when the answer ends. */
  const save = ({ answer, message }: Running): void => {
    try {
      store.flush(message.id, answer);
    } catch (error) {
      ports.log('warn', `a growing answer could not be saved: ${String(error)}`);
    }
  };

  const run = async (entry: Running, request: GenerationRequest): Promise<void> => {
    const { id, conversationId } = entry.message;
    const deltas = createDeltaCoalescer({ conversationId, messageId: id }, ports.publishDelta, entry.message);
    let savedAtMs = ports.nowMs();
    let lookedAt = 0;
    try {
      const { signal } = entry.abort;
      for await (const event of ports.engine.generate(request, { signal, priority: 'window' })) {
        const nowMs = ports.nowMs();
        entry.answer = grow(entry.answer, event, nowMs);
        if (isFinal(entry.answer.status)) break;
        deltas.update(entry.answer);
        if (nowMs - savedAtMs >= SAVE_INTERVAL_MS) {
          savedAtMs = nowMs;
          save(entry);
        }
        const length = entry.answer.text.length + entry.answer.reasoning.length;
        if (length - lookedAt < LOOK_INTERVAL) continue;
        lookedAt = length;
        const runaway = runawayIn(entry);
        if (runaway === null) continue;
        entry.endAs = { kind: 'paused', ...runaway };
        entry.abort.abort();
        throw new EngineError('aborted', 'The answer ran away.', 'Go on, or leave it at that.');
      }
      if (!isFinal(entry.answer.status)) {
        throw new EngineError('disconnected', 'The answer ended in the middle.', 'Send the message again.');
      }
    } catch (error) {
      entry.answer = ended(entry.answer, statusFor(error, entry), ports.nowMs());
    }
    deltas.flush();
    const lost = keep(entry);
    running.delete(id);
    if (lost !== null) {
      ports.publishMessage(lost);
      return;
    }
    const stored = store.message(id);
    if (stored === null) return;
    ports.publishMessage(stored);
    if (stored.role === 'assistant') ports.ended(stored, entry.byUser);
  };

  const statusFor = (error: unknown, entry: Running): AnswerStatus => {
    if (entry.abort.signal.aborted) return entry.endAs;
    if (error instanceof EngineError && error.code === 'stopped') return { kind: 'stopped' };
    if (error instanceof EngineError && error.code === 'protected') {
      return { kind: 'interrupted', because: error.message };
    }
    return { kind: 'failed', error: appErrorOf(error, ports.log) };
  };

  const endEach = async (entries: readonly Running[], status: EndStatus): Promise<void> => {
    for (const entry of entries) {
      entry.endAs = status;
      entry.abort.abort();
    }
    await Promise.all(entries.map((entry) => entry.done));
  };

  return {
    start(message, request) {
      const answerNow = new AbortController();
      const entry: Running = {
        answer: resumedAnswer(message, ports.nowMs()),
        message,
        abort: new AbortController(),
        answerNow,
        endAs: { kind: 'stopped' },
        byUser: false,
        done: Promise.resolve(),
      };
      running.set(message.id, entry);
      entry.done = run(entry, { ...request, answerNow: answerNow.signal }).catch((error: unknown) => {
        running.delete(message.id);
        ports.log('error', `answer could not be stored: ${String(error)}`);
      });
    },

    stop(messageId) {
      const entry = running.get(messageId);
      if (entry === undefined) return false;
      entry.endAs = { kind: 'stopped' };
      entry.byUser = true;
      entry.abort.abort();
      return true;
    },

    answerNow(messageId) {
      const entry = running.get(messageId);
      if (entry === undefined) return 'not-running';
      if (entry.answer.text !== '') return 'not-thinking';
      entry.answerNow.abort();
      return 'asked';
    },

    isRunning: (conversationId) =>
      [...running.values()].some((entry) => entry.message.conversationId === conversationId),
    get count() {
      return running.size;
    },

    live(message) {
      if (message.role !== 'assistant') return message;
      const lost = unkept.get(message.id);
      if (lost !== undefined) return shownUnkept(lost);
      const entry = running.get(message.id);
      if (entry === undefined) return message;
      const { text, reasoning, reasoningMs, status, usage } = entry.answer;
      return { ...message, text, reasoning, reasoningMs, status, usage };
    },

    async endAll(status) {
      await endEach([...running.values()], status);
      keepUnkept();
    },
    end: (conversationId) =>
      endEach(
        [...running.values()].filter((entry) => entry.message.conversationId === conversationId),
        { kind: 'stopped' },
      ),
  };
}

const UNKEPT = {
  code: 'refused',
  message: 'This answer could not be written to the disk.',
  nextStep: 'Look whether the disk has room: it is kept as soon as it has. Until then it is here only.',
} as const;

function shownUnkept({ answer, message }: Running): AssistantMessage {
  const { text, reasoning, reasoningMs, usage } = answer;
  return { ...message, text, reasoning, reasoningMs, status: { kind: 'failed', error: UNKEPT }, usage };
}

/** Only what this attempt wrote counts. */
function runawayIn({ answer, message }: Running): Runaway | null {
  return runawayOf({
    reasoning: answer.reasoning.slice(message.reasoning.length),
    text: answer.text.slice(message.text.length),
    reasoningTokens: answer.reasoningTokens,
    answerTokens: answer.generatedTokens - answer.reasoningTokens,
    effort: message.effort,
    attempt: message.attempt,
  });
}

/** What an answer cost in all its attempts; rates and prompt are those of the last. */
function together(earlier: AnswerUsage | null, latest: AnswerUsage | null): AnswerUsage | null {
  if (earlier === null || latest === null) return latest ?? earlier;
  return {
    ...latest,
    completionTokens: earlier.completionTokens + latest.completionTokens,
    reasoningTokens: earlier.reasoningTokens + latest.reasoningTokens,
    firstTokenMs: earlier.firstTokenMs,
  };
}
