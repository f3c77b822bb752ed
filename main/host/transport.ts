/**
 * How windows are reached, whatever carries the messages (Electron IPC, WebSocket).
 *
 * A transport is made with a `Gate` and hands it every message together with its own verdict on the sender; what the
 * gate answers goes back to that sender alone. Events go to every trusted window.
 */
import type { EventEnvelope } from '../../preload/contract.ts';

export interface Transport {
  /** To every window there is. Never throws; a window that cannot take it is dropped and asks again when it is back. */
  publish(envelope: EventEnvelope): void;
  /** Stops listening and lets go of every window. Safe to call twice. */
  dispose(): Promise<void>;
}
