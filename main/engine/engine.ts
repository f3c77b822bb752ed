/**
 * What the rest of the app knows of the engine: one interface, whoever runs behind it.
 * The supervisor (`supervisor.ts`) implements it over the Python child.
 */
import type { Effort, EngineState } from '../../preload/contract.ts';

/** A folder with an MLX model: config.json, tokenizer, template, `*.safetensors`. */
export interface EngineModel {
  readonly folder: string;
  readonly name: string;
}

export type EngineMessage =
  | { readonly role: 'system' | 'developer' | 'user'; readonly content: string }
  | {
      readonly role: 'assistant';
      readonly content: string | null;
      readonly reasoning?: string;
      readonly tool_calls?: readonly { id: string; type: 'function'; function: { name: string; arguments: string } }[];
    }
  | { readonly role: 'tool'; readonly content: string; readonly tool_call_id?: string };

export interface GenerationRequest {
  readonly messages: readonly EngineMessage[];
  readonly effort: Effort;
  /** What the model is told is today, YYYY-MM-DD; fixed per conversation so that midnight does not void the cache. */
  readonly date: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** OpenAI's, over what was generated of this answer: −2 to 2. */
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  /** Above 1 makes the last tokens less likely, below 1 more. */
  readonly repetitionPenalty?: number;
  /** By the number of a token: −100 forbids it, 100 forces it. */
  readonly logitBias?: Readonly<Record<string, number>>;
  /** OpenAI function tools, passed through. */
  readonly tools?: readonly unknown[];
  /** Reasoning ends after this many tokens, and the answer begins. */
  readonly thinkingBudgetTokens?: number;
  /** Aborted when the reasoning is to end now and the answer to begin. Nothing is cancelled by it. */
  readonly answerNow?: AbortSignal;
  /** An answer that broke off: it is not said again, what follows is generated. */
  readonly continueFrom?: { readonly reasoning: string; readonly content: string };
  /** The conversation this belongs to: its prompt cache is kept apart from the others', and survives the engine. */
  readonly cacheKey?: string;
  /** The form of the answer, as OpenAI's `response_format`: kept by constrained decoding, or refused. */
  readonly responseFormat?: unknown;
  /** OpenAI's `tool_choice`: what must be called is called, by constrained decoding, or it is refused. */
  readonly toolChoice?: unknown;
  /** With each token of the answer how likely it was, and this many of the likeliest in its place (0 to 20). */
  readonly topLogprobs?: number;
  /** `none`: a side request (a title, a summary), which leaves the conversations' prompt cache alone. */
  readonly cache?: 'keep' | 'none';
  /** Prompt tokens read at once; the engine's own choice when left out. */
  readonly prefillStepTokens?: number;
}

export interface GenerationUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly prefillTokensPerSecond: number | null;
  readonly decodeTokensPerSecond: number | null;
  readonly memory?: AnswerMemory;
}

/** MLX's own count for one answer, and what the prompt cache held while it was read and while it was written. */
interface AnswerMemory {
  readonly peakBytes: number;
  readonly keptBeforeBytes: number;
  readonly keptWhileWritingBytes: number;
  readonly prefillStepTokens: number;
}

/**
 * What reading a prompt takes on this machine: two short prompts, one of half a step, one of two steps. Bytes are peaks
 * above weights, KV cache and snapshots.
 */
export interface EngineCalibration {
  readonly stepTokens: number;
  /** The one chunk of the short prompt: half a step. */
  readonly halfChunkBytes: number;
  /** The first and the second chunk of the long one. */
  readonly firstChunkBytes: number;
  readonly secondChunkBytes: number;
  /** The first tokens written after prompts of these lengths, where the cache has to grow; rising. */
  readonly decode: readonly { readonly tokens: number; readonly bytes: number }[];
  /** How fast the second chunk of the long one was read. */
  readonly tokensPerSecond: number;
}

interface LikelyToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

interface TokenLogprob extends LikelyToken {
  readonly top_logprobs: readonly LikelyToken[];
}

/** A prompt as the engine's template takes it. */
export type PromptRequest = Pick<GenerationRequest, 'messages' | 'effort' | 'date' | 'tools'>;

/** What was read of a prompt before somebody asks. `isComplete` false: something else was asked meanwhile. */
export interface ReadAhead {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly readTokens: number;
  readonly isComplete: boolean;
}

/** A conversation's KV cache in a file, as the engine wrote it. */
export interface SavedCache {
  readonly tokens: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The prompt cache from outside. Nothing here is needed for an answer, so nothing rejects: what cannot be done now is
 * null or false, and the next prompt is read anew.
 */
export interface CacheOperations {
  /** Reads what the conversation's next prompt will begin with. Gives way at once to anything else that is asked. */
  readAhead(request: PromptRequest & { readonly cacheKey?: string }, signal: AbortSignal): Promise<ReadAhead | null>;
  /** Into the engine's folder for caches. `gone`: it is not in memory. Ends with the signal, and leaves no file then. */
  saveCache(
    cache: { readonly file: string; readonly key: string },
    signal: AbortSignal,
  ): Promise<SavedCache | 'gone' | null>;
  /** `refused`: the file is of no use any more. */
  loadCache(
    cache: { readonly file: string; readonly key: string; readonly sha256: string },
    signal: AbortSignal,
  ): Promise<'loaded' | 'refused' | 'not-now'>;
  forgetCache(key: string): Promise<void>;
}

/** What one generation yields, in order: waiting*, prefill*, (reasoning | commentary | content | tool-call)*, finish. */
export type GenerationEvent =
  /** Behind `ahead` other requests, or while the model loads. */
  | { readonly kind: 'waiting'; readonly for: 'slot' | 'engine'; readonly ahead: number }
  | { readonly kind: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly kind: 'reasoning' | 'commentary'; readonly text: string }
  /** `logprobs` only when asked for; its text may still be held back then. */
  | { readonly kind: 'content'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] }
  | {
      readonly kind: 'tool-call';
      readonly index: number;
      readonly id?: string;
      readonly name?: string;
      readonly argumentsText: string;
    }
  | {
      readonly kind: 'finish';
      readonly reason: 'stop' | 'length' | 'tool_calls';
      /** Set when the length was reached while the model was still thinking. */
      readonly lengthIn?: 'reasoning' | 'answer';
      /** Which of the request's stop texts ended it, where the engine tells. */
      readonly stopSequence?: string;
      readonly usage: GenerationUsage;
    };

