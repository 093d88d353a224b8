import path from "node:path";
import { build } from "vite";

const [, , outDir = ""] = process.argv;

/** Builds the console into the folder of the first argument. */
await build({
  configFile: false,
  logLevel: "warn",
  root: path.resolve(import.meta.dirname, ".."),
  base: "/console/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path.resolve(outDir),
    target: "es2023",
    // The Content Security Policy allows no `data:` addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
