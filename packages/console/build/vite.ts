import path from "node:path";
import { build } from "vite";

const [, , outDir = ""] = process.argv;

const root = path.resolve(import.meta.dirname, "..");

/** Builds the console and the portal into the folder of the first argument. */
await build({
  configFile: false,
  logLevel: "warn",
  root,
  base: "/console/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: path.resolve(outDir),
    target: "es2023",
    // The Content Security Policy allows no `data:` addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: [path.join(root, "index.html"), path.join(root, "portal.html")],
    },
    reportCompressedSize: false,
  },
});
