/**
 * The official clients, unchanged, against the real engine with the demo model: JavaScript's, and Python's where they are
 * installed (npm run test:clients).
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longPrompt, pythonExecutable } from '../engine/fixtures.ts';
import { type RunningApp, runApp } from './running-app.ts';

let running: RunningApp;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  running = await runApp();
  const { url, key } = running;
  openai = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: url.replace(/\/v1$/, ''), apiKey: key, maxRetries: 0 });
});
afterAll(() => running.end());

const user = [{ role: 'user' as const, content: 'Hello' }];
const short = { model: 'default', max_tokens: 60, temperature: 0 };
const weather = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Oslo', 'Rome'] } }, required: ['city'] },
};
const colour = {
  type: 'object',
  properties: { colour: { type: 'string', enum: ['red', 'green'] } },
  required: ['colour'],
  additionalProperties: false,
};

describe('openai', () => {
  it('lists and finds the model', async () => {
    const models = await openai.models.list();
    expect(models.data[0]?.id).toBe('Demo model');
    expect((await openai.models.retrieve('Demo model')).object).toBe('model');
    expect((await openai.models.retrieve('headroom-demo')).object).toBe('model');
    await expect(openai.models.retrieve('gpt-4o')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('completes a chat, whole and streamed alike', async () => {
    const whole = await openai.chat.completions.create({ ...short, messages: user });
    expect(whole.choices[0]?.message.content?.length).toBeGreaterThan(0);
    expect(whole).toHaveProperty('_request_id', expect.stringMatching(/^req_/));
    expect(whole.usage).toMatchObject({ prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) });
    expect(whole).toMatchObject({ timings: { first_token_ms: expect.any(Number), queue_ms: expect.any(Number) } });
    const stream = openai.chat.completions.stream({
      ...short,
      messages: user,
      stream_options: { include_usage: true },
    });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(whole.choices[0]?.message).toHaveProperty('reasoning_content');
  });

  it('takes stop, seed and effort', async () => {
    const asked = { ...short, messages: user, temperature: 1, seed: 5, reasoning_effort: 'low' as const };
    const first = await openai.chat.completions.create(asked);
    const second = await openai.chat.completions.create(asked);
    const text = first.choices[0]?.message.content ?? '';
    expect(second.choices[0]?.message.content).toBe(text);
    const stop = text.slice(3, 6);
    const cut = await openai.chat.completions.create({ ...asked, stop: [stop] });
    expect(cut.choices[0]?.message.content).not.toContain(stop);
    expect(cut.choices[0]?.finish_reason).toBe('stop');
  });

  it('takes penalties and a bias, and says which of them it cannot take', async () => {
    const text = async (more: object): Promise<string> => {
      const asked = { ...short, messages: user, logprobs: true, ...more };
      const { choices } = await openai.chat.completions.create(asked);
      return choices[0]?.message.content ?? '';
    };
    const long = { messages: [{ role: 'user', content: 'Tell me a long story' }], max_tokens: 300 };
    const words = async (penalty: number): Promise<number> =>
      new Set((await text({ ...long, frequency_penalty: penalty })).split(/\s+/)).size;
    expect(await words(2)).toBeGreaterThan(await words(0));
    const plain = await text({});
    const { choices } = await openai.chat.completions.create({ ...short, messages: user, logprobs: true });
    const first = choices[0]?.logprobs?.content?.[0];
    expect(plain.startsWith(first?.token ?? '?')).toBe(true);
    const refused = openai.chat.completions.create({ ...short, messages: user, logit_bias: { 999_999: 1 } });
    await expect(refused).rejects.toThrow(/logit_bias: there is no token 999999/);
    await expect(text({ presence_penalty: 3 })).rejects.toMatchObject({ status: 400, param: 'presence_penalty' });
    const cut = await openai.completions.create({
      ...short,
      prompt: 'Hello',
      presence_penalty: 2,
      logit_bias: { 0: -100 },
    });
    expect(cut.choices[0]?.text.length).toBeGreaterThan(0);
  });

  it('tells how likely each token was', async () => {
    const { choices } = await openai.chat.completions.create({
      ...short,
      messages: user,
      logprobs: true,
      top_logprobs: 2,
    });
    const told = choices[0]?.logprobs?.content ?? [];
    expect(told.map(({ token }) => token).join('')).toBe(choices[0]?.message.content);
    expect(told[0]?.top_logprobs).toHaveLength(2);
    expect(told.every(({ logprob }) => logprob <= 0)).toBe(true);
  });

  it('calls a tool that it must call, streamed, and reads the result', async () => {
    const tools = [{ type: 'function' as const, function: weather }];
    const stream = openai.chat.completions.stream({
      ...short,
      max_tokens: 300,
      messages: [{ role: 'user', content: 'What is the weather in Oslo?' }],
      tools,
      tool_choice: 'required',
    });
    const { choices } = await stream.finalChatCompletion();
    const message = choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (call?.type !== 'function' || message === undefined) throw new Error('no call');
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    expect(call.function.name).toBe('get_weather');
    expect(['Oslo', 'Rome']).toContain((JSON.parse(call.function.arguments) as { city: string }).city);
    const after = await openai.chat.completions.create({
      ...short,
      tools,
      messages: [...user, message, { role: 'tool', tool_call_id: call.id, content: 'Rain, 4 degrees.' }],
    });
    expect(after.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('answers in the form of a schema', async () => {
    const { choices } = await openai.chat.completions.create({
      ...short,
      max_tokens: 300,
      messages: user,
      response_format: { type: 'json_schema', json_schema: { name: 'colour', schema: colour, strict: true } },
    });
    expect(['red', 'green']).toContain((JSON.parse(choices[0]?.message.content ?? '') as { colour: string }).colour);
  });

  it('completes a text', async () => {
    const whole = await openai.completions.create({ ...short, prompt: 'Hello' });
    expect(whole.choices[0]?.text.length).toBeGreaterThan(0);
    let text = '';
    for await (const chunk of await openai.completions.create({ ...short, prompt: 'Hello', stream: true }))
      text += chunk.choices[0]?.text ?? '';
    expect(text).toBe(whole.choices[0]?.text);
  });

  it('answers as a response, whole and streamed alike', async () => {
    const asked = {
      model: 'default',
      input: 'Hello',
      max_output_tokens: 60,
      temperature: 0,
      instructions: 'Be brief.',
    };
    const whole = await openai.responses.create(asked);
    expect(whole.output_text.length).toBeGreaterThan(0);
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);
    const kinds: string[] = [];
    const stream = openai.responses.stream(asked);
    const numbers: number[] = [];
    for await (const event of stream) {
      kinds.push(event.type);
      numbers.push(event.sequence_number);
    }
    expect(numbers).toEqual([...numbers.keys()]);
    const streamed = await stream.finalResponse();
    expect(streamed.output_text).toBe(whole.output_text);
    expect(kinds[0]).toBe('response.created');
    expect(kinds).toContain('response.output_text.delta');
    expect(kinds.at(-1)).toMatch(/^response\.(completed|incomplete)$/);
  });

  it('calls a tool in a response and goes on with its own items and the result', async () => {
    const tools = [{ type: 'function' as const, ...weather, strict: true }];
    const input = [{ role: 'user' as const, content: 'What is the weather in Rome?' }];
    const asked = { model: 'default', max_output_tokens: 300, temperature: 0, tools };
    const first = await openai.responses.create({
      ...asked,
      input,
      tool_choice: 'required',
      include: ['reasoning.encrypted_content'],
    });
    const call = first.output.find((item) => item.type === 'function_call');
    if (call === undefined) throw new Error('no call');
    expect(call.name).toBe('get_weather');
    const second = await openai.responses.create({
      ...asked,
      input: [
        ...input,
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { type: 'function_call_output', call_id: call.call_id, output: 'Sun, 21 degrees.' },
      ],
    });
    expect(second.status).toMatch(/^(completed|incomplete)$/);
  });

  it('gets the errors it knows', async () => {
    const stranger = new OpenAI({ baseURL: running.url, apiKey: 'hr-nobody', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const create = (more: object) => openai.chat.completions.create({ ...short, messages: user, ...more });
    await expect(create({ model: 'gpt-4o' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(create({ n: 2 })).rejects.toMatchObject({ status: 400, param: 'n' });
    await expect(create({ messages: [{ role: 'user', content: longPrompt.repeat(5) }] })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      message: expect.stringMatching(/maximum context length is \d+ tokens.*resulted in \d+ tokens/),
    });
    await expect(
      openai.responses.create({ model: 'default', input: 'Hi', previous_response_id: 'resp-1' }),
    ).rejects.toMatchObject({ status: 400, param: 'previous_response_id' });
  });

  it('reaches the engine when it aborts', async () => {
    const stream = await openai.chat.completions.create({
      model: 'default',
      stream: true,
      messages: [{ role: 'user', content: 'Tell a long story' }],
    });
    for await (const _ of stream) break;
    stream.controller.abort();
    await expect.poll(() => running.app.engine.state.kind, { timeout: 10_000 }).toBe('ready');
    const hasty = openai.chat.completions.create({ model: 'default', messages: user }, { timeout: 30 });
    await expect(hasty).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    await expect.poll(() => running.app.engine.state.kind, { timeout: 10_000 }).toBe('ready');
  });
});

/** The engine's process: the only one of that name that this process has started. */
function enginePid(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('headroom_engine'));
  if (found === undefined) throw new Error('there is no engine');
  return Number(found);
}
const story = [{ role: 'user' as const, content: 'Write a long story.' }];

