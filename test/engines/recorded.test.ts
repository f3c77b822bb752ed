/** The adapters of other engines on what real servers said, and on LM Studio's documented answers. */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/clock.ts';
import { ContextFull, EngineError, type GenerationEvent, type GenerationRequest } from '../../main/engine/engine.ts';
import { createLlamaCpp } from '../../main/engines/llama-cpp/llama-cpp.ts';
import { createLmStudio } from '../../main/engines/lm-studio/lm-studio.ts';
import { createOllama } from '../../main/engines/ollama/ollama.ts';
import { ALL_ABILITIES, type OutsideEngine, type OutsideModel } from '../../main/engines/outside-engine.ts';
import type { EngineServer } from '../../main/engines/talk.ts';
import { type RecordedServer, recorded, startRecordedServer } from './recorded-server.ts';

const noMemory = { ofPid: () => Promise.resolve(null), ofNamed: () => Promise.resolve(null) };
const never = new AbortController().signal;
const options = { contextTokens: 2_048, gpuLimitBytes: null };
const request: GenerationRequest = {
  messages: [
    { role: 'developer', content: 'Be short.' },
    { role: 'user', content: 'What is 2+3?' },
  ],
  effort: 'low',
  date: '2026-11-24',
  maxTokens: 120,
  temperature: 0,
};

let server: RecordedServer;
afterEach(() => server.end());

const at = (base: string, token?: string): EngineServer => ({
  base,
  host: '127.0.0.1',
  reach: 'this-computer',
  ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
});
const around = { unusable: () => null, isInstalled: () => false, processMemory: noMemory };
const ollamaAt = (base: string): OutsideEngine =>
  createOllama({ server: () => at(base), ...around, clock: systemClock });
const llamaAt = (base: string): OutsideEngine =>
  createLlamaCpp({
    found: () => ({ server: at(base) }),
    unusable: () => null,
    files: () => Promise.resolve([]),
    fetch: () => Promise.reject(new Error('nothing is fetched at an address')),
    spawner: {
      spawn: () => {
        throw new Error('nothing is started at an address');
      },
    },
    ask: () => Promise.resolve(null),
    processMemory: noMemory,
    environment: () => ({}),
    clock: systemClock,
  });
const lmStudioAt = (base: string): OutsideEngine => createLmStudio({ server: () => at(base, 'secret'), ...around });

const modelOf = (engine: OutsideEngine, ref: string): OutsideModel => ({
  id: `${engine.kind}:${ref}`,
  engine: engine.kind,
  ref,
  name: ref,
  sizeBytes: 1,
  weightsBytes: 1,
  config: null,
  maxContextTokens: 8_192,
  presence: 'here',
  lacks: ALL_ABILITIES,
});

async function all(
  engine: OutsideEngine,
  asked: GenerationRequest = request,
  model: OutsideModel = modelOf(engine, 'headroom-demo'),
): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of engine.chat(model, asked, options, never)) events.push(event);
  return events;
}

const begun = { reasoning: 'The user asks for a sum.', content: 'I am' };
/** Wished before the first word: what is told of it must not depend on who is quicker. */
const answerNow = AbortSignal.abort();

const textOf = (events: readonly GenerationEvent[], kind: 'reasoning' | 'content'): string =>
  events.map((event) => (event.kind === kind ? event.text : '')).join('');

const kinds: readonly { name: string; at: (base: string) => OutsideEngine; path: string; chat: () => string }[] = [
  {
    name: 'llama.cpp',
    at: llamaAt,
    path: '/v1/chat/completions',
    chat: () => recorded('llama.cpp', 'chat').text,
  },
  { name: 'ollama', at: ollamaAt, path: '/api/chat', chat: () => recorded('ollama', 'chat').text },
];

