/**
 * What the package promises, read from its configuration. The signing itself needs a Mac; a configuration that would
 * silently ship an unsigned, over-entitled or open build is caught here.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from 'electron-builder';
import { describe, expect, it } from 'vitest';
import { TRAY_SHAPES } from '../../main/host/electron/tray-icon.ts';

const root = join(import.meta.dirname, '..', '..');
// As electron-builder gets it: by the path in its file.
type AfterPack = (context: unknown) => Promise<void>;
const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
const { getConfig, validateConfiguration } = builder('app-builder-lib/out/util/config/config.js') as {
  getConfig(folder: string, file: null, options: null): Promise<Configuration>;
  validateConfiguration(config: unknown, log: { isEnabled: boolean }): Promise<void>;
};
const { parse } = builder('plist') as { parse(text: string): Record<string, unknown> };

const config = await getConfig(root, null, null);
const { default: afterPack } = (await import(join(root, String(config.afterPack)))) as { default: AfterPack };
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  main: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe('electron-builder.yml', () => {
  it('is valid for the schema, and the schema is one that refuses', async () => {
    await validateConfiguration(config, { isEnabled: false });
    await expect(validateConfiguration({ ...config, notAnOption: 1 }, { isEnabled: false })).rejects.toThrow(
      /notAnOption/,
    );
  });

  it('is for the electron-builder whose keys it uses', () => {
    expect(manifest.devDependencies['electron-builder']).toMatch(/^26\.17\./);
  });

  it('builds for Apple silicon only', () => {
    expect(config.mac?.target).toEqual([
      { target: 'dmg', arch: ['arm64'] },
      { target: 'zip', arch: ['arm64'] },
    ]);
  });

  it('is signed, hardened and notarised', () => {
    expect(config.mac).toMatchObject({ hardenedRuntime: true, notarize: true });
    // Left to the keychain: never switched off, never ad hoc.
    expect(config.mac).not.toHaveProperty('identity');
    expect(config.forceCodeSigning ?? true).toBe(true);
  });

  it('asks for macOS 14, which MLX needs, and has no Dock icon', () => {
    expect(config.mac?.minimumSystemVersion).toBe('14.0');
    expect(config.mac?.extendInfo).toEqual({
      LSUIElement: true,
      LSMultipleInstancesProhibited: true,
      // Without this text macOS ends an app that sends an Apple event.
      NSAppleEventsUsageDescription: expect.stringContaining('asks an app to quit'),
    });
  });

  it('blows every fuse that opens the app to others', () => {
    expect(config.electronFuses).toEqual({
      runAsNode: false,
      enableCookieEncryption: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    });
    expect(config.asar).toBe(true);
    expect(config.disableAsarIntegrity ?? false).toBe(false);
  });

  it('keeps node-pty outside the archive and does not rebuild it', () => {
    expect(config.asarUnpack).toEqual(['node_modules/node-pty/**']);
    expect(config.npmRebuild).toBe(false);
  });

  it('carries only what runs: built code, tray pictures, native packages', () => {
    const patterns = (config.files as { filter: string[] }[]).flatMap(({ filter }) => filter);
    const taken = patterns.filter((pattern) => !pattern.startsWith('!'));
    expect(taken).toEqual([
      'out/main/**',
      'out/preload/**',
      'out/renderer/**',
      'main/resources/tray/*.png',
      'package.json',
    ]);
    expect(manifest.main).toBe('out/main/index.js');
    // electron-builder adds every dependency, so there must be no other.
    expect(Object.keys(manifest.dependencies).sort()).toEqual(['electron-log', 'node-pty', 'sudo-prompt']);
  });

  it('brings Python, the engine and the demo model as resources, without what Python would write', () => {
    const resources = config.extraResources as { from: string; to: string; filter?: string[] }[];
    expect(resources.map(({ from, to }) => [from, to])).toEqual([
      ['python-runtime/dist', 'python'],
      ['python-runtime/headroom_engine', 'python/lib/python3.12/site-packages/headroom_engine'],
      ['python-runtime/models/headroom-demo', 'headroom-demo'],
    ]);
  });

  it('does not sign what is no program', () => {
    const patterns = ([config.mac?.signIgnore].flat() as string[]).map((pattern) => new RegExp(pattern));
    const ignored = (path: string): boolean => patterns.some((pattern) => pattern.test(path));
    expect(ignored('/x/Resources/python/lib/python3.12/os.py')).toBe(true);
    expect(ignored('/x/Resources/python/lib/python3.12/site-packages/mlx/lib/mlx.metallib')).toBe(true);
    expect(ignored('/x/Resources/headroom-demo/model.safetensors')).toBe(true);
    for (const program of [
      'python/bin/python3.12',
      'mlx/lib/libmlx.dylib',
      'mlx/core.cpython-312-darwin.so',
      'spawn-helper',
    ]) {
      expect(ignored(`/x/Resources/${program}`), program).toBe(false);
    }
  });
});

describe('entitlements', () => {
  const APPLE_EVENTS = 'com.apple.security.automation.apple-events';
  const keys = (file: string): string[] => {
    const entries = Object.entries(parse(readFileSync(join(root, file), 'utf8')));
    expect(entries.every(([, value]) => value === true)).toBe(true);
    return entries.map(([key]) => key.replace('com.apple.security.cs.', '')).sort();
  };

  it('of the app: compiling while it runs, and asking other apps to quit', () => {
    expect(keys(String(config.mac?.entitlements))).toEqual(['allow-jit', APPLE_EVENTS]);
  });

  it('of what is inside: for Python too, but no foreign libraries', () => {
    expect(keys(String(config.mac?.entitlementsInherit))).toEqual(['allow-jit', 'allow-unsigned-executable-memory']);
  });

  it('of builds without a Developer ID: foreign libraries, and this file is not the release’s', () => {
    const file = 'main/resources/entitlements.mac.dev.plist';
    expect(keys(file)).toEqual([
      'allow-jit',
      'allow-unsigned-executable-memory',
      APPLE_EVENTS,
      'disable-library-validation',
    ]);
    expect([config.mac?.entitlements, config.mac?.entitlementsInherit]).not.toContain(file);
  });
});

describe('files that are named', () => {
  it.each([
    String(config.afterPack),
    String(config.directories?.buildResources),
    String(config.mac?.entitlements),
    String(config.mac?.entitlementsInherit),
    'python-runtime/headroom_engine/__main__.py',
  ])('%s exists', (file) => {
    expect(existsSync(join(root, file))).toBe(true);
  });

  it('the tray pictures are the shapes, each at both densities', () => {
    const names = readdirSync(join(root, 'main', 'resources', 'tray')).filter((name) => name.endsWith('.png'));
    expect(names.sort()).toEqual(
      TRAY_SHAPES.flatMap((shape) => [`${shape}Template.png`, `${shape}Template@2x.png`]).sort(),
    );
  });
});

it('the icon is large enough for macOS', () => {
  const picture = readFileSync(join(root, String(config.directories?.buildResources), 'icon.png'));
  // Width and height in a PNG's header.
  expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([1024, 1024]);
});

describe('node-pty’s spawn-helper', () => {
  const context = (appOutDir: string, electronPlatformName = 'darwin') => ({
    appOutDir,
    electronPlatformName,
    packager: { appInfo: { productFilename: 'Headroom' } },
  });

  it('can be started in the package', async () => {
    const out = mkdtempSync(join(tmpdir(), 'headroom-pack-'));
    const pty = join(out, 'Headroom.app', 'Contents', 'Resources', 'app.asar.unpacked', 'node_modules', 'node-pty');
    const helper = join(pty, 'prebuilds', 'darwin-arm64', 'spawn-helper');
    mkdirSync(join(helper, '..'), { recursive: true });
    writeFileSync(helper, '');
    chmodSync(helper, 0o644);
    await afterPack(context(out));
    expect(statSync(helper).mode & 0o777).toBe(0o755);
    rmSync(out, { recursive: true });
  });

  it('missing, it ends the packaging', async () => {
    const out = mkdtempSync(join(tmpdir(), 'headroom-pack-'));
    await expect(afterPack(context(out))).rejects.toThrow(/spawn-helper/);
    await afterPack(context(out, 'linux'));
    rmSync(out, { recursive: true });
  });

  it('is in the installed package where the hook looks for it', () => {
    expect(existsSync(join(root, 'node_modules', 'node-pty', 'prebuilds', 'darwin-arm64', 'spawn-helper'))).toBe(true);
  });
});
