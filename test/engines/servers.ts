/** The real servers of other engines, where this machine has them, and a GGUF of gpt-oss's own architecture for them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram, isProgram } from '../../main/engines/programs.ts';
import { closeServer, listenOnLoopback } from '../../main/loopback.ts';
import { modelFolder, pythonExecutable } from '../engine/fixtures.ts';

const run = promisify(execFile);

/** What `build-servers.ts` builds. */
export const VERSIONS = { 'llama-server': '11434', ollama: '0.17.4' } as const;
export type ServerName = keyof typeof VERSIONS;

/** Where it puts them. */
export const enginesFolder = process.env['HEADROOM_TEST_ENGINES'] || join(homedir(), '.cache', 'headroom-test-engines');
export const builtServer = (name: ServerName): string => join(enginesFolder, `${name}-${VERSIONS[name]}`, name);

/** The one that the environment names, else the one that was built, else one that is installed. */
export function foundServer(name: ServerName): string | null {
  const named = process.env[name === 'ollama' ? 'OLLAMA' : 'LLAMA_SERVER'];
  if (named !== undefined && named !== '') return isProgram(named) ? named : null;
  return isProgram(builtServer(name)) ? builtServer(name) : findProgram(name, process.env);
}

export const llamaServer = foundServer('llama-server');
export const ollama = foundServer('ollama');

/** Why tests with real servers do less than they could; null where nothing lacks. `isAsked`: not in `npm test`. */
export function whyNotReal(isAsked: boolean): string | null {
  if (!isAsked)
    return 'npm run test:engines asks the real llama-server and the real Ollama; here is what they said before';
  const missing = [
    ...(llamaServer === null ? ['no llama-server (brew install llama.cpp, or name it in LLAMA_SERVER)'] : []),
    ...(ollama === null ? ['no Ollama (brew install ollama, or name it in OLLAMA)'] : []),
  ];
  return missing.length === 0 ? null : missing.join('; ');
}

/** Writes `headroom-demo.gguf` into the folder. */
export async function writeDemoGguf(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'headroom-demo.gguf');
  await run(pythonExecutable, [join(import.meta.dirname, 'write_gguf.py'), modelFolder, file]);
  return file;
}

/** A llama-server of somebody else's, at an address. */
export async function startLlamaServer(
  program: string,
  gguf: string,
): Promise<{ readonly base: string; readonly child: ChildProcess; end(): Promise<void> }> {
  const port = await freePort();
  const args = ['--model', gguf, '--host', '127.0.0.1', '--port', String(port), '--ctx-size', '2048', '--jinja'];
  const child = spawn(program, [...args, '--parallel', '1', '--fit', 'off'], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${base}/health`).catch(() => null);
    if (answer?.ok === true) break;
    if (tries > 300) throw new Error('llama-server does not answer');
    await sleep(100);
  }
  return {
    base,
    child,
    async end() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

export interface OllamaServer {
  readonly address: string;
  readonly child: ChildProcess;
  end(): Promise<void>;
}

/** A server of somebody else's, as far as the app can tell, that has the demo model. */
export async function startOllama(program: string, home: string, gguf: string): Promise<OllamaServer> {
  const address = `127.0.0.1:${await freePort()}`;
  const env = { ...process.env, HOME: home, OLLAMA_HOST: address, OLLAMA_MODELS: join(home, 'models') };
  const child = spawn(program, ['serve'], { env, stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`http://${address}/api/version`).catch(() => null);
    if (answer?.ok === true) break;
    if (tries > 300) throw new Error('ollama serve does not answer');
    await sleep(100);
  }
  const modelfile = join(home, 'Modelfile');
  await writeFile(modelfile, `FROM ${gguf}\nTEMPLATE """${HARMONY}"""\n`);
  await run(program, ['create', 'headroom-demo', '-f', modelfile], { env });
  return {
    address,
    child,
    async end() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/**
 * Ollama's own for gpt-oss is longer; it is told by these marks that harmony is spoken. Like that one it leaves the last
 * message open when it is an answer that has begun.
 */
export const HARMONY = `<|start|>system<|message|>You are a toy model in Headroom.
Reasoning: {{ if .ThinkLevel }}{{ .ThinkLevel }}{{ else }}medium{{ end }}

# Valid channels: analysis, commentary, final.<|end|>
{{- $prefillingContent := false }}
{{- $prefillingThinkingOnly := false }}
{{- range $i, $message := .Messages }}
{{- $isLast := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|start|>user<|message|>{{ .Content }}<|end|>
{{- else if eq .Role "assistant" }}
{{- if and $isLast .Content }}{{ $prefillingContent = true }}
{{- else if and $isLast .Thinking }}{{ $prefillingThinkingOnly = true }}
{{- end }}
{{- if and $isLast .Thinking }}<|start|>assistant<|channel|>analysis<|message|>{{ .Thinking }}
{{- if not $prefillingThinkingOnly }}<|end|>{{ end }}
{{- end }}
{{- if .Content }}<|start|>assistant<|channel|>final<|message|>{{ .Content }}
{{- if not $prefillingContent }}<|end|>{{ end }}
{{- end }}
{{- else if eq .Role "system" }}<|start|>developer<|message|># Instructions

{{ .Content }}<|end|>
{{- end }}
{{- end }}
{{- if not (or $prefillingContent $prefillingThinkingOnly) }}<|start|>assistant{{ end }}`;

/** In front of an Ollama: a download asks for another model, from a registry that speaks plain http. */
export async function pullingFrom(
  base: string,
  model: () => string,
): Promise<{ readonly base: string; end(): Promise<void> }> {
  const proxy = createHttpServer((request, response) => {
    const forward = async (): Promise<void> => {
      let text = '';
      for await (const piece of request) text += String(piece);
      const isPull = request.url === '/api/pull';
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const answer = await fetch(base + (request.url ?? ''), {
        method: request.method ?? 'GET',
        ...(text === '' ? {} : { body: isPull ? JSON.stringify({ model: model(), insecure: true }) : text }),
        signal: gone.signal,
      });
      response.writeHead(answer.status);
      for await (const piece of answer.body ?? []) response.write(piece);
      response.end();
    };
    forward().catch(() => response.destroy());
  });
  const port = await listenOnLoopback(proxy, 0);
  return { base: `http://127.0.0.1:${port}`, end: () => closeServer(proxy, 100) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}
