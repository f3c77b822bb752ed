/**
 * What a turn of a chat has to read before its first token: twelve turns, by our engine with its caches kept, and by the
 * stock mlx_lm.server on the same model; once in one go, once with the model unloaded after the sixth turn. Tokens read
 * in the foreground are compared with those of the new message and its headers.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCacheShelf } from '../../main/engine/cache-shelf.ts';
import { systemClock } from '../../main/engine/clock.ts';
import type { EngineMessage } from '../../main/engine/engine.ts';
import { keepPromptCaches } from '../../main/engine/kept-caches.ts';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { terminalSpawner } from '../../main/engine/spawner.ts';
import { createSupervisor, pythonCommand } from '../../main/engine/supervisor.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';
import type { Bench, Figure } from './figure.ts';

const TURNS = 12;
const UNLOAD_AFTER = 6;
const MAX_TOKENS = 160;
const LONGEST_QUIET_MS = 20_000;
const question = (turn: number): string =>
  `${turn}: ${'Please tell me more about the sea, the ships and the weather. '.repeat(1 + (turn % 4))}`;

interface Asked {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly answer: string;
}

interface Server {
  ask(messages: readonly EngineMessage[]): Promise<Asked>;
  /** Tokens read while nobody waited, since the last time. */
  quiet(): Promise<number>;
  restart(): Promise<void>;
  end(): Promise<void>;
}

interface Chat {
  /** Read before the first token, in every turn but the first, which is all new. */
  readonly foreground: readonly number[];
  readonly background: readonly number[];
  /** The new message and its headers. */
  readonly fresh: readonly number[];
  readonly afterUnload: number | null;
}

