/** The supervisor over the real engine: MLX on this machine, a real model folder. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineError, type GenerationEvent } from '../../main/engine/engine.ts';
import { makeSocketFolder } from '../../main/engine/socket-folder.ts';
import { pythonCommand } from '../../main/engine/supervisor.ts';
import { longPrompt, modelFolder, pythonExecutable } from './fixtures.ts';
import {
  type EngineUnderTest,
  type Setup,
  collect,
  engineUnderTest,
  kinds,
  request,
  textOf,
  until,
} from './harness.ts';

let copies = '';
beforeAll(() => {
  copies = mkdtempSync(join(tmpdir(), 'hr-models-'));
});
afterAll(() => rmSync(copies, { recursive: true, force: true }));

let running: EngineUnderTest[] = [];
afterEach(async () => {
  const all = running;
  running = [];
  for (const each of all) await each.finish();
});

function realEngine(folder = modelFolder, setup: Setup = {}): EngineUnderTest {
  const under = engineUnderTest(pythonCommand(pythonExecutable), folder, setup);
  running.push(under);
  return under;
}

/** A copy of the model with something wrong in it. */
function brokenModel(damage: (folder: string) => void): string {
  const folder = mkdtempSync(join(copies, 'model-'));
  for (const name of readdirSync(modelFolder)) {
    if (!name.startsWith('.')) copyFileSync(join(modelFolder, name), join(folder, name));
  }
  damage(folder);
  return folder;
}

const editJson = (folder: string, name: string, change: (value: Record<string, unknown>) => void): void => {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
  change(value);
  writeFileSync(join(folder, name), JSON.stringify(value));
};
const weightsOf = (folder: string): string => {
  const name = readdirSync(folder).find((each) => each.endsWith('.safetensors'));
  if (name === undefined) throw new Error('a model without weights');
  return join(folder, name);
};

const failureOf = (promise: Promise<unknown>): Promise<EngineError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (error instanceof EngineError) return error;
      throw error;
    },
  );

