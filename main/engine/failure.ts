/**
 * Why the engine broke, in words for people. Pure: from what is known (exit code, signal, last output lines, the
 * engine's own report, a verdict of the watchdog) to a cause, a next step, and whether another try makes sense.
 */
import type { FailureCause } from '../../preload/contract.ts';
import type { Wedge } from './wedge.ts';

export interface Failure {
  readonly cause: FailureCause;
  /** False where the next start would end the same way. */
  readonly retry: boolean;
}

export type Breakage =
  | {
      readonly kind: 'exit';
      readonly exitCode: number;
      /** Signal number, 0 for none. */
      readonly signal: number;
      /** True once the model had been loaded. */
      readonly wasReady: boolean;
      readonly tail: readonly string[];
      readonly reported: EngineReport | null;
    }
  | { readonly kind: 'wedge'; readonly wedge: Wedge; readonly reported: EngineReport | null }
  | { readonly kind: 'no-python'; readonly path: string }
  | { readonly kind: 'no-model'; readonly folder: string }
  | { readonly kind: 'no-config'; readonly folder: string }
  | { readonly kind: 'socket-folder'; readonly detail: string }
  | { readonly kind: 'socket-path'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'spawn'; readonly detail: string };

/** The engine's `error` field in `/metrics`. */
export interface EngineReport {
  readonly type: string;
  readonly message: string;
}

export function explain(breakage: Breakage): Failure {
  switch (breakage.kind) {
    case 'exit':
      return explainExit(breakage);
    case 'wedge':
      return explainWedge(breakage.wedge, breakage.reported);
    case 'no-python':
      return final('python-missing', `Headroom's Python is not where it should be (${breakage.path}).`, REINSTALL);
    case 'no-model':
      return final(
        'model-missing',
        `The model's folder is not there: ${breakage.folder}`,
        'Choose another model, or download this one again.',
      );
    case 'no-config':
      return final(
        'model-incomplete',
        `There is no model in this folder, its config.json is missing: ${breakage.folder}`,
        DOWNLOAD_AGAIN,
      );
    case 'socket-folder':
      return final(
        'socket-folder',
        `No private folder could be made for talking to the engine: ${breakage.detail}`,
        'Check that the temporary folder (TMPDIR) exists, is writable and has room, then turn the model on again.',
      );
    case 'socket-path':
      return final(
        'socket-path-too-long',
        `The path of the temporary folder is too long for talking to the engine (${breakage.bytes} bytes): ${breakage.path}`,
        'Set TMPDIR to a shorter path, for example /tmp, and start Headroom again.',
      );
    case 'spawn':
      return final('spawn-failed', `The engine's process could not be started: ${breakage.detail}`, REINSTALL);
  }
}

const REINSTALL = 'Install Headroom again; in a development checkout, run npm start, which prepares what is missing.';
const DOWNLOAD_AGAIN = 'Delete this model and download it again.';
const AGAIN = 'Nothing to do: it is started again. If this repeats, look at the log.';
const RESTART_MAC = 'If this happens again, restart the computer: memory on the graphics side may be lost until then.';
const LESS_MEMORY = 'Close other apps, shorten the conversation, or choose a smaller model.';

const final = (code: string, message: string, nextStep: string): Failure => ({
  cause: { code, message, nextStep },
  retry: false,
});
const passing = (code: string, message: string, nextStep: string): Failure => ({
  cause: { code, message, nextStep },
  retry: true,
});

// ── Exits ─────────────────────────────────────────────────────────────────────────────────────────

const SIGABRT = 6;
const SIGKILL = 9;
const SIGSEGV = 11;

/** Exit codes of headroom_engine, and the two of a shell that was made to run what is no program. */
const EXIT = {
  notExecutable: 126,
  notFound: 127,
  refused: 64,
  socketInUse: 65,
  generationThreadDied: 70,
  loadFailed: 71,
  watchdog: 75,
} as const;

