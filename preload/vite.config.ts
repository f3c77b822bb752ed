import { defineConfig } from 'vite';

/** The sandboxed preload: one CommonJS file, in which `require` knows little more than electron. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  build: {
    outDir: '../out/preload',
    emptyOutDir: true,
    target: 'chrome140',
    minify: false,
    lib: { entry: 'electron.ts', formats: ['cjs'], fileName: () => 'electron.cjs' },
    // The contract's schemas are for main; the bridge takes its two names only.
    rolldownOptions: { external: ['electron'], treeshake: { manualPureFunctions: ['route', 'v'] } },
  },
});
