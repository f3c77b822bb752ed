/** What travels between the window and the headless host besides the contract's own requests and events. JSON text. */
import type { AppError, EventEnvelope, Result } from './contract.ts';

export const SOCKET_PATH = '/bridge';

/** A window's first message. The token comes from the link and is good once; the session is what it was exchanged for. */
export interface Hello {
  readonly hello: { readonly token?: string; readonly session?: string };
}

/** Every later message of a window. The answer carries the same `id`. */
export interface SocketRequest {
  readonly id: number;
  readonly route: string;
  readonly input?: unknown;
}

export type SocketReply =
  | { readonly session: string }
  | { readonly refused: AppError }
  | { readonly id: number | string | null; readonly result: Result<unknown> }
  | EventEnvelope;
