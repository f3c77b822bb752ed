/**
 * The catalog's versions as a maintainer saw them at the hub: commit, sizes and checksums, written by
 * `main/launch/pin-models.mjs`. A model without a pin is fetched as the hub has it, and the window says so.
 */
import pins from './pinned-manifests.json' with { type: 'json' };
import { HUB_URL } from './hub/hub.ts';
import { type Manifest, parseManifest } from './hub/manifest.ts';

/** Pins hold for the hub they were taken from alone. */
export function pinnedManifests(hubUrl: URL): ReadonlyMap<string, Manifest> {
  if (hubUrl.origin !== new URL(HUB_URL).origin) return new Map();
  const manifests = (pins as readonly unknown[]).map(parseManifest);
  return new Map(manifests.map((manifest) => [manifest.repository, manifest]));
}
