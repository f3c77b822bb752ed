#!/usr/bin/env node
/**
 * In llama-server's place where only its start matters: writes down how it was started, and answers one sentence; a long
 * story has no end.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write('--parallel N\n--jinja\n--n-gpu-layers N\n--n-cpu-moe N\n--cache-ram N\n--no-ui\n');
  process.exit(0);
}
if (args.includes('--version')) {
  process.stdout.write('version: 1 (stand-in)\n');
  process.exit(0);
}
const after = (name) => args[args.indexOf(name) + 1] ?? '';
writeFileSync(`${after('--model')}.args`, JSON.stringify(args));
writeFileSync(`${after('--model')}.pid`, String(process.pid));
const bodyOf = async (request) => (await Array.fromAsync(request)).join('');
const answer = async (request, response) => {
  const isAllowed = request.headers.authorization === `Bearer ${process.env.LLAMA_API_KEY}`;
  if (!isAllowed) return response.writeHead(401).end('{"error":{"message":"Invalid API Key"}}');
  if (request.url === '/health') return response.end('{"status":"ok"}');
  if (request.url === '/apply-template') return response.end('{"prompt":"Hello"}');
  if (request.url === '/tokenize') return response.end('{"tokens":[1,2,3]}');
  const chunk = (delta, finish = null) =>
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
  const body = await bodyOf(request);
  chunk({ reasoning_content: 'Hm.' });
  if (body.includes('long story')) {
    let day = 0;
    const telling = setInterval(
      () => chunk({ content: `Day ${(day += 1)} went by, and ${day * day} ships with it. ` }),
      50,
    );
    return response.on('close', () => clearInterval(telling));
  }
  chunk({ content: 'Five.' });
  chunk({}, 'stop');
  response.write('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n');
  return response.end('data: [DONE]\n\n');
};
createServer((request, response) => void answer(request, response)).listen(Number(after('--port')), '127.0.0.1');
