import { defineConfig } from 'vite';

/**
 * Main's bundle: two entries, one for each host, that share their chunks. Native modules and what reads its own files
 * stay outside; everything else is inlined, so that a package carries no node_modules but those.
 */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  // Everything not named below goes into the bundle.
  ssr: { target: 'node', noExternal: true },
  build: {
    outDir: '../out/main',
    emptyOutDir: true,
    target: 'node24',
    ssr: true,
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: { index: 'index.ts', headless: 'headless.ts' },
      external: [/^node:/, 'electron', 'node-pty', 'sudo-prompt', /^electron-log/],
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'shared-[hash].js' },
    },
  },
});
