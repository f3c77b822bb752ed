// @ts-check
/** The official Python clients in `out/python-clients`: only their own test needs them (python-runtime/requirements-clients.in). */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrepareError, root, run, say, venvPython } from './prepare.mjs';

const folder = join(root, 'out', 'python-clients');
const lock = join(root, 'python-runtime', 'requirements-clients.lock');

/** Does nothing where those of the lock are installed. The copy of the lock is written last. */
export async function preparePythonClients() {
  const wanted = readFileSync(lock, 'utf8');
  const stamp = join(folder, 'installed.lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing the official Python clients (45 MB)');
  rmSync(folder, { recursive: true, force: true });
  const options = ['--require-hashes', '--no-compile', '--disable-pip-version-check', '--no-input', '--quiet'];
  const { code, tail } = await run(venvPython, ['-m', 'pip', 'install', ...options, '--target', folder, '-r', lock], {
    onLine: () => {},
  });
  if (code !== 0) throw new PrepareError(`The Python clients could not be installed: ${tail}`, 'Check the network.');
  writeFileSync(stamp, wanted);
}
