// @ts-check
/**
 * `npm start`: prepares what is missing, then opens the menu-bar app, or the headless host where there is no display
 * or no Electron to be had (or with `--headless`). Arguments are passed on; the headless host explains them.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { bin, childEnvironment, main, nodeExecutable, prepare, root, run, say } from './prepare.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  const headless = args.includes('--headless');
  const prepared = args.includes('--prepared');
  const rest = args.filter((arg) => arg !== '--headless' && arg !== '--prepared');
  if (!prepared) await prepare();
  if (headless) return await host(nodeExecutable(), ['out/main/headless.js', ...rest]);
  const reason = await whyNoElectron();
  if (reason !== null) {
    say(`${reason}; starting the headless host instead: open the address it prints in a browser`);
    return await host(nodeExecutable(), ['out/main/headless.js', ...rest]);
  }
  // Chromium's sandbox refuses to be root's; nobody but a container is.
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (isRoot) say('running as root: Electron starts without its sandbox');
  return await host(bin('electron'), ['.', ...(isRoot ? ['--no-sandbox'] : []), ...rest]);
});

/** Null when Electron can be started. @returns {Promise<string | null>} */
async function whyNoElectron() {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    return 'there is no display';
  }
  if (electronIsThere()) return null;
  say('downloading Electron (about 110 MB, once)');
  const { code } = await run(nodeExecutable(), ['node_modules/electron/install.js']);
  return code === 0 && electronIsThere() ? null : 'Electron could not be downloaded';
}

function electronIsThere() {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const pathFile = join(root, 'node_modules', 'electron', 'path.txt');
  if (!existsSync(pathFile)) return override !== undefined && existsSync(join(override, 'electron'));
  const dist = override ?? join(root, 'node_modules', 'electron', 'dist');
  return existsSync(join(dist, readFileSync(pathFile, 'utf8')));
}

/**
 * The host lives in this process's place: signals go on to it, its exit code becomes ours.
 * @param {string} command @param {string[]} args @returns {Promise<number>}
 */
function host(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env: childEnvironment(), stdio: 'inherit' });
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => {
      say(error.message);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
