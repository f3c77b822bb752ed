import { describe, expect, it } from 'vitest';
import type { Finish, Piece } from './answer-writer.ts';
import { anthropicErrorBody, ApiFault } from './api-fault.ts';
import { parseCountRequest, parseMessagesRequest } from './messages-request.ts';

const head = { id: 'a', createdSeconds: 5, model: 'tiny' };
const finish: Finish = {
  reason: 'tool_calls',
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
const hello = { max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] };
const parse = (more: object = {}) => parseMessagesRequest({ ...hello, ...more }, '2026-01-02');
const tool = { name: 'weather', input_schema: { type: 'object' } };

describe('what was asked', () => {
  it('is a history with tools used and their results', () => {
    const { generation } = parse({
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: 'Rome?' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'I look.', signature: '' },
            { type: 'redacted_thinking', data: 'x' },
            { type: 'text', text: 'Moment.' },
            { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Rome' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'Storm' }], is_error: true },
            { type: 'text', text: 'And' },
            { type: 'text', text: 'now?' },
          ],
        },
      ],
    });
    expect(generation.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Rome?' },
      {
        role: 'assistant',
        content: 'Moment.',
        reasoning: 'I look.',
        tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', content: 'Error: Storm', tool_call_id: 't1' },
      { role: 'user', content: 'And\nnow?' },
    ]);
  });

  it('passes on bounds, tools and form', () => {
    const { generation } = parse({
      tools: [tool],
      tool_choice: { type: 'tool', name: 'weather' },
      stop_sequences: ['END'],
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
      top_k: 5,
    });
    expect(generation).toMatchObject({
      maxTokens: 50,
      topK: 5,
      stop: ['END'],
      thinkingBudgetTokens: 1_024,
      effort: 'high',
      toolChoice: { type: 'function', function: { name: 'weather' } },
      responseFormat: { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
    });
    const shown = parse({ tools: [{ ...tool, description: 'Tells.', input_examples: [{ city: 'Rome' }] }] });
    expect(shown.generation.tools).toMatchObject([
      { function: { description: 'Tells.\nExample of its input: {"city":"Rome"}' } },
    ]);
    expect(parse({ tools: [tool], tool_choice: { type: 'any' } }).generation.toolChoice).toBe('required');
    expect(parse({ tools: [tool], tool_choice: { type: 'none' } }).generation).not.toHaveProperty('tools');
    const edits = [{ type: 'clear_thinking_20251015', keep: 'all' }];
    expect(parse({ context_management: { edits } }).generation.messages).toHaveLength(1);
    expect(parse({ thinking: { type: 'disabled' } }).generation.effort).toBe('low');
  });

  it.each<[string, object, string]>([
    ['images', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }, 'messages.0.content.0'],
    ['a server’s tools alone', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools'],
    [
      'tools that only its maker’s models know',
      { tools: [tool, { type: 'bash_20250124', name: 'bash' }] },
      'tools.1.type',
    ],
    [
      'leaving tools out',
      { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
      'context_management.edits.0.type',
    ],
    ['other servers', { mcp_servers: [{}] }, 'mcp_servers'],
    ['a tool that must be used and is not there', { tool_choice: { type: 'any' } }, 'tool_choice'],
    ['heat', { temperature: 2 }, 'temperature'],
    ['what it does not know', { foo: 1 }, 'foo'],
  ])('refuses %s by name', (_name, more, param) => {
    try {
      parse(more);
    } catch (fault) {
      expect(fault).toBeInstanceOf(ApiFault);
      expect(fault).toMatchObject({ status: 400, param });
      return;
    }
    throw new Error('was accepted');
  });

  it('leaves a server’s tools out beside others, and images that a tool gave back', () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 8 };
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } };
    const asked = parse({
      tools: [search, tool],
      messages: [
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image] }] },
      ],
    });
    expect(asked.leftOut).toEqual(['web_search_20250305']);
    expect(asked.generation.tools).toHaveLength(1);
    expect(asked.generation.messages[1]?.content).toContain('reads text only');
  });

  it('is counted without a bound', () => {
    const { prompt } = parseCountRequest({ messages: hello.messages, system: 'S', tools: [tool] }, '2026-01-02');
    expect(prompt.messages).toHaveLength(2);
    expect(prompt.tools).toHaveLength(1);
  });
});

