/**
 * One request at a time: two at once is what Macs have panicked on (mlx#3186). A queue in order of arrival, in which
 * the window goes before other programs; whoever is served keeps the slot until release.
 */
export type SlotPriority = 'window' | 'api';

export interface SlotTicket {
  /** Requests before this one, the served one included; 0 means: it is yours. */
  readonly ahead: number;
  /** Resolves when `ahead` has changed, or when the signal aborts. */
  moved(signal: AbortSignal): Promise<void>;
  /** Leaves the queue or frees the slot. Safe to call twice. */
  release(): void;
}

export class Slot {
  #queue: Entry[] = [];

  enter(priority: SlotPriority): SlotTicket {
    const entry: Entry = { priority, listeners: new Set() };
    this.#change(insert(this.#queue, entry));
    const position = (): number => Math.max(0, this.#queue.indexOf(entry));
    return {
      get ahead() {
        return position();
      },
      moved: (signal) =>
        new Promise((resolve) => {
          const done = (): void => {
            entry.listeners.delete(done);
            signal.removeEventListener('abort', done);
            resolve();
          };
          if (signal.aborted) return resolve();
          entry.listeners.add(done);
          signal.addEventListener('abort', done);
        }),
      release: () => this.#change(this.#queue.filter((other) => other !== entry)),
    };
  }

  get length(): number {
    return this.#queue.length;
  }

  #change(next: Entry[]): void {
    const before = this.#queue;
    this.#queue = next;
    for (const [index, entry] of next.entries()) {
      if (before[index] !== entry) for (const listener of [...entry.listeners]) listener();
    }
  }
}

interface Entry {
  readonly priority: SlotPriority;
  readonly listeners: Set<() => void>;
}

/** Tells each time the queue moves, until it is the ticket's turn. `check` throws when the wait is over otherwise. */
export async function* turnOf(
  ticket: SlotTicket,
  ended: AbortSignal,
  check: () => void,
): AsyncGenerator<{ readonly kind: 'waiting'; readonly for: 'slot'; readonly ahead: number }> {
  while (ticket.ahead > 0) {
    const { ahead } = ticket;
    yield { kind: 'waiting', for: 'slot', ahead };
    // The queue may have moved while the reader was busy with that.
    if (ticket.ahead === ahead) await ticket.moved(ended);
    check();
  }
}

/** Behind the served one and behind earlier windows, before every waiting program. */
function insert(queue: readonly Entry[], entry: Entry): Entry[] {
  const firstOutranked = queue.findIndex((other, index) => index > 0 && other.priority === 'api');
  if (entry.priority === 'api' || firstOutranked === -1) return [...queue, entry];
  return [...queue.slice(0, firstOutranked), entry, ...queue.slice(firstOutranked)];
}
