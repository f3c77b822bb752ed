import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiFault } from './api-fault.ts';
import { parseChatRequest } from './chat-request.ts';
import { LARGEST_MAX_TOKENS } from './request-fields.ts';

const hello = { messages: [{ role: 'user', content: 'Hello' }] };
const parse = (value: unknown) => parseChatRequest(value, '2026-01-02');
function faultOf(value: unknown): ApiFault {
  try {
    parse(value);
  } catch (thrown) {
    if (thrown instanceof ApiFault) return thrown;
    throw thrown;
  }
  throw new Error('was accepted');
}

describe('parseChatRequest', () => {
  it('fills in what is left out', () => {
    expect(parse(hello)).toMatchObject({ model: 'default', stream: false });
    expect(parse(hello).generation).toEqual({
      messages: [{ role: 'user', content: 'Hello' }],
      effort: 'medium',
      date: '2026-01-02',
      maxTokens: 8_192,
    });
  });

  it('takes null for every optional field, as clients send it', () => {
    const nulls = Object.fromEntries(
      [
        'model',
        'stream',
        'stream_options',
        'max_tokens',
        'max_completion_tokens',
        'temperature',
        'top_p',
        'seed',
        'stop',
        'tools',
        'tool_choice',
        'reasoning_effort',
        'n',
        'logprobs',
        'top_logprobs',
        'frequency_penalty',
        'logit_bias',
        'user',
        'response_format',
        'functions',
        'audio',
        'what_nobody_knows',
      ].map((name) => [name, null]),
    );
    expect(parse({ ...hello, ...nulls }).generation).toEqual(parse(hello).generation);
  });

  it('passes on what was asked', () => {
    const tools = [
      {
        type: 'function',
        function: { name: 'get_weather', parameters: { type: 'object', properties: { constructor: {} } } },
      },
    ];
    const { generation, stream, model } = parse({
      ...hello,
      model: 'tiny',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5,
      max_completion_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      seed: 3,
      stop: 'END',
      tools,
      tool_choice: 'auto',
      reasoning_effort: 'high',
      user: 'somebody',
      presence_penalty: 0,
      frequency_penalty: -2,
      repetition_penalty: 1.5,
      logit_bias: { 5: -100, 199999: 2.5 },
    });
    expect(generation).not.toHaveProperty('presencePenalty');
    expect(generation).toMatchObject({
      maxTokens: 7,
      temperature: 0,
      topP: 0.5,
      seed: 3,
      stop: ['END'],
      tools,
      effort: 'high',
      frequencyPenalty: -2,
      repetitionPenalty: 1.5,
      logitBias: { '5': -100, '199999': 2.5 },
    });
    expect({ stream, model }).toEqual({ stream: true, model: 'tiny' });
    expect(parse({ ...hello, tools, tool_choice: 'none' }).generation).not.toHaveProperty('tools');
    expect(parse({ ...hello, max_tokens: 10_000_000 }).generation.maxTokens).toBe(LARGEST_MAX_TOKENS);
  });

  it('reads a whole history: parts, tool calls, tool results, reasoning under both names', () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const { generation } = parse({
      messages: [
        { role: 'system', content: 'S' },
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'user', content: 'Q', name: 'ada' },
        { role: 'assistant', content: null, tool_calls: [call], reasoning_content: 'hm' },
        { role: 'tool', tool_call_id: 'call_1', content: 'R' },
        { role: 'assistant', content: null, refusal: 'No.' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] },
        { role: 'assistant', content: 'A', reasoning: 'ah', refusal: null },
      ],
    });
    expect(generation.messages).toEqual([
      { role: 'system', content: 'S' },
      { role: 'developer', content: 'a\nb' },
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: null, reasoning: 'hm', tool_calls: [call] },
      { role: 'tool', content: 'R', tool_call_id: 'call_1' },
      { role: 'assistant', content: 'No.' },
      { role: 'assistant', content: 'Never.' },
      { role: 'assistant', content: 'A', reasoning: 'ah' },
    ]);
  });

  it('passes on what the engine constrains and tells', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const named = { type: 'function', function: { name: 'f' } };
    const format = { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } };
    expect(parse({ ...hello, tools, tool_choice: 'required' }).generation.toolChoice).toBe('required');
    expect(parse({ ...hello, tools, tool_choice: named }).generation.toolChoice).toEqual(named);
    expect(parse({ ...hello, response_format: format }).generation.responseFormat).toEqual(format);
    expect(parse({ ...hello, response_format: { type: 'text' } }).generation).not.toHaveProperty('responseFormat');
    expect(parse({ ...hello, logprobs: true, top_logprobs: 3 }).generation.topLogprobs).toBe(3);
    expect(parse({ ...hello, stop: [] }).generation).not.toHaveProperty('stop');
    expect(parse({ ...hello, top_k: 4, min_p: 0.1 }).generation).toMatchObject({ topK: 4, minP: 0.1 });
  });

  it.each([
    ['minimal', 'low'],
    ['low', 'low'],
    ['xhigh', 'high'],
  ])('takes the effort %s as %s', (asked, effort) => {
    expect(parse({ ...hello, reasoning_effort: asked }).generation.effort).toBe(effort);
  });

  const image = [
    { type: 'text', text: 'look' },
    { type: 'image_url', image_url: { url: 'http://evil.example/x.png' } },
  ];
  it.each<[string, unknown, string | null]>([
    ['no object', 'hello', null],
    ['an array', [], 'messages'],
    ['no messages', {}, 'messages'],
    ['empty messages', { messages: [] }, 'messages'],
    ['an unknown role', { messages: [{ role: 'root', content: 'x' }] }, 'messages.0.role'],
    ['no content', { messages: [{ role: 'user' }] }, 'messages.0.content'],
    ['a number for content', { messages: [{ role: 'user', content: 4 }] }, 'messages.0.content'],
    ['an empty assistant message', { messages: [{ role: 'assistant' }] }, 'messages.0'],
    ['an image', { messages: [{ role: 'user', content: image }] }, 'messages.0.content.1'],
    ['a text part without text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages.0.content.0'],
    ['no tokens', { ...hello, max_tokens: 0 }, 'max_tokens'],
    ['half a token', { ...hello, max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    ['heat', { ...hello, temperature: 3 }, 'temperature'],
    ['top_p', { ...hello, top_p: -1 }, 'top_p'],
    ['effort', { ...hello, reasoning_effort: 'extreme' }, 'reasoning_effort'],
    ['two answers', { ...hello, n: 2 }, 'n'],
    ['top_logprobs alone', { ...hello, top_logprobs: 2 }, 'top_logprobs'],
    ['an odd format', { ...hello, response_format: { type: 'xml' } }, 'response_format.type'],
    ['a large penalty', { ...hello, presence_penalty: 2.1 }, 'presence_penalty'],
    ['a penalty in words', { ...hello, frequency_penalty: 'much' }, 'frequency_penalty'],
    ['a negative penalty for repetition', { ...hello, repetition_penalty: -1 }, 'repetition_penalty'],
    ['a bias for a word', { ...hello, logit_bias: { no: 1 } }, 'logit_bias'],
    ['a bias without end', { ...hello, logit_bias: { 5: 101 } }, 'logit_bias'],
    ['a list of biases', { ...hello, logit_bias: [1] }, 'logit_bias'],
    ['what it does not know', { ...hello, keep_alive: 5 }, 'keep_alive'],
    ['what it does not know and cannot name', { ...hello, 'a b': 5 }, null],
    ['storing', { ...hello, store: true }, 'store'],
    ['no thinking', { ...hello, reasoning_effort: 'none' }, 'reasoning_effort'],
    ['old functions', { ...hello, functions: [] }, 'functions'],
    ['an old call', { messages: [{ role: 'assistant', content: 'x', function_call: {} }] }, 'messages.0.function_call'],
    ['a voice', { messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'messages.0.audio'],
    ['a search', { ...hello, web_search_options: {} }, 'web_search_options'],
    ['an odd stream', { ...hello, stream_options: { every: 2 } }, 'stream_options.every'],
    ['a forced tool that is not there', { ...hello, tool_choice: 'required' }, 'tool_choice'],
    [
      'a tool with an odd name',
      { ...hello, tools: [{ type: 'function', function: { name: 'a b' } }] },
      'tools.0.function.name',
    ],
    ['an empty stop', { ...hello, stop: [''] }, 'stop'],
    ['stream as text', { ...hello, stream: 'yes' }, 'stream'],
  ])('refuses %s', (_name, value, param) => {
    const fault = faultOf(value);
    expect(fault).toMatchObject({ status: 400, param });
    expect(fault.message.length).toBeLessThan(200);
  });

  it('tells bounds in words', () => {
    expect(faultOf({ ...hello, temperature: 3 }).message).toBe('temperature must be 2 at most.');
    expect(faultOf({ ...hello, max_tokens: 0 }).message).toBe('max_tokens must be at least 1.');
    expect(faultOf({ ...hello, seed: 1.5 }).message).toBe('seed must be a whole number.');
    expect(faultOf({ messages: [] }).message).toBe('messages must not be empty.');
  });

  it('refuses nesting that would exhaust the stack later', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as unknown;
    expect(faultOf({ ...hello, tools: [deep] })).toMatchObject({ status: 400 });
  });

  it('never repeats what was sent, and throws nothing but ApiFault', () => {
    const secret = 'S3CRET-TEXT';
    const anyValue = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(secret), fc.constant([secret]));
    const request = fc.record(
      {
        messages: fc.oneof(
          anyValue,
          fc.array(
            fc.record({ role: fc.oneof(fc.constantFrom('user', 'assistant', 'tool'), anyValue), content: anyValue }),
          ),
        ),
        stop: anyValue,
        tools: anyValue,
        reasoning_effort: anyValue,
        max_tokens: anyValue,
        logit_bias: anyValue,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(request, (value) => {
        try {
          parse(value);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ApiFault);
          expect((thrown as ApiFault).message).not.toContain(secret);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