describe.each(kinds)('$name', ({ name, at, path, chat }) => {
  it('tells thinking and answer apart, and ends with counts and rates', async () => {
    server = await startRecordedServer([recorded(name, 'chat')]);
    const events = await all(at(server.base));
    expect(textOf(events, 'reasoning')).toMatch(/^I do not know this/);
    expect(textOf(events, 'content')).toMatch(/^I am a toy model that only knows Headroom/);
    const finish = events.at(-1);
    if (finish?.kind !== 'finish') throw new Error('it does not end');
    expect(finish.reason).toBe('stop');
    expect(finish.usage.promptTokens).toBeGreaterThan(50);
    expect(finish.usage.completionTokens).toBeGreaterThan(40);
    expect(finish.usage.reasoningTokens).toBeGreaterThan(3);
    expect(finish.usage.decodeTokensPerSecond).toBeGreaterThan(0);
  });

  it('says that the length was reached while thinking', async () => {
    const { text } = recorded(name, 'length');
    server = await startRecordedServer([]);
    server.answer(path, { text });
    expect((await all(at(server.base))).at(-1)).toMatchObject({
      kind: 'finish',
      reason: 'length',
      lengthIn: 'reasoning',
    });
  });

  it('refuses what is too long as the app’s own engine does', async () => {
    const { status, text } = recorded(name, 'too-long');
    server = await startRecordedServer([]);
    server.answer(path, { status, text });
    await expect(all(at(server.base))).rejects.toBeInstanceOf(ContextFull);
  });

  it('never ends silently when the server dies in the middle', async () => {
    server = await startRecordedServer([]);
    for (const cutAfter of [0, 300, 1_500, chat().length - 20]) {
      server.answer(path, { text: chat(), cutAfter });
      await expect(all(at(server.base)), `cut after ${cutAfter}`).rejects.toMatchObject({ code: 'disconnected' });
    }
  });

  it('closes the connection when it is stopped, which is what stops the engine', async () => {
    server = await startRecordedServer([]);
    server.answer(path, { text: chat().slice(0, Math.floor(chat().length / 2)), hangs: true });
    const stop = new AbortController();
    const engine = at(server.base);
    const events: GenerationEvent[] = [];
    for await (const event of engine.chat(modelOf(engine, 'headroom-demo'), request, options, stop.signal)) {
      events.push(event);
      if (events.length === 3) stop.abort();
    }
    expect(events.some(({ kind }) => kind === 'finish')).toBe(false);
    await expect.poll(() => server.asked[0]?.wasCut).toBe(true);
  });

  it('refuses by name what it cannot do, before it asks', async () => {
    server = await startRecordedServer([recorded(name, 'chat')]);
    const engine = at(server.base);
    await expect(all(engine, { ...request, topLogprobs: 2 })).rejects.toThrow(/log probabilities/);
    await expect(all(engine, { ...request, thinkingBudgetTokens: 9 })).rejects.toThrow(/a bound on thinking/);
    await expect(all(engine, { ...request, continueFrom: { reasoning: '', content: 'a' } })).rejects.toThrow(
      /going on with an answer/,
    );
    expect(server.asked).toEqual([]);
  });

  it('is not there when nobody answers', async () => {
    server = await startRecordedServer([]);
    const gone = at('http://127.0.0.1:1');
    expect(await gone.detect(never)).toMatchObject({
      kind: 'not-found',
      message: 'Nobody answers at http://127.0.0.1:1.',
    });
    expect(await gone.models(never)).toEqual([]);
    await expect(all(gone)).rejects.toMatchObject({ code: 'disconnected' });
  });
});

