/** `npm run package` really packages, and what it makes starts. On a Mac it signs for minutes: there a release does it. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDisplay } from '../electron/display.ts';
import { ensureElectron } from '../electron/fetch-electron.ts';
import { leftAfter, processTree } from '../electron/process-tree.ts';
import { followHeadless, type HeadlessProcess } from '../headless/headless-process.ts';

const root = join(import.meta.dirname, '..', '..');
const executable = join(root, 'dist', 'linux-unpacked', 'headroom');
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
    const wire = await getCurrentFuseWire(executable);
    const on = '1'.charCodeAt(0);
    const off = '0'.charCodeAt(0);
    const fuse = (name: string): number | undefined => wire[FuseV1Options[name] ?? -1];
    expect(fuse('RunAsNode')).toBe(off);
    expect(fuse('EnableNodeOptionsEnvironmentVariable')).toBe(off);
    expect(fuse('EnableNodeCliInspectArguments')).toBe(off);
    expect(fuse('EnableEmbeddedAsarIntegrityValidation')).toBe(on);
    expect(fuse('OnlyLoadAppFromAsar')).toBe(on);
  });

  describe('with --headless', () => {
    let home = '';
    let host: HeadlessProcess<null> | null = null;
    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), 'headroom-package-'));
    });
    afterEach(async () => {
      host?.child.kill('SIGKILL');
      await host?.exited;
      host = null;
      rmSync(home, { recursive: true, force: true, maxRetries: 20 });
    });

    function start(environment: NodeJS.ProcessEnv = {}): HeadlessProcess<null> {
      const args = ['--headless', '--no-sandbox', '--endpoint-port', '0', '--home', home];
      host = followHeadless(
        spawn(executable, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      return host;
    }

    it.each(['SIGINT', 'SIGTERM'] as const)('offers the endpoint and no window, until %s', async (signal) => {
      const display = await openDisplay();
      if (display.kind === 'missing') throw new Error(display.reason);
      try {
        const running = start();
        const ready = await running.ready();
        expect(ready).toEqual({
          ready: true,
          url: null,
          api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
          key: expect.stringMatching(/^hr-/),
          model: expect.any(String),
        });
        const models = await fetch(`${ready.api}/models`, { headers: { authorization: `Bearer ${ready.key}` } });
        expect(await models.json()).toMatchObject({ data: [{ id: ready.model }] });

        const tree = processTree(running.child.pid ?? 0);
        expect(tree.length).toBeGreaterThan(1);
        expect(tree.filter(({ command }) => command.includes('--type=renderer'))).toEqual([]);
        running.child.kill(signal);
        expect(await running.exited).toBe(0);
        expect(running.stdout().trim().split('\n')).toHaveLength(1);
        expect(await leftAfter(tree, 1_000)).toEqual([]);
      } finally {
        await display.dispose();
      }
    });

    it('says so where there is no display', async () => {
      const running = start({ DISPLAY: undefined, WAYLAND_DISPLAY: undefined });
      expect(await running.exited).toBe(69);
      expect(running.stderr()).toContain('There is no display.');
      expect(readdirSync(home)).toEqual([]);
    });
  });
});
