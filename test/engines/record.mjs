/**
 * Writes down what a real server of another engine says, word for word, for the tests that run without one:
 * `node test/engines/record.mjs llama.cpp http://127.0.0.1:PORT` or `… ollama …`, on the model of `write_gguf.py`.
 */
import { writeFileSync } from 'node:fs';

const [engine, base] = process.argv.slice(2);
const question = [{ role: 'user', content: 'What is 2+3?' }];
const long = [{ role: 'user', content: 'word '.repeat(9000) }];
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
    ['not-found', 'POST', '/api/chat', { model: 'nope', messages: question }],
    ['unload', 'POST', '/api/generate', { model, keep_alive: 0 }],
  ],
};

const exchanges = [];
for (const [name, method, path, body] of asked[engine]) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(base + path, { ...init, headers: { 'content-type': 'application/json' } });
  exchanges.push({ name, method, path, status: answer.status, text: await answer.text() });
}
writeFileSync(
  new URL(`recordings/${engine}.json`, import.meta.url),
  `${JSON.stringify({ engine, exchanges }, null, 1)}\n`,
);