describe('the real engine', () => {
  it('drops its caches when asked, in the middle of an answer too, and does nothing when it is off', async () => {
    const under = realEngine();
    await under.engine.dropCaches();
    await under.engine.start(under.model);
    const text = 'word '.repeat(200);
    await collect(under, { text, maxTokens: 4 });
    await until(() => (under.engine.metrics?.promptCache.bytes ?? 0) > 0);
    await under.engine.dropCaches();
    await until(() => under.engine.metrics?.promptCache.bytes === 0);
    const signal = new AbortController().signal;
    const events: GenerationEvent[] = [];
    let isDropped = false;
    for await (const event of under.engine.generate(request(text), { signal, priority: 'window' })) {
      events.push(event);
      if (isDropped || (event.kind !== 'reasoning' && event.kind !== 'content')) continue;
      isDropped = true;
      await under.engine.dropCaches();
    }
    expect(isDropped).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'finish', usage: { cachedTokens: 0 } });
    await until(() => under.engine.metrics?.promptCache.bytes === 0);
    await under.engine.stop();
    await under.engine.dropCaches();
  });

  it('starts, answers, counts the same as it uses, and ends with 0', async () => {
    const under = realEngine();
    await under.engine.start(under.model);
    expect(under.engine.metrics).toMatchObject({ phase: 'ready', healthy: true });
    const events = await collect(under, { text: 'hi' });
    expect(events.some((event) => event.kind === 'prefill')).toBe(true);
    expect(textOf(events, 'reasoning').length).toBeGreaterThan(0);
    expect(textOf(events, 'content').length).toBeGreaterThan(0);
    const finish = events.at(-1);
    if (finish?.kind !== 'finish') throw new Error('no finish');
    expect(finish.reason).toBe('stop');
    const counted = await under.engine.count(request('hi'), new AbortController().signal);
    expect(finish.usage.promptTokens).toBe(counted);
    await under.engine.stop();
    expect(under.processes.map((child) => child.exit)).toEqual([{ exitCode: 0, signal: 0 }]);
    expect(under.engine.logTail().at(-1)).toContain('released');
    expect(kinds(under)).toEqual(['preparing', 'starting', 'loading', 'ready', 'busy', 'ready', 'stopping', 'off']);
  });

  it('keeps chat text out of its output', async () => {
    const under = realEngine();
    await under.engine.start(under.model);
    await collect(under, { text: 'the secret word is xylophone' });
    await under.engine.stop();
    expect(under.logged.join('\n')).not.toContain('xylophone');
  });

  it('cancels in prefill and in the answer, and answers the next request', async () => {
    const under = realEngine();
    await under.engine.start(under.model);
    const plain = textOf(await collect(under), 'content');
    for (const [kind, text] of [
      ['prefill', longPrompt],
      ['reasoning', 'hi'],
    ] as const) {
      const aborter = new AbortController();
      const seen: GenerationEvent[] = [];
      const options = { signal: aborter.signal, priority: 'api' } as const;
      const ended = failureOf(
        (async () => {
          for await (const event of under.engine.generate(request(text), options)) {
            seen.push(event);
            if (event.kind === kind) aborter.abort();
          }
        })(),
      );
      expect((await ended).code).toBe('aborted');
      expect(seen.at(-1)?.kind).toBe(kind);
      expect(under.engine.state.kind).toBe('ready');
      expect(textOf(await collect(under), 'content')).toBe(plain);
    }
    expect(under.processes).toHaveLength(1);
  });

  it('is stopped orderly in the middle of a long prompt', async () => {
    const under = realEngine();
    await under.engine.start(under.model);
    const asked = failureOf(collect(under, { text: longPrompt }));
    await under.reaches('busy');
    await under.engine.stop();
    expect((await asked).code).toBe('stopped');
    expect(under.processes[0]?.exit).toEqual({ exitCode: 0, signal: 0 });
  });

  it('comes back after somebody killed it, and says so to the request', async () => {
    const under = realEngine();
    await under.engine.start(under.model);
    const asked = failureOf(collect(under, { text: longPrompt }));
    await under.reaches('busy');
    process.kill(under.processes[0]?.pid ?? 0, 'SIGKILL');
    const error = await asked;
    expect(error.code).toBe('failed');
    expect(error.message).toContain('memory');
    await under.reaches('ready');
    expect(textOf(await collect(under), 'content').length).toBeGreaterThan(0);
    expect(under.states.find((state) => state.kind === 'waiting')).toMatchObject({ cause: { code: 'killed' } });
  });

  it('is restarted when its generation thread dies', async () => {
    // More experts a token than there are: the weights load, the first evaluation fails.
    const folder = brokenModel((at) =>
      editJson(at, 'config.json', (config) => {
        config['num_experts_per_tok'] = 99;
        config['experts_per_token'] = 99;
      }),
    );
    const under = realEngine(folder);
    await under.engine.start(under.model);
    const error = await failureOf(collect(under));
    expect(error).toMatchObject({ code: 'failed', message: 'The engine broke while it was working.' });
    expect(under.processes[0]?.exit).toEqual({ exitCode: 70, signal: 0 });
    await under.reaches('ready');
    expect(under.processes).toHaveLength(2);
  });
});

describe('its socket', () => {
  it('may lie over a stale one', async () => {
    const under = realEngine(modelFolder, {
      makeSocketFolder: () => {
        const made = makeSocketFolder(copies);
        writeFileSync(`${made.socketPath}.py`, STALE);
        return made;
      },
      command: (model, socketPath) => ({
        file: '/bin/sh',
        args: [
          '-c',
          '"$1" "$2.py" "$2" && exec "$1" -I -m headroom_engine --model "$3" --socket "$2"',
          'sh',
          pythonExecutable,
          socketPath,
          model.folder,
        ],
      }),
    });
    await under.engine.start(under.model);
    expect(under.engine.logTail().join('\n')).toContain('left a stale socket');
  });

  it('is not taken from another process', async () => {
    const others: Server[] = [];
    const under = realEngine(modelFolder, {
      speed: 10,
      makeSocketFolder: () => {
        const made = makeSocketFolder(copies);
        others.push(createServer((socket) => socket.destroy()).listen(made.socketPath));
        return made;
      },
    });
    await failureOf(under.engine.start(under.model));
    for (const other of others) other.close();
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'socket-in-use' } });
    expect(under.processes.map((child) => child.exit?.exitCode)).toEqual([65, 65, 65, 65]);
  });

  it('lies in a folder for us alone, or nowhere', async () => {
    const under = realEngine(modelFolder, {
      makeSocketFolder: () => {
        const made = makeSocketFolder(copies);
        chmodSync(dirname(made.socketPath), 0o755);
        return made;
      },
    });
    await failureOf(under.engine.start(under.model));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'socket-folder' } });
    expect(under.processes.map((child) => child.exit?.exitCode)).toEqual([64]);
  });

  it('has a path that fits', async () => {
    const under = realEngine(modelFolder, {
      makeSocketFolder: () => {
        const made = makeSocketFolder(copies);
        const deep = join(dirname(made.socketPath), 'x'.repeat(100));
        mkdirSync(deep, { mode: 0o700 });
        return { socketPath: join(deep, 'engine'), remove: made.remove };
      },
    });
    await failureOf(under.engine.start(under.model));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'socket-path-too-long' } });
  });
});

