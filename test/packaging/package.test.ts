/** `npm run package` really packages, and what it makes starts. On a Mac it signs for minutes: there a release does it. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ensureElectron } from '../electron/fetch-electron.ts';

const root = join(import.meta.dirname, '..', '..');
const resources = join(root, 'dist', 'linux-unpacked', 'resources');
const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
const missing = missingReason();

function missingReason(): string | null {
  if (process.platform !== 'linux') return 'it is for Linux';
  const found = ensureElectron();
  if (!('reason' in found)) return null;
  if (process.env['CI'] === 'true') throw new Error(`The package must be built in CI. ${found.reason}`);
  return found.reason;
}

if (missing !== null) console.log(`Packaging skipped: ${missing}`);

describe.skipIf(missing !== null)('npm run package', () => {
  it('makes a package that comes up, paints its window and ends cleanly', { timeout: 180_000 }, async () => {
    const { stderr } = await promisify(execFile)(process.execPath, [join(root, 'main', 'launch', 'package.mjs')], {
      cwd: root,
    });
    expect(stderr).toContain('the package comes up and ends cleanly');
  });

  it('with the app in one archive, and node-pty beside it', () => {
    // 4 MB of packages and our own code; 180 MB more came once with an optional dependency.
    expect(sizeOf(resources)).toBeLessThan(20_000_000);
    const unpacked = join(resources, 'app.asar.unpacked', 'node_modules');
    expect(existsSync(join(resources, 'app.asar'))).toBe(true);
    expect(existsSync(join(resources, 'app'))).toBe(false);
    expect(readdirSync(unpacked)).toEqual(['node-pty']);
    expect(existsSync(join(unpacked, 'node-pty', 'build', 'Release', 'pty.node'))).toBe(true);
    expect(existsSync(join(resources, 'headroom-demo', 'config.json'))).toBe(true);
    expect(
      existsSync(join(resources, 'python', 'lib', 'python3.12', 'site-packages', 'headroom_engine', '__main__.py')),
    ).toBe(true);
  });

  it('with the fuses set', async () => {
    const builder = createRequire(createRequire(import.meta.url).resolve('app-builder-lib/package.json'));
    const { FuseV1Options, getCurrentFuseWire } = builder('@electron/fuses') as {
      FuseV1Options: Record<string, number>;
      getCurrentFuseWire(executable: string): Promise<Record<number, number>>;
    };
    const wire = await getCurrentFuseWire(join(root, 'dist', 'linux-unpacked', 'headroom'));
    const on = '1'.charCodeAt(0);
    const off = '0'.charCodeAt(0);
    const fuse = (name: string): number | undefined => wire[FuseV1Options[name] ?? -1];
    expect(fuse('RunAsNode')).toBe(off);
    expect(fuse('EnableNodeOptionsEnvironmentVariable')).toBe(off);
    expect(fuse('EnableNodeCliInspectArguments')).toBe(off);
    expect(fuse('EnableEmbeddedAsarIntegrityValidation')).toBe(on);
    expect(fuse('OnlyLoadAppFromAsar')).toBe(on);
  });
});
