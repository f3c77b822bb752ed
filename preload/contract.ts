/**
 * The contract between window and main: the only place where a route or an event is named.
 *
 * A window calls `route(input)` and gets a `Result`; main publishes events. Inputs are parsed by the
 * gate in main (`main/host/gate.ts`) with the schemas below before a handler sees them, so a handler's
 * input is always what its type says. This file imports nothing from Electron, Node or the DOM.
 */
import * as v from 'valibot';

// ── Errors ────────────────────────────────────────────────────────────────────────────────────────

/** Codes a window may receive. `internal` carries a log id in `message`; everything else is for people. */
export type ErrorCode =
  | 'untrusted-sender'
  | 'unknown-route'
  | 'invalid-input'
  | 'not-found'
  | 'no-model'
  | 'engine-failed'
  | 'engine-off'
  | 'context-full'
  | 'refused'
  | 'disconnected'
  | 'internal';

/** One plain sentence on the cause, and what to do next. */
export interface AppError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly nextStep: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: AppError };

// ── Engine ────────────────────────────────────────────────────────────────────────────────────────

/** Why the engine stopped working, in words for people. `code` is stable, for tests and logs. */
export interface FailureCause {
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
}

/** The engine's state; the diagram and the transitions are in `main/engine/state.ts`. Times are epoch milliseconds. */
export type EngineState =
  | { readonly kind: 'off' }
  | { readonly kind: 'preparing'; readonly sinceMs: number }
  | { readonly kind: 'starting'; readonly sinceMs: number; readonly attempt: number }
  | { readonly kind: 'loading'; readonly sinceMs: number; readonly loadedBytes: number; readonly totalBytes: number }
  | { readonly kind: 'ready'; readonly sinceMs: number }
  | { readonly kind: 'busy'; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAtMs: number; readonly cause: FailureCause }
  | { readonly kind: 'stopping'; readonly sinceMs: number; readonly deadlineMs: number }
  | { readonly kind: 'failed'; readonly cause: FailureCause; readonly logTail: readonly string[] };

/** What the app's own engine does and another may not: what it lacks is not offered. */
export type EngineAbility = 'answer-now' | 'continue' | 'thinking-limit';

/** A model folder the app can run. */
export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** True for the demo model: it exists to show the app, not to be useful. */
  readonly isToy: boolean;
  /** Of the engine that runs it; left out where it lacks nothing. */
  readonly lacks?: readonly EngineAbility[];
}

// ── Models ────────────────────────────────────────────────────────────────────────────────────────

/** This machine, as the first run shows it. */
export interface MachineInfo {
  /** `Apple M2`; null where the system does not say. */
  readonly chip: string | null;
  readonly memoryBytes: number;
  /** `macOS 15.6`, `Linux`. */
  readonly system: string;
  /** Why no model can run here at all (an Intel Mac, macOS 13), with what would help; null when one can. */
  readonly cannotRun: { readonly message: string; readonly nextStep: string } | null;
}

/** A transfer into the Hugging Face cache, or a check of what is there. Bytes count the whole model. */
export type DownloadState =
  /** Behind another model. */
  | { readonly kind: 'queued' }
  /** Asking the hub for the list of files. */
  | { readonly kind: 'listing' }
  /** Reading what is there already and comparing it with its checksum. */
  | { readonly kind: 'checking'; readonly doneBytes: number; readonly totalBytes: number }
  | {
      readonly kind: 'downloading';
      readonly doneBytes: number;
      readonly totalBytes: number;
      /** Smoothed; null until it is known. */
      readonly bytesPerSecond: number | null;
      readonly remainingSeconds: number | null;
    }
  /** The network, the hub or a volume is away: goes on by itself at `retryAtMs`. */
  | {
      readonly kind: 'waiting';
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly retryAtMs: number;
      readonly cause: FailureCause;
    }
  | { readonly kind: 'paused'; readonly doneBytes: number; readonly totalBytes: number }
  /** Does not go on by itself (disk full, gated, refused, damaged at the source). What is there is kept. */
  | { readonly kind: 'failed'; readonly doneBytes: number; readonly totalBytes: number; readonly cause: FailureCause };

/** Whether a model's files are on this machine. */
export type ModelPresence =
  | { readonly kind: 'absent' }
  | { readonly kind: 'getting'; readonly download: DownloadState }
  | {
      readonly kind: 'here';
      readonly folder: string;
      /** `pinned`: every checksum as pinned in the app; `hub`: as the hub named them; `unchecked`: found so. */
      readonly checked: 'pinned' | 'hub' | 'unchecked';
      /** When every file was last compared; left out where none was, and for what has no checksums. */
      readonly checkedAtMs?: number;
    }
  /** Files are missing or differ from their checksum; `models.repair` fetches those alone. */
  | { readonly kind: 'damaged'; readonly folder: string; readonly message: string; readonly checkedAtMs?: number };

/** What a model is predicted to take at one context length; the formula is in `main/models/fit.ts`. */
export interface FitPrediction {
  readonly contextTokens: number;
  readonly weightsBytes: number;
  /** One copy of the KV cache at that length. */
  readonly kvBytes: number;
  /** Copies the prompt cache holds, and the copy that lives while a buffer grows. */
  readonly kvCopiesBytes: number;
  readonly prefillBytes: number;
  readonly prefillStepTokens: number;
  /** `calibrated`: measured on this machine with this model; `default`: a cautious guess before the first load. */
  readonly prefillFrom: 'calibrated' | 'default';
  readonly runtimeBytes: number;
  /** The sum, corrected by what earlier loads on this machine measured. */
  readonly peakBytes: number;
  /** How many measured loads the correction rests on. */
  readonly measuredLoads: number;
}

/** A way to make a model fit, with its numbers. */
export type FitWay =
  | {
      readonly kind: 'quit-apps';
      readonly apps: readonly { readonly name: string; readonly bytes: number }[];
      readonly freesBytes: number;
    }
  /** Needs the user's consent and, unless the helper is installed, their password. */
  | { readonly kind: 'raise-limit'; readonly toMiB: number }
  | { readonly kind: 'smaller-context'; readonly tokens: number }
  | { readonly kind: 'other-model'; readonly modelId: string; readonly name: string; readonly peakBytes: number };

/** Whether a model works on this machine, computed, never typed. `message` is a plain sentence with its numbers. */
export type FitVerdict =
  | { readonly kind: 'fits'; readonly message: string }
  /** Fits once the GPU's wired limit is raised: the ordinary case for gpt-oss-20b on 16 GB. */
  | {
      readonly kind: 'fits-after-raise';
      readonly message: string;
      readonly toMiB: number;
      /** Raising first, then what needs no password. */
      readonly ways?: readonly FitWay[];
    }
  | { readonly kind: 'works-if'; readonly message: string; readonly ways: readonly FitWay[] }
  | { readonly kind: 'not-on-this-mac'; readonly message: string; readonly ways: readonly FitWay[] }
  /** Its config cannot be understood: offered, not promised. */
  | { readonly kind: 'unknown'; readonly message: string };

