import { defineConfig } from "vite";

/** Built into the gateway's package; relative URLs, so that the page works below any path. */
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: "../gateway/static", emptyOutDir: true, target: "es2022", modulePreload: false },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
