/**
 * Conversations over the real bridge with the real engine and the demo model: branches, queue, continuing, attachments,
 * the context meter, making room, export and import. Two windows stay in step throughout.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isFinal } from '../../preload/answer-status.ts';
import type { AssistantMessage, Conversation, Message } from '../../preload/contract.ts';
import { modelFolder } from '../engine/fixtures.ts';
import { type HeadlessProcess, startHeadless } from './headless-process.ts';
import { type NodeWindow, openNodeWindow } from './node-window.ts';

let home: string;
let host: HeadlessProcess;
let window: NodeWindow;
let other: NodeWindow;
/** What the other window knows, from events alone. */
let messages: Map<string, Message>;
let changes: Conversation[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'headroom-conversation-'));
  host = startHeadless(home, ['--model', modelFolder]);
  const { url } = await host.ready();
  window = openNodeWindow(url);
  await window.call('app.state', null);
  // The link works once; asking again has a fresh one printed.
  const late = openNodeWindow(url);
  void late.bridge.call('app.state', null);
  while (!host.stderr().includes('fresh link')) await sleep(20);
  late.close();
  other = openNodeWindow(/fresh link: (\S+)/.exec(host.stderr())?.[1] ?? '');
  await other.call('app.state', null);
  other.bridge.on('chat.message', (message) => messages.set(message.id, message));
  other.bridge.on('chat.changed', (conversation) => changes.push(conversation));
});
beforeEach(() => {
  messages = new Map();
  changes = [];
});
afterAll(async () => {
  window?.close();
  other?.close();
  expect(await host?.end()).toBe(0);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

/** The answer's end as the other window saw it. */
async function ended(messageId: string): Promise<AssistantMessage> {
  const end = (): AssistantMessage | null => {
    const message = messages.get(messageId);
    return message?.role === 'assistant' && isFinal(message.status) ? message : null;
  };
  await expect.poll(end, { timeout: 60_000, interval: 20 }).not.toBeNull();
  const answer = end();
  if (answer === null) throw new Error('it has ended and has not');
  return answer;
}
const begin = async (text: string, settings: Partial<Conversation['settings']> = {}) => {
  const turn = await window.call('chat.send', { conversationId: null, text, effort: 'low', settings });
  return { turn, answer: await ended(turn.assistant.id) };
};
const idsOf = ({ messages: path }: Conversation): string[] => path.map(({ id }) => id);
const lastAnswer = ({ messages: path }: Conversation): AssistantMessage => {
  const last = path.at(-1);
  if (last?.role !== 'assistant') throw new Error('no answer at the end');
  return last;
};

describe('a conversation', () => {
  it('branches by editing and regenerating, and the branches can be walked, in both windows', async () => {
    const { turn, answer } = await begin('What is memory pressure?');
    expect(answer.status.kind).toBe('complete');
    const { id: conversationId } = turn.conversation;
    const first = await window.call('chat.open', { conversationId });

    const again = await window.call('chat.regenerate', { messageId: answer.id });
    const second = lastAnswer(again);
    expect(again.branches).toEqual([{ messageId: second.id, siblingIds: [answer.id, second.id] }]);
    await ended(second.id);

    const edited = await window.call('chat.edit', {
      messageId: turn.user.id,
      text: 'What is a wired limit?',
      effort: 'low',
    });
    await ended(lastAnswer(edited).id);
    expect(edited.branches).toMatchObject([
      { messageId: idsOf(edited)[0], siblingIds: [turn.user.id, idsOf(edited)[0]] },
    ]);

    const back = await window.call('chat.branch', { messageId: turn.user.id });
    expect(idsOf(back)).toEqual([turn.user.id, second.id]);
    const walked = await window.call('chat.branch', { messageId: answer.id });
    expect(idsOf(walked)).toEqual(idsOf(first));
    await expect.poll(() => changes.at(-1)).toEqual(walked);
    expect(await other.call('chat.open', { conversationId })).toEqual(walked);
  });

  it('goes on with an answer that was stopped, from where it stood', async () => {
    const turn = await window.call('chat.send', {
      conversationId: null,
      text: 'Write a long story about a lighthouse.',
      effort: 'low',
    });
    let length = 0;
    const grown = new Promise<void>((resolve) => {
      const off = window.bridge.on('chat.delta', (delta) => {
        if (delta.messageId !== turn.assistant.id) return;
        length = delta.textStart + delta.text.length;
        if (length < 20) return;
        off();
        resolve();
      });
    });
    await grown;
    await window.call('chat.stop', { messageId: turn.assistant.id });
    const stopped = await ended(turn.assistant.id);
    expect(stopped.status.kind).toBe('stopped');
    // The engine has really stopped: it is free at once.
    await expect
      .poll(async () => (await window.call('app.state', null)).engine.kind, { timeout: 2_000, interval: 20 })
      .toBe('ready');

    messages.clear();
    const going = lastAnswer(await window.call('chat.continue', { messageId: stopped.id }));
    expect(going).toMatchObject({ id: stopped.id, attempt: 2 });
    const whole = await ended(stopped.id);
    expect(whole.text.startsWith(stopped.text)).toBe(true);
    expect(whole.reasoning).toBe(stopped.reasoning);
    expect(['complete', 'length', 'paused']).toContain(whole.status.kind);
  });

  it('is the same text for a window made anew in the middle of an answer', async () => {
    const question = { conversationId: null, text: 'Write a long story about a whale.', effort: 'low' } as const;
    const turn = await window.call('chat.send', question);
    const deltas: { textStart: number; text: string }[] = [];
    const off = other.bridge.on('chat.delta', (delta) => {
      if (delta.messageId === turn.assistant.id) deltas.push(delta);
    });
    const part = async (): Promise<string> => {
      const { messages: path } = await other.call('chat.open', { conversationId: turn.conversation.id });
      return path[1]?.text ?? '';
    };
    await expect.poll(async () => (await part()).length, { timeout: 60_000, interval: 10 }).toBeGreaterThan(40);
    const snapshot = await part();
    const answer = await ended(turn.assistant.id);
    off();
    expect(snapshot.length).toBeLessThan(answer.text.length);
    expect(answer.text.startsWith(snapshot)).toBe(true);
    // What stands in the snapshot already is not added again.
    const later = deltas.filter(({ textStart, text }) => textStart + text.length > snapshot.length);
    const shown = later.reduce((text, delta) => text + delta.text.slice(text.length - delta.textStart), snapshot);
    expect(shown).toBe(answer.text);
  });

  it('sends a queued message when the answer before it has ended, and gives one back that was taken out', async () => {
    const turn = await window.call('chat.send', { conversationId: null, text: 'Hello', effort: 'low' });
    const { id: conversationId } = turn.conversation;
    const queued = await window.call('chat.queue', { conversationId, text: 'And then?', effort: 'low' });
    const withTwo = await window.call('chat.queue', { conversationId, text: 'Not this', effort: 'low' });
    const notThis = withTwo.queued.find(({ text }) => text === 'Not this');
    expect(await window.call('chat.unqueue', { queuedId: notThis?.id ?? '' })).toMatchObject({ text: 'Not this' });
    await ended(turn.assistant.id);
    await expect
      .poll(async () => (await window.call('chat.open', { conversationId })).messages.length, { timeout: 60_000 })
      .toBe(4);
    const after = await window.call('chat.open', { conversationId });
    expect(after.queued).toEqual([]);
    expect(after.messages[2]).toMatchObject({ role: 'user', text: 'And then?' });
    await ended(lastAnswer(after).id);
    expect(queued.queued.length + queued.messages.length).toBeGreaterThan(2);
  });

  it('keeps drafts, attaches texts with their tokens, and refuses with numbers what does not fit', async () => {
    const text = 'fn main() { println!("hello"); }\n'.repeat(20);
    const attachment = await window.call('chat.attach', { name: '/home/me/main.rs', text });
    expect(attachment).toMatchObject({ name: 'main.rs', language: 'rust', lines: 21, characters: text.length });
    expect(attachment.tokens).toBeGreaterThan(50);
    expect(await window.call('chat.attachment', { attachmentId: attachment.id })).toEqual({ text });
    await expect(window.call('chat.attach', { name: 'a.bin', text: 'a\0b' })).rejects.toThrow(/not a text file/);

    await window.call('chat.draft', { conversationId: null, text: 'half a', attachmentIds: [attachment.id] });
    expect((await other.call('app.state', null)).newDraft).toEqual({ text: 'half a', attachments: [attachment] });

    const count = (contextTokens: number, attachmentIds: string[]) =>
      window.call('chat.count', { conversationId: null, text: 'Look', attachmentIds, settings: { contextTokens } });
    const small = await count(1_024, []);
    const large = await count(1_024, [attachment.id]);
    if (small.kind !== 'counted' || large.kind !== 'counted') throw new Error('not counted');
    expect(large.draftTokens - small.draftTokens).toBeGreaterThanOrEqual(attachment.tokens ?? 0);
    expect(large.usedTokens + large.reservedTokens + large.leftTokens).toBe(1_024);

    // The demo model's context is 4,096 as the app comes.
    await expect(window.call('chat.attach', { name: 'all.txt', text: 'word '.repeat(9_000) })).rejects.toThrow(
      /all\.txt takes [\d,]+ tokens.*4,096/,
    );
    const huge = await window.call('chat.attach', { name: null, text: 'word '.repeat(1_200) });
    const refused = window.bridge.call('chat.send', {
      conversationId: null,
      text: 'Read this',
      effort: 'low',
      attachmentIds: [huge.id],
      settings: { contextTokens: 1_024 },
    });
    expect(await refused).toMatchObject({
      ok: false,
      error: { code: 'context-full', message: expect.stringMatching(/takes [\d,]+ tokens.*1,024/) as string },
    });
  });

  it('makes room as the user chooses: trimmed, summarised, and everything back', async () => {
    const { turn } = await begin('Hello', { contextTokens: 1_024, maxAnswerTokens: 64 });
    const { id: conversationId } = turn.conversation;
    const send = async (text: string) => window.bridge.call('chat.send', { conversationId, text, effort: 'low' });
    const filler = 'The tide comes in and the tide goes out again. '.repeat(8);
    let full = await send(filler);
    for (let turns = 0; full.ok && turns < 30; turns += 1) {
      await ended(full.value.assistant.id);
      full = await send(filler);
    }
    if (full.ok) throw new Error('it never became full');
    expect(full.error).toMatchObject({ code: 'context-full' });

    const before = await window.call('chat.open', { conversationId });
    const trimmed = await window.call('chat.fit', { conversationId, how: 'trim', text: filler });
    expect(trimmed.cut).toMatchObject({ kind: 'trimmed' });
    // Shown as before; only sent no more.
    expect(idsOf(trimmed)).toEqual(idsOf(before));
    const sent = await send(filler);
    if (!sent.ok) throw new Error(sent.error.message);
    const answer = await ended(sent.value.assistant.id);
    expect(answer.usage?.promptTokens).toBeLessThan(1_024);

    const whole = await window.call('chat.fit', { conversationId, how: 'everything' });
    expect(whole.cut).toBeNull();
    expect(await send(filler)).toMatchObject({ ok: false, error: { code: 'context-full' } });

    const summarised = await window.bridge.call('chat.fit', { conversationId, how: 'summarise', text: filler });
    // The demo model may have nothing to say; then it is told, and nothing is cut.
    if (summarised.ok) expect(summarised.value.cut).toMatchObject({ kind: 'summarised' });
    else expect((await window.call('chat.open', { conversationId })).cut).toBeNull();
    expect(changes.some(({ isSummarising }) => isSummarising)).toBe(true);
    expect((await window.call('chat.open', { conversationId })).isSummarising).toBe(false);
  });

  it('is found, renamed, pinned, archived, deleted and taken back', async () => {
    const { turn } = await begin('Wo ist der Zürichsee?');
    const { id: conversationId } = turn.conversation;
    const { hits } = await window.call('chat.search', { text: 'zurich' });
    const hit = hits.find(({ messageId }) => messageId === turn.user.id);
    expect(hit?.ranges.map(([start, end]) => hit.snippet.slice(start, end))).toEqual(['Zürichsee']);

    expect(await window.call('chat.rename', { conversationId, title: 'Seen' })).toMatchObject({ title: 'Seen' });
    await window.call('chat.pin', { conversationId, pinned: true });
    expect((await other.call('app.state', null)).conversations[0]).toMatchObject({ id: conversationId, title: 'Seen' });
    await window.call('chat.archive', { conversationId, archived: true });
    const listed = async (archived: boolean) =>
      (await other.call('chat.list', { archived, after: null })).conversations.some(({ id }) => id === conversationId);
    expect([await listed(false), await listed(true)]).toEqual([false, true]);
    await window.call('chat.archive', { conversationId, archived: false });
    await window.call('chat.delete', { conversationId });
    expect([await listed(false), await listed(true)]).toEqual([false, false]);
    await expect(window.call('chat.open', { conversationId })).rejects.toThrow(/no longer there/);
    await window.call('chat.undelete', { conversationId });
    expect(await listed(false)).toBe(true);
  });

  it('goes out as a file and comes in again whole, once', async () => {
    let text = '';
    let after: string | null = null;
    do {
      const piece: { text: string; next: string | null } = await window.call('chat.export', {
        conversationIds: null,
        format: 'json',
        after,
      });
      text += piece.text;
      after = piece.next;
    } while (after !== null);
    const importId = crypto.randomUUID();
    const send = (index: number, part: string, isLast: boolean) =>
      window.call('chat.import', { importId, index, text: part, isLast });
    expect(await send(0, text.slice(0, 1_000), false)).toBeNull();
    // All of it was made here.
    expect(await send(1, text.slice(1_000), true)).toMatchObject({ from: 'headroom', conversations: 0 });

    const [first] = (await window.call('app.state', null)).conversations;
    if (first === undefined) throw new Error('nothing to export');
    const original = await window.call('chat.open', { conversationId: first.id });
    await window.call('chat.delete', { conversationId: first.id });
    const report = await window.call('chat.import', {
      importId: crypto.randomUUID(),
      index: 0,
      text,
      isLast: true,
    });
    expect(report).toMatchObject({ conversations: 1, skipped: [] });
    const [back] = (await window.call('chat.search', { text: original.messages[0]?.text.slice(0, 40) ?? '' })).hits;
    const copy = await window.call('chat.open', { conversationId: back?.conversation.id ?? '' });
    expect(copy.messages.map(({ role, text: said }) => [role, said])).toEqual(
      original.messages.map(({ role, text: said }) => [role, said]),
    );
    await expect(
      window.call('chat.import', { importId: crypto.randomUUID(), index: 0, text: '{"a":1}', isLast: true }),
    ).rejects.toThrow(/no export/);
  });
});
