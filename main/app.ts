/** The app without a host: services built once, the same for the menu bar, for the headless host and for tests. */
import type { AppState, EventEnvelope, Handlers } from '../preload/contract.ts';
import type { Engine } from './engine/engine.ts';

export interface AppOptions {
  readonly version: string;
  readonly host: AppState['host'];
  readonly platform: AppState['platform'];
  /** Where conversations, settings, the endpoint key and logs live; created with mode 0700. */
  readonly dataFolder: string;
  readonly pythonExecutable: string;
  /** Folder of the demo model shipped with the app. */
  readonly demoModelFolder: string;
  /** `--model <folder>`: run this model instead of the chosen one. */
  readonly modelFolder: string | null;
  /** Port the endpoint should take; the next free one is used when it is taken. */
  readonly endpointPort: number;
  /** Opens an already checked https or mailto address outside the app. */
  openExternal(url: string): Promise<void>;
  hideWindow(): void;
}

export interface App {
  readonly handlers: Handlers;
  readonly engine: Engine;
  /** Every event for every window. Returns the unsubscribe function. */
  subscribe(listener: (envelope: EventEnvelope) => void): () => void;
  /** The endpoint other programs use; null when it could not listen. */
  readonly endpoint: { readonly url: string; readonly key: string } | null;
  readonly modelName: string | null;
  /** Writes to the app's log file. Never pass chat text. */
  log(level: 'error' | 'warn' | 'info', message: string): void;
  /**
   * Cancels what runs (its text is kept, marked interrupted), unloads the model. For sleep, shutdown and fast user
   * switching: the app itself goes on.
   */
  suspend(): Promise<void>;
  /** Ends everything within `deadlineMs`: generation, engine, endpoint, database. Safe to call twice. */
  dispose(): Promise<void>;
}

/** Throws AppStartError when the data folder cannot be used. */
export declare function createApp(options: AppOptions): Promise<App>;
