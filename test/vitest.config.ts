import { defineConfig } from 'vitest/config';

/**
 * unit: beside its file, no process, no browser. renderer: the same with a DOM. window: a real browser, mostly over a fake
 * main. process: real children, engine, Electron. The last two take one file at a time: the machine has few cores and the
 * engine wants them. `npm test` runs the window beside the rest.
 */
export default defineConfig({
  test: {
    projects: [
      {
        root: new URL('..', import.meta.url).pathname,
        test: { name: 'unit', include: ['main/**/*.test.ts', 'preload/**/*.test.ts'], environment: 'node' },
      },
      {
        root: new URL('..', import.meta.url).pathname,
        test: { name: 'renderer', include: ['renderer/**/*.test.{ts,tsx}'], environment: 'happy-dom' },
      },
      {
        root: new URL('..', import.meta.url).pathname,
        test: {
          name: 'window',
          include: ['test/ui/**/*.test.ts'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 120_000,
          expect: { poll: { timeout: 15_000 } },
          hookTimeout: 120_000,
        },
      },
      {
        root: new URL('..', import.meta.url).pathname,
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: ['test/ui/**'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 120_000,
          expect: { poll: { timeout: 15_000 } },
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
