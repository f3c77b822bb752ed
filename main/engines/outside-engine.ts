/**
 * Engines that others made and installed: llama.cpp, Ollama, LM Studio. Each speaks its own language; here is the one
 * interface behind which they look alike. `outside-runner.ts` makes of any of them an engine like the bundled one.
 */
import {
  type DownloadState,
  type EngineAbility,
  OUTSIDE_ENGINES,
  type OutsideEngineKind,
  type OutsideEngineLook,
} from '../../preload/contract.ts';
import type { EngineMetrics, GenerationEvent, GenerationRequest, PromptRequest } from '../engine/engine.ts';

export type OutsideKind = OutsideEngineKind;

/** A model one of them has, or could fetch. */
export interface OutsideModel {
  /** `ollama:gpt-oss:20b`, `llama.cpp:/path/model.gguf`, `lm-studio:openai/gpt-oss-20b`. */
  readonly id: string;
  readonly engine: OutsideKind;
  /** What the engine itself calls it: a name, or a file. */
  readonly ref: string;
  readonly name: string;
  readonly sizeBytes: number | null;
  /** What the engine will hold of it; null where nobody says. */
  readonly weightsBytes: number | null;
  /** Of `weightsBytes`: what the engine can leave with the CPU when the GPU may not keep it. */
  readonly cpuCapableBytes?: number;
  /** As a config.json of the same architecture would say it, for the fit; null where the engine tells too little. */
  readonly config: unknown;
  readonly maxContextTokens: number | null;
  /** `fetchable`: the engine can download it. */
  readonly presence: 'here' | 'fetchable';
  /** What the engine cannot do with it. */
  readonly lacks: readonly EngineAbility[];
  /** The computer whose memory it takes, where that is another one. */
  readonly host?: string;
}

export interface Pulled {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Bytes, or all that the app's own downloader can tell. */
type PullNews = Pulled | DownloadState;

/** Where and in which version it was found, or why not. */
type Detected = Exclude<DistributiveOmit<OutsideEngineLook, 'models'>, { readonly kind: 'off' }>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface LoadOptions {
  readonly contextTokens: number;
  /** What the GPU may hold now, bytes; null where nothing limits it. */
  readonly gpuLimitBytes: number | null;
}

/** Who ended a loaded model, when nobody here has asked for it. */
export interface Loss {
  readonly message: string;
  readonly nextStep: string;
  /** It was started here, so it may be started again here. */
  readonly mayRestart?: boolean;
}

export interface OutsideEngine {
  readonly kind: OutsideKind;
  /** As people call it. */
  readonly name: string;
  /** Never rejects. */
  detect(signal: AbortSignal): Promise<Detected>;
  /** Empty where it cannot be asked. Never rejects. */
  models(signal: AbortSignal): Promise<readonly OutsideModel[]>;
  /** Resolves when the model is in memory. Rejects with EngineError. `onLoss`: it went away without being asked. */
  load(model: OutsideModel, options: LoadOptions, signal: AbortSignal, onLoss: (loss: Loss) => void): Promise<void>;
  /** Gives the memory back. A server that others started is asked to, never ended. Never rejects. */
  unload(model: OutsideModel): Promise<void>;
  /** One answer; ends silently when the signal aborts, the engine then stops too. Rejects with EngineError. */
  chat(
    model: OutsideModel,
    request: GenerationRequest,
    options: LoadOptions,
    signal: AbortSignal,
  ): AsyncIterable<GenerationEvent>;
  /** Prompt tokens by the engine's own tokenizer; null where it has none to ask. Rejects with EngineError. */
  count(model: OutsideModel, request: PromptRequest, signal: AbortSignal): Promise<number | null>;
  /** What the loaded model's processes take; null where nobody can say. Never rejects. */
  footprintBytes(model: OutsideModel): Promise<number | null>;
  /** The last lines of what it printed, where it was started here. */
  logTail(): readonly string[];
  /** Fetches a model that is not here yet; only where `presence` can be `fetchable`. Rejects with EngineError. */
  pull?(model: OutsideModel, onProgress: (news: PullNews) => void, signal: AbortSignal): Promise<void>;
}

export const outsideId = (engine: OutsideKind, ref: string): string => `${engine}:${ref}`;

export const OUTSIDE_KINDS: readonly OutsideKind[] = OUTSIDE_ENGINES;

/** All that the app's own engine can do beyond an answer. */
export const ALL_ABILITIES: readonly EngineAbility[] = ['answer-now', 'continue', 'thinking-limit'];

/** Which engine a model's id belongs to; null for the bundled one's. */
export function outsideKindOf(id: string): OutsideKind | null {
  return OUTSIDE_KINDS.find((kind) => id.startsWith(`${kind}:`) && id.length > kind.length + 1) ?? null;
}

export const ENGINE_NAMES: Readonly<Record<OutsideKind, string>> = {
  'llama.cpp': 'llama.cpp',
  ollama: 'Ollama',
  'lm-studio': 'LM Studio',
};

/** The metrics of an engine that counts nothing itself: its memory is what its processes take. */
export function outsideMetrics(
  footprintBytes: number,
  peakBytes: number,
  load: EngineMetrics['load'],
  isBusy: boolean,
): EngineMetrics {
  return {
    phase: isBusy ? 'busy' : 'ready',
    healthy: true,
    load,
    memory: { activeBytes: footprintBytes, peakBytes, cacheBytes: 0 },
    device: { name: 'unknown', memoryBytes: null, workingSetBytes: null },
    request: null,
    promptCache: { sequences: 0, bytes: 0, limitBytes: 0 },
  };
}