describe('llama.cpp at an address', () => {
  it('lists what runs there, shows how far the prompt is, and counts with its own tokenizer', async () => {
    server = await startRecordedServer(
      ['health', 'props', 'models', 'chat', 'apply-template', 'tokenize'].map((name) => recorded('llama.cpp', name)),
    );
    const engine = llamaAt(server.base);
    expect(await engine.detect(never)).toEqual({
      kind: 'found',
      version: '11434',
      at: server.base,
      reach: 'this-computer',
    });
    expect(await engine.models(never)).toMatchObject([
      { id: 'llama.cpp:demo.gguf', name: 'demo', maxContextTokens: 8_192, sizeBytes: 6_118_496 },
    ]);
    const prefill = (await all(engine)).filter(({ kind }) => kind === 'prefill');
    expect(prefill.at(-1)).toEqual({ kind: 'prefill', doneTokens: 57, totalTokens: 57 });
    expect(await engine.count(modelOf(engine, 'demo.gguf'), request, never)).toBe(4);
    expect(server.asked.at(-1)?.body).toMatchObject({ parse_special: true });
  });

  it('passes on what was asked for', async () => {
    server = await startRecordedServer([recorded('llama.cpp', 'chat')]);
    await all(llamaAt(server.base), {
      ...request,
      seed: 7,
      stop: ['x'],
      topP: 0.5,
      toolChoice: 'required',
      frequencyPenalty: 1,
      repetitionPenalty: 1.5,
      logitBias: { '5': 3 },
    });
    expect(server.asked.at(-1)?.body).toMatchObject({
      seed: 7,
      stop: ['x'],
      top_p: 0.5,
      max_tokens: 120,
      temperature: 0,
      tool_choice: 'required',
      frequency_penalty: 1,
      repeat_penalty: 1.5,
      logit_bias: { '5': 3 },
      chat_template_kwargs: { reasoning_effort: 'low' },
      return_progress: true,
      stream: true,
    });
  });

  it('refuses a bias for a token that the model has not', async () => {
    server = await startRecordedServer([recorded('llama.cpp', 'models'), recorded('llama.cpp', 'chat')]);
    const engine = llamaAt(server.base);
    await expect(all(engine, { ...request, logitBias: { 999_999_999: 1 } })).rejects.toThrow(/no token 999999999/);
    expect((await all(engine, { ...request, logitBias: { 5: 1 } })).at(-1)?.kind).toBe('finish');
  });

  it('names the stop text where it is told', async () => {
    // Seen of a real llama-server: with `verbose` the chunk before the end carries its own account.
    const text =
      'data: {"choices":[{"index":0,"finish_reason":null,"delta":{"content":"a"}}],"__verbose":{"stop":false}}\n\n' +
      'data: {"choices":[{"index":0,"finish_reason":"stop","delta":{}}],"__verbose":{"stop_type":"word","stopping_word":"END"}}\n\n' +
      'data: [DONE]\n\n';
    server = await startRecordedServer([]);
    server.answer('/v1/chat/completions', { text });
    const events = await all(llamaAt(server.base), { ...request, stop: ['END'] });
    expect(server.asked[0]?.body).toMatchObject({ verbose: true });
    expect(events.at(-1)).toMatchObject({ kind: 'finish', reason: 'stop', stopSequence: 'END' });
  });

  it('gives a tool call as it is written', async () => {
    // Deltas as its function-calling.md shows them; the toy model never gets so far as to call anything.
    const call = (part: object): string =>
      `data: ${JSON.stringify({ choices: [{ index: 0, finish_reason: null, delta: { tool_calls: [part] } }] })}\n\n`;
    const text = [
      call({ index: 0, id: 'a1', type: 'function', function: { name: 'get_weather', arguments: '' } }),
      call({ index: 0, function: { arguments: '{"ci' } }),
      call({ index: 0, function: { arguments: 'ty":"Tokyo"}' } }),
      'data: {"choices":[{"index":0,"finish_reason":"tool_calls","delta":{}}]}\n\ndata: [DONE]\n\n',
    ].join('');
    server = await startRecordedServer([]);
    server.answer('/v1/chat/completions', { text });
    const events = await all(llamaAt(server.base));
    const calls = events.filter((event) => event.kind === 'tool-call');
    expect(calls[0]).toMatchObject({ index: 0, id: 'a1', name: 'get_weather' });
    expect(calls.map((part) => part.argumentsText).join('')).toBe('{"city":"Tokyo"}');
    expect(events.at(-1)).toMatchObject({ kind: 'finish', reason: 'tool_calls' });
  });
});

