import { describe, expect, it } from 'vitest';
import { type Breakage, type Failure, explain } from './failure.ts';

type Exit = Extract<Breakage, { kind: 'exit' }>;
const exit = (rest: Partial<Exit>): Failure =>
  explain({ kind: 'exit', exitCode: 1, signal: 0, wasReady: false, tail: [], reported: null, ...rest });
const loadFailed = (line: string): Failure =>
  exit({ exitCode: 71, tail: ['some log line', `headroom-engine: load failed: ${line}`] });

describe('load errors, in MLX’s own words', () => {
  it.each([
    ["HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/gone'", 'model-missing'],
    [
      'LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder for the specified revision',
      'model-missing',
    ],
    [
      'RuntimeError: [load_safetensors] The JSON header is 2048 bytes long but the file is only 100 bytes. Perhaps an incomplete download or corrupt file?',
      'model-damaged',
    ],
    [
      "RuntimeError: [load_safetensors] Tensor 'lm_head.weight' invalid data offsets (0, 99) exceeding the size of the file. Perhaps an incomplete download or corrupt file?",
      'model-damaged',
    ],
    ['FileNotFoundError: there is no model folder at /m', 'model-missing'],
    ['FileNotFoundError: 1 of 2 weight files are missing, first model-00002-of-00002.safetensors', 'model-incomplete'],
    ['FileNotFoundError: No safetensors found in /m', 'model-incomplete'],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/m/config.json'", 'model-incomplete'],
    ['ValueError: Missing 12 parameters: lm_head.weight, …', 'model-incomplete'],
    ['ValueError: Model type banana not supported.', 'model-unsupported'],
    [
      "ValueError: Couldn't instantiate the backend tokenizer from one of: (1) a `tokenizers` library",
      'model-tokenizer',
    ],
    ['Exception: EOF while parsing a string at line 4 column 6', 'model-tokenizer'],
    [
      'ValueError: Cannot infer the quantization mode of model.layers.0.mlp: 2 bits with group size 64.',
      'model-mismatch',
    ],
    ['JSONDecodeError: Expecting value: line 1 column 1 (char 0)', 'model-damaged'],
    ['PermissionError: [Errno 13] Permission denied: something', 'model-unreadable'],
    ['SomethingNew: nobody has seen this', 'model-load-failed'],
  ])('%s', (line, code) => {
    const failure = loadFailed(line);
    expect(failure.cause.code).toBe(code);
    expect(failure.retry).toBe(false);
    expect(failure.cause.message).toMatch(/[.!]$|nobody has seen this/);
    expect(failure.cause.nextStep).toMatch(/\.$/);
  });

  it('takes the engine’s own report when the terminal said nothing', () => {
    const reported = { type: 'ValueError', message: 'Model type banana not supported.' };
    expect(exit({ exitCode: 71, reported }).cause.code).toBe('model-unsupported');
  });
});

describe('faults while working', () => {
  it.each([
    [
      '[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)',
      'gpu-out-of-memory',
    ],
    ['RuntimeError: [malloc] Unable to allocate 4096 bytes.', 'out-of-memory'],
    [
      '[metal::malloc] Attempting to allocate 99 bytes which is greater than the maximum allowed buffer size of 9 bytes.',
      'prompt-too-large',
    ],
    ['[metal::malloc] Resource limit (499000) exceeded.', 'buffers-exhausted'],
    ['Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)', 'gpu-timeout'],
    ['Impacting Interactivity (0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)', 'gpu-interrupted'],
    ['(00000003:kIOGPUCommandBufferCallbackErrorHang)', 'gpu-fault'],
    ['Innocent Victim (00000005:kIOGPUCommandBufferCallbackErrorInnocentVictim)', 'gpu-fault'],
    ['(00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)', 'gpu-fault'],
    ['libc++abi: terminating due to uncaught exception of type std::runtime_error', 'crashed'],
  ])('%s', (line, code) => {
    const failure = exit({ exitCode: 70, wasReady: true, tail: [line] });
    expect(failure.cause.code).toBe(code);
    expect(failure.retry).toBe(true);
  });

  it('does not load again what has no room', () => {
    const tail = ['headroom-engine: load failed: RuntimeError: [malloc] Unable to allocate 12079397072 bytes.'];
    expect(exit({ exitCode: 71, tail })).toMatchObject({ cause: { code: 'out-of-memory' }, retry: false });
  });
});

describe('exits', () => {
  it.each<[string, Partial<Exit>, string, boolean]>([
    ['killed by the system', { signal: 9, exitCode: 0, wasReady: true }, 'killed', true],
    ['killed while loading', { signal: 9, exitCode: 0 }, 'killed', true],
    ['segmentation fault', { signal: 11, exitCode: 0 }, 'crashed', true],
    ['terminated by somebody', { signal: 15, exitCode: 0 }, 'ended-by-signal', true],
    ['generation thread', { exitCode: 70, wasReady: true }, 'generation-died', true],
    ['socket in use', { exitCode: 65, tail: ['headroom-engine: another engine answers on /x'] }, 'socket-in-use', true],
    [
      'folder not private',
      { exitCode: 64, tail: ["headroom-engine: the socket's folder must be ours alone (mode 0700): /x"] },
      'socket-folder',
      false,
    ],
    [
      'path too long',
      { exitCode: 64, tail: ['headroom-engine: the socket path has 120 bytes, 100 are the most: /x'] },
      'socket-path-too-long',
      false,
    ],
    ['other refusal', { exitCode: 64, tail: ['headroom-engine: no'] }, 'engine-refused', false],
    ['watchdog', { exitCode: 75 }, 'stopped-hard', true],
    ['no module', { tail: ['/python: No module named headroom_engine'] }, 'runtime-damaged', false],
    ['broken library', { tail: ['ImportError: dlopen(mlx/core.so): Library not loaded'] }, 'runtime-damaged', false],
    ['python cannot be run', { tail: ['execvp(3) failed.: Permission denied'] }, 'python-missing', false],
    ['clean but unasked', { exitCode: 0 }, 'ended', true],
    ['anything else', { exitCode: 42 }, 'exited', true],
  ])('%s', (_, given, code, retry) => {
    expect(exit(given)).toMatchObject({ cause: { code }, retry });
  });

  it('is not misled by clients that hung up', () => {
    const tail = ['BrokenPipeError: [Errno 32] Broken pipe', 'ConnectionResetError: [Errno 104]'];
    expect(exit({ exitCode: 70, wasReady: true, tail }).cause.code).toBe('generation-died');
  });
});

it('names the failure of an engine that had to be ended although it had reported one', () => {
  const reported = { type: 'RuntimeError', message: '[malloc] Unable to allocate 5 bytes.' };
  expect(explain({ kind: 'wedge', wedge: 'failed-but-alive', reported }).cause.code).toBe('out-of-memory');
  expect(explain({ kind: 'wedge', wedge: 'failed-but-alive', reported: null }).cause.code).toBe('generation-died');
});