describe('the answer', () => {
  const pieces: readonly Piece[] = [
    { kind: 'reasoning', text: 'I look.' },
    { kind: 'text', text: 'Mo' },
    { kind: 'text', text: 'ment.' },
    { kind: 'call', index: 0, begins: { id: 't1', name: 'weather' }, argumentsText: '' },
    { kind: 'call', index: 0, argumentsText: '{"city":"Rome"}' },
  ];
  const streamed = (more: object) => {
    const writer = parse(more).writer(head);
    return [...writer.opening(7), ...pieces.flatMap((piece) => writer.piece(piece)), ...writer.ending(finish)];
  };
  const blocks = (more: object): unknown[] => {
    const writer = parse(more).writer(head);
    for (const piece of pieces) writer.piece(piece);
    return (writer.whole(finish) as { content: unknown[] }).content;
  };
  const text = { type: 'text', text: 'Moment.', citations: null };
  const call = { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Rome' } };

  it('shows its thinking to those who asked for it', () => {
    expect(blocks({})).toEqual([text, call]);
    expect(blocks({ thinking: { type: 'adaptive' } })).toEqual([
      { type: 'thinking', thinking: 'I look.', signature: '' },
      text,
      call,
    ]);
  });

  it('seals its thinking for those who want it back and not shown', () => {
    const thinking = { type: 'adaptive', display: 'omitted' };
    const [sealed] = blocks({ thinking }) as { thinking: string; signature: string }[];
    expect(sealed).toMatchObject({ type: 'thinking', thinking: '', signature: expect.stringMatching(/.+/) });
    const deltas = streamed({ thinking }).map(({ data }) => (data as { delta?: object }).delta);
    expect(deltas).toContainEqual({ type: 'signature_delta', signature: sealed?.signature });
    expect(JSON.stringify(deltas)).not.toContain('I look.');
    const back = parse({ messages: [...hello.messages, { role: 'assistant', content: [sealed, call] }] });
    expect(back.generation.messages[1]).toMatchObject({ reasoning: 'I look.' });
  });

  it('opens and closes every block, and ends with reason and usage', () => {
    const frames = streamed({ thinking: { type: 'adaptive' } });
    expect(frames.map(({ event }) => event)).toEqual([
      'message_start',
      'ping',
      ...['content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['content_block_start', 'content_block_delta', 'content_block_delta', 'content_block_stop'],
      ...['content_block_start', 'content_block_delta', 'content_block_stop'],
      'message_delta',
      'message_stop',
    ]);
    expect(frames[0]?.data).toMatchObject({ message: { usage: { input_tokens: 7, output_tokens: 0 } } });
    expect(frames[2]?.data).toMatchObject({ index: 0, content_block: { type: 'thinking', thinking: '' } });
    expect(frames.at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'tool_use' },
      usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 6 },
    });
  });

  it('names the stop text that ended it, streamed and whole', () => {
    const writer = parse({}).writer(head);
    const stopped: Finish = { ...finish, reason: 'stop', stopSequence: 'END' };
    const told = { stop_reason: 'stop_sequence', stop_sequence: 'END' };
    expect(writer.ending(stopped).at(-2)?.data).toMatchObject({ delta: told });
    expect(writer.whole(stopped)).toMatchObject(told);
    const untold = { stop_reason: 'end_turn', stop_sequence: null };
    expect(writer.whole({ ...stopped, stopSequence: null })).toMatchObject(untold);
  });

  it('keeps arguments that are no JSON', () => {
    const writer = parse({}).writer(head);
    writer.piece({ kind: 'call', index: 0, begins: { id: 't1', name: 'f' }, argumentsText: '{"half' });
    expect(writer.whole(finish)).toMatchObject({ content: [{ input: { text: '{"half' } }] });
  });
});

it.each([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'overloaded_error'],
])('an error with the status %s is a %s', (status, type) => {
  expect(anthropicErrorBody(new ApiFault(status, 'c', 'm'))).toMatchObject({ type: 'error', error: { type } });
});