/**
 * `stopped`: the engine was turned off meanwhile. `failed`: the engine or its process broke, the message says how.
 * `disconnected`: the answer broke off and nobody knows why. `protected`: ended or refused to save the machine's memory.
 * `context-full`: the prompt leaves no room for an answer below the user's ceiling; see `ContextFull`.
 */
export type EngineErrorCode =
  | 'aborted'
  | 'stopped'
  | 'off'
  | 'failed'
  | 'bad-request'
  | 'disconnected'
  | 'protected'
  | 'context-full';

/** Thrown by `generate` and `count`. `aborted` when the caller's signal ended it. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly nextStep: string;

  constructor(code: EngineErrorCode, message: string, nextStep: string) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
    this.nextStep = nextStep;
  }
}

/** The numbers of a prompt that is too long for the context. */
export interface ContextNumbers {
  readonly promptTokens: number;
  readonly ceilingTokens: number;
  /** The longest context the model was made for; null when it does not say. */
  readonly mostTokens: number | null;
}

export class ContextFull extends EngineError {
  readonly numbers: ContextNumbers;

  constructor(numbers: ContextNumbers) {
    const { promptTokens, ceilingTokens, mostTokens } = numbers;
    const canRaise = mostTokens === null || mostTokens > ceilingTokens;
    super(
      'context-full',
      `This takes ${inThousands(promptTokens)} tokens, and the context is set to ${inThousands(ceilingTokens)}: no room is left for an answer.`,
      `${canRaise ? 'Raise the context with the slider, shorten' : 'Shorten'} the message, or begin a new conversation.`,
    );
    this.name = 'ContextFull';
    this.numbers = numbers;
  }
}

const inThousands = (count: number): string => count.toLocaleString('en-US');

/** The engine's own numbers, as its `/metrics` reports them; bytes, tokens, seconds. */
export interface EngineMetrics {
  readonly phase: 'starting' | 'loading' | 'ready' | 'busy' | 'stopping' | 'failed';
  readonly healthy: boolean;
  readonly load: { readonly loadedBytes: number; readonly totalBytes: number; readonly seconds: number | null };
  readonly memory: { readonly activeBytes: number; readonly peakBytes: number; readonly cacheBytes: number };
  readonly device: {
    readonly name: string;
    readonly memoryBytes: number | null;
    readonly workingSetBytes: number | null;
  };
  readonly request: {
    readonly phase: 'prefill' | 'decode';
    readonly promptTokens: number;
    readonly prefillDone: number;
    readonly prefillTotal: number;
    readonly generatedTokens: number;
    readonly idleSeconds: number;
  } | null;
  /** `mlx 0.32.4, mlx-lm 0.32.2`: what measurements hold for. */
  readonly versions?: string;
  readonly promptCache: { readonly sequences: number; readonly bytes: number; readonly limitBytes: number };
}

export interface Engine {
  readonly state: EngineState;
  readonly metrics: EngineMetrics | null;
  /** Called on every state change, after `state` has changed. Returns the unsubscribe function. */
  subscribe(listener: (state: EngineState) => void): () => void;
  /** Turns on with this model. Idempotent for the same model; another model stops the first. Resolves when ready; rejects with EngineError. */
  start(model: EngineModel): Promise<void>;
  /** Cancels what runs, ends the process orderly, resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
  /**
   * One generation. Requests wait for one slot in order (`priority: 'window'` goes first at the next slot) and for the
   * engine to become ready when it is on its way. Aborting the signal ends it, in the engine too.
   * Throws EngineError; `off` when the engine is off.
   */
  generate(
    request: GenerationRequest,
    options: {
      readonly signal: AbortSignal;
      readonly priority: 'window' | 'api';
      /** Called when it is this request's turn and the model is ready; the answer waits for it. */
      readonly atTurn?: () => Promise<void>;
    },
  ): AsyncIterable<GenerationEvent>;
  /** Prompt tokens the template would make of these messages, by the engine's own tokenizer. */
  count(request: PromptRequest, signal: AbortSignal): Promise<number>;
  /**
   * Gives back what is kept only to be faster (KV of earlier prompts, MLX's buffers). An answer under way goes on.
   * Does nothing when no model is loaded. Rejects with EngineError when the engine cannot be asked.
   */
  dropCaches(): Promise<void>;
  /**
   * Measures what reading a prompt in steps of this size takes; seconds. Gives way at once to anything else that is
   * asked. Null when it was broken off, or nothing can be measured now. Rejects with EngineError when the engine refuses.
   */
  calibrate(stepTokens: number, signal: AbortSignal): Promise<EngineCalibration | null>;
  /** The child's last output lines, at most 200, oldest first, without terminal escapes. */
  logTail(): readonly string[];
  /** Stops and releases everything. */
  dispose(): Promise<void>;
}
