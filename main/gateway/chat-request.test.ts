import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiFault } from './api-fault.ts';
import { LARGEST_MAX_TOKENS, parseChatRequest, type RequestSurroundings } from './chat-request.ts';

const surroundings: RequestSurroundings = {
  model: { id: '/models/tiny', name: 'tiny' },
  sampling: { temperature: 1, topP: 0.9 },
  date: '2026-01-02',
};
const hello = { messages: [{ role: 'user', content: 'Hello' }] };
const parse = (value: unknown) => parseChatRequest(value, surroundings);
function faultOf(value: unknown, more: Partial<RequestSurroundings> = {}): ApiFault {
  try {
    parseChatRequest(value, { ...surroundings, ...more });
  } catch (thrown) {
    if (thrown instanceof ApiFault) return thrown;
    throw thrown;
  }
  throw new Error('was accepted');
}

describe('parseChatRequest', () => {
  it('fills in what is left out', () => {
    expect(parse(hello)).toEqual({
      model: 'tiny',
      stream: false,
      includeUsage: false,
      generation: {
        messages: [{ role: 'user', content: 'Hello' }],
        effort: 'medium',
        date: '2026-01-02',
        maxTokens: 8_192,
        temperature: 1,
        topP: 0.9,
      },
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
        'response_format',
        'functions',
      ].map((name) => [name, null]),
    );
    expect(parse({ ...hello, ...nulls })).toEqual(parse(hello));
  });

  it('passes on what was asked', () => {
    const tools = [
      {
        type: 'function',
        function: { name: 'get_weather', parameters: { type: 'object', properties: { constructor: {} } } },
      },
    ];
    const { generation, stream, includeUsage } = parse({
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
      presence_penalty: 1,
    });
    expect(generation).toMatchObject({
      maxTokens: 7,
      temperature: 0,
      topP: 0.5,
      seed: 3,
      stop: ['END'],
      tools,
      effort: 'high',
    });
    expect({ stream, includeUsage }).toEqual({ stream: true, includeUsage: true });
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
        { role: 'assistant', content: 'A', reasoning: 'ah', refusal: null },
      ],
    });
    expect(generation.messages).toEqual([
      { role: 'system', content: 'S' },
      { role: 'developer', content: 'a\nb' },
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: null, reasoning: 'hm', tool_calls: [call] },
      { role: 'tool', content: 'R', tool_call_id: 'call_1' },
      { role: 'assistant', content: 'A', reasoning: 'ah' },
    ]);
  });

  it.each(['tiny', '/models/tiny', 'default'])('knows the model as %s', (model) => {
    expect(parse({ ...hello, model }).model).toBe('tiny');
  });

  it('names models it does not run, and says when there is none', () => {
    expect(faultOf({ ...hello, model: 'gpt-4o' })).toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    expect(faultOf(hello, { model: null })).toMatchObject({ status: 503, code: 'no_model' });
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
    ['log probabilities', { ...hello, logprobs: true }, 'logprobs'],
    ['JSON mode', { ...hello, response_format: { type: 'json_object' } }, 'response_format.type'],
    ['old functions', { ...hello, functions: [] }, 'functions'],
    ['a forced tool', { ...hello, tool_choice: 'required' }, 'tool_choice'],
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
