/** Conversations in action: a message goes to the store, then to the engine; the answer comes back as deltas. */
import type {
  AnswerStatus,
  AssistantMessage,
  ChatDelta,
  Conversation,
  ConversationSummary,
  Effort,
  Message,
} from '../../preload/contract.ts';
import { EngineError, type Engine, type GenerationRequest } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { appErrorOf } from '../host/app-error.ts';
import { isFinal } from '../../preload/answer-status.ts';
import { type Answer, ended, grow, newAnswer } from './answer.ts';
import { createDeltaCoalescer } from './delta-coalescer.ts';
import { historyFor } from './history.ts';
import { localDate } from '../local-date.ts';
import type { Log } from '../log/log.ts';
import type { ConversationStore, Turn } from './store.ts';

export interface ChatPorts {
  readonly store: ConversationStore;
  readonly engine: Engine;
  /** Makes sure the engine is on or on its way. Throws AppFault (no-model). */
  ensureRunning(): void;
  /** Throws AppFault when a prompt of this length is not taken now. */
  admitPrompt?(characters: number): void;
  /** Sampling of the current model. */
  sampling(): Pick<GenerationRequest, 'maxTokens' | 'temperature' | 'topP'>;
  nowMs(): number;
  publishDelta(delta: ChatDelta): void;
  publishMessage(message: Message): void;
  publishConversations(conversations: readonly ConversationSummary[]): void;
  readonly log: Log;
}

export interface Chat {
  send(input: { conversationId: string | null; text: string; effort: Effort }): Turn;
  /** Ends an answer; its text stays. `interrupted` is for what the user did not ask for (sleep, quit). */
  stop(messageId: string): void;
  open(conversationId: string): Conversation;
  /** Ends every answer with this status and waits until they are stored. */
  endAll(status: Extract<AnswerStatus, { kind: 'stopped' | 'interrupted' }>): Promise<void>;
}

/** How often a growing answer is saved. A crash costs at most this much text. */
const SAVE_INTERVAL_MS = 1_000;

interface Running {
  answer: Answer;
  readonly message: AssistantMessage;
  readonly abort: AbortController;
  endAs: Extract<AnswerStatus, { kind: 'stopped' | 'interrupted' }>;
  done: Promise<void>;
}

export function createChat(ports: ChatPorts): Chat {
  const { store, engine } = ports;
  const running = new Map<string, Running>();

  const run = async (entry: Running, request: GenerationRequest): Promise<void> => {
    const { id, conversationId } = entry.message;
    const deltas = createDeltaCoalescer({ conversationId, messageId: id }, ports.publishDelta);
    let savedAtMs = ports.nowMs();
    try {
      for await (const event of engine.generate(request, { signal: entry.abort.signal, priority: 'window' })) {
        const nowMs = ports.nowMs();
        entry.answer = grow(entry.answer, event, nowMs);
        if (isFinal(entry.answer.status)) break;
        deltas.update(entry.answer);
        if (nowMs - savedAtMs >= SAVE_INTERVAL_MS) {
          savedAtMs = nowMs;
          store.flush(id, entry.answer);
        }
      }
      if (!isFinal(entry.answer.status)) {
        throw new EngineError('disconnected', 'The answer ended in the middle.', 'Send the message again.');
      }
    } catch (error) {
      entry.answer = ended(entry.answer, statusFor(error, entry), ports.nowMs());
    }
    deltas.flush();
    store.finish(id, entry.answer, entry.answer.status, entry.answer.usage);
    running.delete(id);
    const stored = store.message(id);
    if (stored !== null) ports.publishMessage(stored);
  };

  const statusFor = (error: unknown, entry: Running): AnswerStatus => {
    if (entry.abort.signal.aborted) return entry.endAs;
    if (error instanceof EngineError && error.code === 'stopped') return { kind: 'stopped' };
    if (error instanceof EngineError && error.code === 'protected') {
      return { kind: 'interrupted', because: `${error.message} ${error.nextStep}` };
    }
    return { kind: 'failed', error: appErrorOf(error, ports.log) };
  };

  /** What is stored, with the live text of an answer that is still growing. */
  const live = (message: Message): Message => {
    const entry = running.get(message.id);
    if (entry === undefined || message.role !== 'assistant') return message;
    const { text, reasoning, reasoningMs, status, usage } = entry.answer;
    return { ...message, text, reasoning, reasoningMs, status, usage };
  };

  return {
    send({ conversationId, text, effort }) {
      for (const entry of running.values()) {
        if (entry.message.conversationId === conversationId) {
          throw new AppFault('refused', 'An answer is still being written here.', 'Wait for it, or stop it first.');
        }
      }
      const nowMs = ports.nowMs();
      const earlier = conversationId === null ? [] : (store.open(conversationId)?.messages ?? []);
      ports.admitPrompt?.(earlier.reduce((length, message) => length + message.text.length, text.length));
      ports.ensureRunning();
      const turn = store.addTurn({ conversationId, text, effort, nowMs, toldDate: localDate(nowMs) });
      if (turn === null) throw notFound();
      const messages = store.open(turn.conversation.id)?.messages ?? [];
      const entry: Running = {
        answer: newAnswer(nowMs),
        message: turn.assistant,
        abort: new AbortController(),
        endAs: { kind: 'stopped' },
        done: Promise.resolve(),
      };
      running.set(turn.assistant.id, entry);
      ports.publishConversations(store.list());
      ports.publishMessage(turn.user);
      ports.publishMessage(turn.assistant);
      entry.done = run(entry, {
        ...ports.sampling(),
        messages: historyFor(messages, turn.user.id),
        effort,
        date: store.toldDate(turn.conversation.id) ?? localDate(nowMs),
      }).catch((error: unknown) => ports.log('error', `answer could not be stored: ${String(error)}`));
      return turn;
    },

    stop(messageId) {
      const entry = running.get(messageId);
      if (entry !== undefined) {
        entry.endAs = { kind: 'stopped' };
        entry.abort.abort();
        return;
      }
      if (store.message(messageId) === null) throw notFound();
    },

    open(conversationId) {
      const conversation = store.open(conversationId);
      if (conversation === null) throw notFound();
      return { ...conversation, messages: conversation.messages.map(live) };
    },

    async endAll(status) {
      const entries = [...running.values()];
      for (const entry of entries) {
        entry.endAs = status;
        entry.abort.abort();
      }
      await Promise.all(entries.map((entry) => entry.done));
    },
  };
}

const notFound = (): AppFault =>
  new AppFault('not-found', 'This conversation is no longer there.', 'Choose another one or begin a new one.');
