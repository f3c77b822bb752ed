/**
 * A download as a process of its own, to be killed. Arguments: the hub's address, repository, cache folder, and
 * a proxy if there is one. Prints each state's kind when it changes, then the outcome, as lines of JSON.
 */
import { systemClock } from '../../main/engine/clock.ts';
import { downloadModel } from '../../main/models/hub/download.ts';
import { listRepository } from '../../main/models/hub/hub.ts';
import { nodeTransport } from '../../main/models/hub/transport.ts';
import { freeBytes, isConnected } from '../../main/models/hub/volume.ts';

const [url = '', repository = '', cacheFolder = '', proxy] = process.argv.slice(2);
const hub = {
  url: new URL(url),
  token: null,
  transport: nodeTransport(() => Promise.resolve(proxy === undefined ? null : { HTTPS_PROXY: proxy })),
};
const { signal } = new AbortController();
const say = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

const { manifest } = await listRepository(hub, repository, 'main', signal);
let last = '';
const outcome = await downloadModel(
  manifest,
  {
    hub,
    cacheFolder,
    clock: systemClock,
    random: Math.random,
    freeBytes,
    isConnected,
    limits: { reserveBytes: 0, leastFreeBytes: 0 },
  },
  signal,
  (state) => {
    const words = state.kind === 'waiting' ? `waiting: ${state.cause.code}` : state.kind;
    if (words !== last) say(words);
    last = words;
  },
);
say(outcome);
