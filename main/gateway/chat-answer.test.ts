import { expect, it } from 'vitest';
import type { GenerationEvent, GenerationUsage } from '../engine/engine.ts';
import { Pieces } from './answer-writer.ts';
import { ChatAnswer } from './chat-answer.ts';

const usage: GenerationUsage = {
  promptTokens: 10,
  cachedTokens: 4,
  completionTokens: 6,
  reasoningTokens: 3,
  prefillTokensPerSecond: null,
  decodeTokensPerSecond: null,
};
const timings = { queueMs: 1.4, loadMs: 0, prefillMs: 20, firstTokenMs: 22, totalMs: 50 };
const head = { id: '1', createdSeconds: 5, model: 'tiny' };

function messageOf(events: readonly GenerationEvent[], reason: 'stop' | 'length' | 'tool_calls' = 'stop') {
  const answer = new ChatAnswer(head, false);
  const pieces = new Pieces();
  for (const event of events) {
    const piece = pieces.of(event);
    if (piece !== null) answer.piece(piece);
  }
  return answer.whole({ reason, stopSequence: null, usage, timings });
}

it('keeps reasoning apart, under both names', () => {
  const whole = messageOf([
    { kind: 'waiting', for: 'slot', ahead: 1 },
    { kind: 'prefill', doneTokens: 1, totalTokens: 2 },
    { kind: 'reasoning', text: 'I ' },
    { kind: 'reasoning', text: 'think' },
    { kind: 'content', text: 'Hel' },
    { kind: 'content', text: 'lo' },
  ]);
  expect(whole).toEqual({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 5,
    model: 'tiny',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Hello',
          refusal: null,
          reasoning: 'I think',
          reasoning_content: 'I think',
        },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 6,
      total_tokens: 16,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 3 },
    },
    timings: {
      queue_ms: 1,
      load_ms: 0,
      prefill_ms: 20,
      first_token_ms: 22,
      total_ms: 50,
      prefill_tokens_per_second: null,
      decode_tokens_per_second: null,
    },
  });
});

it('joins tool calls that come in pieces, and then has no content', () => {
  const whole = messageOf(
    [
      { kind: 'tool-call', index: 0, id: 'call_a', name: 'weather', argumentsText: '' },
      { kind: 'tool-call', index: 0, argumentsText: '{"city":' },
      { kind: 'tool-call', index: 1, id: 'call_b', name: 'time', argumentsText: '{}' },
      { kind: 'tool-call', index: 0, argumentsText: '"Oslo"}' },
    ],
    'tool_calls',
  );
  expect(whole).toMatchObject({
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: null,
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
            { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
          ],
        },
      },
    ],
  });
});

it('shows commentary as content, an empty line away from the answer', () => {
  const whole = messageOf([
    { kind: 'commentary', text: 'I will ' },
    { kind: 'commentary', text: 'look.' },
    { kind: 'content', text: 'Done.' },
  ]);
  expect(whole).toMatchObject({ choices: [{ message: { content: 'I will look.\n\nDone.' } }] });
});

it('is an empty text, not null, when the length was reached while thinking', () => {
  const whole = messageOf([{ kind: 'reasoning', text: 'hm' }], 'length');
  expect(whole).toMatchObject({ choices: [{ finish_reason: 'length', message: { content: '', reasoning: 'hm' } }] });
});

it('gives each token of the answer its probability', () => {
  const likely = (token: string) => ({ token, logprob: -0.1, bytes: [1], top_logprobs: [] });
  const whole = messageOf([
    { kind: 'content', text: '', logprobs: [likely('Hel')] },
    { kind: 'content', text: 'Hello', logprobs: [likely('lo')] },
  ]);
  expect(whole).toMatchObject({
    choices: [{ message: { content: 'Hello' }, logprobs: { content: [{ token: 'Hel' }, { token: 'lo' }] } }],
  });
});
