/**
 * One writer per model and folder, across processes: the claims of the data folder's lock, beside huggingface_hub's own
 * lock files. A disk that was pulled out and comes back still carries the claim this process could not take away.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataFolder, parseClaim } from '../../data-folder-lock.ts';
import type { ModelPaths } from './cache-layout.ts';
import { busyElsewhere } from './hub-fault.ts';

export interface ModelLock {
  release(): Promise<void>;
}

/** What this process holds: as global as its number, which is what the claims carry. */
const heldHere = new Set<string>();

/** Throws HubFault (busy-elsewhere) while another process, or another part of this one, writes this model. */
export async function lockModel({ locks }: ModelPaths): Promise<ModelLock> {
  if (heldHere.has(locks)) throw busyElsewhere();
  heldHere.add(locks);
  try {
    await mkdir(locks, { recursive: true });
    for (const name of await readdir(locks)) {
      if (parseClaim(name)?.pid === process.pid) await rm(join(locks, name), { force: true });
    }
    const lock = await lockDataFolder(locks);
    if (lock.kind === 'taken') throw busyElsewhere();
    return {
      async release() {
        await lock.release().finally(() => heldHere.delete(locks));
      },
    };
  } catch (error) {
    heldHere.delete(locks);
    throw error;
  }
}
