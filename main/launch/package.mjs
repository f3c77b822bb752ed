// @ts-check
/**
 * `npm run package`: the app for Apple silicon on a Mac; on Linux a folder from the Electron at hand, started once to
 * see that it comes up and ends.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { main, nodeExecutable, prepare, PrepareError, root, run, say } from './prepare.mjs';
import { preparePythonTree } from './python-tree.mjs';

await main(async () => {
  await prepare();
  // Present only after the line above.
  const builder = await import('electron-builder');
  if (process.platform === 'darwin') await packageForMac(builder);
  else await packageForLinux(builder);
});

/** @param {typeof import('electron-builder')} builder */
async function packageForMac({ Arch, build, Platform }) {
  await preparePythonTree();
  await build({ targets: Platform.MAC.createTarget(undefined, Arch.arm64), projectDir: root });
}

/** @param {typeof import('electron-builder')} builder */
async function packageForLinux({ Arch, build, Platform }) {
  const electron = electronAtHand();
  const common = await configuration();
  // In a file of its own: an object would be laid over electron-builder.yml, whose lists would stay.
  const file = join(root, 'out', 'electron-builder.json');
  writeFileSync(
    file,
    JSON.stringify({
      ...(electron.origin === 'test' ? withTestBuild(common) : common),
      electronDist: electron.distFolder,
      electronVersion: electron.version,
    }),
  );
  say(`packaging with Electron ${electron.version}`);
  await build({ targets: Platform.LINUX.createTarget('dir', Arch.x64), projectDir: root, config: file });
  const executable = join(root, 'dist', 'linux-unpacked', 'headroom');
  say('starting the package');
  const started = await run(nodeExecutable(), [join(root, 'test', 'packaging', 'start-package.ts'), executable]);
  if (started.code !== 0) throw new PrepareError('The package does not start.', 'Mend what is said above.');
  say(`the package comes up and ends cleanly: ${executable}`);
}

/** electron-builder.yml as electron-builder reads it. @returns {Promise<import('electron-builder').Configuration>} */
async function configuration() {
  // The reader is in a package of electron-builder's own, wherever npm has put it.
  const beside = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
  return await beside('app-builder-lib/out/util/config/config.js').getConfig(root, null, null);
}

/** @returns {{ distFolder: string, version: string, origin: 'installed' | 'test' }} */
function electronAtHand() {
  const { stdout } = spawnSync(nodeExecutable(), [join(root, 'test', 'electron', 'fetch-electron.ts'), '--json'], {
    encoding: 'utf8',
  });
  const found = JSON.parse(stdout || '{}');
  if (found.electron) return found.electron;
  throw new PrepareError(found.reason ?? 'No Electron was found.', 'Run "node node_modules/electron/install.js".');
}

/**
 * An old Electron cannot run what is written for the current one: the package then holds the test build, with its
 * shims. It shows that packaging works; it is not for use.
 * @param {import('electron-builder').Configuration} config
 * @returns {import('electron-builder').Configuration}
 */
function withTestBuild(config) {
  const built = spawnSync(nodeExecutable(), [join(root, 'test', 'electron', 'build.ts')], { encoding: 'utf8' });
  if (built.status !== 0) throw new PrepareError(`The test build failed: ${built.stderr}`, 'Mend what it names.');
  const shims = ['undici', '@fastify/busboy', 'node-sqlite3-wasm'];
  const [common] = /** @type {import('electron-builder').FileSet[]} */ (config.files);
  const filter = [common?.filter ?? []].flat().filter((pattern) => !pattern.startsWith('out/'));
  const { grantFileProtocolExtraPrivileges: _newerThanIt, ...electronFuses } = config.electronFuses ?? {};
  return {
    ...config,
    files: [
      { ...common, filter },
      { from: 'out/test-electron/out', to: 'out' },
      ...shims.map((name) => ({ from: `node_modules/${name}`, to: `node_modules/${name}` })),
    ],
    extraMetadata: { main: 'out/main/index.cjs' },
    electronFuses,
  };
}