function explainExit(exit: Extract<Breakage, { kind: 'exit' }>): Failure {
  const { exitCode, signal, wasReady, tail, reported } = exit;
  const statement = [
    ...(reported === null ? [] : [`${reported.type}: ${reported.message}`]),
    ...tail.filter((line) => /headroom-engine: (load failed|generation died):/.test(line)),
  ].join('\n');
  const everything = `${statement}\n${tail.join('\n')}`;

  const gpu = explainByText(everything, FAULTS);
  if (gpu !== null) return wasReady || !gpu.finalAtLoad ? gpu.failure : { ...gpu.failure, retry: false };

  if (signal === SIGKILL) {
    return passing('killed', 'The system ended the engine, most likely because memory ran out.', LESS_MEMORY);
  }
  if (exitCode === EXIT.loadFailed || (!wasReady && statement !== '')) {
    const load = explainByText(statement === '' ? everything : statement, LOAD_ERRORS);
    if (load !== null) return load.failure;
    const said = statement.split('\n')[0]?.replace(/^.*load failed: /, '') ?? '';
    return final('model-load-failed', `The model could not be loaded. ${shortened(said)}`.trim(), DOWNLOAD_AGAIN);
  }
  const runtime = explainByText(everything, RUNTIME_ERRORS);
  if (runtime !== null && !wasReady) return runtime.failure;

  switch (exitCode) {
    case EXIT.refused: {
      const why = tail.filter((line) => line.includes('headroom-engine')).at(-1) ?? tail.at(-1) ?? '';
      if (/mode 0700|ours alone/.test(why)) {
        return final(
          'socket-folder',
          'The folder for talking to the engine can be entered by other users, so the engine refused to start.',
          'Check the permissions of the temporary folder (TMPDIR), then turn the model on again.',
        );
      }
      if (/socket path has/.test(why)) {
        return final(
          'socket-path-too-long',
          'The path of the temporary folder is too long for talking to the engine.',
          'Set TMPDIR to a shorter path, for example /tmp, and start Headroom again.',
        );
      }
      return final('engine-refused', `The engine refused to start. ${shortened(why)}`.trim(), REINSTALL);
    }
    case EXIT.socketInUse:
      return passing('socket-in-use', 'Another process already answers in this engine’s place.', AGAIN);
    case EXIT.generationThreadDied:
      return passing('generation-died', 'The engine broke while it was working.', AGAIN);
    case EXIT.notExecutable:
    case EXIT.notFound:
      return final('python-missing', 'The engine’s Python cannot be run.', REINSTALL);
    case EXIT.watchdog:
      return passing('stopped-hard', 'The engine ended and could not free its memory in order.', RESTART_MAC);
  }
  if (signal === SIGABRT || signal === SIGSEGV) {
    return passing('crashed', 'The engine crashed.', AGAIN);
  }
  if (signal !== 0) return passing('ended-by-signal', `The engine was ended from outside (signal ${signal}).`, AGAIN);
  if (exitCode === 0) return passing('ended', 'The engine ended without being asked to.', AGAIN);
  return passing('exited', `The engine ended unexpectedly (exit code ${exitCode}).`, AGAIN);
}

interface Rule {
  readonly pattern: RegExp;
  readonly failure: Failure;
  /** True when the same would happen at every load, whereas a loaded model may go on after a restart. */
  readonly finalAtLoad?: boolean;
}

const explainByText = (text: string, rules: readonly Rule[]): Rule | null =>
  rules.find((rule) => rule.pattern.test(text)) ?? null;