describe('llama.cpp that can be told to answer', () => {
  /** It learns what the server can do when it lists its models. */
  async function able(path: 'bounded' | 'continued'): Promise<OutsideEngine> {
    server = await startRecordedServer(['models', path, 'control'].map((name) => recorded('llama.cpp', name)));
    const engine = llamaAt(server.base);
    expect(await engine.models(never)).toMatchObject([{ lacks: [] }]);
    return engine;
  }

  it('keeps a bound on thinking', async () => {
    const events = await all(await able('bounded'), { ...request, thinkingBudgetTokens: 3 });
    expect(textOf(events, 'reasoning')).toBe('I do not');
    expect(textOf(events, 'content')).toMatch(/^I am a toy/);
    expect(server.asked.at(-1)?.body).toMatchObject({ reasoning_budget_tokens: 3 });
  });

  it('goes on with an answer, and says nothing again', async () => {
    const events = await all(await able('continued'), { ...request, continueFrom: begun });
    expect(textOf(events, 'reasoning')).toBe('');
    expect(textOf(events, 'content')).toMatch(/^ Headroom's demo model/);
    expect(server.asked.at(-1)?.body).toMatchObject({
      messages: [{}, {}, { role: 'assistant', reasoning_content: begun.reasoning, content: begun.content }],
      add_generation_prompt: false,
      continue_final_message: 'content',
    });
  });

  it('ends its thinking by the name that the answer has there', async () => {
    await all(await able('bounded'), { ...request, answerNow });
    const [control] = server.asked.filter(({ path }) => path.endsWith('/control')).slice(-1);
    const [, id = ''] = /"id":"(chatcmpl-\w+)"/.exec(recorded('llama.cpp', 'bounded').text) ?? [];
    expect(control?.body).toEqual({ id, action: 'reasoning_end' });
    expect(server.asked.some(({ body }) => body['reasoning_control'] === true)).toBe(true);
  });

  it('lacks all of that where the server is too old for it', async () => {
    server = await startRecordedServer([recorded('llama.cpp', 'models')]);
    expect(await llamaAt(server.base).models(never)).toMatchObject([
      { lacks: ['answer-now', 'continue', 'thinking-limit'] },
    ]);
  });
});

describe('Ollama', () => {
  it('lists its models with the shape that their GGUF has, and offers the recipe’s', async () => {
    server = await startRecordedServer(['version', 'tags', 'show'].map((name) => recorded('ollama', name)));
    const engine = ollamaAt(server.base);
    expect(await engine.detect(never)).toEqual({
      kind: 'found',
      version: '0.17.4',
      at: server.base,
      reach: 'this-computer',
    });
    const models = await engine.models(never);
    expect(models).toMatchObject([
      {
        id: 'ollama:headroom-demo:latest',
        maxContextTokens: 8_192,
        presence: 'here',
        config: { model_type: 'gpt_oss', num_hidden_layers: 4, num_key_value_heads: 2, sliding_window: 128 },
      },
      { id: 'ollama:gpt-oss:20b', presence: 'fetchable' },
    ]);
  });

  it('loads with the user’s context, never cuts a prompt, and unloads by asking', async () => {
    server = await startRecordedServer([recorded('ollama', 'load'), recorded('ollama', 'chat')]);
    const engine = ollamaAt(server.base);
    const model = modelOf(engine, 'headroom-demo');
    await engine.load(model, options, never, () => {});
    expect(server.asked[0]?.body).toMatchObject({ keep_alive: '65m', options: { num_ctx: 2_048 } });
    await all(engine, { ...request, seed: 7, topK: 5, presencePenalty: 1, repetitionPenalty: 1.5 });
    expect(server.asked[1]?.body).toMatchObject({
      think: 'low',
      truncate: false,
      shift: false,
      options: {
        num_ctx: 2_048,
        num_predict: 120,
        temperature: 0,
        seed: 7,
        top_k: 5,
        presence_penalty: 1,
        repeat_penalty: 1.5,
      },
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'What is 2+3?' },
      ],
    });
    server.answer('/api/ps', { text: '{"models":[]}' });
    await engine.unload(model);
    expect(server.asked.map(({ path, body }) => [path, body['keep_alive']])).toContainEqual(['/api/generate', 0]);
  });

  it('refuses what it cannot force', async () => {
    server = await startRecordedServer([]);
    const engine = ollamaAt(server.base);
    await expect(all(engine, { ...request, toolChoice: 'required' })).rejects.toThrow(/a forced tool call/);
    await expect(all(engine, { ...request, responseFormat: { type: 'json_schema' } })).rejects.toThrow(/form/);
    await expect(all(engine, { ...request, logitBias: { '5': 1 } })).rejects.toThrow(/logit_bias/);
  });

  it('passes tool calls both ways', async () => {
    server = await startRecordedServer([]);
    // As documented for tools: https://docs.ollama.com/capabilities/tool-calling
    server.answer('/api/chat', {
      text:
        '{"model":"gpt-oss:20b","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"get_weather","arguments":{"city":"Tokyo"}}}]},"done":false}\n' +
        '{"model":"gpt-oss:20b","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":5}\n',
    });
    const events = await all(ollamaAt(server.base), {
      ...request,
      messages: [
        ...request.messages,
        {
          role: 'assistant',
          content: null,
          reasoning: 'Ask.',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'get_time', arguments: '{"zone":"UTC"}' } }],
        },
        { role: 'tool', content: '12:00', tool_call_id: 'a' },
      ],
    });
    expect(events).toMatchObject([
      { kind: 'tool-call', index: 0, id: 'call_0', name: 'get_weather', argumentsText: '{"city":"Tokyo"}' },
      { kind: 'finish', reason: 'tool_calls', usage: { promptTokens: 9, completionTokens: 5 } },
    ]);
    expect(server.asked[0]?.body['messages']).toMatchObject([
      {},
      {},
      { thinking: 'Ask.', tool_calls: [{ id: 'a', function: { name: 'get_time', arguments: { zone: 'UTC' } } }] },
      { role: 'tool', tool_name: 'get_time', content: '12:00' },
    ]);
  });

  it('says what Ollama says when it fails in the middle, and when the model is gone', async () => {
    server = await startRecordedServer([]);
    server.answer('/api/chat', { text: '{"message":{"content":"a"},"done":false}\n{"error":"out of memory"}\n' });
    await expect(all(ollamaAt(server.base))).rejects.toThrow('Ollama failed: out of memory');
    server.answer('/api/chat', recorded('ollama', 'not-found'));
    await expect(all(ollamaAt(server.base))).rejects.toThrow(/no longer has headroom-demo/);
  });

  it('goes on with an answer where the template can leave it open, and not elsewhere', async () => {
    server = await startRecordedServer(['tags', 'show', 'continued'].map((name) => recorded('ollama', name)));
    const engine = ollamaAt(server.base);
    const [model] = await engine.models(never);
    expect(model?.lacks).toEqual([]);
    const events = await all(engine, { ...request, continueFrom: begun }, model);
    expect(textOf(events, 'content')).toMatch(/^ 2, thank you/);
    expect(server.asked.at(-1)?.body['messages']).toMatchObject([
      {},
      {},
      { role: 'assistant', thinking: begun.reasoning, content: begun.content },
    ]);
    const old = recorded('ollama', 'show').text.replaceAll('$prefillingContent', '$other');
    server.answer('/api/show', { text: old });
    expect((await ollamaAt(server.base).models(never))[0]?.lacks).toContain('continue');
  });

  it('answers now, or after so much thinking, by being asked for the answer alone', async () => {
    server = await startRecordedServer([recorded('ollama', 'chat')]);
    server.answer('/api/chat', recorded('ollama', 'chat'), recorded('ollama', 'answer-now'));
    const engine = ollamaAt(server.base);
    const able = { ...modelOf(engine, 'headroom-demo'), lacks: [] };
    const bounded = await all(engine, { ...request, thinkingBudgetTokens: 2 }, able);
    expect(textOf(bounded, 'reasoning')).toBe('I do');
    expect(textOf(bounded, 'content')).toMatch(/^All right\. I know this/);
    expect(bounded.filter(({ kind }) => kind === 'finish')).toMatchObject([
      { reason: 'stop', usage: { completionTokens: 34, reasoningTokens: 2 } },
    ]);
    expect(server.asked.map(({ body, wasCut }) => [(body['messages'] as unknown[]).length, wasCut])).toEqual([
      [2, true],
      [3, false],
    ]);
    expect(server.asked[1]?.body).toMatchObject({
      messages: [{}, {}, { role: 'assistant', thinking: 'I do', content: '\n' }],
      options: { num_predict: 118 },
    });
    const now = await all(engine, { ...request, answerNow }, able);
    expect(textOf(now, 'content')).toMatch(/^All right/);
  });

  it('says what a real download says', async () => {
    server = await startRecordedServer([recorded('ollama', 'pull')]);
    const engine = ollamaAt(server.base);
    const offered = { ...modelOf(engine, 'gpt-oss:20b'), presence: 'fetchable' as const };
    const told: { doneBytes: number; totalBytes: number }[] = [];
    await engine.pull?.(offered, (news) => 'totalBytes' in news && told.push(news), never);
    const done = told.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(new Set(done).size).toBeGreaterThan(15);
    expect(told.at(-1)).toEqual({ doneBytes: 6_000_066, totalBytes: 6_000_066 });
    server.answer('/api/pull', recorded('ollama', 'pull-missing'));
    await expect(engine.pull?.(offered, () => {}, never)).rejects.toThrow(/file does not exist/);
  });

  it('adds up the layers of a download, and says why one failed', async () => {
    server = await startRecordedServer([]);
    // As documented: https://docs.ollama.com/api/pull
    const lines = [
      { status: 'pulling manifest' },
      { status: 'pulling a', digest: 'sha256:a', total: 1_000 },
      { status: 'pulling a', digest: 'sha256:a', total: 1_000, completed: 400 },
      { status: 'pulling b', digest: 'sha256:b', total: 50, completed: 50 },
      { status: 'pulling a', digest: 'sha256:a', total: 1_000, completed: 1_000 },
      { status: 'verifying sha256 digest' },
      { status: 'success' },
    ];
    server.answer('/api/pull', { text: lines.map((line) => `${JSON.stringify(line)}\n`).join('') });
    const engine = ollamaAt(server.base);
    const told: unknown[] = [];
    const offered = { ...modelOf(engine, 'gpt-oss:20b'), presence: 'fetchable' as const };
    await engine.pull?.(offered, (news) => told.push(news), never);
    expect(told).toEqual([
      { doneBytes: 0, totalBytes: 1_000 },
      { doneBytes: 400, totalBytes: 1_000 },
      { doneBytes: 450, totalBytes: 1_050 },
      { doneBytes: 1_050, totalBytes: 1_050 },
    ]);
    server.answer('/api/pull', { text: '{"error":"pull model manifest: file does not exist"}\n' });
    await expect(engine.pull?.(offered, () => {}, never)).rejects.toThrow(/file does not exist/);
    server.answer('/api/pull', { text: '{"status":"pulling manifest"}\n' });
    await expect(engine.pull?.(offered, () => {}, never)).rejects.toThrow(/stopped downloading/);
  });
});