const bench: Bench = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hr-bench-'));
  try {
    const figures: Figure[] = [];
    const ours = await ourServer(folder);
    const results = new Map<string, Chat>();
    try {
      results.set('ours', await chat(ours, ours.count, false));
      results.set('ours, unloaded', await chat(ours, ours.count, true));
      for (const unload of [false, true]) {
        const stock = await stockServer();
        try {
          results.set(unload ? 'stock, unloaded' : 'stock', await chat(stock, ours.count, unload));
        } finally {
          await stock.end();
        }
      }
    } finally {
      await ours.end();
    }
    for (const how of ['', ', unloaded']) {
      const [mine, theirs] = [results.get(`ours${how}`), results.get(`stock${how}`)];
      if (mine === undefined || theirs === undefined) continue;
      const when = how === '' ? `${TURNS} turns` : `${TURNS} turns, unloaded after ${UNLOAD_AFTER}`;
      figures.push(
        {
          name: `prefill per turn, foreground (${when})`,
          unit: 'tokens',
          value: mean(mine.foreground),
          baseline: { what: 'the new message', value: mean(mine.fresh) },
          compare: 'ratio',
          aim: { at: 'most', value: 1.1 },
        },
        {
          name: `prefill per turn, stock mlx_lm.server (${when})`,
          unit: 'tokens',
          value: mean(theirs.foreground),
          baseline: { what: 'the new message', value: mean(theirs.fresh) },
          compare: 'ratio',
          aim: null,
        },
        {
          name: `prefill per turn, background (${when})`,
          unit: 'tokens',
          value: mean(mine.background),
          baseline: { what: 'the new message', value: mean(mine.fresh) },
          compare: 'ratio',
          aim: null,
        },
      );
      if (mine.afterUnload !== null && theirs.afterUnload !== null) {
        figures.push({
          name: 'prefill of the first turn after an unload',
          unit: 'tokens',
          value: mine.afterUnload,
          baseline: { what: 'stock mlx_lm.server', value: theirs.afterUnload },
          compare: 'ratio',
          aim: null,
        });
      }
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

async function chat(
  server: Server,
  count: (messages: readonly EngineMessage[]) => Promise<number>,
  unload: boolean,
): Promise<Chat> {
  const messages: EngineMessage[] = [];
  const [foreground, background, fresh]: [number[], number[], number[]] = [[], [], []];
  let afterUnload: number | null = null;
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const before = turn === 1 ? 0 : await count(messages);
    messages.push({ role: 'user', content: question(turn) });
    const { promptTokens, cachedTokens, answer } = await server.ask(messages);
    if (turn > 1) {
      foreground.push(promptTokens - cachedTokens);
      fresh.push((await count(messages)) - before);
      if (unload && turn === UNLOAD_AFTER + 1) afterUnload = promptTokens - cachedTokens;
    }
    messages.push({ role: 'assistant', content: answer });
    background.push(await server.quiet());
    if (unload && turn === UNLOAD_AFTER) await server.restart();
  }
  return { foreground, background, fresh, afterUnload };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

// ── The two servers ───────────────────────────────────────────────────────────────────────────────

async function ourServer(
  folder: string,
): Promise<Server & { count(messages: readonly EngineMessage[]): Promise<number> }> {
  const caches = join(folder, 'caches');
  mkdirSync(caches, { mode: 0o700 });
  const supervisor = createSupervisor({
    spawner: terminalSpawner,
    log: () => undefined,
    command: pythonCommand(pythonExecutable, { promptCacheFolder: caches }),
    cacheFolder: folder,
    makeSocketFolder: () => makeSocketFolder(folder),
  });
  const readAhead: number[] = [];
  let loads = 0;
  const engine = keepPromptCaches({
    engine: supervisor,
    shelf: openCacheShelf({ folder: caches, log: () => undefined, freeBytes: () => Number.MAX_SAFE_INTEGER }),
    mayReadAhead: () => true,
    longestSaveMs: () => 3_000,
    clock: systemClock,
    log: (_, message) => {
      const read = /^read ahead (\d+)/.exec(message);
      if (read !== null) readAhead.push(Number(read[1]));
      if (message.includes('is back')) loads += 1;
    },
  });
  const model = { folder: modelFolder, name: 'bench' };
  await engine.start(model);
  const rest = { effort: 'low', date: '2026-01-02' } as const;
  let talks = 0;
  return {
    count: (messages) => engine.count({ messages, ...rest }, new AbortController().signal),
    async ask(messages) {
      if (messages.length === 1) talks += 1;
      const request = {
        messages: [...messages],
        ...rest,
        maxTokens: MAX_TOKENS,
        temperature: 0,
        cacheKey: `talk ${talks}`,
      };
      let answer = '';
      const options = { signal: new AbortController().signal, priority: 'window' } as const;
      for await (const event of engine.generate(request, options)) {
        // As a conversation keeps it.
        if (event.kind === 'content' || event.kind === 'commentary') answer += event.text;
        if (event.kind === 'finish') return { ...event.usage, answer };
      }
      throw new Error('an answer without its end');
    },
    async quiet() {
      // An answer that said nothing leaves nothing to read.
      await until(() => readAhead.length > 0);
      return readAhead.splice(0).reduce((sum, tokens) => sum + tokens, 0);
    },
    async restart() {
      const before = loads;
      await engine.stop();
      await engine.start(model);
      await until(() => loads > before);
    },
    end: () => engine.dispose(),
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + LONGEST_QUIET_MS; !condition() && Date.now() < deadline; ) await sleep(10);
}

/** As its own documentation starts it, but for the port. */
async function stockServer(): Promise<Server> {
  const port = await freePort();
  const args = ['-I', '-m', 'mlx_lm', 'server', '--model', modelFolder, '--port', String(port)];
  const env = { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' };
  const start = async () => {
    const child = spawn(pythonExecutable, args, { env, stdio: 'ignore' });
    for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('mlx_lm.server did not start');
      if (
        await fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return child;
    }
  };
  let child = await start();
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    async ask(messages) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({
          messages,
          max_tokens: MAX_TOKENS,
          temperature: 0,
          chat_template_kwargs: { reasoning_effort: 'low' },
        }),
      });
      const body = (await response.json()) as {
        choices: { message: { content: string | null } }[];
        usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
      };
      // It hands out the model's markers as they are; a template takes no answer that has them.
      const raw = body.choices[0]?.message.content ?? '';
      const answer = raw.split('<|channel|>final<|message|>')[1]?.split('<|')[0] ?? 'Nothing.';
      const { prompt_tokens: promptTokens, prompt_tokens_details: details } = body.usage;
      return { promptTokens, cachedTokens: details.cached_tokens, answer };
    },
    quiet: () => Promise.resolve(0),
    async restart() {
      await end();
      child = await start();
    },
    end,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export default bench;
