/**
 * A root of one's own for what runs as root on a Mac: a mount namespace in which `/usr/sbin` holds stand-ins only. The
 * machine outside it stays as it is.
 */
import { spawnSync } from 'node:child_process';

/** Null when root can be had here, else why not. */
export const noRootRoom: string | null = ((): string | null => {
  if (process.getuid?.() !== 0) return 'these tests run as root only';
  const tried = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? null : `no mount namespace here: ${tried.stderr?.trim() ?? String(tried.error)}`;
})();
if (noRootRoom !== null) console.log(`Skipped: what runs as root: ${noRootRoom}`);

/** Runs a shell text in a fresh mount namespace. Throws with its stderr when it fails. */
export function inRootRoom(script: string): string {
  const { status, stdout, stderr, error } = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-eu'], {
    input: script,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  });
  if (status !== 0) throw new Error(`exit ${status}: ${stderr} ${error?.message ?? ''}`);
  return stdout;
}
