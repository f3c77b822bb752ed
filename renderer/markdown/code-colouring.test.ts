import { beforeEach, describe, expect, test } from 'vitest';
import { CodeColouring, type ColourWorker } from './code-colouring.ts';
import type { ColourAnswer, ColourRequest } from './code-colours.ts';

class FakeWorker implements ColourWorker {
  readonly requests: ColourRequest[] = [];
  isEnded = false;
  fail = (): void => undefined;
  #hear = (_answer: ColourAnswer): void => undefined;
  ask(request: ColourRequest): void {
    this.requests.push(request);
  }
  terminate(): void {
    this.isEnded = true;
  }
  onAnswer(listener: (answer: ColourAnswer) => void): void {
    this.#hear = listener;
  }
  onFailure(listener: () => void): void {
    this.fail = listener;
  }
  answer(request = this.requests.at(-1)): void {
    if (request === undefined) throw new Error('nothing was asked');
    const lines = request.lines.map((line) => [1, line.length]);
    this.#hear({ block: request.block, from: request.from, lines, isIdle: true });
  }
}

describe('colours of code', () => {
  let workers: FakeWorker[];
  let timer: { readonly run: () => void; readonly afterMs: number } | null;
  let colouring: CodeColouring;
  const worker = (): FakeWorker => {
    const last = workers.at(-1);
    if (last === undefined) throw new Error('there is no worker');
    return last;
  };

  beforeEach(() => {
    workers = [];
    timer = null;
    colouring = new CodeColouring({
      startWorker: () => {
        workers.push(new FakeWorker());
        return worker();
      },
      setTimer: (run, afterMs) => {
        timer = { run, afterMs };
        return 1;
      },
      clearTimer: () => (timer = null),
    });
  });

  test('only new lines are asked for while a block grows', () => {
    const block = colouring.open('sql');
    block.show(['select']);
    worker().answer();
    block.show(['select', 'from']);
    expect(worker().requests.at(-1)).toMatchObject({ from: 1, lines: ['from'] });
    worker().answer();
    expect(block.lines).toEqual([
      [1, 6],
      [1, 4],
    ]);
    block.show(['select', 'from']);
    expect(worker().requests).toHaveLength(2);
  });

  test('other text is asked for from its beginning', () => {
    const block = colouring.open('sql');
    block.show(['a', 'b']);
    worker().answer();
    block.show(['a', 'c', 'd']);
    expect(worker().requests.at(-1)).toMatchObject({ from: 0, lines: ['a', 'c', 'd'] });
  });

  test('a block that comes back into view has its colours at once', () => {
    const first = colouring.open('sql');
    first.show(['select', '1']);
    worker().answer();
    first.close();
    const again = colouring.open('sql');
    again.show(['select', '1']);
    expect(again.lines).toHaveLength(2);
    expect(worker().requests).toHaveLength(1);
    // The worker knows nothing of it: what follows needs the lines before.
    again.show(['select', '1', '2']);
    expect(worker().requests.at(-1)).toMatchObject({ from: 0, lines: ['select', '1', '2'] });
  });

  test('lines after some that could not be coloured stay plain', () => {
    const block = colouring.open('sql');
    block.show(['a', 'b']);
    worker().answer({ block: 1, grammar: 'sql', from: 0, lines: [] });
    block.show(['a', 'b', 'c']);
    worker().answer();
    expect(block.lines).toEqual([]);
  });

  test('half of the colours are not kept', () => {
    const first = colouring.open('sql');
    first.show(['select', '1']);
    first.close();
    const again = colouring.open('sql');
    again.show(['select', '1']);
    expect(worker().requests).toHaveLength(2);
  });

  test('an idle worker is ended, and a growing block starts another with all of its lines', () => {
    const block = colouring.open('sql');
    block.show(['a']);
    worker().answer();
    expect(timer?.afterMs).toBe(10_000);
    timer?.run();
    expect(workers[0]?.isEnded).toBe(true);
    block.show(['a', 'b']);
    expect(workers).toHaveLength(2);
    expect(worker().requests).toMatchObject([{ from: 0, lines: ['a', 'b'] }]);
  });

  test('a worker that hangs is ended, and its block stays plain', () => {
    const block = colouring.open('sql');
    block.show(['a']);
    timer?.run();
    expect(workers[0]?.isEnded).toBe(true);
    block.show(['a', 'b']);
    expect(workers).toHaveLength(1);
    const other = colouring.open('sql');
    other.show(['x']);
    worker().answer();
    expect(other.lines).toEqual([[1, 1]]);
  });

  test('workers that keep failing are not started for ever', () => {
    for (let block = 0; block < 10; block += 1) {
      colouring.open('sql').show([`line ${block}`]);
      worker().fail();
    }
    expect(workers).toHaveLength(3);
  });
});
