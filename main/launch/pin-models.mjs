// @ts-check
/**
 * `npm run models:pin`, for maintainers: asks the hub for every model of the catalog and writes commit, sizes and
 * checksums into the app. `--hub <url>` and `--out <file>` are for trying it out.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CATALOG } from '../models/catalog.ts';
import { HubFault } from '../models/hub/hub-fault.ts';
import { HUB_URL, listRepository } from '../models/hub/hub.ts';
import { totalBytes } from '../models/hub/manifest.ts';
import { nodeTransport } from '../models/hub/transport.ts';
import { PrepareError, main, root, say } from './prepare.mjs';

const ANSWER_WITHIN_MS = 60_000;

await main(async () => {
  const { values } = parseArgs({
    options: {
      hub: { type: 'string', default: HUB_URL },
      out: { type: 'string', default: join(root, 'main', 'models', 'pinned-manifests.json') },
    },
  });
  const hub = {
    url: new URL(values.hub),
    token: process.env['HF_TOKEN'] ?? null,
    transport: nodeTransport(async () => ({
      HTTPS_PROXY: process.env['HTTPS_PROXY'] ?? process.env['https_proxy'],
      NO_PROXY: process.env['NO_PROXY'] ?? process.env['no_proxy'],
    })),
  };
  const pins = [];
  for (const { repository } of CATALOG) {
    const { manifest, licence } = await listRepository(
      hub,
      repository,
      'main',
      AbortSignal.timeout(ANSWER_WITHIN_MS),
    ).catch((/** @type {unknown} */ error) => {
      if (!(error instanceof HubFault)) throw error;
      throw new PrepareError(`${repository}: ${error.reason.message}`, 'Nothing was written.');
    });
    const { branch: _branch, ...pin } = manifest;
    pins.push(pin);
    const gigabytes = (totalBytes(manifest) / 1e9).toFixed(2);
    say(
      `${repository} at ${manifest.commit.slice(0, 12)}: ${manifest.files.length} files, ${gigabytes} GB, ${licence}`,
    );
  }
  // All or none: a catalog half of which is pinned would say two things.
  writeFileSync(values.out, `${JSON.stringify(pins, null, 2)}\n`);
  return 0;
});
