/** Everything at once, by chance: each request may go wrong in any way. In the end the model is here and right. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Manifest, totalBytes } from '../../main/models/hub/manifest.ts';
import { seededRandom, storySeed } from '../engine/seeded-random.ts';
import { download, expectNothingCorrupt, expectWhole, fastClock, hubAt, listed, temporaryCache } from './harness.ts';
import { type LocalHub, startLocalHub } from './local-hub.ts';
import type { HubRequest, Misbehaviour } from './misbehaviour.ts';
import { smallModel } from './repositories.ts';

const MiB = 2 ** 20;
const rounds = process.env['HEADROOM_FAULTS'] === 'full' ? 40 : 3;
const seed = storySeed();

let hub: LocalHub;
let cache: ReturnType<typeof temporaryCache>;
let manifest: Manifest;

beforeEach(async () => {
  hub = await startLocalHub([smallModel('owner/model', [MiB, 700_000])], { bytesPerSecond: 30 * MiB });
  cache = temporaryCache();
  manifest = await listed(hubAt(hub.url), 'owner/model');
});
afterEach(async () => {
  await hub.close();
  cache.remove();
});

function anyMisbehaviour(random: () => number, request: HubRequest): Misbehaviour {
  const at = Math.floor(random() * MiB);
  const everywhere: readonly Misbehaviour[] = [
    { kind: 'reset' },
    { kind: 'silent' },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 429, headers: { 'Retry-After': '2' } },
  ];
  const here: readonly Misbehaviour[] =
    request.at === 'resolve'
      ? [{ kind: 'expired' }, { kind: 'redirect', to: `${hub.url}/owner/model/resolve/main/${request.path}` }]
      : [
          { kind: 'cut', afterBytes: at },
          { kind: 'end-early', afterBytes: at },
          { kind: 'stall', afterBytes: at },
          { kind: 'flip', atByte: at },
          { kind: 'ignore-range' },
          { kind: 'wrong-range', shift: at % 1_000 },
          { kind: 'wrong-length', bytes: at },
          { kind: 'too-long', extraBytes: at },
          { kind: 'headers', headers: { 'Content-Encoding': 'gzip' } },
        ];
  const all = [...everywhere, ...here];
  return all[Math.floor(random() * all.length)] ?? { kind: 'reset' };
}

it(`${rounds} downloads over a line where a third goes wrong (seed ${seed})`, {
  timeout: rounds * 60_000,
}, async () => {
  const random = seededRandom(seed);
  for (let round = 0; round < rounds; round += 1) {
    hub.behave((request) => (random() < 0.35 ? anyMisbehaviour(random, request) : null));
    const controller = new AbortController();
    const cancel = random() < 0.3 ? setTimeout(() => controller.abort(), random() * 1_000) : undefined;
    const { outcome, states } = await download(manifest, hubAt(hub.url), cache.folder, {
      clock: fastClock(200),
      random,
      signal: controller.signal,
    });
    clearTimeout(cancel);
    expectNothingCorrupt(cache.folder, manifest);
    // Contents wrong twice, or nonsense five times in a row, is for a person; everything else passes.
    if (outcome.kind === 'failed')
      expect(['damaged-at-source', 'hub-answer', 'address-expired']).toContain(outcome.cause.code);
    for (const state of states) {
      if ('doneBytes' in state) {
        expect(state.doneBytes).toBeGreaterThanOrEqual(0);
        expect(state.doneBytes).toBeLessThanOrEqual(totalBytes(manifest));
      }
    }
    hub.behave(null);
    expect((await download(manifest, hubAt(hub.url), cache.folder)).outcome.kind).toBe('done');
    expectWhole(cache.folder, manifest);
    cache.remove();
  }
});
