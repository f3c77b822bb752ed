/**
 * Writes down what a real server of another engine says, word for word, for the tests that run without one:
 * `node test/engines/record.mjs llama.cpp http://127.0.0.1:PORT` or `… ollama …`, on the model of `write_gguf.py`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { startTinyRegistry } from './tiny-registry.ts';

/** Names after the address: these alone are asked, the others stay as they were recorded. */
const [engine, base, ...only] = process.argv.slice(2);
// What is pulled is looked at by nobody.
const registry = await startTinyRegistry(Buffer.alloc(6_000_000, 'gguf'), 'x', { bytesPerSecond: 4_000_000 });
const question = [{ role: 'user', content: 'What is 2+3?' }];
const long = [{ role: 'user', content: 'word '.repeat(9000) }];
const begun = { role: 'assistant', reasoning_content: 'The user asks for a sum.', content: 'I am' };
const model = 'headroom-demo';
const asked = {
  'llama.cpp': [
    ['health', 'GET', '/health'],
    ['props', 'GET', '/props'],
    ['models', 'GET', '/v1/models'],
    [
      'chat',
      'POST',
      '/v1/chat/completions',
      {
        messages: question,
        stream: true,
        stream_options: { include_usage: true },
        return_progress: true,
        max_tokens: 120,
        temperature: 0,
        chat_template_kwargs: { reasoning_effort: 'low' },
      },
    ],
    [
      'length',
      'POST',
      '/v1/chat/completions',
      { messages: question, stream: true, stream_options: { include_usage: true }, max_tokens: 4, temperature: 0 },
    ],
    ['too-long', 'POST', '/v1/chat/completions', { messages: long, stream: true }],
    [
      'apply-template',
      'POST',
      '/apply-template',
      { messages: question, chat_template_kwargs: { reasoning_effort: 'low' } },
    ],
    [
      'bounded',
      'POST',
      '/v1/chat/completions',
      {
        messages: question,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 120,
        temperature: 0,
        reasoning_budget_tokens: 3,
      },
    ],
    [
      'continued',
      'POST',
      '/v1/chat/completions',
      {
        messages: [...question, begun],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 120,
        temperature: 0,
        add_generation_prompt: false,
        continue_final_message: 'content',
      },
    ],
    ['control', 'POST', '/v1/chat/completions/control', { id: 'nothing', action: 'reasoning_end' }],
    ['tokenize', 'POST', '/tokenize', { content: '<|start|>user<|message|>Hi', parse_special: true }],
  ],
  ollama: [
    ['version', 'GET', '/api/version'],
    ['tags', 'GET', '/api/tags'],
    ['show', 'POST', '/api/show', { model }],
    ['load', 'POST', '/api/generate', { model, keep_alive: -1, options: { num_ctx: 2048 } }],
    ['ps', 'GET', '/api/ps'],
    [
      'chat',
      'POST',
      '/api/chat',
      {
        model,
        messages: question,
        think: 'low',
        truncate: false,
        shift: false,
        options: { num_ctx: 2048, temperature: 0, num_predict: 120 },
      },
    ],
    [
      'length',
      'POST',
      '/api/chat',
      {
        model,
        messages: question,
        think: 'low',
        truncate: false,
        shift: false,
        options: { num_ctx: 2048, temperature: 0, num_predict: 4 },
      },
    ],
    [
      'too-long',
      'POST',
      '/api/chat',
      { model, messages: long, think: 'low', truncate: false, shift: false, options: { num_ctx: 2048 } },
    ],
    [
      'continued',
      'POST',
      '/api/chat',
      {
        model,
        messages: [...question, { role: 'assistant', thinking: 'The user asks for a sum.', content: 'I am' }],
        think: 'low',
        truncate: false,
        shift: false,
        options: { num_ctx: 2048, temperature: 0, num_predict: 120 },
      },
    ],
    [
      'answer-now',
      'POST',
      '/api/chat',
      {
        model,
        messages: [...question, { role: 'assistant', thinking: 'The user', content: '\n' }],
        think: 'low',
        truncate: false,
        shift: false,
        options: { num_ctx: 2048, temperature: 0, num_predict: 120 },
      },
    ],
    ['pull', 'POST', '/api/pull', { model: registry.model, insecure: true }],
    ['pull-missing', 'POST', '/api/pull', { model: registry.model.replace('tiny', 'gone'), insecure: true }],
    ['not-found', 'POST', '/api/chat', { model: 'nope', messages: question }],
    ['unload', 'POST', '/api/generate', { model, keep_alive: 0 }],
  ],
};

const file = new URL(`recordings/${engine}.json`, import.meta.url);
const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).exchanges : [];
const exchanges = before.filter(({ name }) => only.length > 0 && !only.includes(name));
for (const [name, method, path, body] of asked[engine]) {
  if (only.length > 0 && !only.includes(name)) continue;
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(base + path, { ...init, headers: { 'content-type': 'application/json' } });
  exchanges.push({ name, method, path, status: answer.status, text: await answer.text() });
}
writeFileSync(file, `${JSON.stringify({ engine, exchanges }, null, 1)}\n`);
await registry.end();
