// @ts-check
/** `npm run check`: types, lint, format, dead code, boundaries; TypeScript and Python. Seconds, not minutes. */
import { join } from 'node:path';
import { bin, main, prepare, root, run, say, venvPython } from './prepare.mjs';

const python = join(root, 'python-runtime');

/** @type {[name: string, command: string, args: string[], cwd?: string][]} */
const CHECKS = [
  ['types', bin('tsc'), ['-b']],
  ['lint', bin('oxlint'), ['--type-aware']],
  ['format', bin('biome'), ['format', '.']],
  ['dead code', bin('knip'), ['--no-config-hints']],
  ['python lint', venvPython, ['-m', 'ruff', 'check', '.'], python],
  ['python format', venvPython, ['-m', 'ruff', 'format', '--check', '.'], python],
  ['python types', venvPython, ['-m', 'mypy'], python],
];

/** Fewer modules than this means that the check looked at nothing (it does so silently when TypeScript is not found). */
const LEAST_MODULES = 50;

await main(async () => {
  await prepare({ build: false, pythonDev: true });
  let failed = 0;
  const report = (/** @type {string} */ name, /** @type {boolean} */ ok, /** @type {string} */ output) => {
    say(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
    if (!ok) process.stderr.write(`${output}\n`);
    if (!ok) failed += 1;
  };
  for (const [name, command, args, cwd = root] of CHECKS) {
    let output = '';
    const { code } = await run(command, args, { cwd, onLine: (line) => (output += `${line}\n`) });
    report(name, code === 0, output);
  }
  let output = '';
  const cruise = await run(bin('depcruise'), ['--config', '.dependency-cruiser.json', 'main', 'preload', 'renderer'], {
    onLine: (line) => (output += `${line}\n`),
  });
  const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
  if (modules < LEAST_MODULES) output += `only ${modules} modules were looked at\n`;
  report(`boundaries (${modules} modules)`, cruise.code === 0 && modules >= LEAST_MODULES, output);
  return failed === 0 ? 0 : 1;
});
