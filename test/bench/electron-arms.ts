/** The two apps that are compared: Headroom and an empty app, built for the same Electron, on the same screen. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type InlineConfig } from 'vite';
import type { Surroundings } from '../electron/app-under-test.ts';
import { buildTestApp } from '../electron/build.ts';
import { openDisplay } from '../electron/display.ts';
import { type ElectronAtHand, majorVersion, REPOSITORY } from '../electron/electron-at-hand.ts';
import { ensureElectron } from '../electron/fetch-electron.ts';
import { BenchUnavailable } from './figure.ts';

export type Arm = Surroundings & { readonly kind: 'ready' };

export interface Arms {
  readonly headroom: Arm;
  readonly empty: Arm;
  dispose(): Promise<void>;
}

export async function prepareArms(): Promise<Arms> {
  // React is several times larger and slower when it is built for tests, as this would say if a test runner had set it.
  process.env['NODE_ENV'] = 'production';
  const found = ensureElectron();
  if ('reason' in found) throw new BenchUnavailable(found.reason);
  const display = await openDisplay();
  if (display.kind === 'missing') throw new BenchUnavailable(display.reason);
  try {
    const { electron } = found;
    // Apart from the folder that the Electron tests build into: they may run at the same time.
    const folder = join(REPOSITORY, 'out', 'bench');
    const arm = (appFolder: string): Arm => ({ kind: 'ready', electron, appFolder, dispose: async () => {} });
    return {
      headroom: arm(await buildTestApp(electron, join(folder, 'headroom'))),
      empty: arm(await buildEmptyApp(electron, join(folder, 'empty'))),
      dispose: display.dispose,
    };
  } catch (error) {
    await display.dispose();
    throw error;
  }
}

/** The same for a bench that has other places to measure in: null, and why on stderr, where there is no Electron. */
export async function armsIfAny(): Promise<Arms | null> {
  try {
    return await prepareArms();
  } catch (error) {
    if (!(error instanceof BenchUnavailable)) throw error;
    process.stderr.write(`headroom: ${error.message}\n`);
    return null;
  }
}

/** The major version from which Electron needs nothing put in place, as in `../electron/build.ts`. */
const CURRENT_MAJOR = 44;
const SHIMS = join(REPOSITORY, 'test', 'electron', 'shims');
const QUIET: InlineConfig = { configFile: false, logLevel: 'warn', publicDir: false };

async function buildEmptyApp(electron: ElectronAtHand, folder: string): Promise<string> {
  const isOld = majorVersion(electron) < CURRENT_MAJOR;
  const source = join(import.meta.dirname, 'empty-app');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    ...QUIET,
    ssr: { target: 'node', noExternal: true },
    plugins: [
      {
        name: 'sqlite-shim',
        enforce: 'pre',
        resolveId: (id) => (isOld && id === 'node:sqlite' ? join(SHIMS, 'sqlite.ts') : null),
      },
    ],
    build: {
      outDir: folder,
      emptyOutDir: false,
      ssr: true,
      minify: false,
      target: isOld ? 'node16' : 'node24',
      rolldownOptions: {
        input: { index: join(source, 'main.ts') },
        external: (id) =>
          /^(electron|undici|node-sqlite3-wasm)$/.test(id) ||
          (id.startsWith('node:') && !(isOld && id === 'node:sqlite')),
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  });
  await build({
    ...QUIET,
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: isOld ? 'chrome108' : 'chrome140',
      lib: { entry: join(SHIMS, 'page.ts'), formats: ['iife'], name: 'shims', fileName: () => 'page.js' },
    },
  });
  cpSync(join(source, 'index.html'), join(folder, 'index.html'));
  cpSync(join(REPOSITORY, 'main', 'resources', 'tray', 'offTemplate.png'), join(folder, 'icon.png'));
  const manifest = { name: 'empty', productName: 'Empty', version: '0.0.0', main: 'index.cjs' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return folder;
}
