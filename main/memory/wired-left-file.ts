/**
 * Remembers memory that stayed wired, over restarts of the app: a fresh start would take what it finds for what was
 * always there. A restart of the Mac is the cure, so what another boot left is forgotten.
 */
import { rmSync } from 'node:fs';
import * as v from 'valibot';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { Log } from '../log/log.ts';
import { parsedJson } from '../plain-data.ts';

export interface WiredLeft {
  readonly sinceMs: number;
  readonly leftBytes: number;
  /** Wired before the model was loaded. */
  readonly baselineBytes: number;
}

export interface WiredLeftMemory {
  /** Null when all of it has come back. */
  read(): WiredLeft | null;
  write(left: WiredLeft | null): void;
}

const bytes = v.pipe(v.number(), v.finite(), v.minValue(0));
const stored = v.object({
  bootId: v.string(),
  sinceMs: v.pipe(v.number(), v.finite()),
  leftBytes: bytes,
  baselineBytes: bytes,
});

/** `bootId`: null where it is not known; then nothing outlives the app. */
export function openWiredLeft(file: string, bootId: string | null, log: Log): WiredLeftMemory {
  let left = readLeft(file, bootId);
  const save = (): void => {
    try {
      if (left === null || bootId === null) rmSync(file, { force: true });
      else writeDurably(file, `${JSON.stringify({ bootId, ...left })}\n`);
    } catch (error) {
      log('warn', `what stayed wired could not be saved: ${String(error)}`);
    }
  };
  if (left === null) save();
  return {
    read: () => left,
    write(next) {
      left = next;
      save();
    },
  };
}

function readLeft(file: string, bootId: string | null): WiredLeft | null {
  if (bootId === null) return null;
  try {
    const parsed = parsedJson(stored, readIfThere(file) ?? '');
    if (parsed?.bootId !== bootId) return null;
    const { sinceMs, leftBytes, baselineBytes } = parsed;
    return { sinceMs, leftBytes, baselineBytes };
  } catch {
    // Not to be read: the next load shows whether memory is short.
    return null;
  }
}