/** A model that is here or could be. */
export interface ModelEntry {
  /** Repository name, absolute folder, or `headroom-demo`; what `ModelInfo.id` is once it can run. */
  readonly id: string;
  readonly origin: 'catalog' | 'demo' | 'added' | 'found';
  readonly name: string;
  readonly repository: string | null;
  /** Null until the hub was asked. */
  readonly sizeBytes: number | null;
  readonly licence: string | null;
  readonly goodFor: string | null;
  readonly isToy: boolean;
  /** The first choice for this machine. At most one entry. */
  readonly isRecommended: boolean;
  /** True when other tools may use the same files: deleting asks first. */
  readonly isShared: boolean;
  /** Whose engine runs it, where it is not the app's own: Ollama, llama.cpp, LM Studio. */
  readonly engineName?: string;
  /** The computer whose memory it takes, where that is another one. */
  readonly host?: string;
  readonly presence: ModelPresence;
  readonly verdict: FitVerdict;
  /** At the user's context length. Null where nothing can be predicted. */
  readonly prediction: FitPrediction | null;
  /** "predicted 12.3 GB, measured 12.2 GB, 8 loads"; null before the first load. */
  readonly measured: { readonly predictedBytes: number; readonly measuredBytes: number; readonly loads: number } | null;
}

/** A position of the context slider. */
export interface ContextStop {
  readonly tokens: number;
  /** Null, as the two below, where the model's config cannot be understood. */
  readonly kvBytes: number | null;
  readonly peakBytes: number | null;
  /** RAM − wired before the load − peak − our own processes. May be negative. */
  readonly leavesBytes: number | null;
  /** How long a prompt that fills it takes before the first token; null until a rate was measured. */
  readonly prefillSeconds: number | null;
  /** `fits-after-raise`, `works-if` and `not-on-this-mac` are greyed, each with its reason and ways. */
  readonly verdict: FitVerdict;
}

/** The context slider of the chosen model. `chosenTokens` is the user's ceiling: never raised for them. */
export interface ContextPlan {
  readonly modelId: string;
  readonly chosenTokens: number;
  /** Rising, from 1k to the model's maximum. */
  readonly stops: readonly ContextStop[];
}

/** What was looked at before loading a model. */
export interface Preflight {
  readonly modelId: string;
  /** `go`: green. `works-if`: with one of `ways`. `no`: not on this Mac. */
  readonly verdict: 'go' | 'works-if' | 'no';
  readonly message: string;
  readonly checks: readonly {
    readonly name: 'memory' | 'working-set' | 'pressure' | 'disk';
    readonly isFine: boolean;
    readonly message: string;
  }[];
  readonly ways: readonly FitWay[];
  /** "Load anyway" exists where it is slow, not dangerous. */
  readonly canLoadAnyway: boolean;
}

/** How the hub is reached. The token itself never reaches a window. */
export interface HubSettings {
  /** `https://host:port`; null: the system's proxy. */
  readonly proxyUrl: string | null;
  /** Where models are kept; null: the Hugging Face cache that other tools use too. */
  readonly cacheFolder: string | null;
  readonly cacheFolderInUse: string;
  readonly token: 'none' | 'set-here' | 'environment' | 'hub-login';
}

/** Engines that others made. */
export const OUTSIDE_ENGINES = ['llama.cpp', 'ollama', 'lm-studio'] as const;
export type OutsideEngineKind = (typeof OUTSIDE_ENGINES)[number];

/** Where an engine that others made is looked for. A token itself never reaches a window. */
export interface OutsideEngineSettings {
  readonly kind: OutsideEngineKind;
  /** `Ollama`. */
  readonly name: string;
  readonly isOn: boolean;
  /** llama.cpp's: the program that is started. Null, as all below: the usual place. */
  readonly program: string | null;
  readonly address: string | null;
  /** llama.cpp's: where its GGUF files lie, beside the usual folders. */
  readonly modelsFolder: string | null;
  readonly usualPort: number;
  readonly hasToken: boolean;
  /** Variables of the environment that come before what is set here, by name. */
  readonly fromEnvironment: readonly string[];
}

/** Whether it was found just now. */
export type OutsideEngineLook =
  | { readonly kind: 'off' }
  | {
      readonly kind: 'found';
      /** Its address, or the program that is started. */
      readonly at: string;
      readonly version: string | null;
      /** Models it has, without those it could download. */
      readonly models: number;
      /** How far a chat with it travels. */
      readonly reach: 'this-computer' | 'private-network' | 'elsewhere';
    }
  | { readonly kind: 'not-found'; readonly message: string; readonly nextStep: string };

export interface OutsideEngineStatus extends OutsideEngineSettings {
  readonly look: OutsideEngineLook;
}

// ── Conversations ─────────────────────────────────────────────────────────────────────────────────

export const EFFORTS = ['low', 'medium', 'high'] as const;
export type Effort = (typeof EFFORTS)[number];

/**
 * How an answer stands. The first five are under way, the rest are final: nothing of them runs. `because`, in words for
 * people, when it was protection that ended the answer. `paused`: the runaway guard stopped the model and asks; the
 * answer goes on with `chat.continue` or is left at that with `chat.stop`.
 */
export type AnswerStatus =
  | { readonly kind: 'queued' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly kind: 'thinking' }
  | { readonly kind: 'answering' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'interrupted'; readonly because?: string }
  | { readonly kind: 'length'; readonly where: 'reasoning' | 'answer' }
  | { readonly kind: 'paused'; readonly because: 'repeating' | 'long'; readonly where: 'reasoning' | 'answer' }
  | { readonly kind: 'failed'; readonly error: AppError };

/** What an answer cost, from the engine's own counts. */
export interface AnswerUsage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly decodeTokensPerSecond: number | null;
  readonly prefillTokensPerSecond: number | null;
  /** Send to first token, as the window saw it. */
  readonly firstTokenMs: number | null;
}

/**
 * A file or a long pasted text that goes with a message. Its text stays in main until it is unfolded
 * (`chat.attachment`); the model reads it with its name, after the message.
 */
export interface Attachment {
  readonly id: string;
  /** `main.rs`, `Pasted text`. */
  readonly name: string;
  /** A code language by shiki's name, null for plain text. */
  readonly language: string | null;
  readonly characters: number;
  readonly lines: number;
  /** By the model's own tokenizer; null until it could be asked. */
  readonly tokens: number | null;
  /** The first lines, for the folded block. */
  readonly preview: string;
}

export interface UserMessage {
  readonly role: 'user';
  readonly id: string;
  readonly conversationId: string;
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

export interface AssistantMessage {
  readonly role: 'assistant';
  readonly id: string;
  readonly conversationId: string;
  readonly parentId: string | null;
  readonly createdAtMs: number;
  readonly effort: Effort;
  /** Name of the model that wrote it; null when it is not known (imported, older than this field). */
  readonly model: string | null;
  /** Grows with each `chat.continue`: of two snapshots the one with the higher number is newer. */
  readonly attempt: number;
  readonly text: string;
  readonly reasoning: string;
  /** How long the model thought, once it has finished thinking. */
  readonly reasoningMs: number | null;
  readonly status: AnswerStatus;
  readonly usage: AnswerUsage | null;
}

export type Message = UserMessage | AssistantMessage;

export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Pinned ones come first in the list, latest pin first. */
  readonly pinnedAtMs: number | null;
  /** Archived ones are in a list of their own. */
  readonly archivedAtMs: number | null;
}

