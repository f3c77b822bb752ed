/**
 * What the endpoint costs: the same engine process asked through it and over its own socket, turn about; and whether four
 * programs in the queue wait alike.
 */
import { readFileSync } from 'node:fs';
import { runApp } from '../gateway/running-app.ts';
import { type AnswerTiming, type BareTarget, timeBareAnswer } from './bare-answer.ts';
import { type Bench, BenchUnavailable, type Figure, median } from './figure.ts';

const FIRST_TOKEN_PAIRS = 120;
/** The first of them are the channel's header, which nobody reads. */
const FIRST_TOKENS = 8;
const LONG_PAIRS = 15;
const LONG_TOKENS = 300;
const CLIENTS = 4;
const ROUNDS = 34;
/** Until every client is in the queue, they cannot have waited alike. */
const ROUNDS_TO_SETTLE = 2;

interface Timing extends AnswerTiming {
  readonly cpuMs: number;
}

async function ask(way: BareTarget, content: string, maxTokens: number): Promise<Timing> {
  const cpu = process.cpuUsage();
  const taken = await timeBareAnswer(way, {
    messages: [{ role: 'user', content }],
    reasoning_effort: 'low',
    max_tokens: maxTokens,
    temperature: 0,
    top_p: 1,
  });
  const { user, system } = process.cpuUsage(cpu);
  return { ...taken, cpuMs: (user + system) / 1_000 };
}

/** The engine that this process has started: its socket and its token, as they stand in its own start. */
function engineSocket(): BareTarget {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  for (const pid of children) {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (!args.includes('headroom_engine')) continue;
    const token = /HEADROOM_ENGINE_TOKEN=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? '';
    return { target: { socketPath: args[args.indexOf('--socket') + 1] ?? '' }, token };
  }
  throw new Error('there is no engine');
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const bench: Bench = async () => {
  if (process.platform !== 'linux') throw new BenchUnavailable('the engine’s own socket is found through /proc');
  const running = await runApp();
  const { hostname: host, port } = new URL(running.url);
  const gateway: BareTarget = { target: { host, port: Number(port) }, token: running.key };
  try {
    await ask(gateway, 'Hello', 5);
    const bare = engineSocket();
    const pairs = async (count: number, tokens: number, text: string) => {
      const taken: { gateway: Timing[]; bare: Timing[] } = { gateway: [], bare: [] };
      for (let pair = -2; pair < count; pair += 1) {
        for (const arm of pair % 2 === 0 ? (['gateway', 'bare'] as const) : (['bare', 'gateway'] as const)) {
          // Another text each time, so that neither way finds the other's prompt cached.
          const one = await ask(arm === 'gateway' ? gateway : bare, `${arm} ${pair + 10}: ${text}`, tokens);
          if (pair >= 0) taken[arm].push(one);
        }
      }
      return taken;
    };
    const first = await pairs(FIRST_TOKEN_PAIRS, FIRST_TOKENS, 'what is a wired limit');
    const long = await pairs(LONG_PAIRS, LONG_TOKENS, 'write a long text about the wired limit of a Mac');
    const firstOf = (arm: 'gateway' | 'bare', share: number): number =>
      percentile(
        first[arm].map((one) => one.firstTokenMs),
        share,
      );
    // Pair by pair, because the machine's other load changes more from minute to minute than the ways differ.
    const added = first.gateway.map((one, pair) => one.firstTokenMs - (first.bare[pair]?.firstTokenMs ?? 0));
    const ratios = long.gateway.map((one, pair) => one.tokensPerSecond / (long.bare[pair]?.tokensPerSecond ?? 1));
    const cpuPer1000 = (arm: 'gateway' | 'bare'): number =>
      (1_000 * long[arm].reduce((sum, one) => sum + one.cpuMs, 0)) /
      long[arm].reduce((sum, one) => sum + one.tokens, 0);
    return [
      {
        name: 'endpoint: added to first token, median of pairs',
        unit: 'ms',
        value: median(added),
        baseline: null,
        compare: 'value',
        aim: { at: 'most', value: 3 },
      },
      {
        name: 'endpoint: time to first token, p99',
        unit: 'ms',
        value: firstOf('gateway', 0.99),
        baseline: { what: 'engine’s socket', value: firstOf('bare', 0.99) },
        compare: 'difference',
        aim: { at: 'most', value: 10 },
      },
      {
        name: 'endpoint: decode rate to the engine’s socket, median of pairs',
        unit: '×',
        value: median(ratios),
        baseline: null,
        compare: 'value',
        aim: { at: 'least', value: 0.99 },
      },
      {
        name: 'endpoint: processor time for 1,000 tokens, the reader’s included',
        unit: 'ms',
        value: cpuPer1000('gateway'),
        baseline: { what: 'engine’s socket', value: cpuPer1000('bare') },
        compare: 'difference',
        aim: null,
      },
      await queueFairness(running.app.handlers),
    ];
  } finally {
    await running.end();
  }
};

type Handlers = Awaited<ReturnType<typeof runApp>>['app']['handlers'];

/** Each client asks again as soon as it was answered. Waiting is what comes before its turn, by the endpoint's own clock. */
async function queueFairness(handlers: Handlers): Promise<Figure> {
  const waits = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const { key, url } = await handlers['endpoint.addClient']({ name: `client ${client}` });
      const waited: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const response = await fetch(`${url}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            // The same for everybody: who waits longer must not be a matter of what the others ask.
            messages: [{ role: 'user', content: 'Write a long text' }],
            max_tokens: 40,
            temperature: 0,
            reasoning_effort: 'low',
          }),
        });
        const { timings } = (await response.json()) as { timings: { queue_ms: number } };
        if (round >= ROUNDS_TO_SETTLE) waited.push(timings.queue_ms);
      }
      return waited.reduce((sum, one) => sum + one, 0) / waited.length;
    }),
  );
  if (Math.min(...waits) <= 0) throw new Error('nobody waited: nothing can be said');
  const mean = waits.reduce((sum, one) => sum + one, 0) / waits.length;
  return {
    name: `endpoint: widest gap between ${CLIENTS} clients’ mean waits, of the mean`,
    unit: '%',
    value: (100 * (Math.max(...waits) - Math.min(...waits))) / mean,
    baseline: { what: 'mean wait, ms', value: mean },
    compare: 'value',
    aim: { at: 'most', value: 10 },
  };
}

export default bench;
