import type { StoreApi } from 'zustand/vanilla';
import type { AppError, Result } from '../../preload/contract.ts';

/** What main answered; null when it refused, which the part of the window that asked then shows. */
export function taken<T>(store: StoreApi<{ readonly refusal: AppError | null }>, result: Result<T>): T | null {
  if (result.ok) {
    store.setState({ refusal: null });
    return result.value;
  }
  // The strip under the header tells about a lost connection already.
  if (result.error.code !== 'disconnected') store.setState({ refusal: result.error });
  return null;
}
