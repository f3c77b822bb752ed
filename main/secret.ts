/** Secrets that open something: made from the system's randomness, compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits, 43 characters of base64url. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** In constant time whatever the lengths: digests are compared, not the texts. */
export function secretsEqual(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
