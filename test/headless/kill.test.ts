/**
 * The app killed at any moment: no acknowledged message is lost, sent or queued, an unfinished answer is marked
 * interrupted with the text it had, the database is whole, and no engine process outlives the app by 5 s.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isFinal } from '../../preload/answer-status.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { enginesOf, type HeadlessProcess, startHeadless } from './headless-process.ts';
import { type NodeWindow, openNodeWindow } from './node-window.ts';

const KILLS = process.env['HEADROOM_FAULTS'] === 'full' ? 30 : 4;
const SAVE_INTERVAL_MS = 1_000;

let home: string;
let hosts: HeadlessProcess[];
let windows: NodeWindow[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-kill-'));
  hosts = [];
  windows = [];
});
afterEach(async () => {
  for (const window of windows) window.close();
  for (const host of hosts) {
    host.child.kill('SIGKILL');
    await host.exited;
  }
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

async function startWithWindow(): Promise<{ host: HeadlessProcess; window: NodeWindow }> {
  const host = startHeadless(home, ['--model', modelFolder]);
  hosts.push(host);
  const window = openNodeWindow((await host.ready()).url);
  windows.push(window);
  return { host, window };
}

/** As the kill left it: what the app does at its next start must not be needed to make it whole. */
async function databaseFaults(): Promise<unknown[]> {
  const copy = await mkdtemp(join(tmpdir(), 'headroom-kill-copy-'));
  for (const name of ['conversations.db', 'conversations.db-wal']) {
    if (existsSync(join(home, name))) await copyFile(join(home, name), join(copy, name));
  }
  const db = new DatabaseSync(join(copy, 'conversations.db'));
  const faults = [
    ...db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => row['integrity_check']),
    ...db.prepare('PRAGMA foreign_key_check').all(),
  ];
  // Throws when the search index does not say what the messages say.
  db.exec("INSERT INTO message_index (message_index) VALUES ('integrity-check')");
  db.exec("INSERT INTO title_index (title_index) VALUES ('integrity-check')");
  db.close();
  await rm(copy, { recursive: true });
  return faults.filter((fault) => fault !== 'ok');
}

/** Small seeded generator (mulberry32): the same seed kills at the same moments. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seed = Number(process.env['HEADROOM_SEED'] ?? Date.now() % 1_000_000);

it(
  `survives ${KILLS} kills (HEADROOM_SEED=${seed})`,
  async () => {
    process.stderr.write(`kill test: ${KILLS} kills, HEADROOM_SEED=${seed}\n`);
    const next = random(seed);
    const acknowledged: { conversationId: string; userId: string; text: string; answerId: string; seen: string }[] = [];
    const queued: { conversationId: string; text: string }[] = [];

    for (let kill = 0; kill < KILLS; kill += 1) {
      const { host, window } = await startWithWindow();
      const text = `Write a long story, number ${kill}.`;
      const grown: { atMs: number; length: number }[] = [];
      let answerText = '';
      let answerId = '';
      window.bridge.on('chat.delta', (delta) => {
        if (delta.messageId !== answerId) return;
        answerText += delta.text;
        grown.push({ atMs: Date.now(), length: answerText.length });
      });
      // A toy that is told many unfinished stories may end without a word.
      let isOver = false;
      window.bridge.on('chat.message', (message) => {
        if (message.role === 'assistant' && message.id === answerId) isOver ||= isFinal(message.status);
      });
      const previous = acknowledged.at(-1);
      const conversationId = previous !== undefined && next() < 0.5 ? previous.conversationId : null;
      const turn = await window.call('chat.send', { conversationId, text, effort: 'low' });
      answerId = turn.assistant.id;
      if (next() < 0.5) {
        const waiting = { conversationId: turn.conversation.id, text: `And then, number ${kill}?` };
        await window.call('chat.queue', { ...waiting, effort: 'low' });
        queued.push(waiting);
      }
      // From right after the acknowledgement, over loading, to the middle of the answer. Every other time from its first
      // words on: by the clock alone a busy machine would mostly be loading.
      if (kill % 2 === 1) await expect.poll(() => isOver || answerText !== '', { timeout: 60_000 }).toBe(true);
      await sleep(next() * 3_500);
      const killedAtMs = Date.now();
      host.child.kill('SIGKILL');
      await host.exited;
      window.close();
      expect(await databaseFaults()).toEqual([]);

      // Whatever was shown longer ago than one save interval (with room for a slow machine) must have been saved.
      const saved = grown.findLast((step) => step.atMs < killedAtMs - 2 * SAVE_INTERVAL_MS)?.length ?? 0;
      acknowledged.push({
        conversationId: turn.conversation.id,
        userId: turn.user.id,
        text,
        answerId,
        seen: answerText.slice(0, saved),
      });
      const deadline = Date.now() + 5_000;
      while ((await enginesOf(host)).length > 0 && Date.now() < deadline) await sleep(50);
      expect(await enginesOf(host)).toEqual([]);
    }
    // Kills that all came before anything was saved would say nothing about saving.
    if (KILLS >= 30) expect(acknowledged.filter(({ seen }) => seen !== '').length).toBeGreaterThan(3);

    const { host, window } = await startWithWindow();
    for (const { conversationId, userId, text, answerId, seen } of acknowledged) {
      const { messages } = await window.call('chat.open', { conversationId });
      expect(messages.find((message) => message.id === userId)?.text).toBe(text);
      const answer = messages.find((message) => message.id === answerId);
      if (answer?.role !== 'assistant') throw new Error('the answer has gone');
      expect(['interrupted', 'complete', 'length']).toContain(answer.status.kind);
      expect(answer.text.startsWith(seen)).toBe(true);
    }
    for (const { conversationId, text } of queued) {
      const conversation = await window.call('chat.open', { conversationId });
      const places = [...conversation.queued, ...conversation.messages].filter((each) => each.text === text);
      // Still waiting, or sent: in one place of the two.
      expect(places).toHaveLength(1);
    }
    expect(await host.end()).toBe(0);
  },
  KILLS * 20_000,
);
