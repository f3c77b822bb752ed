/** The downloader is killed anywhere, and two of them want the same model. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { modelPaths } from '../../main/models/hub/cache-layout.ts';
import { type Manifest, totalBytes } from '../../main/models/hub/manifest.ts';
import { seededRandom, storySeed } from '../engine/seeded-random.ts';
import { expectNothingCorrupt, expectWhole, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import { smallModel } from './repositories.ts';

const MiB = 2 ** 20;
const kills = process.env['HEADROOM_FAULTS'] === 'full' ? 40 : 6;
const seed = storySeed();

let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  // Slower than the client, as lines are: what the hub has sent has then arrived, and is not in a buffer on the way.
  hub = await startLocalHub([smallModel('owner/model', [6 * MiB, 5 * MiB, 3 * MiB])], { bytesPerSecond: 2 * MiB });
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
}

function begin(): Child {
  const program = join(import.meta.dirname, 'download-process.ts');
  const child = spawn(process.execPath, [program, hub.url, 'owner/model', cache.folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { process: child, lines, ended: once(child, 'close') };
}

/** Contents on disk, complete or begun. */
function keptBytes(): number {
  const { blobs } = modelPaths(cache.folder, 'owner/model');
  try {
    return readdirSync(blobs).reduce((sum, name) => sum + statSync(join(blobs, name)).size, 0);
  } catch {
    return 0;
  }
}

const isRunning = (child: Child): boolean => child.process.exitCode === null && child.process.signalCode === null;

it(`killed ${kills} times (seed ${seed})`, { timeout: kills * 20_000 }, async () => {
  const random = seededRandom(seed);
  const killedWhile: string[] = [];
  while (killedWhile.length < kills) {
    const sentBefore = hub.allSentBytes();
    const keptBefore = keptBytes();
    const requestsBefore = hub.requests.length;
    const child = begin();
    const left = totalBytes(manifest) - keptBefore;
    // Mostly within what is left; now and then beyond it.
    const until = random() * (random() < 0.8 ? Math.min(left, 1.5 * MiB) : 1.5 * MiB);
    while (isRunning(child) && child.lines.length === 0) await sleep(1);
    if (until < left) while (isRunning(child) && hub.allSentBytes() - sentBefore < until) await sleep(1);
    // Near the end: while it checks what is there, renames, links, writes the branch.
    else await sleep(random() * 60);
    if (isRunning(child)) {
      child.process.kill('SIGKILL');
      killedWhile.push(child.lines.at(-1) ?? 'nothing');
    }
    await child.ended;
    expectNothingCorrupt(cache.folder, manifest);
    const twice = hub.allSentBytes() - sentBefore - (keptBytes() - keptBefore);
    expect(twice, `after ${hub.requests.length - requestsBefore} requests`).toBeLessThanOrEqual(MiB);
    if (child.process.exitCode === 0) {
      expectWhole(cache.folder, manifest);
      rmSync(cache.folder, { recursive: true, force: true });
    }
  }
  expect(killedWhile.filter((state) => state === '"downloading"').length).toBeGreaterThan(kills / 4);
  const last = begin();
  await last.ended;
  expect(last.lines.at(-1)).toContain('"kind":"done"');
  expectWhole(cache.folder, manifest);
});

it('of two at once one fetches, and both have it', async () => {
  const [one, two] = [begin(), begin()];
  await Promise.all([one.ended, two.ended]);
  for (const child of [one, two]) expect(child.lines.at(-1)).toContain('"kind":"done"');
  expect([...one.lines, ...two.lines]).toContain('"waiting: busy-elsewhere"');
  expect(hub.allSentBytes()).toBe(totalBytes(manifest));
  expectWhole(cache.folder, manifest);
});

it('when the one that fetches is killed, the other takes over where it was', async () => {
  const one = begin();
  while (hub.allSentBytes() < 2 * MiB) await sleep(5);
  const two = begin();
  while (!two.lines.includes('"waiting: busy-elsewhere"')) await sleep(5);
  if (isRunning(one)) one.process.kill('SIGKILL');
  await Promise.all([one.ended, two.ended]);
  expect(two.lines.at(-1)).toContain('"kind":"done"');
  expect(hub.allSentBytes() - totalBytes(manifest)).toBeLessThanOrEqual(MiB);
  expectWhole(cache.folder, manifest);
});
