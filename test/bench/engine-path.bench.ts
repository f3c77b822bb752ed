/**
 * What our way to the engine costs: `Engine.generate` against bare bytes from the engine's socket, for the same
 * requests to the same process, turn about.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GenerationRequest } from '../../main/engine/engine.ts';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { terminalSpawner } from '../../main/engine/spawner.ts';
import { createSupervisor, pythonCommand } from '../../main/engine/supervisor.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';
import { type AnswerTiming, answerTiming, timeBareAnswer } from './bare-answer.ts';
import { type Bench, median } from './figure.ts';

const PAIRS = 41;

const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hr-bench-'));
  let token = '';
  let socketPath = '';
  const engine = createSupervisor({
    spawner: {
      spawn(command, handlers) {
        token = command.env['HEADROOM_ENGINE_TOKEN'] ?? '';
        return terminalSpawner.spawn(command, handlers);
      },
    },
    log: () => undefined,
    command: pythonCommand(pythonExecutable),
    cacheFolder: folder,
    makeSocketFolder: () => {
      const made = makeSocketFolder(folder);
      socketPath = made.socketPath;
      return made;
    },
  });

  const ours = async (request: GenerationRequest): Promise<AnswerTiming> => {
    const startedMs = performance.now();
    let firstMs = 0;
    let lastMs = 0;
    let tokens = 0;
    for await (const event of engine.generate(request, { signal: new AbortController().signal, priority: 'window' })) {
      if (event.kind === 'reasoning' || event.kind === 'content') {
        lastMs = performance.now();
        if (firstMs === 0) firstMs = lastMs;
      } else if (event.kind === 'finish') tokens = event.usage.completionTokens;
    }
    return answerTiming({ startedMs, firstMs, lastMs, tokens });
  };

  const bare = (request: GenerationRequest): Promise<AnswerTiming> =>
    timeBareAnswer(
      { target: { socketPath }, token },
      {
        messages: request.messages,
        reasoning_effort: request.effort,
        date: request.date,
        max_tokens: request.maxTokens,
        temperature: request.temperature,
      },
    );

  try {
    await engine.start({ folder: modelFolder, name: 'bench' });
    const taken: Record<'ours' | 'bare', AnswerTiming[]> = { ours: [], bare: [] };
    for (let pair = -2; pair < PAIRS; pair += 1) {
      for (const arm of pair % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
        // Another text each time, so that neither arm finds the other's prompt cached.
        const question = `${arm} ${pair + 10}: write a long text about the wired limit of a Mac`;
        const request: GenerationRequest = {
          messages: [{ role: 'user', content: question }],
          effort: 'low',
          date: '2026-01-02',
          maxTokens: 300,
          temperature: 0,
        };
        const one = await (arm === 'ours' ? ours : bare)(request);
        // The first two pairs warm up what compiles on first use.
        if (pair >= 0) taken[arm].push(one);
      }
    }
    const of = (arm: 'ours' | 'bare', value: (timing: AnswerTiming) => number): number => median(taken[arm].map(value));
    // Pair by pair, because the machine's other load changes more from minute to minute than the arms differ.
    const byPair = (compare: (ours: AnswerTiming, bare: AnswerTiming) => number): number =>
      median(taken.ours.map((one, pair) => compare(one, taken.bare[pair] ?? one)));
    return [
      {
        name: 'engine path: time to first token',
        unit: 'ms',
        value: of('ours', (one) => one.firstTokenMs),
        baseline: { what: 'bare socket', value: of('bare', (one) => one.firstTokenMs) },
        compare: 'difference',
        aim: null,
      },
      {
        name: 'engine path: added to first token, median of pairs',
        unit: 'ms',
        value: byPair((one, other) => one.firstTokenMs - other.firstTokenMs),
        baseline: null,
        compare: 'value',
        aim: { at: 'most', value: 5 },
      },
      {
        name: 'engine path: decode rate',
        unit: 'tok/s',
        value: of('ours', (one) => one.tokensPerSecond),
        baseline: { what: 'bare socket', value: of('bare', (one) => one.tokensPerSecond) },
        compare: 'ratio',
        aim: null,
      },
      {
        name: 'engine path: decode rate to bare socket, median of pairs',
        unit: '×',
        value: byPair((one, other) => one.tokensPerSecond / other.tokensPerSecond),
        baseline: null,
        compare: 'value',
        aim: { at: 'least', value: 0.98 },
      },
    ];
  } finally {
    await engine.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
};

export default bench;
