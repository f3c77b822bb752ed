/**
 * One download in a process of its own, for the bench of what it takes. Arguments: the hub's address, repository, cache
 * folder. Prints how long it took, and what the process held at its most beyond what it held before, with everything
 * loaded and nothing to do. (Linux: /proc.)
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../main/engine/clock.ts';
import { downloadModel } from '../../main/models/hub/download.ts';
import { listRepository } from '../../main/models/hub/hub.ts';
import { nodeTransport } from '../../main/models/hub/transport.ts';
import { freeBytes, isConnected } from '../../main/models/hub/volume.ts';

const [url = '', repository = '', cacheFolder = ''] = process.argv.slice(2);
const IDLE_MS = 1_500;

const memoryKiB = (field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const hub = { url: new URL(url), token: null, transport: nodeTransport(() => Promise.resolve(null)) };
const { signal } = new AbortController();
await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
const idleKiB = memoryKiB('VmRSS');
const began = performance.now();
const { manifest } = await listRepository(hub, repository, 'main', signal);
const ports = { hub, cacheFolder, clock: systemClock, random: Math.random, freeBytes, isConnected };
const outcome = await downloadModel(manifest, ports, signal, () => {});
const seconds = (performance.now() - began) / 1_000;
process.stdout.write(`${JSON.stringify({ kind: outcome.kind, seconds, idleKiB, peakKiB: memoryKiB('VmHWM') })}\n`);
