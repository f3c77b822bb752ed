/**
 * A caller that keeps no state hands the model's reasoning back in a field that it does not look into. It is the caller's
 * own and on the caller's own machine: packed, so that nobody takes it for text to show, not encrypted. Pure.
 */
const SEAL = 'headroom1.';

export const sealed = (reasoning: string): string => SEAL + Buffer.from(reasoning, 'utf8').toString('base64url');

/** Null for another server's. */
export const readSealed = (text: string): string | null =>
  text.startsWith(SEAL) ? Buffer.from(text.slice(SEAL.length), 'base64url').toString('utf8') : null;
