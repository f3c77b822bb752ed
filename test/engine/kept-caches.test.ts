/** Prompt caches that outlive the engine's process, with the real engine and real files. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CacheShelf, openCacheShelf } from '../../main/engine/cache-shelf.ts';
import type { EngineMessage, GenerationUsage } from '../../main/engine/engine.ts';
import { type CacheKeepingEngine, keepPromptCaches } from '../../main/engine/kept-caches.ts';
import { systemClock } from '../../main/engine/clock.ts';
import { pythonCommand } from '../../main/engine/supervisor.ts';
import { modelFolder, pythonExecutable } from './fixtures.ts';
import { type EngineUnderTest, engineUnderTest, until } from './harness.ts';

let folder = '';
let shelf: CacheShelf;
let under: EngineUnderTest;
let kept: CacheKeepingEngine;
let logged: string[];
/** The engine's own limit for what it keeps beside a conversation; from the next start on. */
let limitBytes: number | null;

beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'hr-kept-')), 'caches');
  logged = [];
  const log = (_: string, message: string) => void logged.push(message);
  shelf = openCacheShelf({ folder, log });
  limitBytes = null;
  const command = pythonCommand(pythonExecutable, { promptCacheFolder: folder });
  under = engineUnderTest((model, socketPath) => {
    const { file, args } = command(model, socketPath);
    return { file, args: limitBytes === null ? args : [...args, '--prompt-cache-bytes', String(limitBytes)] };
  }, modelFolder);
  kept = keepPromptCaches({
    engine: under.engine,
    shelf,
    mayReadAhead: () => true,
    longestSaveMs: () => 3_000,
    clock: systemClock,
    log,
  });
  await kept.start(under.model);
});
afterEach(async () => {
  await kept.dispose();
  await under.finish();
  rmSync(join(folder, '..'), { recursive: true });
});

const told = (text: string): number => logged.filter((line) => line.startsWith(text)).length;
const quiet = async (): Promise<void> => {
  const before = told('read ahead');
  await until(() => told('read ahead') > before);
};
const files = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.safetensors'));

class Talk {
  readonly messages: EngineMessage[] = [];
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  async say(text: string): Promise<GenerationUsage> {
    this.messages.push({ role: 'user', content: text });
    let answer = '';
    let usage: GenerationUsage | null = null;
    const request = {
      messages: [...this.messages],
      effort: 'low',
      date: '2026-01-02',
      maxTokens: 80,
      temperature: 0,
      cacheKey: this.key,
    } as const;
    for await (const event of kept.generate(request, { signal: new AbortController().signal, priority: 'window' })) {
      if (event.kind === 'content') answer += event.text;
      if (event.kind === 'finish') ({ usage } = event);
    }
    this.messages.push({ role: 'assistant', content: answer });
    if (usage === null) throw new Error('no end');
    return usage;
  }
}

const long = 'tell me about ships and the sea. '.repeat(40);
const fresh = ({ promptTokens, cachedTokens }: GenerationUsage): number => promptTokens - cachedTokens;

it('a turn reads the new message only, also after the engine was unloaded', async () => {
  const talk = new Talk('a');
  await talk.say(long);
  await quiet();
  expect(fresh(await talk.say('why'))).toBeLessThan(10);
  await quiet();
  await kept.stop();
  expect(under.engine.state.kind).toBe('off');
  expect(files()).toHaveLength(1);
  expect(statSync(join(folder, files()[0] ?? '')).mode & 0o777).toBe(0o600);
  await kept.start(under.model);
  await until(() => told('a conversation') === 1);
  expect(fresh(await talk.say('why'))).toBeLessThan(10);
});

it('two conversations in turns keep their beginnings, and one is in memory', async () => {
  const talks = [new Talk('a'), new Talk('b')];
  for (const talk of talks) await talk.say(`${talk.key} ${long}`);
  await until(() => told('saved') === 1);
  for (let turn = 0; turn < 3; turn += 1) {
    for (const talk of talks) {
      const saved = told('saved');
      expect(fresh(await talk.say('and then'))).toBeLessThan(12);
      await until(() => told('saved') > saved);
      await until(() => kept.metrics?.promptCache.sequences === 1);
    }
  }
  expect(files()).toHaveLength(1 + 1);
});

it('long conversations in turns keep their beginnings, also when nobody is quiet', async () => {
  await kept.stop();
  limitBytes = 600_000;
  await kept.start(under.model);
  const talks = [new Talk('a'), new Talk('b')];
  for (let turn = 0; turn < 3; turn += 1) {
    for (const talk of talks) {
      const { promptTokens, cachedTokens } = await talk.say(turn === 0 ? `${talk.key} ${long}` : 'and then');
      if (turn > 0) expect(promptTokens - cachedTokens).toBeLessThan(80);
      await until(() => (kept.metrics?.promptCache.bytes ?? 0) > 600_000);
      expect(kept.metrics?.promptCache.sequences).toBe(1);
    }
  }
});

it('reads again what comes back damaged, and deletes it', async () => {
  const talk = new Talk('a');
  await talk.say(long);
  await quiet();
  await kept.stop();
  const file = join(folder, files()[0] ?? '');
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await kept.start(under.model);
  await until(() => told('a saved prompt cache was refused') === 1);
  expect(files()).toEqual([]);
  const usage = await talk.say('why');
  expect(usage.cachedTokens).toBe(0);
  await quiet();
  await kept.stop();
  truncateSync(join(folder, files()[0] ?? ''), 5_000);
  await kept.start(under.model);
  await until(() => told('a saved prompt cache was refused') === 2);
});

it('gives way to whoever asks', async () => {
  const talk = new Talk('a');
  await talk.say(long.repeat(3));
  await until(() => told('read ahead') === 0 && under.engine.metrics?.phase === 'ready');
  await new Promise((resolve) => setTimeout(resolve, 350));
  const startedMs = performance.now();
  await new Talk('b').say('hi');
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  await quiet();
  expect(fresh(await talk.say('why'))).toBeLessThan(10);
});

it('deletes the file with the conversation', async () => {
  const talk = new Talk('a');
  await talk.say(long);
  await kept.stop();
  expect(files()).toHaveLength(1);
  await kept.start(under.model);
  kept.forgetConversation('a');
  expect(files()).toEqual([]);
  await kept.stop();
  expect(files()).toEqual([]);
});
