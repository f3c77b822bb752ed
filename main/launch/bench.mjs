// @ts-check
/** `npm run bench`: every figure with its baseline from the same run; a table on stdout, JSON in test-results/bench.json. */
import { spawn } from 'node:child_process';
import { childEnvironment, main, nodeExecutable, prepare, root } from './prepare.mjs';

await main(async () => {
  await prepare();
  return await new Promise((resolve) => {
    const child = spawn(nodeExecutable(), ['test/bench/run.ts', ...process.argv.slice(2)], {
      cwd: root,
      env: childEnvironment(),
      stdio: 'inherit',
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
});
