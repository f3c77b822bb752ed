/** What the endpoint remembers: its port, who has a key, which pages were let in. One small file that only its owner reads. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type EndpointClient, MOST_IDLE_UNLOAD_MINUTES } from '../../preload/contract.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { newSecret } from '../secret.ts';

const RECORDS_FILE = 'endpoint.json';
export const MOST_CLIENTS = 100;
/** When a key was last used is written at most so often: it is for people. */
const LAST_USE_EVERY_MS = 60_000;

const port = v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1_024), v.maxValue(65_535)));
const time = v.pipe(v.number(), v.minValue(0));
const client = v.object({
  id: v.string(),
  name: v.string(),
  /** SHA-256, hex: a key of 256 random bits needs no slower one. */
  keyHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  keyEnd: v.string(),
  createdAtMs: time,
  lastUsedAtMs: v.nullable(time),
});
/** A field that cannot be understood falls back alone: one bad value must not lose the keys. */
const stored = v.object({
  port: v.fallback(port, null),
  lastPort: v.fallback(port, null),
  origins: v.fallback(v.array(v.string()), []),
  pinnedModelId: v.fallback(v.nullable(v.string()), null),
  unloadAfterMinutes: v.fallback(
    v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(MOST_IDLE_UNLOAD_MINUTES)),
    0,
  ),
  clients: v.fallback(v.array(v.fallback(v.nullable(client), null)), []),
});
type Client = v.InferOutput<typeof client>;

interface EndpointSettings {
  /** The user's; null for the usual one. */
  readonly port: number | null;
  /** What was found free when the one before was taken: programs have it in their settings now. */
  readonly lastPort: number | null;
  readonly origins: readonly string[];
  readonly pinnedModelId: string | null;
  /** 0 for never. */
  readonly unloadAfterMinutes: number;
}

export interface Caller {
  /** `default` for the default key. */
  readonly id: string;
  readonly name: string;
}

export interface EndpointRecords {
  readonly settings: EndpointSettings;
  readonly clients: readonly EndpointClient[];
  update(change: Partial<EndpointSettings>): void;
  /** The key is told this once and kept as a digest. Throws AppFault (refused). */
  addClient(name: string): string;
  /** Throws AppFault (not-found). */
  revokeClient(id: string): void;
  /** Who holds this key; null for nobody. Compares with every key, in constant time. */
  callerOf(key: string): Caller | null;
}

export function openRecords(
  folder: string,
  options: { readonly defaultKey: string; readonly nowMs: () => number; readonly log: Log },
): EndpointRecords {
  const { nowMs, log } = options;
  const file = join(folder, RECORDS_FILE);
  let { settings, clients } = read(file, log);
  const defaultDigest = digest(options.defaultKey);

  const save = (): void => writeDurably(file, `${JSON.stringify({ ...settings, clients }, null, 2)}\n`);
  return {
    get settings() {
      return settings;
    },
    get clients() {
      return clients.map(({ keyHash: _, ...told }) => told);
    },
    update(change) {
      settings = { ...settings, ...change };
      save();
    },
    addClient(name) {
      if (clients.length >= MOST_CLIENTS)
        throw new AppFault('refused', `There are ${MOST_CLIENTS} keys already.`, 'Revoke one that is no longer used.');
      const key = `hr-${newSecret()}`;
      const made: Client = {
        id: randomUUID(),
        name,
        keyHash: digest(key).toString('hex'),
        keyEnd: key.slice(-4),
        createdAtMs: nowMs(),
        lastUsedAtMs: null,
      };
      clients = [...clients, made];
      save();
      return key;
    },
    revokeClient(id) {
      if (!clients.some((one) => one.id === id))
        throw new AppFault('not-found', 'This key is gone already.', 'Nothing needs to be done.');
      clients = clients.filter((one) => one.id !== id);
      save();
    },
    callerOf(key) {
      const sent = digest(key);
      let found: Client | null = null;
      for (const one of clients) if (timingSafeEqual(Buffer.from(one.keyHash, 'hex'), sent)) found = one;
      if (timingSafeEqual(defaultDigest, sent)) return { id: 'default', name: 'Default key' };
      if (found === null) return null;
      const { id, name, lastUsedAtMs } = found;
      const usedAtMs = nowMs();
      if (lastUsedAtMs === null || usedAtMs - lastUsedAtMs >= LAST_USE_EVERY_MS) {
        clients = clients.map((one) => (one.id === id ? { ...one, lastUsedAtMs: usedAtMs } : one));
        try {
          save();
        } catch (error) {
          // A full disk is no reason to turn a program away.
          log('warn', `when a key was last used could not be noted: ${String(error)}`);
        }
      }
      return { id, name };
    },
  };
}

function read(file: string, log: Log): { settings: EndpointSettings; clients: readonly Client[] } {
  const text = readIfThere(file);
  let value: unknown = {};
  try {
    value = text === null ? {} : JSON.parse(text);
  } catch {
    renameSync(file, `${file}.damaged`);
    log('warn', `${RECORDS_FILE} could not be read and was kept as ${file}.damaged: programs need new keys`);
  }
  const { clients, ...settings } = v.parse(
    stored,
    typeof value === 'object' && value !== null ? { ...empty, ...value } : empty,
  );
  return { settings, clients: clients.filter((one) => one !== null) };
}

const empty = { port: null, lastPort: null, origins: [], pinnedModelId: null, unloadAfterMinutes: 0, clients: [] };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
