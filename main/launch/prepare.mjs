// @ts-check
/**
 * Everything a fresh clone lacks before it can run: packages, the Python environment, the build. Each step looks
 * whether it is needed, says what it does on stderr, and can be broken off and repeated. Runs on the Node that
 * happens to be installed (≥ 20) and on nothing but Node's own modules, because it is what installs the rest.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const venv = join(root, 'python-runtime', '.venv');
export const venvPython = join(venv, 'bin', 'python');

/** Free space the Python environment and its download cache want. */
const PYTHON_DISK_BYTES = 1.5 * 1024 ** 3;
const PACKAGES_DISK_BYTES = 1.5 * 1024 ** 3;

/** A step that cannot go on: one sentence, then what to do. */
export class PrepareError extends Error {
  /** @param {string} message @param {string} nextStep */
  constructor(message, nextStep) {
    super(message);
    this.nextStep = nextStep;
  }
}

/** @param {string} text */
export const say = (text) => process.stderr.write(`headroom: ${text}\n`);

/** The Node 24 from the lock file, or this one where that package does not exist for the platform. */
export function nodeExecutable() {
  const local = join(root, 'node_modules', '.bin', 'node');
  return existsSync(local) ? local : process.execPath;
}

/** @param {string} name */
export const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Children find Node 24 first, as npm scripts do, and Electron's package never downloads by itself. */
export function childEnvironment() {
  return { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` };
}

/**
 * Runs a command; its output goes to stderr, where progress belongs.
 * @param {string} command @param {string[]} args
 * @param {{ onLine?: (line: string) => void, env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{ code: number, tail: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const quiet = options.onLine !== undefined;
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? childEnvironment(),
      stdio: ['ignore', quiet ? 'pipe' : 2, quiet ? 'pipe' : 2],
    });
    let tail = '';
    let rest = '';
    const take = (/** @type {Buffer} */ chunk) => {
      const text = rest + chunk.toString();
      const lines = text.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        tail = `${tail}${line}\n`.slice(-4_000);
        options.onLine?.(line);
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', (error) => resolve({ code: 127, tail: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === null ? 1 : 130), tail }));
  });
}

// ── Packages ──────────────────────────────────────────────────────────────────────────────────────

/** Packages of the lock file that are missing or of another version. Optional ones may be absent. */
export function missingPackages() {
  /** @type {Record<string, { version?: string, optional?: boolean, link?: boolean }>} */
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const hidden = join(root, 'node_modules', '.package-lock.json');
  /** @type {Record<string, { version?: string }>} */
  const found = existsSync(hidden) ? JSON.parse(readFileSync(hidden, 'utf8')).packages : {};
  return Object.entries(wanted).filter(
    ([path, entry]) => path !== '' && !entry.optional && found[path]?.version !== entry.version,
  ).length;
}

async function preparePackages() {
  const missing = missingPackages();
  if (missing === 0) return;
  needDisk(root, PACKAGES_DISK_BYTES, 'the packages');
  say(`installing ${missing} packages from the lock file (about a minute)`);
  // Not `npm ci`: it refuses a lock that lacks another platform's optional packages. This takes the same locked versions
  // with the same checksums and leaves the lock file alone.
  const { code } = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) {
    throw new PrepareError(
      `Installing the packages failed (npm ended with code ${code}).`,
      'Read its message above; a C++ compiler and make are needed on Linux (node-pty). Then run the command again.',
    );
  }
}

// ── Python ────────────────────────────────────────────────────────────────────────────────────────

const MIN_PYTHON = [3, 11];

/** First Python ≥ 3.11 that can make environments. `HEADROOM_PYTHON` names one. */
function findPython() {
  const asked = process.env['HEADROOM_PYTHON'];
  const candidates = asked ? [asked] : ['python3.12', 'python3.13', 'python3.11', 'python3'];
  /** @type {string[]} */
  const seen = [];
  for (const candidate of candidates) {
    const probe = spawnSync(
      candidate,
      [
        '-c',
        'import sys, venv, ensurepip; print(f"{sys.version_info[0]}.{sys.version_info[1]}"); print(sys.executable)',
      ],
      { encoding: 'utf8' },
    );
    const [version = '', executable = ''] = probe.stdout?.trim().split('\n') ?? [];
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (probe.status === 0 && (major > (MIN_PYTHON[0] ?? 0) || minor >= (MIN_PYTHON[1] ?? 0))) return executable;
    if (probe.error === undefined) {
      seen.push(probe.status === 0 ? `${candidate} is ${version}` : `${candidate} cannot make environments`);
    }
  }
  throw new PrepareError(
    `Python 3.11 or newer is needed and was not found${seen.length > 0 ? ` (${seen.join(', ')})` : ''}.`,
    process.platform === 'darwin'
      ? 'Install it from python.org or with "brew install python@3.12", then run the command again. ' +
          'HEADROOM_PYTHON=/path/to/python3 names one that is elsewhere.'
      : 'Install python3 (3.11 or newer) and python3-venv with your package manager, then run the command again. ' +
          'HEADROOM_PYTHON=/path/to/python3 names one that is elsewhere.',
  );
}

/**
 * The environment in `python-runtime/.venv`. The stamp is written last and names the locks it was made from, so that
 * a broken-off installation goes on where pip left it.
 * @param {{ dev: boolean }} options
 */
async function preparePython({ dev }) {
  const locks = ['requirements.lock', ...(dev ? ['requirements-dev.lock'] : [])].map((name) =>
    join(root, 'python-runtime', name),
  );
  const stamp = join(venv, 'headroom-locks.json');
  /** @type {Record<string, string>} */
  let done = {};
  try {
    done = JSON.parse(readFileSync(stamp, 'utf8'));
  } catch {
    // No stamp: never finished.
  }
  const todo = locks.filter((lock) => done[relative(root, lock)] !== hashOf([lock]));
  if (todo.length === 0 && existsSync(venvPython)) return;

  needDisk(join(root, 'python-runtime'), PYTHON_DISK_BYTES, 'the Python environment');
  if (!existsSync(venvPython) || spawnSync(venvPython, ['-c', 'import pip']).status !== 0) {
    const python = findPython();
    say(`making the Python environment with ${python}`);
    rmSync(venv, { recursive: true, force: true });
    const made = await run(python, ['-m', 'venv', venv], { onLine: () => {} });
    if (made.code !== 0) {
      throw new PrepareError(`The Python environment could not be made: ${made.tail.trim()}`, 'Install python3-venv.');
    }
  }
  for (const lock of todo) {
    const total = readFileSync(lock, 'utf8').match(/^[A-Za-z0-9][^\s=]*==/gm)?.length ?? 0;
    let collected = 0;
    const result = await run(
      venvPython,
      ['-m', 'pip', 'install', '--require-hashes', '--disable-pip-version-check', '--no-input', '-r', lock],
      {
        onLine(line) {
          const name = /^(?:Collecting|Requirement already satisfied:) ([^=\s]+)/.exec(line)?.[1];
          if (name !== undefined) say(`Python packages: ${Math.min((collected += 1), total)} of ${total} (${name})`);
          else if (/^(Installing|ERROR)/.test(line)) say(`Python packages: ${line.slice(0, 100)}`);
        },
      },
    );
    if (result.code !== 0) {
      throw new PrepareError(
        `The Python packages could not be installed: ${lastLines(result.tail)}`,
        'Check the network and the free space, then run the command again: it goes on where it stopped.',
      );
    }
    done[relative(root, lock)] = hashOf([lock]);
  }
  // `python -I` ignores PYTHONPATH; a .pth file is how the engine is found, and edits to it are live.
  const site = spawnSync(venvPython, ['-c', 'import site; print(site.getsitepackages()[0])'], { encoding: 'utf8' });
  writeFileSync(join(site.stdout.trim(), 'headroom.pth'), `${join(root, 'python-runtime')}\n`);
  writeFileSync(stamp, JSON.stringify(done));
}

// ── Build ─────────────────────────────────────────────────────────────────────────────────────────

const ROOMS = ['main', 'preload', 'renderer'];

function sourceHash() {
  const files = ROOMS.flatMap((room) => filesUnder(join(root, room))).filter(
    (file) => !/\.test\.tsx?$/.test(file) && !file.endsWith('.mjs'),
  );
  return hashOf([...files.sort(), join(root, 'package-lock.json')]);
}

/** Builds what changed since the last build; `force` builds always. @param {{ force?: boolean }} [options] */
export async function prepareBuild({ force = false } = {}) {
  const stamp = join(root, 'out', 'source-hash');
  const hash = sourceHash();
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  for (const room of ROOMS) {
    say(`building ${room}`);
    const { code, tail } = await run(bin('vite'), ['build', '-c', `${room}/vite.config.ts`, '--logLevel', 'warn'], {
      onLine: () => {},
      // A test runner sets NODE_ENV=test, with which React's development build would be bundled.
      env: { ...childEnvironment(), NODE_ENV: 'production' },
    });
    if (code !== 0) throw new PrepareError(`Building ${room} failed:\n${tail}`, 'Mend what the message names.');
    if (tail.trim() !== '') process.stderr.write(tail);
  }
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(stamp, hash);
}

// ── All of it ─────────────────────────────────────────────────────────────────────────────────────

/** @param {{ build?: boolean, pythonDev?: boolean }} [options] */
export async function prepare({ build = true, pythonDev = false } = {}) {
  const release = await takeTurn();
  try {
    await preparePackages();
    await preparePython({ dev: pythonDev });
    if (build) await prepareBuild();
  } finally {
    release();
  }
}

/**
 * Runs a launch script's body with errors in words.
 * @param {() => Promise<number | void>} body
 */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    say(error.message);
    say(error.nextStep);
    process.exitCode = 1;
  }
}

/** Two preparations at once would tread on each other: the second waits. A holder that died does not hold. */
async function takeTurn() {
  const file = join(root, '.prepare-lock');
  for (let told = false; ; ) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      const release = () => rmSync(file, { force: true });
      process.once('exit', release);
      return release;
    } catch {
      const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      if (holder === 0 || !isAlive(holder)) rmSync(file, { force: true });
      else if (!told) {
        say(`waiting for another preparation (process ${holder})`);
        told = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} folder @param {number} bytes @param {string} what */
function needDisk(folder, bytes, what) {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const gb = (/** @type {number} */ n) => (n / 1e9).toFixed(1);
  throw new PrepareError(
    `${gb(bytes)} GB of free disk space are needed for ${what}; there are ${gb(free)} GB.`,
    'Free some space, then run the command again.',
  );
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @param {string[]} files */
function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

/** @param {string} text */
const lastLines = (text) => text.trim().split('\n').slice(-3).join(' ');
