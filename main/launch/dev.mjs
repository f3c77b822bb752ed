// @ts-check
/**
 * `npm run dev`: builds on save. A change in the renderer reloads the window, a change in main or preload restarts
 * the app. Arguments as for `npm start`.
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { bin, childEnvironment, main, nodeExecutable, prepare, prepareBuild, root, say } from './prepare.mjs';

const SETTLE_MS = 200;
const env = { ...childEnvironment(), HEADROOM_DEV: '1' };

await main(async () => {
  await prepare({ build: false });
  await prepareBuild();
  const builders = ['main', 'preload', 'renderer'].map((room) =>
    spawn(bin('vite'), ['build', '--watch', '-c', `${room}/vite.config.ts`, '--logLevel', 'warn'], {
      cwd: root,
      env,
      stdio: ['ignore', 2, 2],
    }),
  );

  /** @type {{ app: import('node:child_process').ChildProcess | null, ending: boolean }} */
  const running = { app: null, ending: false };
  const start = () => {
    const app = spawn(nodeExecutable(), ['main/launch/start.mjs', '--prepared', ...process.argv.slice(2)], {
      cwd: root,
      env,
      stdio: 'inherit',
    });
    running.app = app;
    app.on('exit', (code) => {
      running.app = null;
      if (!running.ending) say(`the app ended with code ${code}; it starts again on the next save`);
    });
  };
  const restart = () => {
    if (running.app === null) return start();
    running.app.once('exit', start);
    running.app.kill('SIGTERM');
  };

  // The first builds of the watchers write everything once more; restarts begin after they have settled.
  let timer = setTimeout(start, 3_000);
  let started = false;
  setTimeout(() => (started = true), 4_000);
  for (const room of ['main', 'preload']) {
    watch(join(root, 'out', room), () => {
      if (!started) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        say('main has changed: restarting');
        restart();
      }, SETTLE_MS);
    });
  }

  await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve);
  });
  running.ending = true;
  for (const builder of builders) builder.kill();
  running.app?.kill('SIGTERM');
});