const STALE = `import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])
print("left a stale socket")
`;

describe('a model that does not load', () => {
  it.each<[string, string, (folder: string) => void]>([
    ['a folder that vanishes after the first check', 'model-incomplete', (at) => rmSync(weightsOf(at))],
    ['weights cut short', 'model-damaged', (at) => truncateSync(weightsOf(at), 2_000)],
    ['weights cut within their header', 'model-damaged', (at) => truncateSync(weightsOf(at), 100)],
    ['an empty weights file', 'model-damaged', (at) => truncateSync(weightsOf(at), 0)],
    ['tensors missing', 'model-incomplete', dropTensors],
    [
      'a shard missing',
      'model-incomplete',
      (at) =>
        writeFileSync(
          join(at, 'model.safetensors.index.json'),
          JSON.stringify({ weight_map: { a: 'model.safetensors', b: 'model-00002-of-00002.safetensors' } }),
        ),
    ],
    ['config.json cut short', 'model-damaged', (at) => truncateSync(join(at, 'config.json'), 20)],
    [
      'an unknown model type',
      'model-unsupported',
      (at) => editJson(at, 'config.json', (config) => (config['model_type'] = 'banana')),
    ],
    ['no tokenizer', 'model-tokenizer', (at) => rmSync(join(at, 'tokenizer.json'))],
    ['a tokenizer cut short', 'model-tokenizer', (at) => truncateSync(join(at, 'tokenizer.json'), 50)],
    [
      'weights of another size than config.json says',
      'model-mismatch',
      (at) => editJson(at, 'config.json', (config) => (config['hidden_size'] = 128)),
    ],
  ])('%s', async (_, code, damage) => {
    const under = realEngine(brokenModel(damage));
    const error = await failureOf(under.engine.start(under.model));
    expect(under.engine.state, under.logged.join('\n')).toMatchObject({ kind: 'failed', cause: { code } });
    expect(error.message).not.toMatch(/Error|Traceback|\[/);
    expect(under.processes).toHaveLength(1);
  });

  it('no folder at all, as the engine itself says it', async () => {
    const under = realEngine(modelFolder, {
      command: (_, socketPath) =>
        pythonCommand(pythonExecutable)({ folder: join(copies, 'gone'), name: 'gone' }, socketPath),
    });
    await failureOf(under.engine.start(under.model));
    expect(under.engine.state).toMatchObject({ kind: 'failed', cause: { code: 'model-missing' } });
  });
});

/** Rewrites the weights without those of one layer: a safetensors file is a length, a JSON header and the data. */
function dropTensors(folder: string): void {
  const file = weightsOf(folder);
  const all = readFileSync(file);
  const length = Number(all.readBigUInt64LE(0));
  const header = JSON.parse(all.subarray(8, 8 + length).toString()) as Record<string, unknown>;
  const kept = Object.fromEntries(Object.entries(header).filter(([name]) => !name.includes('.layers.1.')));
  expect(Object.keys(kept).length).toBeLessThan(Object.keys(header).length);
  // Padded to the old length, so that the offsets stay true.
  const padded = Buffer.from(JSON.stringify(kept).padEnd(length));
  writeFileSync(file, Buffer.concat([all.subarray(0, 8), padded, all.subarray(8 + length)]));
}
