import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder, parseClaim } from './data-folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headroom-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const holder = `
  import { lockDataFolder } from ${JSON.stringify(new URL('./data-folder-lock.ts', import.meta.url).href)};
  const lock = await lockDataFolder(process.argv[1]);
  console.log(lock.kind);
  if (lock.kind === 'held') setInterval(() => {}, 1e6);
`;
function startHolder() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(child.stdout, 'data').then(([data]) => String(data).trim());
  return { child, said };
}

describe('lockDataFolder', () => {
  it('is held once and free again after release', async () => {
    const first = await lockDataFolder(folder);
    expect(first.kind).toBe('held');
    expect(await lockDataFolder(folder)).toEqual({ kind: 'taken', pid: process.pid });
    if (first.kind === 'held') await first.release();
    const second = await lockDataFolder(folder);
    expect(second.kind).toBe('held');
  });

  it('outlives nobody: the lock of a killed process is free', async () => {
    const { child, said } = startHolder();
    expect(await said).toBe('held');
    expect(await lockDataFolder(folder)).toEqual({ kind: 'taken', pid: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await lockDataFolder(folder)).kind).toBe('held');
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('is not fooled by another process with the same number', async () => {
    await writeFile(join(folder, `running-${process.pid}-0000000000000000-0123456789ab`), '');
    expect((await lockDataFolder(folder)).kind).toBe('held');
  });

  it('lets exactly one of several that start at once through', async () => {
    const holders = Array.from({ length: 4 }, startHolder);
    try {
      const kinds = await Promise.all(holders.map(({ said }) => said));
      expect(kinds.filter((kind) => kind === 'held').length).toBe(1);
    } finally {
      for (const { child } of holders) child.kill('SIGKILL');
    }
  });

  it.each(['running-', 'running-0-a-0123456789ab', 'running-12-a', 'chat.db', 'running-1-../x-0123456789ab'])(
    'leaves the file %s alone',
    (file) => {
      expect(parseClaim(file)).toBeNull();
    },
  );
});