/** What holds for one conversation. Null: as the app's settings or the model's own say. */
export interface ConversationSettings {
  readonly modelId: string | null;
  readonly effort: Effort | null;
  /** What the model is told before everything else; empty for nothing. */
  readonly systemText: string;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly minP: number | null;
  /** Longest answer with its thinking, tokens. */
  readonly maxAnswerTokens: number | null;
  /** The model stops thinking after so many tokens and answers. */
  readonly thinkingTokens: number | null;
  /** A ceiling of its own below the app's. */
  readonly contextTokens: number | null;
}

/** A conversation for which nothing was set. */
export const DEFAULT_CONVERSATION_SETTINGS: ConversationSettings = {
  modelId: null,
  effort: null,
  systemText: '',
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  maxAnswerTokens: null,
  thinkingTokens: null,
  contextTokens: null,
};

/** Waits for the answer before it. Durable like a sent one. */
export interface QueuedMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly createdAtMs: number;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly effort: Effort;
}

/** What was being written and not sent. */
export interface Draft {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/**
 * What the model no longer reads, as the user chose: `afterMessageId` and everything before it. The messages stay in the
 * window. `summary` stands in their place.
 */
export type ContextCut =
  | { readonly kind: 'trimmed'; readonly afterMessageId: string; readonly messages: number }
  | {
      readonly kind: 'summarised';
      readonly afterMessageId: string;
      readonly messages: number;
      readonly summary: string;
    };

/** A conversation as it is shown: one path through its tree of messages. */
export interface Conversation extends ConversationSummary {
  /** The path that is open, oldest first. */
  readonly messages: readonly Message[];
  /**
   * For every message of the path that has siblings (an edited message, a regenerated answer): all of them, itself
   * included, oldest first. `chat.branch` walks to one.
   */
  readonly branches: readonly { readonly messageId: string; readonly siblingIds: readonly string[] }[];
  readonly settings: ConversationSettings;
  readonly queued: readonly QueuedMessage[];
  readonly draft: Draft | null;
  readonly cut: ContextCut | null;
  /** The model is writing a summary of the oldest messages (`chat.fit`). */
  readonly isSummarising: boolean;
}

/**
 * How full the context is, counted by the engine. `reservedTokens` is kept free for the answer; `leftTokens` is what
 * can still be written, negative when it no longer fits.
 */
export type ContextUse =
  | {
      readonly kind: 'counted';
      readonly usedTokens: number;
      readonly reservedTokens: number;
      readonly leftTokens: number;
      readonly limitTokens: number;
      /** Of `usedTokens`: the text that is being written, with its attachments. */
      readonly draftTokens: number;
    }
  /** The model is off, so nobody can count; what the last answer told is all that is known. */
  | {
      readonly kind: 'not-counted';
      readonly lastUsedTokens: number | null;
      readonly reservedTokens: number;
      readonly limitTokens: number;
    };

/** A place where the words were found. `messageId` null: in the title. */
export interface SearchHit {
  readonly conversation: ConversationSummary;
  readonly messageId: string | null;
  /** In this one of the message's attachments; null: in its own text. */
  readonly attachment: Pick<Attachment, 'id' | 'name'> | null;
  readonly role: 'user' | 'assistant' | null;
  readonly createdAtMs: number;
  readonly snippet: string;
  /** What to highlight in `snippet`: start and end, UTF-16 units. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
}

/** A system text with a name, to begin conversations with. */
export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly systemText: string;
}

/** What an import brought. `skipped` says in words what could not be taken over, each with how often. */
export interface ImportReport {
  readonly from: 'headroom' | 'chatgpt' | 'open-webui';
  readonly conversations: number;
  readonly messages: number;
  /** Were here already, from an earlier import. */
  readonly known: number;
  readonly skipped: readonly { readonly reason: string; readonly count: number }[];
}

/**
 * Text appended to an answer since the last delta, coalesced to 20–30 a second. `textStart` and
 * `reasoningStart` are the lengths (UTF-16 units) before appending: a window whose own copy has another
 * length has missed something and asks for the conversation again with `chat.open`.
 */
export interface ChatDelta {
  readonly conversationId: string;
  readonly messageId: string;
  readonly textStart: number;
  readonly text: string;
  readonly reasoningStart: number;
  readonly reasoning: string;
  readonly status: AnswerStatus;
  /** Tokens generated so far in this answer. */
  readonly generatedTokens: number;
  /** Of these, tokens of thinking. */
  readonly reasoningTokens: number;
}

// ── Memory ────────────────────────────────────────────────────────────────────────────────────────

/** The kernel's own verdict on macOS; from the share of time spent waiting for memory on Linux. */
export type PressureLevel = 'normal' | 'warning' | 'critical';

/** Where on the gauge the level changes, rising. */
export const NEEDLE_WARNING = 0.5;
export const NEEDLE_CRITICAL = 0.657;

export type MemorySource = 'macos' | 'linux';

/** One reading of the machine's memory. Null: this system does not say. */
export interface MemorySample {
  /** When its reading began. */
  readonly atMs: number;
  readonly level: PressureLevel;
  /** 0 to 1. */
  readonly needle: number;
  readonly totalBytes: number;
  /** What can be had without compressing or swapping anything: free, purgeable, and cached files. */
  readonly availableBytes: number | null;
  readonly wiredBytes: number | null;
  /** What the compressor occupies. */
  readonly compressedBytes: number | null;
  readonly swapUsedBytes: number;
  /** Null for the first sample and after a gap. */
  readonly swapOutBytesPerSecond: number | null;
  /** What MLX holds for weights and caches; null while the model is off. */
  readonly engineActiveBytes: number | null;
  readonly source: MemorySource;
}

/** An app or program and what it uses, its helpers included. */
export interface MemoryUser {
  readonly name: string;
  readonly pid: number;
  readonly bytes: number;
  /** Headroom itself or its engine. */
  readonly isOurs: boolean;
  /** An app that can be asked to quit. */
  readonly canQuit: boolean;
}

/** `asked`: it has quit. `refused`: it still runs, maybe asking about unsaved work. `denied`: macOS did not let us ask. */
export type QuitOutcome = 'asked' | 'denied' | 'refused' | 'gone';

// ── Wired limit ───────────────────────────────────────────────────────────────────────────────────

/** A limit the user may choose. `minimum` is what the model needs, `recipe` what guides for gpt-oss-20b on 16 GB name. */
export interface WiredLimitChoice {
  readonly name: 'minimum' | 'recipe';
  readonly limitMiB: number;
  /** Exactly what sets it, for the user to read or run. */
  readonly command: string;
  /** What is left for everything else when the model is at its predicted peak. May be negative. */
  readonly leavesMiB: number;
  /** The same when the whole limit is in use. */
  readonly leavesFullyUsedMiB: number;
}

export type WiredLimitVerdict =
  /** The limit in force is enough; `by` says whose it is. */
  | { readonly kind: 'none-needed'; readonly by: 'macos' | 'headroom' }
  /** Another tool has set it high enough: left alone. `aboveMost`: higher than this app would go. */
  | { readonly kind: 'respected-other-tool'; readonly aboveMost: boolean }
  | { readonly kind: 'raise'; readonly toMiB: number; readonly choices: readonly WiredLimitChoice[] }
  /** 85 % of the memory is less than the model would like, but holds its peak: slower, not dangerous. */
  | {
      readonly kind: 'capped';
      readonly toMiB: number;
      readonly wouldLikeMiB: number;
      readonly choices: readonly WiredLimitChoice[];
    }
  /** Not even 85 % of the memory holds the model. */
  | { readonly kind: 'ram-too-small'; readonly mostMiB: number }
  /** macOS 12 and 13 cannot run MLX; their older knob is shown, never written. */
  | { readonly kind: 'macos-too-old'; readonly knob: string; readonly knobUnit: 'bytes' };

/** How far the GPU's wired limit has to be raised for the chosen model, and what that leaves. */
export interface WiredLimitPlan {
  readonly verdict: WiredLimitVerdict;
  readonly memoryMiB: number;
  /** What holds now: the setting, or macOS's own choice. */
  readonly limitMiB: number;
  /** Where `limitMiB` comes from: the sysctl, Metal itself, or what other Macs reported (before the first run). */
  readonly limitFrom: 'setting' | 'metal' | 'recorded';
  readonly peakMiB: number;
  readonly peakFrom: 'measured' | 'estimated';
  readonly needMiB: number;
  /** What is left for everything else at the predicted peak. May be negative. */
  readonly leavesMiB: number;
  /** The weights fit below the limit in force: starting without a raise is slow, not hopeless. */
  readonly canStartAnyway: boolean;
  /** False on macOS 14: the limit bounds allocations there, but nothing is kept resident. */
  readonly keepsResident: boolean;
}

/** `prompt`: the helper if installed, else a macOS password dialog. `myself`: the user runs the command, we watch. */
const WIRED_LIMIT_WAYS = ['prompt', 'myself'] as const;
export type WiredLimitWay = (typeof WIRED_LIMIT_WAYS)[number];

/** Who wanted the model when a raise turned out to be needed. Only a click in the window ever raises. */
export type WiredLimitAskedBy = 'window' | 'endpoint' | 'timer';

/** Something worth telling once, beside the state. `code` is stable. */
export interface WiredLimitNote {
  readonly code: 'restored' | 'reset-by-reboot' | 'set-at-boot' | 'kept-other-value';
  readonly message: string;
}

/** The wired limit; the diagram and the transitions are in `main/wired-limit/state.ts`. 0 MiB is macOS's own choice. */
export type WiredLimitState =
  | { readonly kind: 'not-needed'; readonly why: string }
  | { readonly kind: 'idle'; readonly settingMiB: number; readonly note: WiredLimitNote | null }
  /** The chosen model needs more than the limit: waits for the user. `command` is what "myself" means. */
  | {
      readonly kind: 'asking';
      readonly plan: WiredLimitPlan;
      readonly askedBy: WiredLimitAskedBy;
      readonly settingMiB: number;
      readonly originalMiB: number | null;
    }
  /** A dialog is open, or `command` waits for the user to run it. */
  | {
      readonly kind: 'raising' | 'restoring';
      readonly by: WiredLimitWay;
      readonly fromMiB: number;
      readonly toMiB: number;
      readonly originalMiB: number;
      readonly command: string;
      readonly thenStart: boolean;
    }
  | {
      readonly kind: 'verifying';
      readonly during: 'raise' | 'restore';
      readonly fromMiB: number;
      readonly toMiB: number;
      readonly originalMiB: number;
      readonly thenStart: boolean;
    }
  /** `fromEarlierRun`: found so when the app started, after a crash or because it stays until the next boot. */
  | {
      readonly kind: 'raised';
      readonly settingMiB: number;
      readonly originalMiB: number;
      readonly fromEarlierRun: boolean;
    }
  /** It did not go as asked. `originalMiB` is where "Put everything back" leads, null when nothing was changed. */
  | {
      readonly kind: 'trouble';
      readonly during: 'raise' | 'restore' | 'look';
      readonly cause: FailureCause;
      readonly settingMiB: number;
      readonly originalMiB: number | null;
      /** To run by hand; null where that would not help. */
      readonly command: string | null;
    };

/** The optional helper that sets the limit without a dialog each time. */
export type WiredLimitHelperState =
  | { readonly kind: 'not-installed' }
  | { readonly kind: 'installed'; readonly version: number }
  | { readonly kind: 'outdated'; readonly foundVersion: number | null }
  /** Installed but not running: macOS has it switched off in System Settings › General › Login Items. */
  | { readonly kind: 'switched-off' }
  /** It answers another user of this Mac only. */
  | { readonly kind: 'other-user'; readonly userId: number }
  /** Its files could be changed by somebody who is not root. */
  | { readonly kind: 'unsafe'; readonly why: string }
  | { readonly kind: 'not-here'; readonly why: string };

export interface WiredLimitHelperStatus {
  readonly state: WiredLimitHelperState;
  /** The limit set at every boot, null when that is off (the default). */
  readonly atBootMiB: number | null;
  /** What just happened, in words; null for a mere look. */
  readonly message: string | null;
}

// ── Protection ────────────────────────────────────────────────────────────────────────────────────

/** What made protection take a step. `idle`: the model was not in use and others wanted the memory. */
export type ProtectionTrigger = 'pressure' | 'swap-outs' | 'slow-decode' | 'critical' | 'still-critical' | 'idle';

/** The numbers that caused a step. Null: not known. */
export interface ProtectionNumbers {
  readonly level: PressureLevel;
  readonly needle: number;
  readonly swapUsedBytes: number;
  readonly swapOutBytesPerSecond: number | null;
  /** Over the last seconds, and what this machine usually makes of this model. */
  readonly decodeTokensPerSecond: number | null;
  readonly usualDecodeTokensPerSecond: number | null;
}

/** A step that was taken, with its reason: shown as long as it lasts, announced once, logged. */
export interface ProtectionStep {
  readonly sinceMs: number;
  readonly trigger: ProtectionTrigger;
  readonly because: ProtectionNumbers;
  readonly message: string;
  readonly nextStep: string;
}

/** What is done to keep the machine from swapping; the diagram is in `main/memory/protection.ts`. */
export type ProtectionState =
  /** Switched off in the settings. */
  | { readonly kind: 'off' }
  | { readonly kind: 'calm' }
  /** Yellow, which with a large model is normal: nothing is done, only said. */
  | ({ readonly kind: 'watching' } & ProtectionStep)
  /** Caches were dropped, no new long prompts. */
  | ({ readonly kind: 'easing' } & ProtectionStep)
  /** The answer under way was ended, its text kept. */
  | ({ readonly kind: 'cancelled' } & ProtectionStep)
  /** The model was unloaded. */
  | ({ readonly kind: 'unloaded' } & ProtectionStep)
  /** The model was idle and its memory is lent to other apps; it comes back with `engine.warm`. */
  | ({ readonly kind: 'lent' } & ProtectionStep)
  /** The user has overruled protection until then. */
  | { readonly kind: 'undone'; readonly sinceMs: number; readonly untilMs: number }
  /** After unloading, much more stays wired than was before: only a restart of the Mac gives it back. */
  | {
      readonly kind: 'wired-left';
      readonly sinceMs: number;
      readonly leftBytes: number;
      readonly baselineBytes: number;
      readonly message: string;
      readonly nextStep: string;
    };

// ── The endpoint ──────────────────────────────────────────────────────────────────────────────────

/** A program with a key of its own. The key itself is told once, when it is made. */
export interface EndpointClient {
  readonly id: string;
  readonly name: string;
  /** The last four characters, to tell keys apart. */
  readonly keyEnd: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** A request that waits or is answered. */
export interface EndpointRequest {
  readonly id: string;
  /** Whose key it came with. */
  readonly client: string;
  /** `/v1/chat/completions`. */
  readonly path: string;
  readonly sinceMs: number;
  readonly stage: 'queued' | 'loading' | 'reading' | 'answering';
  /** Requests before it while it is queued. */
  readonly ahead: number;
}

/** The endpoint for other programs as it stands. */
export interface EndpointStatus {
  /** `http://127.0.0.1:<port>/v1`; null when it does not listen. */
  readonly url: string | null;
  /** The port it should have. */
  readonly wantedPort: number;
  /** Why it has another one: `Port 8080 is used by ollama.`; null when it has its own. */
  readonly portTaken: string | null;
  readonly clients: readonly EndpointClient[];
  /** In the order in which they came. */
  readonly requests: readonly EndpointRequest[];
  /** Web pages that may ask, as `https://app.example`. */
  readonly origins: readonly string[];
  /** The chosen model stays loaded, and no other program puts another in its place. */
  readonly isPinned: boolean;
  /** A model that nobody has used for so long is unloaded; 0 for never. */
  readonly unloadAfterMinutes: number;
  /** When that happens, if nobody asks before. */
  readonly unloadsAtMs: number | null;
}

// ── Settings and the whole picture ────────────────────────────────────────────────────────────────

export interface Settings {
  readonly effort: Effort;
  /** The chosen model's id, or null before the user has chosen one. */
  readonly modelId: string | null;
  /** Whether anything is done when memory gets short; see `ProtectionState`. */
  readonly protection: 'on' | 'off';
  /** A model unused for so long is unloaded when others need memory; 0 for never. */
  readonly idleUnloadMinutes: number;
  /** The user's ceiling for a conversation's context, tokens. */
  readonly contextTokens: number;
  /** Opens the window from anywhere, as Electron writes it (`Alt+Space`); null for none. */
  readonly globalShortcut: string | null;
  /** `todo` until the first run was finished or skipped. */
  readonly firstRun: 'todo' | 'done';
}

/** What a context slider may be set to, tokens. */
export const LEAST_CONTEXT_TOKENS = 1_024;
export const MOST_CONTEXT_TOKENS = 1_048_576;
/** The recipe's comfortable ceiling for gpt-oss-20b on 16 GB. */
export const DEFAULT_CONTEXT_TOKENS = 4_096;

/** Longest `idleUnloadMinutes`: a day. */
export const MOST_IDLE_UNLOAD_MINUTES = 1_440;

/** Everything a new window needs to paint itself. */
export interface AppState {
  readonly version: string;
  /** What went wrong at the start, told to one window once. */
  readonly startNotice?: AppError;
  readonly host: 'electron' | 'headless';
  /** What this window is: under the menu-bar icon, a normal window, or a page in a browser. */
  readonly windowForm: 'popover' | 'window' | 'page';
  /** Whether Headroom starts with the session; null where the system has no such thing. */
  readonly opensAtLogin: boolean | null;
  readonly platform: 'darwin' | 'linux' | 'other';
  readonly machine: MachineInfo;
  readonly engine: EngineState;
  /** The model in use: the chosen one, or what a conversation or a program has put in its place for now. */
  readonly model: ModelInfo | null;
  /** What the user chose: comes back with the next message of a conversation without a model of its own. */
  readonly chosenModelId: string | null;
  readonly availableModels: readonly ModelInfo[];
  /** The head of the list: what is pinned and the latest hundred. `chat.list` has the rest. */
  readonly conversations: readonly ConversationSummary[];
  /** What was being written in a conversation that does not exist yet. */
  readonly newDraft: Draft | null;
  readonly settings: Settings;
  readonly endpointUrl: string | null;
}

// ── Routes ────────────────────────────────────────────────────────────────────────────────────────

/** Longest message a window may send, UTF-16 units. 4 M is past any context the app can offer. */
export const MAX_MESSAGE_LENGTH = 4_000_000;

/** Most attachments of one message. */
const MOST_ATTACHMENTS = 50;

/** Longest piece of an import file, UTF-16 units. */
export const IMPORT_PIECE_LENGTH = 1_000_000;

const nothing = v.optional(v.null(), null);
const id = v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/, 'not an id'));
const effort = v.picklist(EFFORTS);
const messageText = v.pipe(v.string(), v.maxLength(MAX_MESSAGE_LENGTH, 'The message is too long.'));
const attachmentIds = v.optional(v.pipe(v.array(id), v.maxLength(MOST_ATTACHMENTS, 'Too many attachments.')), () => []);
/** A file alone is a message, too. */
const saysSomething = (said: { readonly text: string; readonly attachmentIds: readonly string[] }): boolean =>
  said.text.trim() !== '' || said.attachmentIds.length > 0;
