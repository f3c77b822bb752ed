import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EventEnvelope } from '../../preload/contract.ts';
import { reloadOnBuild } from './dev-reload.ts';
import { listRendererFiles } from './renderer-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-dev-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('serves what the last build wrote and tells the windows once', async () => {
  writeFileSync(join(folder, 'index.html'), 'one');
  writeFileSync(join(folder, 'index-1.js'), '1');
  const initial = await listRendererFiles(folder);
  if (initial === null) throw new Error('not listed');
  const published: EventEnvelope[] = [];
  const dev = reloadOnBuild(folder, initial, (envelope) => published.push(envelope));
  try {
    unlinkSync(join(folder, 'index-1.js'));
    writeFileSync(join(folder, 'index-2.js'), '2');
    writeFileSync(join(folder, 'index.html'), 'two');
    await vi.waitFor(() => expect(published).toEqual([{ event: 'window.reload', payload: null }]), 5_000);
    expect([...dev.files.keys()].sort()).toEqual(['/', '/index-2.js']);
  } finally {
    dev.dispose();
  }
});
