/** The engine without the app: spawned by hand, asked over its socket with nothing but node:http. The benches' baseline. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineEnvironment } from '../../main/engine/environment.ts';
import { readModelFolder } from '../../main/models/model-folder.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';

export interface EngineByHand {
  /** Milliseconds from the request to the first byte of text, and tokens per second after it. */
  ask(prompt: string, maxTokens: number): Promise<{ firstTokenMs: number; tokensPerSecond: number; tokens: number }>;
  /** Resolves when `/metrics` says ready. */
  ready(): Promise<void>;
  end(): Promise<void>;
}

/** The same sampling as the app's: choosing among likely tokens costs more than taking the likeliest. */
const { sampling } = readModelFolder(modelFolder);

export async function startEngineByHand(): Promise<EngineByHand> {
  const folder = await mkdtemp(join(tmpdir(), 'hr-hand-'));
  const socketPath = join(folder, 'engine');
  const token = randomBytes(32).toString('hex');
  const child: ChildProcess = spawn(
    pythonExecutable,
    ['-I', '-m', 'headroom_engine', '--model', modelFolder, '--socket', socketPath],
    { env: engineEnvironment(process.env, { token, cacheFolder: folder }), stdio: 'ignore' },
  );
  const headers = { authorization: `Bearer ${token}` };

  const metrics = (): Promise<string | null> =>
    new Promise((resolve) => {
      const asked = request({ socketPath, path: '/metrics', headers }, (response) => {
        let body = '';
        response.on('data', (data: Buffer) => (body += String(data)));
        response.on('end', () => resolve((JSON.parse(body) as { phase: string }).phase));
      });
      asked.on('error', () => resolve(null));
      asked.end();
    });

  return {
    async ready() {
      while ((await metrics()) !== 'ready') await sleep(5);
    },
    ask: (prompt, maxTokens) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify({
          messages: [{ role: 'user', content: prompt }],
          stream: true,
          stream_options: { include_usage: true },
          max_tokens: maxTokens,
          temperature: sampling.temperature,
          top_p: sampling.topP,
          reasoning_effort: 'low',
          date: '2026-01-01',
        });
        const sentAtMs = performance.now();
        let firstAtMs = 0;
        let lastAtMs = 0;
        let text = '';
        const asked = request(
          {
            socketPath,
            path: '/v1/chat/completions',
            method: 'POST',
            headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          },
          (response) => {
            response.on('data', (data: Buffer) => {
              const chunk = String(data);
              text += chunk;
              if (!/"(?:content|reasoning)":\s?"[^"]/.test(chunk)) return;
              lastAtMs = performance.now();
              firstAtMs ||= lastAtMs;
            });
            response.on('end', () => {
              const tokens = Number(/"completion_tokens":\s?(\d+)/.exec(text)?.[1] ?? 0);
              if (!text.includes('[DONE]')) {
                reject(new Error(`the engine broke off: ${text.slice(-300)}`));
                return;
              }
              resolve({
                firstTokenMs: firstAtMs - sentAtMs,
                tokensPerSecond: ((tokens - 1) * 1_000) / (lastAtMs - firstAtMs),
                tokens,
              });
            });
          },
        );
        asked.on('error', reject);
        asked.end(body);
      }),
    async end() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
