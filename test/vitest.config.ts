import { defineConfig } from 'vitest/config';

/**
 * unit: beside its file, no process, no browser. renderer: the same with a DOM. process: real children, engine,
 * browser, Electron; one file at a time, because the machine has few cores and the engine wants them.
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
          name: 'process',
          include: ['test/**/*.test.ts'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
