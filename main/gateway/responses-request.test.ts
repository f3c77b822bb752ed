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
    ['a server’s tools alone', { tools: [{ type: 'web_search' }] }, 'tools'],
    ['tools that only its maker’s models know', { tools: [{ type: 'local_shell' }, weather] }, 'tools.0.type'],
    ['a server’s tool that must be used', { tools: [weather], tool_choice: { type: 'web_search' } }, 'tool_choice'],
    [
      'a tool that must be used and was not sent',
      { tools: [weather], tool_choice: { type: 'function', name: 'f' } },
      'tool_choice',
    ],
    ['what was not stored', { input: [{ type: 'item_reference', id: 'msg-1' }] }, 'input.0'],
    ['items it does not know', { input: [{ role: 'user', content: 'Hi' }, { type: 'mcp_call' }] }, 'input.1.type'],
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

describe('tools', () => {
  const group = {
    type: 'namespace',
    name: 'agents',
    description: 'Other agents.',
    tools: [{ type: 'function', name: 'spawn', description: 'Begins one.', parameters: { type: 'object' } }],
  };
  const patch = {
    type: 'custom',
    name: 'apply_patch',
    description: 'Edits files.',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
  };
  const run = (tools: object[], name: string, argumentsText: string) => {
    const writer = parse({ input: 'Hi', tools }).writer(head);
    const frames = [
      ...writer.piece({ kind: 'call', index: 0, begins: { id: 'c1', name }, argumentsText: '' }),
      ...writer.piece({ kind: 'call', index: 0, argumentsText }),
      ...writer.ending(finish),
    ];
    return { events: frames.map(({ event }) => event), last: frames.at(-1)?.data };
  };

  it('in a namespace are functions whose calls come back to it', () => {
    const { generation } = parse({
      tools: [weather, group],
      tool_choice: { type: 'function', name: 'spawn', namespace: 'agents' },
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'function_call', call_id: 'c1', namespace: 'agents', name: 'spawn', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_image', image_url: 'data:,' }] },
      ],
    });
    expect(generation.tools?.[1]).toMatchObject({
      function: { name: 'agents.spawn', description: 'Other agents.\nBegins one.' },
    });
    expect(generation.toolChoice).toEqual({ type: 'function', function: { name: 'agents.spawn' } });
    expect(generation.messages.slice(1)).toMatchObject([
      { tool_calls: [{ function: { name: 'agents.spawn' } }] },
      { role: 'tool', content: expect.stringContaining('reads text only') },
    ]);
    for (const name of ['agents.spawn', 'spawn'])
      expect(run([weather, group], name, '{}').last).toMatchObject({
        response: { output: [{ type: 'function_call', namespace: 'agents', name: 'spawn', arguments: '{}' }] },
      });
  });

  it('that take plain text are functions with one input', () => {
    const { generation } = parse({
      tools: [patch],
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'custom_tool_call', call_id: 'c1', name: 'apply_patch', input: 'a "b"' },
        { type: 'custom_tool_call_output', call_id: 'c1', output: 'Done.' },
      ],
    });
    expect(generation.tools).toMatchObject([{ function: { parameters: { required: ['input'] } } }]);
    expect(JSON.stringify(generation.tools)).toContain('lark grammar');
    expect(generation.messages.slice(1)).toMatchObject([
      { tool_calls: [{ function: { arguments: '{"input":"a \\"b\\""}' } }] },
      { role: 'tool', content: 'Done.', tool_call_id: 'c1' },
    ]);
    const { events, last } = run([patch], 'apply_patch', '{"input":"*** x"}');
    expect(events).toEqual([
      'response.output_item.added',
      'response.custom_tool_call_input.delta',
      'response.custom_tool_call_input.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(last).toMatchObject({ response: { output: [{ type: 'custom_tool_call', call_id: 'c1', input: '*** x' }] } });
    // What the model wrote without the form is meant as the text.
    expect(run([patch], 'apply_patch', '*** y').last).toMatchObject({ response: { output: [{ input: '*** y' }] } });
  });

  it('of a server are left out beside others, and the answer says which there were', () => {
    const asked = parse({ input: 'Hi', tools: [weather, { type: 'web_search', external_web_access: false }] });
    expect(asked.leftOut).toEqual(['web_search']);
    expect(asked.generation.tools).toHaveLength(1);
    expect(asked.writer(head).whole(finish)).toMatchObject({ tools: [weather] });
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
      ...streamed.opening(0),
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
