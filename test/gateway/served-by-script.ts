/** The endpoint over real sockets with an engine that follows a script, for requests by the thousand. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type GenerationEvent } from '../../main/engine/engine.ts';
import { createEndpoint, type Endpoint } from '../../main/gateway/endpoint.ts';

export const KEY = `hr-${'k'.repeat(43)}`;

export interface Served {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly lines: string[];
  /** Answers that the engine has begun and not ended. */
  generating(): number;
}

export interface ScriptOptions {
  /** Pieces of an answer. */
  readonly pieces?: number;
  readonly pieceMs?: number;
  readonly requestMs?: number;
}

export async function serveByScript({
  pieces = 3,
  pieceMs = 0,
  requestMs = 60_000,
}: ScriptOptions = {}): Promise<Served> {
  const lines: string[] = [];
  let generating = 0;
  async function* generate(signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    generating += 1;
    try {
      for (let index = 0; index < pieces; index += 1) {
        if (pieceMs > 0) await sleep(pieceMs);
        if (signal.aborted) throw new EngineError('aborted', 'Cancelled.', '');
        yield { kind: index === 0 ? 'reasoning' : 'content', text: `word ${index} ` };
      }
      yield {
        kind: 'finish',
        reason: 'stop',
        usage: {
          promptTokens: 5,
          cachedTokens: 0,
          completionTokens: pieces,
          reasoningTokens: 1,
          prefillTokensPerSecond: null,
          decodeTokensPerSecond: null,
        },
      };
    } finally {
      generating -= 1;
    }
  }
  const model = { id: 'org/tiny', name: 'tiny' };
  const endpoint = await createEndpoint({
    engine: {
      state: { kind: 'ready', sinceMs: 0 },
      metrics: null,
      count: () => Promise.resolve(5),
      generate: (_request, { signal }) => generate(signal),
    },
    models: {
      current: () => model,
      available: () => [model],
      isPinned: () => false,
      choose: () => Promise.resolve(),
    },
    sampling: () => null,
    ensureRunning: () => {},
    callerOf: (key) => (key === KEY ? { id: 'default', name: 'Default key' } : null),
    origins: () => [],
    changed: () => {},
    log: (level, message) => {
      if (level !== 'info') lines.push(message);
    },
    ports: [0],
    timing: {
      keepAliveMs: 5_000,
      stallMs: 60_000,
      headersMs: 10_000,
      requestMs,
      queueMs: 60_000,
      answerMs: 60_000,
    },
  });
  return { endpoint, port: endpoint.port, lines, generating: () => generating };
}
