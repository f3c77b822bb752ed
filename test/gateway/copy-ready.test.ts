/**
 * The settings to copy, read as their programs read them: by a shell with stand-ins that write down what they were called
 * with, by Python, as YAML, TOML and JSON. The key and the model's name hold what needs quoting. curl is run for real in
 * agents.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Connection, PROGRAMS } from '../../renderer/endpoint/programs.ts';
import { pythonExecutable } from '../engine/fixtures.ts';

const connection: Connection = {
  url: 'http://127.0.0.1:8080/v1',
  key: "hr-k'y",
  model: 'org/a "model"',
  contextTokens: 16_384,
};

interface Called {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hr-copied-'));
  mkdirSync(join(folder, 'bin'));
  for (const name of ['docker', 'aider', 'llm', 'claude', 'codex']) {
    const file = join(folder, 'bin', name);
    writeFileSync(
      file,
      `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const args = process.argv.slice(2);
appendFileSync(${JSON.stringify(join(folder, 'calls'))}, JSON.stringify({ name: ${JSON.stringify(name)}, args, env: process.env }) + '\\n');
if (args.join(' ') === 'logs path') console.log(${JSON.stringify(join(folder, 'logs.db'))});
`,
    );
    chmodSync(file, 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function textFor(name: string, given = connection): string {
  const program = PROGRAMS.find((one) => one.name === name);
  if (program === undefined) throw new Error(`no ${name}`);
  return program.text(given);
}

/** What the shell called, in order. */
function calledBy(text: string): readonly Called[] {
  const record = join(folder, 'calls');
  writeFileSync(record, '');
  const path = `${join(folder, 'bin')}:/usr/bin:/bin`;
  const { status, stderr } = spawnSync('sh', ['-e', '-c', text], { env: { PATH: path }, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return readFileSync(record, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Called);
}

/** A text as Python's reader of its form sees it. */
function read(form: 'yaml' | 'toml' | 'python', text: string): unknown {
  const reader = {
    yaml: 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))',
    toml: 'import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))',
    // The names and the plain values that a call is given.
    python:
      'import ast, json, sys; call = ast.parse(sys.stdin.read()).body[-1].value; ' +
      'print(json.dumps({k.arg: ast.literal_eval(k.value) for k in call.keywords}))',
  }[form];
  const { status, stdout, stderr } = spawnSync(pythonExecutable, ['-c', reader], { input: text, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const { url, key, model } = connection;

it('Open WebUI: the container is told where and with which key', () => {
  const [docker] = calledBy(textFor('Open WebUI'));
  expect(docker?.args).toEqual(expect.arrayContaining(['run', '-p', '3000:8080', `OPENAI_API_KEY=${key}`]));
  expect(docker?.args).toContain('OPENAI_API_BASE_URL=http://host.docker.internal:8080/v1');
  expect(docker?.args.at(-1)).toBe('ghcr.io/open-webui/open-webui:main');
});

it('Continue: a model in the list', () => {
  const { models } = read('yaml', `name: Mine\nmodels:\n${textFor('Continue')}\n`) as { models: object[] };
  expect(models).toMatchObject([
    { name: 'Headroom', provider: 'openai', model, apiBase: url, apiKey: key, capabilities: ['tool_use'] },
  ]);
  expect(models).toMatchObject([{ defaultCompletionOptions: { contextLength: 16_384 } }]);
});

it('Zed: a provider among the settings', () => {
  const [comment, ...lines] = textFor('Zed').split('\n');
  expect(comment).toBe(`// The key, for the agent’s settings under “Headroom”: ${key}`);
  const text = lines.join('\n');
  // The comma at its end is for what follows.
  expect(JSON.parse(`{${text} "next": 1}`)).toMatchObject({
    language_models: {
      openai_compatible: {
        Headroom: {
          api_url: url,
          available_models: [{ name: model, max_tokens: 16_384, capabilities: { tools: true, images: false } }],
        },
      },
    },
  });
});

it('Claude Code: the address without its end, and one model for everything', () => {
  const [claude] = calledBy(textFor('Claude Code'));
  expect(claude?.env).toMatchObject({
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080',
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_MODEL: model,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: '16384',
  });
});

it('Codex: settings that are TOML', () => {
  const [codex] = calledBy(textFor('Codex'));
  expect(codex?.env).toMatchObject({ HEADROOM_KEY: key });
  const args = codex?.args ?? [];
  expect(args.slice(-2)).toEqual(['-m', model]);
  const settings = args.filter((_, index) => args[index - 1] === '-c');
  // A bare word is text to it.
  const toml = settings.map((setting) => setting.replace(/^(model_provider)=(.*)$/, '$1="$2"')).join('\n');
  expect(read('toml', toml)).toEqual({
    model_provider: 'headroom',
    model_providers: { headroom: { name: 'Headroom', base_url: url, env_key: 'HEADROOM_KEY', wire_api: 'responses' } },
    model_context_window: 16_384,
  });
});

it('aider: by its environment', () => {
  const [aider] = calledBy(textFor('aider'));
  expect(aider?.env).toMatchObject({ OPENAI_API_BASE: url, OPENAI_API_KEY: key });
  expect(aider?.args.slice(-2)).toEqual(['--model', `openai/${model}`]);
});

it('llm: a key in its store and a model in its list', () => {
  const [keys] = calledBy(textFor('llm'));
  expect(keys?.args).toEqual(['keys', 'set', 'headroom', '--value', key]);
  expect(read('yaml', readFileSync(join(folder, 'extra-openai-models.yaml'), 'utf8'))).toEqual([
    {
      model_id: 'headroom',
      model_name: model,
      api_base: url,
      api_key_name: 'headroom',
      supports_tools: true,
      supports_schema: true,
    },
  ]);
});

it('LangChain: a call', () => {
  expect(read('python', textFor('LangChain'))).toEqual({ model, base_url: url, api_key: key });
});