const EMPTY_MESSAGE = 'The message is empty.';
const title = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'A title cannot be empty.'),
  v.maxLength(200, 'The title is too long.'),
);
const presetName = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'A preset needs a name.'),
  v.maxLength(80, 'The name is too long.'),
);
const clientName = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, 'A program needs a name.'),
  v.maxLength(60, 'The name is too long.'),
);
const systemText = v.pipe(v.string(), v.maxLength(100_000, 'The system text is too long.'));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const tokenNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MOST_CONTEXT_TOKENS));
/** What is left out stays as it is. */
const conversationSettings = v.partial(
  v.strictObject({
    modelId: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(4_096))),
    effort: v.nullable(effort),
    systemText,
    temperature: v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
    topP: v.nullable(share),
    topK: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1_000))),
    minP: v.nullable(share),
    maxAnswerTokens: v.nullable(v.pipe(tokenNumber, v.minValue(16))),
    thinkingTokens: v.nullable(tokenNumber),
    contextTokens: v.nullable(v.pipe(tokenNumber, v.minValue(LEAST_CONTEXT_TOKENS))),
  }),
);
/** Whole MiB; which of them this Mac should have is main's to say. */
const limitMiB = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16_777_216));
const modelId = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
const absolutePath = v.pipe(v.string(), v.maxLength(4_096), v.regex(/^\/[^\0]*$/, 'not an absolute path'));
/** The hub's own rule: at most 96 characters a part, none of them special at an end. */
const repositoryName = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[\w](?:[\w.-]{0,94}[\w])?\/[\w](?:[\w.-]{0,94}[\w])?$/, 'A repository is named owner/name.'),
);
const wiredLimitWay = v.picklist(WIRED_LIMIT_WAYS);

