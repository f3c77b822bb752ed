// @ts-check
/**
 * A Python for the bundle, in `python-runtime/dist`: relocatable, with the locked packages, without what an app does
 * not need. CPython 3.12: 3.14 hangs under the hardened runtime.
 */
import { existsSync, globSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PrepareError, root, run, say, venvPython } from './prepare.mjs';

/** uv brings python-build-standalone, pinned by its own version. */
const UV = 'uv==0.13.9';

/** Broken links end the signing, and these are what leaves them. */
const NEEDLESS = [
  'share',
  'include',
  'bin/python',
  'bin/python3',
  'lib/pkgconfig',
  'lib/python3.12/test',
  'lib/python3.12/idlelib',
  'lib/python3.12/tkinter',
  'lib/python3.12/turtledemo',
];

/** Does nothing when the tree is there. Needs a Mac: the locked wheels are chosen for the machine it runs on. */
export async function preparePythonTree() {
  const dist = join(root, 'python-runtime', 'dist');
  if (existsSync(dist)) return;
  say('making the Python tree for the bundle');
  const work = `${dist}.partial`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await must(venvPython, ['-m', 'pip', 'install', '--quiet', UV]);
  const uv = ['-m', 'uv'];
  await must(venvPython, [...uv, 'python', 'install', '3.12', '--install-dir', work, '--no-bin']);
  const [name] = globSync('cpython-3.12.*', { cwd: work });
  if (name === undefined) throw new PrepareError('uv installed no Python 3.12.', 'Read its messages above.');
  const tree = join(work, name);
  const python = join(tree, 'bin', 'python3.12');
  const lock = join(root, 'python-runtime', 'requirements.lock');
  const install = ['pip', 'install', '--python', python, '--break-system-packages', '--require-hashes', '-r', lock];
  await must(venvPython, [...uv, ...install]);
  for (const needless of NEEDLESS) rmSync(join(tree, needless), { recursive: true, force: true });
  // Python must not write into a signed bundle: it finds its caches there, valid whatever the files' times.
  await must(python, ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', join(tree, 'lib')]);
  renameSync(tree, dist);
  rmSync(work, { recursive: true, force: true });
}

/** @param {string} command @param {string[]} args */
async function must(command, args) {
  const { code } = await run(command, args);
  if (code !== 0)
    throw new PrepareError(`${args.slice(0, 4).join(' ')} ended with ${code}.`, 'Read its messages above.');
}