/** What MLX, Metal and the allocator say, wherever it stands in the output. Upstream's own words, case-sensitive. */
const FAULTS: readonly Rule[] = [
  {
    pattern: /kIOGPUCommandBufferCallbackErrorOutOfMemory|Insufficient Memory \(00000008/,
    failure: passing('gpu-out-of-memory', 'The graphics side ran out of memory.', LESS_MEMORY),
    finalAtLoad: true,
  },
  {
    pattern: /\[metal::malloc\] Attempting to allocate[\s\S]*?maximum allowed buffer size/,
    failure: passing(
      'prompt-too-large',
      'The prompt needs a larger piece of memory than this computer gives out at once.',
      'Shorten the conversation or begin a new one.',
    ),
  },
  {
    pattern: /\[metal::malloc\] Resource limit \(\d+\) exceeded/,
    failure: passing('buffers-exhausted', 'The engine used up the graphics side’s buffers.', AGAIN),
  },
  {
    pattern: /\[malloc\] Unable to allocate|\bMemoryError\b|std::bad_alloc/,
    failure: passing('out-of-memory', 'There was not enough memory.', LESS_MEMORY),
    finalAtLoad: true,
  },
  {
    pattern: /kIOGPUCommandBufferCallbackErrorTimeout|Caused GPU Timeout Error \(00000002/,
    failure: passing(
      'gpu-timeout',
      'The graphics side took too long, most likely because the computer was swapping.',
      LESS_MEMORY,
    ),
  },
  {
    pattern: /kIOGPUCommandBufferCallbackErrorImpactingInteractivity|\(0000000e/,
    failure: passing(
      'gpu-interrupted',
      'The system interrupted the engine because it held up the screen.',
      'Shorten the conversation, or close apps that draw a lot.',
    ),
  },
  {
    pattern:
      /kIOGPUCommandBufferCallbackError(Hang|InnocentVictim|SubmissionsIgnored)|Innocent Victim \(00000005|Ignored \(for causing prior\/excessive GPU errors\) \(00000004/,
    failure: passing('gpu-fault', 'The graphics side broke down.', RESTART_MAC),
  },
  {
    pattern: /libc\+\+abi: terminating/,
    failure: passing('crashed', 'The engine crashed.', AGAIN),
  },
];

/** Why a model does not load; matched against the engine's one line about it. */
const LOAD_ERRORS: readonly Rule[] = [
  {
    pattern:
      /there is no model folder|Repo id must be in the form|LocalEntryNotFoundError|Cannot find an appropriate cached snapshot/,
    failure: final(
      'model-missing',
      'The model’s folder is not there.',
      'Choose another model, or download this one again.',
    ),
  },
  {
    pattern: /\[load_safetensors\]|SafetensorError|Perhaps an incomplete download or corrupt file/,
    failure: final('model-damaged', 'A file of the model is cut short or damaged.', DOWNLOAD_AGAIN),
  },
  {
    pattern: /No safetensors found|weight files are missing|Missing \d+ parameters/,
    failure: final('model-incomplete', 'Some of the model’s weights are missing.', DOWNLOAD_AGAIN),
  },
  {
    pattern:
      /Received \d+ parameters not in model|Cannot infer the quantization mode|Expected shape|size mismatch|\[quantized_matmul\]/,
    failure: final('model-mismatch', 'The model’s weights do not fit its description (config.json).', DOWNLOAD_AGAIN),
  },
  {
    pattern: /Model type .* not supported/,
    failure: final(
      'model-unsupported',
      'This kind of model is not supported by the engine.',
      'Choose another model; Headroom is made for gpt-oss.',
    ),
  },
  {
    // The last is how the tokenizer's own parser, which is not Python's, ends every complaint about its file.
    pattern: /tokenizer|chat_template|at line \d+ column \d+/i,
    failure: final('model-tokenizer', 'The model’s tokenizer is missing or damaged.', DOWNLOAD_AGAIN),
  },
  {
    pattern: /JSONDecodeError|Expecting (value|property name|',' delimiter)|Unterminated string/,
    failure: final('model-damaged', 'The model’s description (config.json) is damaged.', DOWNLOAD_AGAIN),
  },
  {
    pattern: /config\.json|FileNotFoundError|NotADirectoryError/,
    failure: final('model-incomplete', 'A file of the model is missing.', DOWNLOAD_AGAIN),
  },
  {
    pattern: /PermissionError|Permission denied/,
    failure: final(
      'model-unreadable',
      'Headroom may not read the model’s files.',
      'Check the permissions of the model’s folder.',
    ),
  },
];

/** Python or its libraries cannot even start. */
const RUNTIME_ERRORS: readonly Rule[] = [
  {
    pattern: /No module named|ModuleNotFoundError|ImportError|Library not loaded|Symbol not found/,
    failure: final('runtime-damaged', 'Parts of the engine’s Python environment are missing.', REINSTALL),
  },
  {
    pattern: /execvp\(3\) failed|posix_spawnp? failed|Exec format error|cannot execute/,
    failure: final('python-missing', 'The engine’s Python cannot be run.', REINSTALL),
  },
];

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)} …` : text);

// ── Hanging ───────────────────────────────────────────────────────────────────────────────────────

function explainWedge(wedge: Wedge, reported: EngineReport | null): Failure {
  switch (wedge) {
    case 'no-start':
      return passing('start-timeout', 'The engine’s process runs but never answered.', AGAIN);
    case 'load':
      return passing('load-stalled', 'Loading the model made no progress any more.', LESS_MEMORY);
    case 'prefill':
      return passing('prefill-stalled', 'The engine stood still while it read the prompt.', LESS_MEMORY);
    case 'decode':
      return passing('decode-stalled', 'The engine stood still in the middle of an answer.', AGAIN);
    case 'unreachable':
      return passing('unreachable', 'The engine’s process runs but no longer answers.', AGAIN);
    case 'failed-but-alive':
      return explainExit({
        kind: 'exit',
        exitCode: EXIT.generationThreadDied,
        signal: 0,
        wasReady: false,
        tail: [],
        reported,
      });
  }
}