if (process.platform !== 'linux') console.log('Skipped: the engine killed in an answer: only Linux lists its children');
describe.skipIf(process.platform !== 'linux')('when the engine is killed in the middle of an answer', () => {
  /** Turned on, or back after the last kill: a request waits for it. */
  const ready = () => openai.chat.completions.create({ ...short, max_tokens: 1, messages: user });

  it('tells openai', async () => {
    for (const ask of [
      () => openai.chat.completions.create({ model: 'default', messages: story, stream: true }),
      () => openai.responses.create({ model: 'default', input: 'Write a long story.', stream: true }),
    ]) {
      await ready();
      let got = 0;
      const read = async (): Promise<void> => {
        for await (const _ of await ask()) {
          got += 1;
          if (got === 5) process.kill(enginePid(), 'SIGKILL');
        }
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(got).toBeGreaterThanOrEqual(5);
    }
  });

  it('tells anthropic', async () => {
    await ready();
    const stream = anthropic.messages.stream({ model: 'default', max_tokens: 2_000, messages: story });
    stream.once('text', () => process.kill(enginePid(), 'SIGKILL'));
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
    expect(stream.receivedMessages.length + stream.messages.length).toBeGreaterThan(0);
    await ready();
  });
});

describe('anthropic', () => {
  const asked = { model: 'default', max_tokens: 60, temperature: 0, system: 'Be brief.', messages: user };

  it('answers a message, whole and streamed alike', async () => {
    const whole = await anthropic.messages.create({ ...asked, max_tokens: 200 });
    expect(whole.content[0]?.type).toBe('text');
    expect(whole).toHaveProperty('_request_id', expect.stringMatching(/^req_/));
    expect(whole.usage.output_tokens).toBeGreaterThan(0);
    const streamed = await anthropic.messages.stream({ ...asked, max_tokens: 200 }).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.stop_reason).toBe(whole.stop_reason);
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
  });

  it('says which stop sequence ended it', async () => {
    const whole = await anthropic.messages.create(asked);
    const text = whole.content[0]?.type === 'text' ? whole.content[0].text : '';
    expect([whole.stop_reason, whole.stop_sequence]).toEqual(['end_turn', null]);
    const stop = text.slice(3, 6);
    const cut = { ...asked, stop_sequences: ['never said', stop] };
    const told = { stop_reason: 'stop_sequence', stop_sequence: stop };
    expect(await anthropic.messages.create(cut)).toMatchObject(told);
    expect(await anthropic.messages.stream(cut).finalMessage()).toMatchObject(told);
  });

  it('shows its thinking when asked to', async () => {
    const { content } = await anthropic.messages
      .stream({ ...asked, temperature: 1, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } })
      .finalMessage();
    expect(content[0]?.type).toBe('thinking');
  });

  it('calls a tool and reads its result', async () => {
    const { parameters, ...named } = weather;
    const tools = [{ ...named, input_schema: { ...parameters, type: 'object' as const } }];
    const question = { role: 'user' as const, content: 'What is the weather in Oslo?' };
    const first = await anthropic.messages
      .stream({ ...asked, max_tokens: 300, tools, tool_choice: { type: 'any' }, messages: [question] })
      .finalMessage();
    const call = first.content.find((block) => block.type === 'tool_use');
    if (call === undefined) throw new Error('no call');
    expect(first.stop_reason).toBe('tool_use');
    expect(['Oslo', 'Rome']).toContain((call.input as { city: string }).city);
    const second = await anthropic.messages.create({
      ...asked,
      tools,
      messages: [
        question,
        { role: 'assistant', content: first.content },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: call.id, content: [{ type: 'text', text: 'Rain.' }] },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
    });
    expect(second.usage.output_tokens).toBeGreaterThan(0);
  });

  it('counts tokens', async () => {
    const { input_tokens } = await anthropic.messages.countTokens({ model: 'default', messages: user });
    const more = await anthropic.messages.countTokens({
      model: 'default',
      messages: [{ role: 'user', content: 'Hello hello hello hello' }],
    });
    expect(more.input_tokens).toBeGreaterThan(input_tokens);
  });

  it('gets the errors it knows', async () => {
    const { url } = running;
    const stranger = new Anthropic({ baseURL: url.replace(/\/v1$/, ''), apiKey: 'hr-nobody', maxRetries: 0 });
    await expect(stranger.messages.create(asked)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(anthropic.messages.create({ ...asked, model: 'claude' })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
    const tooLong = anthropic.messages.create({
      ...asked,
      messages: [{ role: 'user', content: longPrompt.repeat(5) }],
    });
    await expect(tooLong).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(tooLong).rejects.toThrow(/prompt is too long: \d+ tokens > \d+ maximum/);
  });
});

const pythonClients = join(import.meta.dirname, '..', '..', 'out', 'python-clients');
const hasPythonClients = existsSync(join(pythonClients, 'anthropic'));
if (!hasPythonClients) console.log('Skipped: the Python clients are not installed: npm run test:clients');

describe.skipIf(!hasPythonClients)('in Python', () => {
  let got: Record<string, unknown>;
  beforeAll(async () => {
    const { url, key } = running;
    const environment = { ENDPOINT_URL: url, ENDPOINT_KEY: key, LONG_PROMPT: longPrompt.repeat(5) };
    const { stdout } = await promisify(execFile)(pythonExecutable, [join(import.meta.dirname, 'official_clients.py')], {
      env: { PATH: process.env['PATH'], PYTHONPATH: pythonClients, PYTHONDONTWRITEBYTECODE: '1', ...environment },
    });
    got = JSON.parse(stdout) as Record<string, unknown>;
  });

  it.each<[string, unknown]>([
    ['chat_text', expect.stringMatching(/./)],
    ['chat_tool', ['get_weather', expect.stringMatching(/^(Oslo|Rome)$/)]],
    ['chat_errors', expect.stringMatching(/maximum context length is \d+ tokens/)],
    ['chat_abort', 'free'],
    ['response_text', expect.stringMatching(/^response\.(completed|incomplete)$/)],
    ['message_text', expect.stringMatching(/^(end_turn|max_tokens)$/)],
    ['message_tool', ['get_weather', expect.stringMatching(/^(Oslo|Rome)$/), 'tool_use']],
    ['message_errors', expect.stringMatching(/prompt is too long: \d+ tokens > \d+ maximum/)],
    ['message_abort', 'free'],
  ])('%s', (name, wanted) => {
    expect(got[name]).toEqual({ got: wanted });
  });
});
