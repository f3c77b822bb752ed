/** What `npm start` says when a fresh machine lacks something: in words, with the next step, and without having begun. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
const mounts: string[] = [];

/** A checkout with everything but its Python environment and its build. */
function cloneInto(target: string): void {
  mkdirSync(join(target, 'python-runtime'), { recursive: true });
  cpSync(join(root, 'main', 'launch'), join(target, 'main', 'launch'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) cpSync(join(root, file), join(target, file));
  for (const lock of ['requirements.lock', 'requirements-dev.lock']) {
    cpSync(join(root, 'python-runtime', lock), join(target, 'python-runtime', lock));
  }
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
}

const start = (clone: string, environment: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [join(clone, 'main', 'launch', 'start.mjs'), '--headless'], {
    cwd: clone,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 60_000,
  });

function pythonThatIs(version: string): string {
  const file = join(folder, 'python');
  writeFileSync(file, `#!/bin/sh\necho ${version}\necho ${file}\n`);
  chmodSync(file, 0o755);
  return file;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headroom-launch-'));
});
afterEach(() => {
  for (const mount of mounts.splice(0)) spawnSync('umount', [mount]);
  rmSync(folder, { recursive: true, force: true });
});

it('names the Python it found when that is too old, and how to give it another', () => {
  const clone = join(folder, 'clone');
  cloneInto(clone);
  const { status, stderr, stdout } = start(clone, { HEADROOM_PYTHON: pythonThatIs('3.9') });
  expect(status).toBe(1);
  expect(stderr).toContain('Python 3.11 or newer is needed and was not found');
  expect(stderr).toMatch(/python is 3\.9/);
  expect(stderr).toContain('HEADROOM_PYTHON=');
  expect(stdout).toBe('');
  expect(existsSync(join(clone, 'python-runtime', '.venv'))).toBe(false);
});

it('says so when there is no Python at all', () => {
  const clone = join(folder, 'clone');
  cloneInto(clone);
  const { status, stderr } = start(clone, { HEADROOM_PYTHON: join(folder, 'nothing') });
  expect(status).toBe(1);
  expect(stderr).toContain('Python 3.11 or newer is needed and was not found.');
});

it('lets the next preparation begin after one that was broken off', () => {
  const clone = join(folder, 'clone');
  cloneInto(clone);
  // A process number that no process has: the holder is gone.
  writeFileSync(join(clone, '.prepare-lock'), '4194999');
  const { stderr } = start(clone, { HEADROOM_PYTHON: pythonThatIs('3.9') });
  expect(stderr).toContain('Python 3.11 or newer');
  expect(existsSync(join(clone, '.prepare-lock'))).toBe(false);
});

it('counts the free space before it begins', ({ skip }) => {
  const small = join(folder, 'small');
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', small], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    const reason = `a small disk cannot be made here: ${mounted.stderr?.trim() || 'mount is not allowed'}`;
    process.stderr.write(`skipped: ${reason}\n`);
    skip(reason);
  }
  mounts.push(small);
  const clone = join(small, 'clone');
  cloneInto(clone);
  const { status, stderr } = start(clone);
  expect(status).toBe(1);
  expect(stderr).toMatch(/1\.6 GB of free disk space are needed for the Python environment; there are 0\.\d GB\./);
  expect(stderr).toContain('Free some space');
});
