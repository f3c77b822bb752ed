/**
 * Builds the app for the Electron at hand: `node test/electron/build.ts` prints the folder to start. The product's own
 * configurations, with the syntax lowered as far as that Electron needs.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type InlineConfig, type Plugin } from 'vite';
import mainConfig from '../../main/vite.config.ts';
import { type ElectronAtHand, electronAtHand, majorVersion, REPOSITORY } from './electron-at-hand.ts';

/** From this version on the product runs as it is. */
const CURRENT_MAJOR = 44;
const SHIMS = join(import.meta.dirname, 'shims');

function loweredTargets(electron: ElectronAtHand): { node: string; chrome: string } | null {
  return majorVersion(electron) >= CURRENT_MAJOR ? null : { node: 'node16', chrome: 'chrome108' };
}

/** The page's shims run before the page's own script. */
const pageShims: Plugin = {
  name: 'page-shims',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) =>
      html.replace('<script type="module"', `<script type="module" src="${join(SHIMS, 'page.ts')}"></script>$&`),
  },
};

/** An alias would come after Vite has taken the name for one of Node's own modules. */
const sqliteShim: Plugin = {
  name: 'sqlite-shim',
  enforce: 'pre',
  resolveId: (id) => (id === 'node:sqlite' ? join(SHIMS, 'sqlite.ts') : null),
};

const RECORDER = join(import.meta.dirname, 'recorder.cjs');
const trayRecorder: Plugin = {
  name: 'tray-recorder',
  enforce: 'pre',
  resolveId: (id, importer) => (id === 'electron' && importer !== RECORDER ? RECORDER : null),
};

const QUIET: InlineConfig = { logLevel: 'warn', configFile: false };

/** One CommonJS file: Electron reads ES modules since 28 only. */
async function buildMain(electron: ElectronAtHand, entry: string, folder: string): Promise<void> {
  const lowered = loweredTargets(electron);
  await build({
    ...QUIET,
    ...mainConfig,
    plugins: [trayRecorder, ...(lowered ? [sqliteShim] : [])],
    build: {
      ...mainConfig.build,
      outDir: join(folder, 'out', 'main'),
      ...(lowered && { target: lowered.node }),
      rolldownOptions: {
        input: { index: entry },
        // `electron` is the recorder's to require.
        external: (id, importer) =>
          (id === 'electron' && importer === RECORDER) ||
          (id.startsWith('node:') && !(lowered && id === 'node:sqlite')) ||
          /^(node-pty|sudo-prompt|electron-log|undici|node-sqlite3-wasm)(\/|$)/.test(id),
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  });
}

function writeManifest(folder: string): void {
  const { name, productName, version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const manifest = { name, productName, version, main: 'out/main/index.cjs' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
}

/** The window that may send anything (`hostile/`). */
export async function buildHostileApp(electron: ElectronAtHand, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const hostile = join(import.meta.dirname, 'hostile');
  await buildMain(electron, join(hostile, 'main.ts'), folder);
  await build({
    ...QUIET,
    publicDir: false,
    build: {
      outDir: join(folder, 'out', 'preload'),
      lib: { entry: join(hostile, 'preload.ts'), formats: ['cjs'], fileName: () => 'hostile.cjs' },
      rolldownOptions: { external: ['electron'], treeshake: { manualPureFunctions: ['route', 'v'] } },
    },
  });
  writeManifest(folder);
  return folder;
}

/** The product, to be started as `electron <folder>`. */
export async function buildTestApp(electron: ElectronAtHand, folder: string): Promise<string> {
  const lowered = loweredTargets(electron);
  rmSync(folder, { recursive: true, force: true });
  await buildMain(electron, join(import.meta.dirname, 'entry.ts'), folder);
  await build({
    ...QUIET,
    configFile: join(REPOSITORY, 'preload', 'vite.config.ts'),
    build: { outDir: join(folder, 'out', 'preload'), ...(lowered && { target: lowered.chrome }) },
  });
  await build({
    ...QUIET,
    configFile: join(REPOSITORY, 'renderer', 'vite.config.ts'),
    ...(lowered && { plugins: [pageShims] }),
    build: {
      outDir: join(folder, 'out', 'renderer'),
      chunkSizeWarningLimit: 5_000,
      ...(lowered && { target: lowered.chrome, cssTarget: lowered.chrome }),
    },
  });

  writeManifest(folder);
  mkdirSync(join(folder, 'main', 'resources'), { recursive: true });
  cpSync(join(REPOSITORY, 'main', 'resources', 'tray'), join(folder, 'main', 'resources', 'tray'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'python-runtime'), join(folder, 'python-runtime'));
  return folder;
}

if (import.meta.main) {
  const electron = electronAtHand();
  if (electron === null) {
    process.stderr.write('No Electron: run node test/electron/fetch-electron.ts\n');
    process.exitCode = 1;
  } else {
    const folder = await buildTestApp(electron, join(REPOSITORY, 'out', 'test-electron'));
    process.stdout.write(`${folder}\n`);
  }
}
