/** Called by electron-builder when a package's files are in place and nothing is signed yet. */
import { chmodSync, existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

/**
 * node-pty's prebuilt spawn-helper comes with mode 0644, so that every start of the engine would fail on a Mac
 * (microsoft/node-pty#850).
 * @param {{ appOutDir: string, electronPlatformName: string, packager: { appInfo: { productFilename: string } } }} context
 */
export default async function afterPack({ appOutDir, electronPlatformName, packager }) {
  if (electronPlatformName !== 'darwin') return;
  const resources = join(appOutDir, `${packager.appInfo.productFilename}.app`, 'Contents', 'Resources');
  const pty = join(resources, 'app.asar.unpacked', 'node_modules', 'node-pty');
  const helpers = globSync('{prebuilds/darwin-arm64,build/Release}/spawn-helper', { cwd: pty });
  if (!existsSync(pty) || helpers.length === 0) throw new Error(`node-pty's spawn-helper is not in ${pty}`);
  for (const helper of helpers) chmodSync(join(pty, helper), 0o755);
}
