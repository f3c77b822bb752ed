import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventEnvelope, RouteInput, RouteOutput } from '../../preload/contract.ts';
import type { Chat } from './chat.ts';
import { openDatabase } from './database.ts';
import { chatHandlers } from './handlers.ts';
import { type ConversationStore, createConversationStore } from './store.ts';

let folder: string;
let store: ConversationStore;
let handlers: ReturnType<typeof chatHandlers>;
let events: EventEnvelope[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-handlers-'));
  store = createConversationStore(openDatabase(join(folder, 'c.db'), () => {}));
  events = [];
  handlers = chatHandlers({
    // Nothing below asks the model.
    chat: {} as Chat,
    store,
    publish: (envelope) => events.push(envelope),
    nowMs: () => new Date(2026, 0, 2).getTime(),
  });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const say = (text: string): string => {
  const turn = store.addTurn({
    conversationId: null,
    text,
    effort: 'low',
    model: null,
    nowMs: 1,
    toldDate: '2026-01-01',
  });
  return turn?.conversation.id ?? '';
};

async function exported(input: Omit<RouteInput<'chat.export'>, 'after'>) {
  const pieces: RouteOutput<'chat.export'>[] = [];
  let after: string | null = null;
  do {
    const piece: RouteOutput<'chat.export'> = await handlers['chat.export']({ ...input, after });
    pieces.push(piece);
    after = piece.next;
  } while (after !== null);
  return { pieces: pieces.length, fileName: pieces[0]?.fileName, text: pieces.map(({ text }) => text).join('') };
}
const count = (text: string): number => (JSON.parse(text) as { conversations: unknown[] }).conversations.length;

describe('export', () => {
  it('of everything comes in pieces, each conversation once', async () => {
    for (let i = 0; i < 250; i += 1) say(`number ${i}`);
    const { pieces, text, fileName } = await exported({ conversationIds: null, format: 'json' });
    expect(pieces).toBe(3);
    expect(count(text)).toBe(250);
    expect(fileName).toBe('Headroom conversations 2026-01-02.json');
  });

  it('of nothing is still a file', async () => {
    const { text } = await exported({ conversationIds: null, format: 'json' });
    expect(count(text)).toBe(0);
  });

  it('of long ones keeps its pieces small', async () => {
    const ids = Array.from({ length: 4 }, () => say('x'.repeat(2_500_000)));
    const { pieces, text } = await exported({ conversationIds: ids, format: 'json' });
    expect(pieces).toBe(2);
    expect(count(text)).toBe(4);
  });

  it('of one is named after it, and of one that is gone is refused', async () => {
    const id = say('A question');
    expect((await exported({ conversationIds: [id], format: 'markdown' })).fileName).toBe('A question.md');
    store.remove(id, 1);
    await expect(exported({ conversationIds: [id], format: 'markdown' })).rejects.toThrow(/no longer there/);
  });
});

describe('presets', () => {
  it('are kept in order of their names, changed and deleted, and every window is told', async () => {
    await handlers['preset.save']({ presetId: null, name: 'translator', systemText: 'Translate.' });
    const { presets } = await handlers['preset.save']({ presetId: null, name: 'Brief', systemText: 'Be brief.' });
    expect(presets.map(({ name }) => name)).toEqual(['Brief', 'translator']);
    const [brief] = presets;
    const presetId = brief?.id ?? '';
    await handlers['preset.save']({ presetId, name: 'Briefer', systemText: 'Two words.' });
    expect(await handlers['preset.list'](null)).toMatchObject({
      presets: [{ name: 'Briefer', systemText: 'Two words.' }, {}],
    });
    await handlers['preset.delete']({ presetId });
    await expect(handlers['preset.save']({ presetId, name: 'x', systemText: '' })).rejects.toThrow(/no longer there/);
    expect(events.map(({ event }) => event)).toEqual(Array(4).fill('preset.changed'));
  });
});

describe('drafts', () => {
  it('are kept by conversation and forgotten when they are empty', async () => {
    const id = say('x');
    await handlers['chat.draft']({ conversationId: id, text: 'half', attachmentIds: [] });
    await handlers['chat.draft']({ conversationId: null, text: 'new', attachmentIds: [] });
    expect(store.open(id)?.draft).toEqual({ text: 'half', attachments: [] });
    expect(store.drafts.get(null)?.text).toBe('new');
    await handlers['chat.draft']({ conversationId: id, text: '', attachmentIds: [] });
    expect(store.open(id)?.draft).toBeNull();
  });
});

describe('a disk or a file at fault', () => {
  it.each([
    ['database or disk is full', 'Free some space', false],
    ['database disk image is malformed', 'Quit Headroom', true],
  ])('%s: is said with the next step', async (said, nextStep, looksAtAll) => {
    vi.spyOn(store.drafts, 'put').mockImplementation(() => {
      throw new Error(said);
    });
    const draft = { conversationId: null, text: 'x', attachmentIds: [] };
    await expect(handlers['chat.draft'](draft)).rejects.toMatchObject({
      name: 'AppFault',
      nextStep: expect.stringContaining(nextStep) as string,
    });
    expect(existsSync(join(folder, 'c.db.suspect'))).toBe(looksAtAll);
  });
});