/** Modifiers, then one key: what Electron calls an accelerator, without its rarer spellings. */
const ACCELERATOR =
  /^(?:(?:Command|Control|Alt|Shift)\+){1,4}(?:[A-Z0-9]|F(?:[1-9]|1\d|2[0-4])|Space|Tab|Up|Down|Left|Right|[-=[\];',./`\\])$/;

interface Route<Schema extends v.GenericSchema, Output> {
  readonly input: Schema;
  /** Phantom: carries the result type only. */
  readonly output?: Output;
}

const route =
  <Output>() =>
  <const Schema extends v.GenericSchema>(input: Schema): Route<Schema, Output> => ({ input });

export const routes = {
  /** The whole picture; also the first call of every window. */
  'app.state': route<AppState>()(nothing),
  /**
   * Turns the model on. Idempotent; returns at once, progress comes as `engine.state`. `anyway`: past a pre-flight that
   * said it would be slow. Errors: no-model, refused.
   */
  'engine.start': route<EngineState>()(v.optional(v.nullable(v.strictObject({ anyway: v.boolean() })), null)),
  /** Turns the model off: cancels what runs, keeps its text. Idempotent. */
  'engine.stop': route<EngineState>()(nothing),
  /**
   * The window was opened, the composer has the focus, or the user begins to type: a model whose memory was lent to
   * other apps comes back. Does nothing otherwise; may be called freely.
   */
  'engine.warm': route<EngineState>()(nothing),
  /**
   * Chooses the model to run; stops another that is loaded. `forNow`: the choice stays what it was, as when a
   * conversation's own model is loaded. Errors: not-found.
   */
  'model.choose': route<ModelInfo>()(v.strictObject({ modelId, forNow: v.optional(v.boolean()) })),
  /** Every model known: the catalog, what was found on this machine, what the user added. */
  'models.list': route<{ models: readonly ModelEntry[] }>()(nothing),
  /**
   * Adds a model by repository name (`owner/name`) or by folder. A repository is looked up at the hub. Errors:
   * not-found, refused (no MLX model, hostile files, gated: with what to do).
   */
  'models.add': route<ModelEntry>()(
    v.variant('by', [
      v.strictObject({ by: v.literal('repository'), repository: repositoryName }),
      v.strictObject({ by: v.literal('folder'), folder: absolutePath }),
    ]),
  ),
  /** Starts or resumes a download; progress comes as `models.changed`. Errors: not-found, refused (disk too small). */
  'models.download': route<ModelEntry>()(v.strictObject({ modelId })),
  /** Keeps what is there. Errors: not-found. */
  'models.pause': route<ModelEntry>()(v.strictObject({ modelId })),
  /** Ends a download and removes what it had fetched. Errors: not-found. */
  'models.cancel': route<ModelEntry>()(v.strictObject({ modelId })),
  /** Compares every file with its checksum; what differs is named in `presence`. Errors: not-found. */
  'models.verify': route<ModelEntry>()(v.strictObject({ modelId })),
  /** Fetches what `models.verify` found damaged or missing. Errors: not-found. */
  'models.repair': route<ModelEntry>()(v.strictObject({ modelId })),
  /**
   * Removes a model's files from the disk; a model shared with other tools needs `evenIfShared`. A folder added by
   * hand is only forgotten. Errors: not-found, refused (it runs; it is shared).
   */
  'models.delete': route<{ freedBytes: number }>()(v.strictObject({ modelId, evenIfShared: v.boolean() })),
  /** The context slider of the chosen model, or of another. Errors: no-model, not-found. */
  'context.plan': route<ContextPlan>()(v.strictObject({ modelId: v.nullable(modelId) })),
  /** Sets the user's ceiling. Takes effect with the next message, without a reload. */
  'context.set': route<ContextPlan>()(
    v.strictObject({
      tokens: v.pipe(v.number(), v.safeInteger(), v.minValue(LEAST_CONTEXT_TOKENS), v.maxValue(MOST_CONTEXT_TOKENS)),
    }),
  ),
  /** What loading this model would meet now; takes a moment. Errors: no-model, not-found. */
  'models.preflight': route<Preflight>()(v.strictObject({ modelId: v.nullable(modelId) })),
  'hub.settings': route<HubSettings>()(nothing),
  /** Null takes a setting back; what is left out stays. Errors: refused (no such folder, no proxy address). */
  'hub.update': route<HubSettings>()(
    v.strictObject({
      proxyUrl: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(2_000)))),
      cacheFolder: v.optional(v.nullable(absolutePath)),
      token: v.optional(v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(500)))),
    }),
  ),
  /** Engines that others made, looked for anew: seconds where a server takes its time. */
  'engines.list': route<{ engines: readonly OutsideEngineStatus[] }>()(nothing),
  /**
   * Null takes a setting back; what is left out stays, and nothing at all only looks again. `evenIfElsewhere`: the user
   * knows that chats with this address leave their network. Errors: refused (no such program or folder, no address, it
   * is not in the user's network; one of its models is loaded).
   */
  'engines.update': route<OutsideEngineStatus>()(
    v.strictObject({
      kind: v.picklist(OUTSIDE_ENGINES),
      isOn: v.optional(v.boolean()),
      program: v.optional(v.nullable(absolutePath)),
      address: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(2_000)))),
      modelsFolder: v.optional(v.nullable(absolutePath)),
      token: v.optional(v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(500)))),
      evenIfElsewhere: v.optional(v.boolean()),
    }),
  ),
  /** Further pages of the list, latest first. `after` is the last page's `next`. */
  'chat.list': route<{ conversations: readonly ConversationSummary[]; next: string | null }>()(
    v.strictObject({ archived: v.boolean(), after: v.nullable(v.pipe(v.string(), v.maxLength(100))) }),
  ),
  /**
   * Titles, then messages that hold all these words (the last may be unfinished), latest first, at most three places of
   * a conversation and 50 in all.
   */
  'chat.search': route<{ hits: readonly SearchHit[] }>()(
    v.strictObject({ text: v.pipe(v.string(), v.maxLength(1_000)), archived: v.optional(v.boolean(), false) }),
  ),
  /** One conversation with the path that is open in it. Errors: not-found. */
  'chat.open': route<Conversation>()(v.strictObject({ conversationId: id })),
  /**
   * Stores the user's message and starts an answer; both are durable when this returns.
   * `conversationId: null` begins a new conversation, with `settings`. Starts the model when it is off. The draft is
   * forgotten. Errors: no-model, not-found, context-full (with numbers; see `chat.fit`), refused (an answer is still
   * running in this conversation: `chat.queue`; memory is short).
   */
  'chat.send': route<{ conversation: ConversationSummary; user: UserMessage; assistant: AssistantMessage }>()(
    v.pipe(
      v.strictObject({
        conversationId: v.nullable(id),
        text: messageText,
        effort,
        attachmentIds,
        settings: v.optional(conversationSettings),
      }),
      v.check((said) => saysSomething(said), EMPTY_MESSAGE),
    ),
  ),
  /** Stops an answer and keeps its text. Stopping a finished one does nothing. Errors: not-found. */
  'chat.stop': route<null>()(v.strictObject({ messageId: id })),
  /**
   * Keeps a message until the answer under way has ended, then sends it; at once when nothing runs. After a failure, a
   * pause or a restart it waits for `chat.sendQueued`. Errors: not-found.
   */
  'chat.queue': route<Conversation>()(
    v.pipe(
      v.strictObject({ conversationId: id, text: messageText, effort, attachmentIds }),
      v.check((said) => saysSomething(said), EMPTY_MESSAGE),
    ),
  ),
  /** Takes a queued message back; its text is returned for the composer. Errors: not-found (it has been sent). */
  'chat.unqueue': route<QueuedMessage>()(v.strictObject({ queuedId: id })),
  /** Sends a queued message that waits for nothing. Errors: as `chat.send`. */
  'chat.sendQueued': route<Conversation>()(v.strictObject({ queuedId: id })),
  /** Another version of a user message beside it, with a new answer. Errors: as `chat.send`. */
  'chat.edit': route<Conversation>()(
    v.pipe(
      v.strictObject({ messageId: id, text: messageText, effort, attachmentIds }),
      v.check((said) => saysSomething(said), EMPTY_MESSAGE),
    ),
  ),
  /** Another answer beside this one. Errors: as `chat.send`. */
  'chat.regenerate': route<Conversation>()(v.strictObject({ messageId: id, effort: v.optional(effort) })),
  /** Goes on with an answer that was stopped, interrupted, paused or cut at its length. Errors: as `chat.send`. */
  'chat.continue': route<Conversation>()(v.strictObject({ messageId: id })),
  /** Ends the thinking of an answer under way and has it answer. Errors: not-found, refused (it does not think). */
  'chat.answerNow': route<null>()(v.strictObject({ messageId: id })),
  /** Opens the path through this message, down to its latest answer. Errors: not-found. */
  'chat.branch': route<Conversation>()(v.strictObject({ messageId: id })),
  'chat.configure': route<Conversation>()(v.strictObject({ conversationId: id, settings: conversationSettings })),
  'chat.rename': route<ConversationSummary>()(v.strictObject({ conversationId: id, title })),
  'chat.pin': route<ConversationSummary>()(v.strictObject({ conversationId: id, pinned: v.boolean() })),
  'chat.archive': route<ConversationSummary>()(v.strictObject({ conversationId: id, archived: v.boolean() })),
  /** Gone from every list at once; can be taken back for an hour, then it is gone for good. Errors: not-found. */
  'chat.delete': route<null>()(v.strictObject({ conversationId: id })),
  /** Takes a deletion back. Errors: not-found (the hour is over). */
  'chat.undelete': route<ConversationSummary>()(v.strictObject({ conversationId: id })),
  /** Keeps what is being written; `conversationId: null` for a new conversation. Empty text and no attachments forget it. */
  'chat.draft': route<null>()(v.strictObject({ conversationId: v.nullable(id), text: messageText, attachmentIds })),
  /**
   * Takes a text file or a long pasted text in; `name: null` for pasted text. Errors: refused (not text, with why),
   * context-full (longer than the whole context, with numbers).
   */
  'chat.attach': route<Attachment>()(
    v.strictObject({ name: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(255))), text: messageText }),
  ),
  /** The whole text of an attachment. Errors: not-found. */
  'chat.attachment': route<{ text: string }>()(v.strictObject({ attachmentId: id })),
  /**
   * What the conversation takes with this text added, counted by the engine: cheap enough to ask whenever the typing
   * rests. `messageId`: the text is an edit of that message. Errors: not-found.
   */
  'chat.count': route<ContextUse>()(
    v.strictObject({
      conversationId: v.nullable(id),
      messageId: v.optional(id),
      text: messageText,
      attachmentIds,
      effort: v.optional(effort),
      settings: v.optional(conversationSettings),
    }),
  ),
  /**
   * The user's choice when a conversation no longer fits. `trim`: the oldest messages are no longer sent, as few as
   * make `text` fit with some room to spare. `summarise`: the model first writes a summary of them; returns when it is written. `everything`:
   * takes either back, or ends a summary under way. Errors: not-found, refused (nothing to leave out; an answer runs),
   * context-full (not even the new text alone fits, with numbers), engine-failed.
   */
  'chat.fit': route<Conversation>()(
    v.strictObject({
      conversationId: id,
      how: v.picklist(['trim', 'summarise', 'everything']),
      text: v.optional(messageText, ''),
      attachmentIds,
    }),
  ),
  /**
   * A file in pieces: concatenate `text` until `next` is null. `conversationIds: null` exports everything, archived ones
   * too. JSON has every branch, setting and number; Markdown the open path. Errors: not-found.
   */
  'chat.export': route<{ fileName: string; text: string; next: string | null }>()(
    v.strictObject({
      conversationIds: v.nullable(v.pipe(v.array(id), v.minLength(1), v.maxLength(500))),
      format: v.picklist(['markdown', 'json']),
      after: v.nullable(v.pipe(v.string(), v.maxLength(100))),
    }),
  ),
  /**
   * Takes in an export of Headroom (JSON or Markdown), ChatGPT (conversations.json) or Open WebUI, in pieces of `IMPORT_PIECE_LENGTH`.
   * `importId` is a fresh UUID of the window's. Null until the last piece. All or nothing. Errors: refused (with why).
   */
  'chat.import': route<ImportReport | null>()(
    v.strictObject({
      importId: id,
      index: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(100_000)),
      text: v.pipe(v.string(), v.maxLength(IMPORT_PIECE_LENGTH)),
      isLast: v.boolean(),
    }),
  ),
  'preset.list': route<{ presets: readonly Preset[] }>()(nothing),
  /** `presetId: null` adds one. Errors: not-found. */
  'preset.save': route<{ presets: readonly Preset[] }>()(
    v.strictObject({ presetId: v.nullable(id), name: presetName, systemText }),
  ),
  'preset.delete': route<{ presets: readonly Preset[] }>()(v.strictObject({ presetId: id })),
  'settings.update': route<Settings>()(
    v.strictObject({
      effort: v.optional(effort),
      protection: v.optional(v.picklist(['on', 'off'])),
      idleUnloadMinutes: v.optional(
        v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MOST_IDLE_UNLOAD_MINUTES)),
      ),
      /** Errors: refused (another program has it). */
      globalShortcut: v.optional(v.nullable(v.pipe(v.string(), v.regex(ACCELERATOR, 'not a shortcut')))),
      firstRun: v.optional(v.picklist(['todo', 'done'])),
    }),
  ),
  /** The engine's last output lines (at most 200), without chat text. */
  'log.tail': route<{ lines: readonly string[] }>()(nothing),
  /** A fault seen by the window, for the log file. */
  'log.report': route<null>()(v.strictObject({ message: v.pipe(v.string(), v.maxLength(8_000)) })),
  /** Opens an https or mailto link in the user's browser. Errors: refused. */
  'link.open': route<null>()(v.strictObject({ url: v.pipe(v.string(), v.maxLength(8_000)) })),
  /** Address and key of the local endpoint, for copying into other programs. Errors: engine-off when it is not listening. */
  'endpoint.reveal': route<{ url: string; key: string }>()(nothing),
  /** Changes come as `endpoint.changed`. */
  'endpoint.status': route<EndpointStatus>()(nothing),
  /** A key for one program, told this once. Errors: refused (too many), engine-off. */
  'endpoint.addClient': route<{ url: string; key: string; status: EndpointStatus }>()(
    v.strictObject({ name: clientName }),
  ),
  /** What still runs with this key is ended. Errors: not-found. */
  'endpoint.revokeClient': route<EndpointStatus>()(v.strictObject({ clientId: id })),
  /** Ends a request that waits or is answered. Errors: not-found. */
  'endpoint.endRequest': route<EndpointStatus>()(v.strictObject({ requestId: id })),
  /** `port: null` for the usual one. Errors: refused (not an origin; nothing to pin). */
  'endpoint.configure': route<EndpointStatus>()(
    v.strictObject({
      port: v.optional(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1_024), v.maxValue(65_535)))),
      origins: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.maxLength(20))),
      isPinned: v.optional(v.boolean()),
      unloadAfterMinutes: v.optional(
        v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MOST_IDLE_UNLOAD_MINUTES)),
      ),
    }),
  ),
  /** The limit as it is now, and what the chosen model needs; `plan` is null where there is no limit to raise. */
  'wiredLimit.plan': route<{ state: WiredLimitState; plan: WiredLimitPlan | null }>()(nothing),
  /** Begins a raise; progress comes as `wiredLimit.state`. Errors: refused (out of range, lower than what is set, busy). */
  'wiredLimit.raise': route<WiredLimitState>()(v.strictObject({ limitMiB, by: wiredLimitWay })),
  /** "Put everything back": turns the model off, restores, verifies. Errors: refused. */
  'wiredLimit.restore': route<WiredLimitState>()(v.strictObject({ by: wiredLimitWay })),
  /** Not now; take the dialog away; understood. */
  'wiredLimit.cancel': route<WiredLimitState>()(nothing),
  /** Starts the model without the raise it asked for. Errors: refused where its weights would not fit. */
  'wiredLimit.startAnyway': route<WiredLimitState>()(nothing),
  /** The helper that makes the dialog unnecessary. Errors: refused (cancelled, no administrator). */
  'wiredLimit.helper': route<WiredLimitHelperStatus>()(
    v.strictObject({ action: v.picklist(['install', 'remove', 'status']) }),
  ),
  /** Sets the limit at every boot, or with null no longer. Errors: refused. */
  'wiredLimit.atBoot': route<WiredLimitHelperStatus>()(v.strictObject({ limitMiB: v.nullable(limitMiB) })),
  /** What protection is doing now; changes come as `protection.state`. */
  'protection.state': route<ProtectionState>()(nothing),
  /** The user overrules it for ten minutes; what it unloaded is loaded again. Errors: no-model. */
  'protection.undo': route<ProtectionState>()(nothing),
  /** Hides the window (Escape). Does nothing in the headless host. */
  'window.hide': route<null>()(nothing),
  /** From the popover into a normal, resizable window, or back under the icon. Does nothing in the headless host. */
  'window.detach': route<null>()(v.strictObject({ detached: v.boolean() })),
  /** A file dialog of the page's is open, or closed again: the popover does not hide meanwhile. */
  'window.keepOpen': route<null>()(v.strictObject({ open: v.boolean() })),
  /**
   * The system's dialog for a folder or a file, beginning at `startAt`. Null: dismissed. Not for `windowForm: 'page'`.
   * Errors: refused (this host has no dialog, or one is open).
   */
  'window.choosePath': route<{ path: string | null }>()(
    v.strictObject({ what: v.picklist(['folder', 'file']), startAt: v.nullable(absolutePath) }),
  ),
  /** Whether Headroom starts with the session. Errors: refused (this host cannot). */
  'app.openAtLogin': route<{ opensAtLogin: boolean }>()(v.strictObject({ opens: v.boolean() })),
  /** The last ten minutes of `memory.sample`, oldest first. */
  'memory.history': route<{ samples: readonly MemorySample[] }>()(nothing),
  /** The biggest users of memory, helpers counted with their app, biggest first. Takes a moment: ask when it is shown. */
  'memory.apps': route<{ apps: readonly MemoryUser[] }>()(nothing),
  /** Asks an app from `memory.apps` to quit, as its own menu would, and waits up to 15 s. Errors: refused (not a Mac). */
  'memory.quitApp': route<{ outcome: QuitOutcome; message: string }>()(
    v.strictObject({
      pid: v.pipe(v.number(), v.safeInteger(), v.minValue(2), v.maxValue(2 ** 31)),
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
    }),
  ),
} as const satisfies Record<string, Route<v.GenericSchema, unknown>>;

