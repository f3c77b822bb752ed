import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/**
 * The window's bundle. Paths are relative: the same files are served at app://… and by the headless host. Nothing may be
 * inlined, neither scripts nor styles nor assets: the page's CSP is `default-src 'none'`.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  // Grammars are loaded one by one, by the worker that uses them.
  worker: { format: 'es' },
  build: {
    outDir: '../out/renderer',
    emptyOutDir: true,
    target: 'chrome140',
    cssTarget: 'chrome140',
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The contract's schemas are for main; the window takes names and bounds only.
    rolldownOptions: { treeshake: { manualPureFunctions: ['route', 'v'] } },
  },
});
