// @ts-check
/**
 * `npm test`: everything, on real parts: the quick checks, the engine's own tests (pytest), then units, window, processes, browser and
 * Electron (vitest). `--faults` runs the kill, fuzz and soak suites with their full counts; `--fit` only what compares
 * predictions with the engine, on every model and length; `--engines` the other engines, with their real servers,
 * built once where they lack; `--clients` the official clients, with Python's, installed where they lack. Other arguments
 * go to vitest.
 */
import { preparePythonClients } from './python-clients.mjs';
import { bin, childEnvironment, main, nodeExecutable, prepare, root, run, say, venvPython } from './prepare.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  const faults = args.includes('--faults');
  const fit = args.includes('--fit');
  const engines = args.includes('--engines');
  const clients = args.includes('--clients');
  const rest = [
    ...args.filter((arg) => !['--faults', '--fit', '--engines', '--clients'].includes(arg)),
    ...(fit ? ['test/fit'] : []),
    ...(engines ? ['main/engines', 'test/engines'] : []),
    ...(clients ? ['test/gateway/official-clients'] : []),
  ];
  await prepare({ pythonDev: true });
  if (clients) await preparePythonClients();
  const env = {
    ...childEnvironment(),
    // Without this the electron package tries to download its binary when something merely imports it.
    ELECTRON_OVERRIDE_DIST_PATH: process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? `${root}node_modules/electron/dist`,
    ...(faults ? { HEADROOM_FAULTS: 'full' } : {}),
    ...(fit ? { HEADROOM_FIT: 'full' } : {}),
    ...(engines ? { HEADROOM_ENGINES: 'real' } : {}),
  };
  // What cannot be built is said there, and skipped with its reason.
  if (engines) await run(nodeExecutable(), ['test/engines/build-servers.ts'], { env });
  /** @type {string[]} */
  const failed = [];
  const vitest = async (/** @type {readonly string[]} */ args) => {
    const { code } = await run(bin('vitest'), ['run', '-c', 'test/vitest.config.ts', ...args], { env });
    if (code !== 0) failed.push(`vitest ${args.join(' ')}`.trim());
  };
  // The window mostly waits for its browser, so it is looked at beside the rest.
  const window = rest.length === 0 ? vitest(['--project', 'window']) : null;
  if (rest.length === 0) {
    const check = await run(nodeExecutable(), ['main/launch/check.mjs']);
    if (check.code !== 0) failed.push('check');
    const pytest = await run(
      venvPython,
      ['-m', 'pytest', '-q', '-rs', '-c', 'python-runtime/pyproject.toml', 'python-runtime'],
      {
        env,
      },
    );
    if (pytest.code !== 0) failed.push('pytest');
  }
  await vitest(window === null ? rest : ['--project', '!window']);
  await window;
  if (failed.length > 0) {
    say(`failed: ${failed.join(', ')}`);
    return 1;
  }
  return 0;
});