export type RouteName = keyof typeof routes;
/** What a window passes. */
export type RouteInput<N extends RouteName> = v.InferInput<(typeof routes)[N]['input']>;
/** What a handler receives, parsed. */
export type ParsedInput<N extends RouteName> = v.InferOutput<(typeof routes)[N]['input']>;
export type RouteOutput<N extends RouteName> =
  | NonNullable<(typeof routes)[N]['output']>
  | NullIfNull<(typeof routes)[N]['output']>;
type NullIfNull<T> = null extends T ? null : never;

/** One handler a route: a missing or an extra one does not compile. A handler never sees who called beyond trust. */
export type Handlers = {
  readonly [N in RouteName]: (input: ParsedInput<N>) => Promise<RouteOutput<N>> | RouteOutput<N>;
};

// ── Events ────────────────────────────────────────────────────────────────────────────────────────

export interface Events {
  'engine.state': EngineState;
  'chat.delta': ChatDelta;
  /** A message was added or reached a final status. */
  'chat.message': Message;
  /** The head of the list as in `AppState`; further pages may have changed too. */
  'chat.conversations': readonly ConversationSummary[];
  /**
   * A conversation changed in more than a message at its end: another branch, an edit, a queued message, settings, a
   * cut. Takes the place of what a window has of it. Drafts are not told this way: each window has its own caret.
   */
  'chat.changed': Conversation;
  /** Gone from every list; a window that shows it shows something else. */
  'chat.deleted': { readonly conversationId: string };
  'preset.changed': readonly Preset[];
  'settings.changed': Settings;
  /** Another model is in use. */
  'model.changed': ModelInfo | null;
  /** The user's choice, by its id. */
  'model.chosen': string | null;
  /** A model was added, deleted, or its presence or verdict changed; at most four times a second while downloading. */
  'models.changed': readonly ModelEntry[];
  /** The slider's stops or the chosen ceiling changed. */
  'context.changed': ContextPlan;
  /** At most four times a second. */
  'endpoint.changed': EndpointStatus;
  'memory.sample': MemorySample;
  'wiredLimit.state': WiredLimitState;
  /** Protection took a step or went back: said once. */
  'protection.state': ProtectionState;
  /** The window was shown: focus belongs in the composer. */
  'window.shown': null;
  /** Development only: the window's files were built anew. */
  'window.reload': null;
}
export type EventName = keyof Events;

// ── Wire ──────────────────────────────────────────────────────────────────────────────────────────

/** Electron's two channels. The WebSocket carries the same objects as JSON text. */
export const REQUEST_CHANNEL = 'headroom:request';
export const EVENT_CHANNEL = 'headroom:event';

export type EventEnvelope = { [N in EventName]: { readonly event: N; readonly payload: Events[N] } }[EventName];

/** What the window sees as `window.headroom`, in every host. */
export interface Bridge {
  call<N extends RouteName>(route: N, input: RouteInput<N>): Promise<Result<RouteOutput<N>>>;
  /** Returns the unsubscribe function. */
  on<N extends EventName>(event: N, listener: (payload: Events[N]) => void): () => void;
  /** Headless only: tells whether the connection to main stands. Electron always says true. */
  onConnection(listener: (connected: boolean) => void): () => void;
}