/** https://lmstudio.ai/docs/developer/rest: list, load, unload; https://lmstudio.ai/docs/developer/api-changelog: `delta.reasoning`. */
const LM_STUDIO_MODELS = {
  models: [
    {
      type: 'llm',
      publisher: 'openai',
      key: 'openai/gpt-oss-20b',
      display_name: 'OpenAI’s gpt-oss 20B',
      architecture: 'gpt-oss',
      quantization: { name: 'MXFP4', bits_per_weight: 4 },
      size_bytes: 12_109_565_632,
      params_string: '20B',
      loaded_instances: [],
      max_context_length: 131_072,
      format: 'gguf',
    },
    { type: 'embedding', key: 'nomic', size_bytes: 84_000_000, loaded_instances: [], max_context_length: 2_048 },
  ],
};

describe('LM Studio', () => {
  const chunk = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const stream =
    chunk({ role: 'assistant', reasoning: 'Two and ' }) +
    chunk({ reasoning: 'three.' }) +
    chunk({ content: 'Five' }) +
    chunk({ content: '.' }) +
    chunk({}, 'stop') +
    'data: {"choices":[],"usage":{"prompt_tokens":70,"completion_tokens":12,"total_tokens":82}}\n\ndata: [DONE]\n\n';

  it('lists its language models, and loads and unloads one with the user’s context', async () => {
    server = await startRecordedServer([]);
    server.answer('/api/v1/models', { text: JSON.stringify(LM_STUDIO_MODELS) });
    server.answer('/api/v1/models/load', {
      text: '{"type":"llm","instance_id":"openai/gpt-oss-20b","load_time_seconds":9.1,"status":"loaded"}',
    });
    server.answer('/api/v1/models/unload', { text: '{"instance_id":"openai/gpt-oss-20b"}' });
    const engine = lmStudioAt(server.base);
    const [model] = await engine.models(never);
    expect(model).toMatchObject({
      id: 'lm-studio:openai/gpt-oss-20b',
      config: { model_type: 'gpt_oss', num_hidden_layers: 24 },
      sizeBytes: 12_109_565_632,
      maxContextTokens: 131_072,
    });
    if (model === undefined) throw new Error('no model');
    await engine.load(model, options, never, () => {});
    await engine.unload(model);
    expect(server.asked.slice(-2).map(({ path, body }) => [path, body])).toEqual([
      ['/api/v1/models/load', { model: 'openai/gpt-oss-20b', context_length: 2_048 }],
      ['/api/v1/models/unload', { instance_id: 'openai/gpt-oss-20b' }],
    ]);
  });

  it('answers with its thinking apart', async () => {
    server = await startRecordedServer([]);
    server.answer('/v1/chat/completions', { text: stream });
    const events = await all(lmStudioAt(server.base));
    expect(textOf(events, 'reasoning')).toBe('Two and three.');
    expect(textOf(events, 'content')).toBe('Five.');
    expect(events.at(-1)).toMatchObject({
      kind: 'finish',
      reason: 'stop',
      usage: { promptTokens: 70, completionTokens: 12, reasoningTokens: 2 },
    });
    expect(server.asked[0]?.body).toMatchObject({ model: 'headroom-demo', reasoning_effort: 'low', stream: true });
  });

  it('never ends silently, and says what went wrong', async () => {
    server = await startRecordedServer([]);
    server.answer('/v1/chat/completions', { text: stream, cutAfter: 400 });
    await expect(all(lmStudioAt(server.base))).rejects.toMatchObject({ code: 'disconnected' });
    server.answer('/v1/chat/completions', {
      text: 'event: error\ndata: {"error":{"message":"The model has crashed"}}\n\n',
    });
    await expect(all(lmStudioAt(server.base))).rejects.toThrow(/The model has crashed/);
    const refused = all(lmStudioAt(server.base), { ...request, toolChoice: { type: 'function' } });
    await expect(refused).rejects.toBeInstanceOf(EngineError);
  });
});
