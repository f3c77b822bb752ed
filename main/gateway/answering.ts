/** One request through the engine: its pieces to the caller as they come, or the whole at the end. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { isRepeating } from '../chat/runaway.ts';
import { type Engine, type GenerationEvent, type GenerationUsage } from '../engine/engine.ts';
import { type AnswerHead, type AnswerTimings, type Asked, type Finish, type Piece, Pieces } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import { EventStream, type EventStreamTiming } from './event-stream.ts';
import type { OpenRequest } from './request-list.ts';

export interface AnsweringPorts {
  readonly engine: Pick<Engine, 'generate' | 'metrics'>;
  readonly nowMs: () => number;
  readonly timing: EventStreamTiming & AnswerDeadlines;
  /** A fault of anything thrown. */
  readonly faultOf: (thrown: unknown) => ApiFault;
}

export interface AnswerDeadlines {
  /** For a request to wait for its turn. */
  readonly queueMs: number;
  /** From its turn to its end. */
  readonly answerMs: number;
}

/** Throws what ended it as long as nothing was sent; later the caller is told in the stream. */
export async function answer(
  asked: Asked & { readonly modelName: string },
  request: OpenRequest,
  response: ServerResponse,
  ports: AnsweringPorts,
): Promise<object | null> {
  const { nowMs } = ports;
  const startedMs = nowMs();
  const head: AnswerHead = {
    id: randomUUID().replaceAll('-', ''),
    createdSeconds: Math.floor(Date.now() / 1_000),
    model: asked.modelName,
  };
  const writer = asked.writer(head);
  const out = asked.stream ? new EventStream(response, ports.timing) : null;
  const pieces = new Pieces();
  const clock = new AnswerClock(startedMs, nowMs);
  const runaway = new RunawayWatch();
  let deadline = setTimeout(() => request.end(tooLong('turn')), ports.timing.queueMs);
  let hasTurn = false;
  let isBegun = false;
  let readTokens = 0;

  const begin = async (): Promise<void> => {
    if (isBegun) return;
    isBegun = true;
    for (const frame of writer.opening(readTokens)) await out?.send(frame);
  };
  const end = async (finish: Finish): Promise<object | null> => {
    if (out === null) return writer.whole(finish);
    await begin();
    for (const frame of writer.ending(finish)) await out.send(frame);
    out.close();
    return null;
  };

  try {
    const events = ports.engine.generate(asked.generation, { signal: request.signal, priority: 'api' });
    for await (const event of events) {
      request.at(event);
      clock.see(event);
      if (event.kind === 'finish') {
        const { reason, stopSequence = null, usage } = event;
        return await end({ reason, stopSequence, usage, timings: clock.timings() });
      }
      if (event.kind === 'waiting') {
        out?.note(event.for === 'slot' ? `waiting, ${event.ahead} ahead` : 'loading the model');
        continue;
      }
      if (!hasTurn) {
        hasTurn = true;
        clearTimeout(deadline);
        deadline = setTimeout(() => request.end(tooLong('end')), ports.timing.answerMs);
      }
      if (event.kind === 'prefill') {
        readTokens = event.totalTokens;
        out?.note(`reading ${event.doneTokens}/${readTokens}`);
      }
      const piece = pieces.of(event);
      if (piece === null) continue;
      // In the order in which they go out: some number their events.
      if (out !== null) await begin();
      const frames = writer.piece(piece);
      if (out !== null) for (const frame of frames) await out.send(frame);
      // The engine notices that nobody reads on. The caller gets what a bound on the length would have left.
      if (runaway.add(piece)) {
        const usage = usageSoFar(ports.engine, clock.pieces);
        return await end({ reason: 'length', stopSequence: null, usage, timings: clock.timings() });
      }
    }
    throw new ApiFault(500, 'model_failed', 'The answer ended before it was finished. Try again.');
  } catch (thrown) {
    out?.abandon();
    if (out === null || !out.isOpen) throw thrown;
    // The status is gone; what is left is an error in the place of the next piece.
    const fault = ports.faultOf(request.ended ?? thrown);
    await begin();
    for (const frame of writer.broken(fault)) await out.send(frame);
    out.close();
    return null;
  } finally {
    clearTimeout(deadline);
  }
}

const tooLong = (until: 'turn' | 'end'): ApiFault =>
  until === 'turn'
    ? new ApiFault(503, 'queue_timeout', 'Other requests took too long. Try again.', null, { retryAfterSeconds: 10 })
    : new ApiFault(503, 'answer_timeout', 'The answer took too long and was ended. Bound it with max_tokens.');

/** The engine's own count where it is still to be had. */
function usageSoFar(engine: Pick<Engine, 'metrics'>, pieces: number): GenerationUsage {
  const counted = engine.metrics?.request ?? null;
  return {
    promptTokens: counted?.promptTokens ?? 0,
    cachedTokens: 0,
    completionTokens: counted?.generatedTokens ?? pieces,
    reasoningTokens: 0,
    prefillTokensPerSecond: null,
    decodeTokensPerSecond: null,
  };
}

class AnswerClock {
  pieces = 0;
  readonly #startedMs: number;
  readonly #nowMs: () => number;
  #queueMs = 0;
  #loadMs = 0;
  #waitingSince: { readonly for: 'slot' | 'engine'; readonly atMs: number } | null = null;
  #turnMs: number | null = null;
  #firstMs: number | null = null;

  constructor(startedMs: number, nowMs: () => number) {
    this.#startedMs = startedMs;
    this.#nowMs = nowMs;
  }

  see(event: GenerationEvent): void {
    const atMs = this.#nowMs();
    const since = this.#waitingSince;
    if (since !== null) {
      if (since.for === 'slot') this.#queueMs += atMs - since.atMs;
      else this.#loadMs += atMs - since.atMs;
    }
    this.#waitingSince = event.kind === 'waiting' ? { for: event.for, atMs } : null;
    if (event.kind === 'waiting') return;
    this.#turnMs ??= since === null ? this.#startedMs : atMs;
    if (event.kind === 'prefill' || event.kind === 'finish') return;
    this.pieces += 1;
    this.#firstMs ??= atMs;
  }

  timings(): AnswerTimings {
    const [turnMs, firstMs] = [this.#turnMs, this.#firstMs];
    return {
      queueMs: this.#queueMs,
      loadMs: this.#loadMs,
      prefillMs: turnMs === null || firstMs === null ? null : firstMs - turnMs,
      firstTokenMs: firstMs === null ? null : firstMs - this.#startedMs,
      totalMs: this.#nowMs() - this.#startedMs,
    };
  }
}

/** Looked at now and then: each look reads a page of text. */
const LOOK_EVERY_CHARACTERS = 500;
const TAIL_CHARACTERS = 4_000;

/** Whether what the model says is the same again and again; nobody sits there to stop it. */
class RunawayWatch {
  #kind: Piece['kind'] | null = null;
  #tail = '';
  #unseen = 0;

  add(piece: Piece): boolean {
    // A tool's arguments may repeat: a table, a list of zeros.
    if (piece.kind === 'call') return false;
    if (piece.kind !== this.#kind) {
      this.#kind = piece.kind;
      this.#tail = '';
      this.#unseen = 0;
    }
    this.#tail += piece.text;
    this.#unseen += piece.text.length;
    if (this.#unseen < LOOK_EVERY_CHARACTERS) return false;
    this.#unseen = 0;
    this.#tail = this.#tail.slice(-TAIL_CHARACTERS);
    return isRepeating(this.#tail);
  }
}
