import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { AnswerStatus, AssistantMessage, ChatDelta } from '../../preload/contract.ts';
import { AnswerStreams } from './answer-streams.ts';

const message = (over: Partial<AssistantMessage> = {}): AssistantMessage => ({
  role: 'assistant',
  id: 'm',
  conversationId: 'c',
  parentId: null,
  createdAtMs: 0,
  effort: 'low',
  model: null,
  attempt: 1,
  text: '',
  reasoning: '',
  reasoningMs: null,
  status: { kind: 'answering' },
  usage: null,
  ...over,
});

const delta = (textStart: number, text: string, over: Partial<ChatDelta> = {}): ChatDelta => ({
  conversationId: 'c',
  messageId: 'm',
  textStart,
  text,
  reasoningStart: 0,
  reasoning: '',
  status: { kind: 'answering' },
  generatedTokens: textStart + text.length,
  reasoningTokens: 0,
  ...over,
});

describe('answer streams', () => {
  test('append in order and wake only their own readers', () => {
    const streams = new AnswerStreams(() => undefined);
    const mine = vi.fn();
    const other = vi.fn();
    streams.subscribe('m', mine);
    streams.subscribe('n', other);
    streams.apply(delta(0, 'Hel'));
    streams.apply(delta(3, 'lo'));
    expect(streams.get('m')?.text).toBe('Hello');
    expect(mine).toHaveBeenCalledTimes(2);
    expect(other).not.toHaveBeenCalled();
  });

  test('a gap asks for the conversation, and the snapshot mends it', () => {
    const onGap = vi.fn();
    const streams = new AnswerStreams(onGap);
    streams.apply(delta(0, 'One '));
    streams.apply(delta(8, 'three '));
    expect(onGap).toHaveBeenCalledWith('c');
    expect(streams.get('m')?.text).toBe('One ');
    streams.apply(delta(14, 'four'));
    streams.settle(message({ text: 'One two ' }));
    expect(streams.get('m')?.text).toBe('One two three four');
    expect(onGap).toHaveBeenCalledTimes(2);
  });

  test('a snapshot that is still too old asks again', () => {
    const onGap = vi.fn();
    const streams = new AnswerStreams(onGap);
    streams.apply(delta(8, 'three'));
    streams.settle(message({ text: 'One' }));
    expect(onGap).toHaveBeenCalledTimes(2);
    streams.settle(message({ text: 'One two ' }));
    expect(streams.get('m')?.text).toBe('One two three');
  });

  test('an older snapshot does not take text away', () => {
    const streams = new AnswerStreams(() => undefined);
    streams.apply(delta(0, 'Hello there'));
    streams.settle(message({ text: 'Hello' }));
    expect(streams.get('m')?.text).toBe('Hello there');
  });

  test('a final message ends the stream', () => {
    const streams = new AnswerStreams(() => undefined);
    const reader = vi.fn();
    streams.subscribe('m', reader);
    streams.apply(delta(0, 'Hello'));
    streams.settle(message({ text: 'Hello.', status: { kind: 'complete' } }));
    expect(streams.get('m')).toBeUndefined();
    expect(reader).toHaveBeenCalledTimes(2);
  });

  test('thinking is timed from its first token only when it was seen', () => {
    const thinking: AnswerStatus = { kind: 'thinking' };
    const streams = new AnswerStreams(
      () => undefined,
      () => 1_000,
    );
    streams.apply(delta(0, '', { status: thinking, reasoning: 'Hm', generatedTokens: 1 }));
    expect(streams.get('m')?.thinkingSinceMs).toBe(1_000);
    const late = new AnswerStreams(() => undefined);
    late.settle(message({ reasoning: 'Hm', status: thinking }));
    late.apply(delta(0, '', { status: thinking, reasoningStart: 2, reasoning: 'm', generatedTokens: 2 }));
    expect(late.get('m')?.reasoning).toBe('Hmm');
    expect(late.get('m')?.thinkingSinceMs).toBeNull();
  });

  test('deltas lost, doubled or late around snapshots always end in the whole text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 }),
        fc.array(fc.constantFrom('send', 'lose', 'double', 'snapshot'), { minLength: 30, maxLength: 30 }),
        (parts, fates) => {
          let gaps = 0;
          const streams = new AnswerStreams(() => {
            gaps += 1;
          });
          let text = '';
          for (const [index, part] of parts.entries()) {
            const next = delta(text.length, part);
            text += part;
            const fate = fates[index];
            if (fate !== 'lose') streams.apply(next);
            if (fate === 'double') streams.apply(next);
            if (fate === 'snapshot') streams.settle(message({ text }));
          }
          const before = streams.get('m')?.text ?? '';
          expect(text.startsWith(before)).toBe(true);
          // Text may be missing at the end only when nothing came after it, else a gap was reported.
          streams.apply(delta(text.length, '!'));
          if (before !== text) expect(gaps).toBeGreaterThan(0);
          streams.settle(message({ text: `${text}!` }));
          expect(streams.get('m')?.text).toBe(`${text}!`);
        },
      ),
    );
  });
});
