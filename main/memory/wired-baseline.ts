/**
 * Whether a model's wired memory came back after its process had ended. Pure.
 *
 * A process that is killed with a large wired set can leave it wired until the Mac is restarted (omlx#2184: 414 GiB of
 * 512). Starting the model again then loses as much once more, so that is not done by itself.
 */

/** More than this above the reading before the load is not chance: macOS's own wired memory moves by some 100 MiB. */
const MOST_LEFT_BYTES = 2 * 1024 ** 3;
/** An orderly end gives hundreds of GiB back within seconds. */
const RELEASE_GRACE_MS = 15_000;

export type Release =
  /** It is not known how much was or is wired. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'released' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'left'; readonly leftBytes: number; readonly baselineBytes: number };

/** `wiredBytes`: from a reading made after the process had ended. */
export function judgeRelease({
  baselineBytes,
  wiredBytes,
  sinceExitMs,
}: {
  readonly baselineBytes: number | null;
  readonly wiredBytes: number | null;
  readonly sinceExitMs: number;
}): Release {
  if (baselineBytes === null || wiredBytes === null) return { kind: 'unknown' };
  const leftBytes = wiredBytes - baselineBytes;
  if (leftBytes <= MOST_LEFT_BYTES) return { kind: 'released' };
  return sinceExitMs < RELEASE_GRACE_MS ? { kind: 'pending' } : { kind: 'left', leftBytes, baselineBytes };
}
