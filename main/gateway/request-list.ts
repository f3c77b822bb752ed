/** The requests that wait or are answered, as the window shows them: who asks, since when, how many are before it. */
import { randomUUID } from 'node:crypto';
import type { EndpointRequest } from '../../preload/contract.ts';
import type { GenerationEvent } from '../engine/engine.ts';
import { ApiFault } from './api-fault.ts';
import type { Caller } from './records.ts';

/** One runs, the others wait. */
const MOST_REQUESTS = 16;
/** Some places are left for the others, whoever asks how often. */
const MOST_OF_ONE_CALLER = 12;

export interface OpenRequest {
  readonly signal: AbortSignal;
  /** Why it was ended from our side. */
  readonly ended: ApiFault | null;
  /** Ends it; whoever asked is told why, null when they have gone. */
  end(because: ApiFault | null): void;
  /** What the engine said last of it. */
  at(event: GenerationEvent): void;
  /** Takes it off the list. Safe to call twice. */
  leave(): void;
}

interface Entry {
  shown: EndpointRequest;
  readonly callerId: string;
  readonly controller: AbortController;
  ended: ApiFault | null;
}

export class RequestList {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#entries.size;
  }

  get shown(): readonly EndpointRequest[] {
    return [...this.#entries.values()].map(({ shown }) => shown);
  }

  /** Throws ApiFault when too many wait. */
  enter(caller: Caller, path: string, nowMs: number): OpenRequest {
    const own = [...this.#entries.values()].filter(({ callerId }) => callerId === caller.id).length;
    if (this.#entries.size >= MOST_REQUESTS) throw tooMany(`${MOST_REQUESTS} requests are waiting already.`);
    if (own >= MOST_OF_ONE_CALLER) throw tooMany(`${MOST_OF_ONE_CALLER} requests with this key are waiting already.`);
    const id = randomUUID();
    const entry: Entry = {
      shown: { id, client: caller.name, path, sinceMs: nowMs, stage: 'queued', ahead: this.#entries.size },
      callerId: caller.id,
      controller: new AbortController(),
      ended: null,
    };
    this.#entries.set(id, entry);
    this.#changed();
    return {
      signal: entry.controller.signal,
      get ended() {
        return entry.ended;
      },
      end: (because) => end(entry, because),
      at: (event) => this.#at(entry, event),
      leave: () => {
        if (this.#entries.delete(id)) this.#changed();
      },
    };
  }

  /** False when there is none. */
  end(id: string, because: ApiFault): boolean {
    const entry = this.#entries.get(id);
    if (entry !== undefined) end(entry, because);
    return entry !== undefined;
  }

  endAll(because: ApiFault, callerId: string | null = null): void {
    for (const entry of this.#entries.values())
      if (callerId === null || entry.callerId === callerId) end(entry, because);
  }

  #at(entry: Entry, event: GenerationEvent): void {
    const next = stageOf(event);
    const { shown } = entry;
    if (next.stage === shown.stage && next.ahead === shown.ahead) return;
    entry.shown = { ...shown, ...next };
    this.#changed();
  }
}

function end(entry: Entry, because: ApiFault | null): void {
  entry.ended ??= because;
  entry.controller.abort();
}

function stageOf(event: GenerationEvent): Pick<EndpointRequest, 'stage' | 'ahead'> {
  switch (event.kind) {
    case 'waiting':
      return event.for === 'slot' ? { stage: 'queued', ahead: event.ahead } : { stage: 'loading', ahead: 0 };
    case 'prefill':
      return { stage: 'reading', ahead: 0 };
    default:
      return { stage: 'answering', ahead: 0 };
  }
}

const tooMany = (sentence: string): ApiFault =>
  new ApiFault(429, 'too_many_requests', `${sentence} Try again later.`, null, { retryAfterSeconds: 5 });
