import { describe, expect, it } from 'vitest';
import type { EngineMessage } from '../engine/engine.ts';
import { summarise } from './summary.ts';

const said = (count: number): EngineMessage[] =>
  Array.from({ length: count }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `<${i}>` }));
const length = (messages: readonly EngineMessage[]): number =>
  messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);

/** A model that repeats which messages it was shown. */
const ports = (limitTokens: number, asked: string[]) => ({
  count: (messages: readonly EngineMessage[]) => Promise.resolve(length(messages)),
  ask: (messages: readonly EngineMessage[]) => {
    const text = messages[1]?.content ?? '';
    asked.push(text);
    return Promise.resolve((text.match(/<\d+>/g) ?? []).join(''));
  },
  limitTokens,
});

describe('summarise', () => {
  it('asks once when everything fits, and builds on an earlier summary', async () => {
    const asked: string[] = [];
    expect(await summarise(said(4), '<a>', ports(10_000, asked))).toBe('<0><1><2><3>');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('<a>');
  });

  it('goes step by step when not, and leaves no message out', async () => {
    const asked: string[] = [];
    const summary = await summarise(said(30), '', ports(1_150, asked));
    expect(asked.length).toBeGreaterThan(1);
    expect(summary).toBe(
      said(30)
        .map(({ content }) => content)
        .join(''),
    );
  });

  it('says so when not even one message fits', async () => {
    const asked: string[] = [];
    expect(await summarise(said(3), '', ports(700, asked))).toBeNull();
    expect(asked).toEqual([]);
  });
});
