/**
 * Stands where Electron's own default_app.asar would: `electron <folder>` runs the app in that folder.
 * The test Electron comes from a packaged app and has none.
 */
const { existsSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { app } = require('electron');

const given = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
const folder = given === undefined ? '' : resolve(given);
if (!existsSync(join(folder, 'package.json'))) {
  process.stderr.write('usage: electron <folder with a package.json>\n');
  app.exit(64);
} else {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  app.setName(manifest.productName ?? manifest.name);
  app.setVersion(manifest.version);
  app.setAppPath(folder);
  require(join(folder, manifest.main));
}
