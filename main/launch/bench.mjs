// @ts-check
/** `npm run bench`: every figure with its baseline from the same run; a table on stdout, JSON in test-results/bench.json. */
import { bin, childEnvironment, main, nodeExecutable, prepare, root, say } from './prepare.mjs';
import { spawn } from 'node:child_process';

await main(async () => {
  await prepare();
  say(`benching with ${bin('node')}`);
  return await new Promise((resolve) => {
    const child = spawn(nodeExecutable(), ['test/bench/run.ts', ...process.argv.slice(2)], {
      cwd: root,
      env: childEnvironment(),
      stdio: 'inherit',
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
});
