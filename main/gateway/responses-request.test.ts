import { describe, expect, it } from 'vitest';
import type { Finish, Piece } from './answer-writer.ts';
import { ApiFault } from './api-fault.ts';
import { parseResponsesRequest } from './responses-request.ts';

const head = { id: 'a', createdSeconds: 5, model: 'tiny' };
const finish: Finish = {
  reason: 'stop',
  stopSequence: null,
  usage: {
    promptTokens: 10,
    cachedTokens: 4,
    completionTokens: 6,
    reasoningTokens: 3,
    prefillTokensPerSecond: null,
    decodeTokensPerSecond: null,
  },
  timings: { queueMs: 0, loadMs: 0, prefillMs: null, firstTokenMs: null, totalMs: 1 },
};
const parse = (value: unknown) => parseResponsesRequest(value, '2026-01-02');
const weather = { type: 'function', name: 'weather', parameters: { type: 'object' } };

describe('what was asked', () => {
  it('is a text, or items with what led to them', () => {
    expect(parse({ input: 'Hi', instructions: 'Be brief.' }).generation.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ]);
    const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } };
    expect(
      parse({
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'Rome?' }] },
          { type: 'reasoning', id: 'rs', summary: [], content: [{ type: 'reasoning_text', text: 'I look.' }] },
          { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{}', id: 'fc', status: 'completed' },
          { type: 'function_call_output', call_id: 'c1', output: 'Sun' },
          { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Sun.', annotations: [] }] },
        ],
      }).generation.messages,
    ).toEqual([
      { role: 'user', content: 'Rome?' },
      { role: 'assistant', content: null, reasoning: 'I look.', tool_calls: [call] },
      { role: 'tool', content: 'Sun', tool_call_id: 'c1' },
      { role: 'assistant', content: 'Sun.' },
    ]);
  });

  it('is bounded, constrained and given tools as the engine knows them', () => {
    const { generation } = parse({
      input: 'Hi',
      max_output_tokens: 9,
      reasoning: { effort: 'high' },
      tools: [weather],
      tool_choice: { type: 'function', name: 'weather' },
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' } } },
    });
    expect(generation).toMatchObject({
      maxTokens: 9,
      effort: 'high',
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
      toolChoice: { type: 'function', function: { name: 'weather' } },
      responseFormat: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } },
    });
  });

  it.each<[string, object, string]>([
    ['earlier responses', { previous_response_id: 'resp-1' }, 'previous_response_id'],
    ['conversations', { conversation: 'c' }, 'conversation'],
    ['work in the background', { background: true }, 'background'],
    ['silent cuts', { truncation: 'auto' }, 'truncation'],
    ['a server’s tools', { tools: [{ type: 'web_search' }] }, 'tools.0.type'],
    ['what it does not know', { foo: 1 }, 'foo'],
    ['images', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 'input.0.content.0'],
  ])('refuses %s by name', (_name, more, param) => {
    expect(() => parse({ input: 'Hi', ...more })).toThrow(ApiFault);
    try {
      parse({ input: 'Hi', ...more });
    } catch (fault) {
      expect(fault).toMatchObject({ status: 400, param });
    }
  });
});

describe('the answer', () => {
  const pieces: readonly Piece[] = [
    { kind: 'reasoning', text: 'I ' },
    { kind: 'reasoning', text: 'look.' },
    { kind: 'text', text: 'Moment.' },
    { kind: 'call', index: 0, begins: { id: 'c1', name: 'weather' }, argumentsText: '' },
    { kind: 'call', index: 0, argumentsText: '{"city":' },
    { kind: 'call', index: 0, argumentsText: '"Rome"}' },
  ];

  it('is the same whole and streamed, every event numbered and every item closed', () => {
    const asked = parse({ input: 'Hi', tools: [weather] });
    const whole = asked.writer(head);
    for (const piece of pieces) whole.piece(piece);
    const streamed = asked.writer(head);
    const frames = [
      ...streamed.opening(),
      ...pieces.flatMap((piece) => streamed.piece(piece)),
      ...streamed.ending(finish),
    ];
    const events = frames.map(({ data }) => data as { type: string; sequence_number: number; response?: object });
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(frames.every(({ event, data }) => event === (data as { type: string }).type)).toBe(true);
    const counted = (type: string): number => events.filter((event) => event.type === type).length;
    expect([counted('response.output_item.added'), counted('response.output_item.done')]).toEqual([3, 3]);
    expect([counted('response.content_part.added'), counted('response.content_part.done')]).toEqual([2, 2]);
    expect(events.at(-1)?.response).toEqual(whole.whole(finish));
    expect(whole.whole(finish)).toMatchObject({
      status: 'completed',
      output: [
        { type: 'reasoning', content: [{ text: 'I look.' }] },
        { type: 'message', content: [{ type: 'output_text', text: 'Moment.' }] },
        { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' },
      ],
      usage: { input_tokens: 10, output_tokens: 6, total_tokens: 16 },
      store: false,
    });
  });

  it('is incomplete at its length, and failed with an error that says so', () => {
    const writer = parse({ input: 'Hi' }).writer(head);
    writer.piece({ kind: 'text', text: 'Hal' });
    expect(writer.whole({ ...finish, reason: 'length' })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    const broken = writer.broken(new ApiFault(500, 'model_failed', 'It broke.'));
    expect(broken.map(({ event }) => event)).toEqual(['error', 'response.failed']);
  });

  it('carries reasoning for a caller that keeps it, and reads it back', () => {
    const writer = parse({ input: 'Hi', include: ['reasoning.encrypted_content'] }).writer(head);
    writer.piece({ kind: 'reasoning', text: 'Grüß' });
    writer.piece({ kind: 'call', index: 0, begins: { id: 'c1', name: 'weather' }, argumentsText: '{}' });
    const { output } = writer.whole(finish) as { output: { encrypted_content?: string }[] };
    const sealed = output[0]?.encrypted_content ?? '';
    expect(sealed).not.toContain('Grüß');
    const back = parse({
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'reasoning', summary: [], encrypted_content: sealed },
        { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'Sun' },
      ],
    });
    expect(back.generation.messages[1]).toMatchObject({ role: 'assistant', reasoning: 'Grüß' });
    // Another server's is nothing to us.
    const foreign = { type: 'reasoning', summary: [], encrypted_content: 'gAAAA' };
    expect(parse({ input: [{ role: 'user', content: 'Hi' }, foreign] }).generation.messages).toHaveLength(1);
  });
});
