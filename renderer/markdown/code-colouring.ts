import type { ColourAnswer, ColouredLine, ColourRequest } from './code-colours.ts';
import type { Grammar } from './languages.ts';

/** The worker as this file needs it. */
export interface ColourWorker {
  ask(request: ColourRequest): void;
  terminate(): void;
  onAnswer(listener: (answer: ColourAnswer) => void): void;
  onFailure(listener: () => void): void;
}

export interface ColouringPorts {
  readonly startWorker: () => ColourWorker;
  readonly setTimer: (run: () => void, afterMs: number) => number;
  readonly clearTimer: (timer: number) => void;
}

/** A worker that nobody has asked for this long is ended. */
const IDLE_MS = 10_000;
/** A pattern that takes this long on a line will not end. The first lines of a language take a second on a slow machine. */
const STUCK_MS = 15_000;
/** After so many workers in a row that failed or hung, no other is started: no text may keep the machine busy with them. */
const MAX_FAILURES = 3;
/** Characters of code whose colours are kept for when their message comes back into view. */
const MAX_KEPT_CHARACTERS = 600_000;
/** More than this of one block stays plain. */
const MAX_LINES = 5_000;

const NONE: readonly ColouredLine[] = [];

/** Colours of code blocks: asks a worker for lines that are complete, and keeps what it has answered. */
export class CodeColouring {
  readonly #ports: ColouringPorts;
  readonly #blocks = new Map<number, BlockColours>();
  readonly #kept = new Map<string, readonly ColouredLine[]>();
  #keptCharacters = 0;
  #worker: ColourWorker | null = null;
  #timer: number | null = null;
  #failures = 0;
  #lastBlock = 0;
  /** Counts workers: what one was sent the next one does not know. */
  #generation = 0;

  constructor(ports: ColouringPorts) {
    this.#ports = ports;
  }

  get generation(): number {
    return this.#generation;
  }

  open(grammar: Grammar): BlockColours {
    const block = new BlockColours(++this.#lastBlock, grammar, this);
    this.#blocks.set(block.id, block);
    return block;
  }

  close(block: BlockColours): void {
    this.#blocks.delete(block.id);
  }

  recall(grammar: Grammar, code: string): readonly ColouredLine[] | undefined {
    const key = `${grammar}\n${code}`;
    const lines = this.#kept.get(key);
    if (lines === undefined) return undefined;
    // Used last, dropped last.
    this.#kept.delete(key);
    this.#kept.set(key, lines);
    return lines;
  }

  keep(grammar: Grammar, code: string, lines: readonly ColouredLine[]): void {
    const key = `${grammar}\n${code}`;
    if (!this.#kept.has(key)) this.#keptCharacters += key.length;
    this.#kept.set(key, lines);
    for (const oldest of this.#kept.keys()) {
      if (this.#keptCharacters <= MAX_KEPT_CHARACTERS) break;
      this.#kept.delete(oldest);
      this.#keptCharacters -= oldest.length;
    }
  }

  /** False when there is no worker to be had any more: code stays plain. */
  ask(request: ColourRequest): boolean {
    if (this.#failures >= MAX_FAILURES) return false;
    if (this.#worker === null) {
      try {
        this.#worker = this.#ports.startWorker();
      } catch {
        this.#failures = MAX_FAILURES;
        return false;
      }
      this.#worker.onAnswer((answer) => this.#take(answer));
      this.#worker.onFailure(() => this.#fail());
    }
    this.#worker.ask(request);
    this.#wait(STUCK_MS, () => this.#fail());
    return true;
  }

  #take(answer: ColourAnswer): void {
    this.#failures = 0;
    if (answer.isIdle) this.#wait(IDLE_MS, () => this.#end());
    else this.#wait(STUCK_MS, () => this.#fail());
    this.#blocks.get(answer.block)?.take(answer);
  }

  #fail(): void {
    this.#failures += 1;
    this.#end();
    // What it was at work on is not tried again; other blocks are asked for when they grow or come back into view.
    for (const block of this.#blocks.values()) block.giveUp();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#generation += 1;
    if (this.#timer !== null) this.#ports.clearTimer(this.#timer);
    this.#timer = null;
  }

  #wait(ms: number, run: () => void): void {
    if (this.#timer !== null) this.#ports.clearTimer(this.#timer);
    this.#timer = this.#ports.setTimer(run, ms);
  }
}

/** One block's colours as they come in: a store for the component that draws it. */
export class BlockColours {
  readonly id: number;
  readonly grammar: Grammar;
  readonly #colouring: CodeColouring;
  readonly #listeners = new Set<() => void>();
  #lines: readonly ColouredLine[] = NONE;
  /** What the worker has been sent of this block, and which worker. */
  #sent: readonly string[] = [];
  #generation = -1;
  #isGivenUp = false;

  constructor(id: number, grammar: Grammar, colouring: CodeColouring) {
    this.id = id;
    this.grammar = grammar;
    this.#colouring = colouring;
  }

  get lines(): readonly ColouredLine[] {
    return this.#lines;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The lines that are complete. Those that were not asked for yet are. */
  show(lines: readonly string[]): void {
    if (this.#isGivenUp || lines.length > MAX_LINES || isStartOf(lines, this.#sent)) return;
    if (this.#sent.length === 0) {
      const known = this.#colouring.recall(this.grammar, lines.join('\n'));
      if (known !== undefined) {
        this.#lines = known;
        this.#sent = lines;
        this.#wake();
        return;
      }
    }
    const isContinued = this.#generation === this.#colouring.generation && isStartOf(this.#sent, lines);
    const from = isContinued ? this.#sent.length : 0;
    this.#generation = this.#colouring.generation;
    this.#sent = lines;
    if (!this.#colouring.ask({ block: this.id, grammar: this.grammar, from, lines: lines.slice(from) }))
      this.#isGivenUp = true;
  }

  take({ from, lines }: ColourAnswer): void {
    // Lines after some that could not be coloured have no place.
    if (lines.length === 0 || from > this.#lines.length) return;
    this.#lines = [...this.#lines.slice(0, from), ...lines, ...this.#lines.slice(from + lines.length)];
    this.#wake();
  }

  giveUp(): void {
    if (this.#lines.length < this.#sent.length) this.#isGivenUp = true;
  }

  /** What is known is kept for when the block comes back into view. */
  close(): void {
    if (this.#sent.length > 0 && this.#lines.length === this.#sent.length)
      this.#colouring.keep(this.grammar, this.#sent.join('\n'), this.#lines);
    this.#colouring.close(this);
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}

const isStartOf = (start: readonly string[], lines: readonly string[]): boolean =>
  start.length <= lines.length && start.every((line, index) => line === lines[index]);
