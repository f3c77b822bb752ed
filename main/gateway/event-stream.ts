/** Server-sent events to one client: opened late, kept alive while nothing comes, held back by a slow reader. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Frame } from './answer-writer.ts';

export interface EventStreamTiming {
  /** Silence after which a comment goes out, so that neither side's timeouts end a long prefill. */
  readonly keepAliveMs: number;
  /** How long a client may read nothing before it counts as gone. It holds the only slot. */
  readonly stallMs: number;
}

export class EventStream {
  readonly #response: ServerResponse;
  readonly #timing: EventStreamTiming;
  readonly #keepAlive: NodeJS.Timeout;
  #lastComment = '';

  constructor(response: ServerResponse, timing: EventStreamTiming) {
    this.#response = response;
    this.#timing = timing;
    this.#keepAlive = setInterval(() => this.#write(`: ${this.#lastComment || 'waiting'}\n\n`), timing.keepAliveMs);
  }

  /** Until something was sent, the request can still be answered with a plain error and its status. */
  get isOpen(): boolean {
    return this.#response.headersSent;
  }

  /** What the keep-alive comment says. Not sent at once: a comment tells programs nothing, people reading along little. */
  note(comment: string): void {
    this.#lastComment = comment;
  }

  /** Resolves when the client can take more; at once when it has gone. */
  send({ event, data }: Frame): Promise<void> | void {
    const text = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    this.#write(event === undefined ? text : `event: ${event}\n${text}`);
    this.#keepAlive.refresh();
    if (this.#response.writableNeedDrain) return this.#drained();
  }

  close(): void {
    clearInterval(this.#keepAlive);
    if (!this.#response.writableEnded) this.#response.end();
  }

  /** Ends the keep-alive without ending the answer, which is then not a stream after all. */
  abandon(): void {
    clearInterval(this.#keepAlive);
  }

  #write(text: string): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    }
    response.write(text);
  }

  async #drained(): Promise<void> {
    const stalled = setTimeout(() => this.#response.destroy(), this.#timing.stallMs);
    const either = new AbortController();
    const { signal } = either;
    try {
      // `close` comes without `drain` when the client goes away.
      await Promise.race([once(this.#response, 'drain', { signal }), once(this.#response, 'close', { signal })]);
    } catch {
      // A reset connection: the caller's own signal has it.
    } finally {
      either.abort();
      clearTimeout(stalled);
    }
  }
}
