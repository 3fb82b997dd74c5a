import { defineConfig } from 'vite'

export default defineConfig({
  build: {
    outDir: '../../../dist/pages',
    emptyOutDir: true,
    // The content security policy allows neither inline scripts nor data: URIs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
