/**
 * How `llama-server` is started. Pure. A small Mac needs other values than llama.cpp's own: one request at a time, no
 * prompt cache of 8 GiB beside the model, and only as much on the GPU as macOS lets it keep.
 */
import type { GgufModel } from '../gguf-fit.ts';
import { expertLayersOnCpu } from '../gguf-fit.ts';

export interface LlamaPlan {
  readonly file: string;
  readonly port: number;
  readonly contextTokens: number;
  /** Layers whose experts stay with the CPU. */
  readonly cpuExpertLayers: number;
}

/** Numbers of a prompt in work at once; llama.cpp's own default, named because the memory plan counts on it. */
const UBATCH_TOKENS = 512;
/** For the KV cache of earlier prompts, MiB; llama.cpp's own default is 8,192. */
const PROMPT_CACHE_MIB = 256;

export function llamaArguments(plan: LlamaPlan, knows: (flag: string) => boolean): readonly string[] {
  const wanted: readonly (readonly string[])[] = [
    ['--model', plan.file],
    ['--host', '127.0.0.1'],
    ['--port', String(plan.port)],
    ['--ctx-size', String(plan.contextTokens)],
    // Two at once is what Macs have panicked on, and each would need a KV cache of its own.
    ['--parallel', '1'],
    ['--jinja'],
    ['--ubatch-size', String(UBATCH_TOKENS)],
    ['--n-gpu-layers', '999'],
    ...(plan.cpuExpertLayers > 0 ? [['--n-cpu-moe', String(plan.cpuExpertLayers)]] : []),
    ['--cache-ram', String(PROMPT_CACHE_MIB)],
    // What is too long is refused with its numbers, never shortened.
    ['--no-context-shift'],
    // It may not go and fetch anything, nor show pages of its own.
    ['--offline'],
    [knows('--no-ui') ? '--no-ui' : '--no-webui'],
    // Sizes are planned here, and not guessed again there.
    ['--fit', 'off'],
  ];
  return wanted.filter(([flag = '']) => ALWAYS.has(flag) || knows(flag)).flat();
}

/** Older than anything that runs gpt-oss. The others are left out where a version does not know them. */
const ALWAYS: ReadonlySet<string> = new Set(['--model', '--host', '--port', '--ctx-size']);

/** Which flags a version knows, by its `--help`. */
export function flagsIn(helpText: string): (flag: string) => boolean {
  const flags = new Set(helpText.match(/(?<![\w-])--[a-z][a-z0-9-]*/g));
  return (flag) => flags.has(flag);
}

/**
 * The build's number, by which llama.cpp's versions are told apart: of `version: 6140 (abc)`, of `version: 0.6.0 (build
 * 11434, …)`, of `b11434-abc`. Null where it is none, as of a build without its history.
 */
export function buildIn(text: string): string | null {
  const number = (/\bbuild (\d+)/.exec(text) ?? /^b(\d+)\b/.exec(text) ?? /version: (\d+)(?![\d.])/.exec(text))?.[1];
  return number === undefined || Number(number) === 0 ? null : number;
}

/** How many layers' experts stay with the CPU, for what the GPU may hold now. */
export function cpuExpertLayers(
  model: Pick<GgufModel, 'weightsBytes' | 'expertBytes'>,
  besideBytes: number,
  gpuLimitBytes: number | null,
): number {
  if (gpuLimitBytes === null || model.expertBytes.length === 0) return 0;
  return expertLayersOnCpu(model, besideBytes, gpuLimitBytes) ?? model.expertBytes.length;
}

/** What it needs on the GPU beside the weights: the KV cache in halves, and room to work. */
export function besideWeightsBytes(config: GgufModel['config'], contextTokens: number): number {
  const number = (key: string): number => {
    const value = config?.[key];
    return typeof value === 'number' ? value : 0;
  };
  const layers = number('num_hidden_layers');
  const kvHeads = number('num_key_value_heads') || number('num_attention_heads');
  const headSize = number('head_dim') || number('hidden_size') / Math.max(1, number('num_attention_heads'));
  const tokenBytes = 2 * kvHeads * headSize * 2;
  const window = number('sliding_window');
  // gpt-oss alternates: every other layer keeps a window and a batch.
  const slides = config?.['model_type'] === 'gpt_oss' && window > 0;
  const sliding = slides ? Math.ceil(layers / 2) : 0;
  const slidingTokens = Math.min(contextTokens, window + UBATCH_TOKENS);
  return tokenBytes * ((layers - sliding) * contextTokens + sliding * slidingTokens) + WORK_BYTES;
}

/** Compute buffers of a 20-billion model at this batch, with room to spare. Assumed from its logs, not measured here. */
const WORK_BYTES = 600 * 1_048_576;
